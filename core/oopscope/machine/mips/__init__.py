"""MIPS: only the words of an oops are known."""
