"""riscv64: how its kernel words an oops."""
