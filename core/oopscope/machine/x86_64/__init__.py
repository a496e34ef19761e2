"""x86_64: its memory, stacks and unwinding."""
