"""A kernel's log, parsed once."""

from collections.abc import Sequence
from typing import Any

from oopscope.kernel.kernel import Kernel
from oopscope.klog.parse import Log, parse
from oopscope.linux.printk import log


def the_log(kernel: Kernel) -> Log:
    """Return a kernel's log, parsed once."""
    return parse(log(kernel))


def log_of(kernel: Kernel, records: Sequence[Any]) -> Log:
    """Return a kernel's log, parsed once; an empty one where its records could not be read."""
    return kernel.cached(the_log) if records else parse(records)
