"""Readers of the kernel's structures, a file for each of the kernel's ideas."""
