"""32-bit ARM: its page tables, memory, stacks, registers and wordings."""
