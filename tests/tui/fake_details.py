"""What the provider that answers in core's stead says of one task, and of physical memory: core's own types."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from oopscope.inspect.task_facts import Relative, TaskFacts
from oopscope.kernel.fact import Fact
from oopscope.linux.file import OpenFile
from oopscope.linux.memory_shares import Share, Shares
from oopscope.linux.task_files import TaskFiles
from oopscope.linux.task_memory import Area, Size, TaskMemory
from oopscope.memory.coverage import Cell
from oopscope.subsystems.cards.task import CARD

FILE = 0xFFFF888003A4C000
LACKING = "physical page at 0x3a4d000 is not in the dump (filtered out when it was written)"


def facts(address: int) -> TaskFacts:
    return TaskFacts(
        (Relative(12, "shell"), Relative(1, "daemon-0")),
        (),
        0,
        tuple(Relative(300 + at, f"child-{at}") for at in range(25)),
        25,
        (
            Fact("policy", "Scheduling", "text", "normal", parts=(Fact("nice", "nice", "int", 0),)),
            Fact("started", "Started", "seconds", 3.5),
            Fact("pending", "Signals pending", "list", ("SIGTERM", "SIGKILL")),
            Fact("namespaces", "Own namespaces", "list", ()),
            Fact("capabilities", "Capabilities", "list", None),
        ),
    )


def memory(address: int) -> TaskMemory:
    sizes = (Size("Resident", 3 << 20), Size("anonymous", 1 << 20), Size("files", 2 << 20), Size("Swapped", 0))
    areas = (
        Area(0x400000, 0x585000, "r-xp", 0, "/bin/busybox", FILE + 0x400),
        Area(0x7FFC8D6AA000, 0x7FFC8D6CB000, "rw-p", 0, "[stack]", FILE + 0x500),
        Area(0x7FFC8D6CB000, 0x7FFC8D6CC000, "rw-p", 0, None, FILE + 0x600),
    )
    return TaskMemory(FILE + 0x800, sizes, areas, 3, 1, None, "pages of programs are not in the dump", "")


def files(address: int) -> TaskFiles:
    found = (
        OpenFile(0, FILE, "char device", "/dev/null", "O_RDONLY", None, None, "1:3"),
        OpenFile(3, FILE + 0x100, "file", "/var/log/app.log", "O_WRONLY O_APPEND", 4096, 1 << 20),
        OpenFile(12, FILE + 0x200, "socket", "socket:[255]", "O_RDWR", None, None, "inet tcp 0.0.0.0:22 (listening)"),
        OpenFile(13, FILE + 0x300, None, None, "", None, None, "", LACKING),
    )
    return TaskFiles(found, False, "/srv", "/", "/bin/busybox", "")


def strip(count: Any) -> list[Cell]:
    """The first third is held, of the second a part, the last not."""
    return [Cell(at * 1000, at * 1000 + 1000, (1000, 400, 0)[at * 3 // count], 1000) for at in range(count)]


def shares(_key: object) -> Shares:
    """Of 384 MiB: more than half of it in tmpfs, one counter unreadable."""
    found = (
        Share("Free", 160 << 20, "MemFree"),
        Share("Shared, tmpfs", 200 << 20, "Shmem"),
        Share("Anonymous", 20 << 20, "AnonPages"),
        Share("Page tables", None, "PageTables"),
        Share("Other kernel", 4 << 20),
    )
    return Shares(384 << 20, found, 0)


def swapped(addresses: tuple[int, ...]) -> dict[int, int]:
    """All of the first, none of the second; the others cannot be read."""
    return dict(zip(addresses, (5 << 20, 0), strict=False))


def part(name: str, **read: Any) -> Callable[..., Any]:
    """A part of the card of a task, made by core of what is read here; `read` stands in for it."""
    make = next(one.make for one in CARD.parts if one.key == name)

    def answer(address: int) -> Any:
        found = {"facts": facts, "memory": memory, "files": files, **read}
        return make(None, SimpleNamespace(**{key: tell(address) for key, tell in found.items()}))

    return answer
