"""s390x: its page tables, memory, stacks, registers and wordings."""
