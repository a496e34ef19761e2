"""Readers whose answer a kernel keeps: `@once` above a function of the kernel alone; all who call it share one read."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from oopscope.kernel.kernel import Kernel

T = TypeVar("T")


def once(read: Callable[["Kernel"], T]) -> Callable[["Kernel"], T]:
    """Make a reader answer from what the kernel keeps; it reads at the first call, and again after one that raised."""

    @wraps(read)
    def kept(kernel: "Kernel") -> T:
        return kernel.cached(kept)

    return kept


def reader(read: Callable[["Kernel"], T]) -> Callable[["Kernel"], T]:
    """Return the function that does the reading: of one made with `once` what stands under it."""
    found: Callable[[Kernel], T] = getattr(read, "__wrapped__", read)
    return found
