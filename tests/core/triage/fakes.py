"""A death made of log lines and a stack, with no dump: a kernel that answers only what the rules ask."""

import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from oopscope.dumps import Facts
from oopscope.errors import NoSymbol, NotMapped, NoTypes
from oopscope.inspect.address_space import StackMap, stack_map
from oopscope.kernel.frame import Frame
from oopscope.kernel.once import reader
from oopscope.kernel.problems import Problems
from oopscope.linux.block import Request, requests
from oopscope.linux.meminfo import all_counters
from oopscope.linux.printk import Record
from oopscope.linux.printk import log as log_records
from oopscope.linux.task import Census, census
from oopscope.machine import arch
from oopscope.stacks.cpus import Cpu, all_cpus
from oopscope.stacks.registers import registers
from oopscope.stacks.tasks import Task, all_tasks
from oopscope.symbols.vmcoreinfo import VmcoreInfo
from oopscope.triage.death import Death
from oopscope.waits.build import wait_graph
from oopscope.waits.graph import Claim, Graph, Node, joined
from oopscope.waits.locks import Wait, all_locks

FRAME = re.compile(r"(\? )?(\w[\w.]*|0x[0-9a-f]+)(?:\+(0x[0-9a-f]+))?(?: \[(\w+)\])?(?: <(\w+)>)?")
TEXT = 0xFFFFFFFF81000000
STAMP = re.compile(r"\[[0-9.]+\]")
# The registers by which an oops finds where it stands are its own; the rest of the log is what a test says.
SYMBOLS = {"panic_cpu": 0x1000, "__cpu_present_mask": 0x2000, "nr_cpu_ids": 0x3000}


class Words:
    """Memory of single words; all else is not mapped."""

    def __init__(self, words: Any = ()) -> None:
        self._words = dict(words)

    def word(self, address: int) -> Any:
        if address not in self._words:
            raise NotMapped(address)
        return self._words[address]

    u32 = word
    word_size = 8

    def words(self, address: int, count: int) -> Any:
        return tuple(self.word(address + 8 * i) for i in range(count))

    def read(self, address: int, size: int) -> bytes:
        return b"".join(word.to_bytes(8, "little") for word in self.words(address, size // 8))

    def words_in(self, data: bytes, count: int, offset: int = 0) -> tuple[int, ...]:
        return struct.unpack_from(f"<{count}Q", data, offset)

    def pair(self, address: int) -> Any:
        return self.words(address, 2)

    def pair_in(self, data: bytes, offset: int) -> tuple[int, ...]:
        return self.words_in(data, 2, offset)

    def keep(self, address: int, data: bytes) -> bool:
        return True


def timed(log: list[str]) -> Iterator[Record]:
    """Records of lines; one that is only `[12.5]` moves the clock to that second."""
    ns = index = 0
    for text in log:
        if STAMP.fullmatch(text):
            ns = int(float(text[1:-1]) * 1e9)
            continue
        yield Record(index, ns, 4, 0, None, text)
        ns, index = ns + 1000, index + 1


def claims_of(locks: Sequence[Wait]) -> Iterator[Claim]:
    """Waits for locks as the graph has them."""
    for one in locks:
        thing = Node(f"{one.kind}:{one.lock:#x}", one.kind, one.name or f"{one.lock:#x}", one.lock)
        waiter = Node(f"task:{one.pid}", "task", one.comm, one.task, one.pid, "D")
        yield Claim(waiter, thing, "waits_for", "linked", 1.0)
        if one.holder is not None:
            yield Claim(
                thing, Node(f"task:{one.owner_pid}", "task", one.owner_comm, one.owner, one.owner_pid, "D"), "held_by",
                "recorded",
            )  # fmt: skip


class FakeKernel:
    """Answers from what a test gives: the log, the CPUs, the tasks."""

    log_from = None  # the log is the dump\'s own
    machine_known = True
    machine_name, arch = "x86_64", arch("x86_64")

    def __init__(
        self,
        log: list[str],
        cpus_: list[Cpu],
        tasks_: list[Task] | tuple[()] = (),
        panicked: int | None = 0,
        words: tuple[()] = (),
        info: str = "",
        live: bool = False,
        locks_: list[Wait] | tuple[()] = (),
        graph: Graph | None = None,
        requests_: Sequence[Request] = (),
    ) -> None:
        self.problems, self.arch = Problems(), arch("x86_64")
        self.facts = Facts("kcore" if live else "kdump")
        self.facts.live = live
        self.info = VmcoreInfo.parse(info.encode())
        invalid = 0xFFFFFFFF
        present = {0x1000: invalid if panicked is None else panicked, 0x2000: (1 << len(cpus_)) - 1, 0x3000: len(cpus_)}
        self.memory = Words({**present, **dict(words)})
        self._known = {
            log_records: list(timed(log)),
            all_counters: [],
            all_cpus: list(cpus_),
            all_tasks: list(tasks_),
            census: Census({}, {}),
            all_locks: list(locks_),
            requests: list(requests_),
            wait_graph: graph or joined(claims_of(locks_)),
            stack_map: StackMap([]),
            registers: {},
        }

    def cached(self, read: Any) -> Any:
        if read not in self._known:
            self._known[read] = reader(read)(self)
        return self._known[read]

    @contextmanager
    def aside(self) -> Iterator[None]:
        yield

    def find_symbol(self, name: str) -> Any:
        return SYMBOLS.get(name)

    def symbol(self, *names: Any) -> None:
        raise NoSymbol(names[0])

    def bind(self, plan: Any) -> None:
        raise NoTypes


def frame(text: str, at: int = 0) -> Frame:
    """Make a frame of `function+0x12 [module] <kind>`; `? ` before it marks a guess, a bare number is no code."""
    doubt, name, offset, module, kind = FRAME.fullmatch(text).groups()
    if name.startswith("0x"):
        return Frame(int(name, 16), None, None, None, kind or "task", True)
    return Frame(TEXT + at, name, int(offset or "0x10", 16), module, kind or "task", not doubt)


def stack(*texts: str) -> tuple[Frame, ...]:
    return tuple(frame(text, 0x1000 * i) for i, text in enumerate(texts))


def task(pid: int, comm: str, state: str = "S", **more: Any) -> Task:
    facts = {
        "ppid": 1,
        "cpu": 0,
        "address": 0xFFFF888000000000 + pid,
        "kernel_thread": False,
        "rss_bytes": 4096,
        "vsz_bytes": 8192,
        "uid": 0,
        "since_last_run_seconds": 1.0,
        "wait": "do_wait",
    }
    return Task(**{**facts, "pid": pid, "tgid": pid, "comm": comm, "state": state, **more})


def wait(pid: int, comm: str, lock: int, owner: tuple[int, str], readers: bool = False) -> Wait:
    """A task that waits for a mutex at an address, held by another (its PID and name)."""
    base = 0xFFFF888000000000
    return Wait(pid, comm, "mutex", lock, None, *owner, readers, base + pid, base + owner[0])


def behind_disk(pid: int, comm: str, disk: str = "vda", age: float = 130.0) -> tuple[Graph, list[Request]]:
    """A task that waits for a request in flight of a disk: the graph, and the requests."""
    base = 0xFFFF888000000000
    waiter = Node(f"task:{pid}", "task", comm, base + pid, pid, "D")
    request = Node("request:0x9000", "request", f"{disk}: WRITE 64K, sector 128, sent {age:.1f} s ago", 0x9000)
    drive = Node("disk:0x8000", "disk", disk, 0x8000, None, f"1 in flight, the oldest since {age:.1f} s")
    graph = joined(
        [Claim(waiter, request, "waits_for", "linked", age), Claim(request, drive, "behind", "recorded")]
    )  # fmt: skip
    return graph, [Request(disk, age, "write", 128, 65536, 1, "in flight", 0, pid, comm, 0x9000)]


def cpu(number: int, frames: tuple[Frame, ...], state: str = "running", pid: int = 321, comm: str = "storaged") -> Cpu:
    return Cpu(number, True, state, pid, comm, 0xFFFF888000001000, frames, {})


def death(
    log: str,
    frames: tuple[str, ...] = (),
    others: list[Cpu] | tuple[()] = (),
    tasks_: list[Task] | tuple[()] = (),
    panicked: int | None = 0,
    words: tuple[()] = (),
    info: str = "",
    live: bool = False,
    locks_: list[Wait] | tuple[()] = (),
    graph: Graph | None = None,
    requests_: Sequence[Request] = (),
) -> Death:
    """A death of CPU 0 (of none, where panicked is None), whose log is given as one text."""
    lines = [line for line in log.split("\n") if line]
    first = cpu(0, stack(*frames), "panic" if panicked is not None else "idle")
    return Death(FakeKernel(lines, [first, *others], tasks_, panicked, words, info, live, locks_, graph, requests_))
