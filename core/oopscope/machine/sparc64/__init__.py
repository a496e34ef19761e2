"""64-bit SPARC: only the words of an oops are known."""
