"""A counter whose parts the CPUs keep: struct percpu_counter. Follows include/linux/percpu_counter.h.

A uniprocessor kernel's is the one count, without parts.
"""

from oopscope.kernel.kernel import Kernel, per_cpu_offsets


def percpu_sum(kernel: Kernel, address: int) -> int:
    """Return what a struct percpu_counter comes to, never below 0; ReadError, Absent."""
    types, memory = kernel.types, kernel.memory
    raw = memory.read(address + types.member("percpu_counter", "count").offset, 8)
    found = int.from_bytes(raw, "little" if kernel.endian == "<" else "big", signed=True)
    if types.has_member("percpu_counter", "counters"):
        each = memory.word(address + types.member("percpu_counter", "counters").offset)
        if each:
            found += sum(memory.s32((each + offset) % memory.top) for offset in kernel.cached(per_cpu_offsets))
    return max(found, 0)
