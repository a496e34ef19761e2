"""One dead kernel: the facade that is passed around, walks over its lists and trees, and its stacks."""
