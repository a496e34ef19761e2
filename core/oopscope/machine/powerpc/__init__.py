"""PowerPC with the radix MMU, in both byte orders: its page tables, memory, stacks, registers and wordings."""
