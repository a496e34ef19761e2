"""aarch64: its page tables, registers and wordings."""
