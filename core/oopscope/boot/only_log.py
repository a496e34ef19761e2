"""A kernel of which only the log is left: what its words tell stands in for the readers of memory, all else is absent.

`TOLD` names the readers that a log can stand in for, and who tells it; every other reader of the kernel's memory raises
NotInLog, so that nothing that a log cannot tell becomes an empty list. Beside a dump, the log is read where the dump's
own is lost.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from oopscope.arch import Mapping
from oopscope.dumps import Dump, find_format, open_source
from oopscope.errors import NotInLog, OopscopeError, Unsupported
from oopscope.kernel.kernel import Kernel
from oopscope.machine import all_wordings, arch
from oopscope.machine.common.wordings import detect
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

T = TypeVar("T")
# The reader of memory, and the function that reads the same from the log's words.
TOLD = {
    "oopscope.linux.system.the_system": "oopscope.klog.told.system",
    "oopscope.linux.module_list.all_modules": "oopscope.klog.told.modules",
    "oopscope.stacks.cpus.all_cpus": "oopscope.klog.told.cpus",
}
READERS = ("oopscope.linux.", "oopscope.stacks.", "oopscope.waits.", "oopscope.machine.", "oopscope.inspect.")
OWN = "oopscope.linux.printk."
USUAL = "x86_64"  # where no word of the log tells the machine


class LogKernel(Kernel):
    """A kernel without memory."""

    def __init__(self, dump: Dump, machine: str | None) -> None:
        found, self._known = arch(USUAL), machine is None
        with suppress(Unsupported):
            found, self._known = arch(machine or USUAL), True

        def translate(_address: int) -> Mapping:
            raise NotInLog

        super().__init__(
            dump, found, VmcoreInfo({}), Memory(PhysicalMemory(dump), translate, found.page_shift, found.word)
        )
        self._name = machine

    @property
    def machine_known(self) -> bool:
        """Whether it is known how this machine's registers and code are read; where nothing tells, it is x86_64."""
        return self._known

    @property
    def machine_name(self) -> str | None:
        """The architecture, by the words that only its kernel prints; None where there are none."""
        return self._name

    def cached(self, read: Callable[[Kernel], T]) -> T:
        """Return what the log tells in place of a reader, once; NotInLog where it cannot."""
        if read in self._cached:
            found: T = self._cached[read]
            return found
        name = f"{read.__module__}.{read.__qualname__}"
        if name in TOLD:
            module, _, function = TOLD[name].rpartition(".")
            told: T = getattr(import_module(module), function)(self)
            self.know(read, told)
            return told
        if name.startswith(READERS) and not name.startswith(OWN):
            raise NotInLog
        return super().cached(read)

    def find_symbol(self, name: str) -> int | None:
        """Raise NotInLog."""
        raise NotInLog

    def symbol(self, *names: str) -> int:
        """Raise NotInLog."""
        raise NotInLog

    def remember(self) -> None:
        """Keep nothing: there are no tables."""


def log_kernel(dump: Dump) -> LogKernel:
    """Make a kernel of a log."""
    texts = (entry.text for entry in reversed(getattr(dump, "records", ())))  # a death's registers are near the end
    found = detect(texts, all_wordings())
    return LogKernel(dump, found.machine if found else None)


def reader_of(beside: Path) -> Callable[[], tuple[str, Sequence[Any]]]:
    """Return what reads the log that lies beside a dump."""

    def read() -> tuple[str, Sequence[Any]]:
        try:
            source = open_source(beside)
            line = find_format(source, guess=False)
            if line is None or line.key != "log":
                return beside.name, ()
            dump = import_module(line.module).open([source])
        except OopscopeError:
            return beside.name, ()
        return beside.name, dump.records

    return read
