"""powerpc: how the kernels of ppc64le, ppc64 and 32-bit PowerPC word an oops."""
