"""Finding the kernel in a dump: VMCOREINFO found or done without, files that add what the dump lacks."""
