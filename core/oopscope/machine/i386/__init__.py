"""i386: its memory and stacks."""
