"""Where things lie in an i386 kernel's address space."""

from oopscope.kernel.kernel import Kernel


def modules(kernel: Kernel) -> range:
    """Return where modules are loaded: anywhere in vmalloc space, whose bounds move with the machine's memory."""
    return range(kernel_from(kernel), kernel.memory.top)


def kernel_from(kernel: Kernel) -> int:
    """Return the lowest address that can be the kernel's: CONFIG_VMSPLIT may be 2 GiB for each."""
    return kernel.memory.top >> 1
