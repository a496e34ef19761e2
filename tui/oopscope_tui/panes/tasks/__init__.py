"""Tasks: the list, the tree, one in detail."""
