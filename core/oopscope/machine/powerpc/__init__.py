"""PowerPC with the radix MMU, little-endian: its page tables, memory, stacks, registers and wordings."""
