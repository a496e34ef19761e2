"""The dead machine's memory: a bounded page cache, physical reads, virtual reads through its own page tables."""
