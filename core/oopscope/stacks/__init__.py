"""Stacks of tasks and CPUs, and the rows that come with them."""
