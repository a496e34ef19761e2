"""What the kernel log's text says, parsed once: where trouble begins, what an oops tells."""
