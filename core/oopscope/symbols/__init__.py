"""What the kernel tells of itself: VMCOREINFO, kallsyms, BTF, ORC, the symbols of modules, and a cache of all that."""
