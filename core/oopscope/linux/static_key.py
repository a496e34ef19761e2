"""Static keys: switches in the kernel's code. Follows include/linux/jump_label.h."""

from typing import NamedTuple

from oopscope.kernel.kernel import Kernel
from oopscope.structs.plan import Plan


class Key(NamedTuple):
    """struct static_key."""

    enabled: int


KEY = Plan("static_key", Key, enabled="enabled.counter")


def is_on(kernel: Kernel, symbol: str) -> bool:
    """Tell whether a key is on; one that this kernel has not is off."""
    at = kernel.find_symbol(symbol)
    return at is not None and kernel.bind(KEY).row(at).enabled > 0
