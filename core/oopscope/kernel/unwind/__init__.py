"""Stack unwinders: from a set of registers to frames, each frame marked reliable or not.

`unwind` picks, at each step, the best that the kernel offers: ORC tables, then frame pointers, then a scan of the
stack's words. What was found by anything weaker than the kernel's own method is marked unreliable.
"""
