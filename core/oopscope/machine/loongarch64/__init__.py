"""loongarch64: its page tables, memory, stacks, registers and wordings."""
