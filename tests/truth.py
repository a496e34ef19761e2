"""What a guest said of itself about a second before it died, and what its kernel logged: the truth beside a dump.

`NAME.truth` holds sections between lines `=== TRUTH name`: ps, threads, meminfo, slabinfo, modules, mounts, end.
`NAME.dmesg.txt` is the log as makedumpfile extracted it from the dump in the capture kernel.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

# What is born and dies in the guest's last second: the programs with which it gave its account.
FLEETING = {"ps", "awk", "cat", "dmesg", "sed", "ls", "grep"}
# Frames of the printing of a trace itself; they have returned when the dump is taken.
PRINTING = {"dump_stack_lvl", "dump_stack", "show_stack", "dump_backtrace", "dump_header", "show_regs", "__dump_stack"}
# One entry by two names: which of them a return address belongs to depends on who asks.
SAME = [
    {"entry_SYSCALL_64", "entry_SYSCALL_64_after_hwframe"},
    {"ret_from_fork", "ret_from_fork_asm"},
    {"secondary_startup_64", "secondary_startup_64_no_verify", "common_startup_64"},
    {"asm_exc_nmi", "end_repeat_nmi"},
]
SUFFIX = re.compile(r"(\.(isra|constprop|part|cold|llvm)[.\d]*)+$")
WORK_QUEUE = re.compile(r"^(kworker/[^R][^-+]*)[-+].*")  # /proc adds a work queue's name to its worker's
FRAME = re.compile(r"^ (\? )?([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+")
INTERRUPTED = re.compile(r"^ ?RIP: 0010:([A-Za-z_][\w.]*)\+(0x[0-9a-f]+)/0x")
# What stands between the frames of one trace: stack marks, code without a symbol, and registers of an entry.
BETWEEN = re.compile(r"^ ?(</?[A-Z#0-9_]+>|(\? )?0x[0-9a-f]+$|(RIP|RSP|RAX|RDX|RBP|R10|R13|Code|ORIG_RAX|CR2|PKRU): )")
REGISTER = re.compile(r"\b(R[A-Z0-9]{2}): (?:[0-9a-f]{4}:)?([0-9a-f]{16})\b")
OWNER = re.compile(r"^task:.* pid: *(\d+) |^CPU: (\d+) ")


def plain(symbol: str | None) -> str:
    """A function's name without the compiler's suffixes."""
    return SUFFIX.sub("", symbol or "")


def same(a: str, b: str) -> bool:
    return a == b or any({a, b} <= names for names in SAME)


def missing_in_order(want: list[str], have: list[str]) -> list[Any]:
    """The names of `want` that do not stand in `have`, in that order."""
    at, missing = 0, []
    for name in want:
        i = next((i for i in range(at, len(have)) if same(name, have[i])), None)
        if i is None:
            missing.append(name)
        else:
            at = i + 1
    return missing


class Process(NamedTuple):
    """One process of /proc: its size in kB is None for a kernel thread."""

    comm: str
    state: str
    pid: int
    ppid: int
    size: int | None
    rss: int | None
    threads: int


class Module(NamedTuple):
    """One line of /proc/modules."""

    name: str
    size: int
    refcount: int
    used_by: tuple[str, ...]
    state: str
    address: int


class Trace(NamedTuple):
    """One call trace that the kernel printed: the functions without `?`, innermost first, and whose stack it is.

    What an interrupt or exception interrupted counts, for the kernel prints its place as RIP.
    """

    functions: list[str]
    pid: int | None  # of a blocked task
    cpu: int | None  # of the CPU that printed it


@dataclass
class Truth:
    """The account and the log of one guest."""

    account: str
    log: list[str]

    @classmethod
    def beside(cls, dump: Path) -> "Truth":
        """Read what lies beside NAME.kdump."""
        return cls(dump.with_suffix(".truth").read_text(), dump.with_suffix(".dmesg.txt").read_text().splitlines())

    def section(self, name: str) -> list[str]:
        found = re.search(rf"^=== TRUTH {name}\n(.*?)(?=^=== TRUTH)", self.account, re.S | re.M)
        assert found, f"no section {name}"
        return found[1].splitlines()

    @cached_property
    def parents(self) -> Any:
        """(pid, ppid) by ps."""
        rows = (line.split(None, 4) for line in self.section("ps")[1:])
        return {(int(r[0]), int(r[1])) for r in rows if r[3] not in FLEETING}

    @cached_property
    def processes(self) -> list[Process]:
        """By /proc/*/status: name state pid ppid [size rss] threads; no thread beyond its process's first."""
        found = []
        for line in self.section("threads"):
            name, state, pid, ppid, *sizes, threads = line.split()
            if name in FLEETING:
                continue
            size, rss = map(int, sizes) if sizes else (None, None)
            comm = WORK_QUEUE.sub(r"\1", name)[:15]
            found.append(Process(comm, state, int(pid), int(ppid), size, rss, int(threads)))
        return found

    @cached_property
    def meminfo(self) -> dict[str, int]:
        """Bytes by name; what has no unit is left out."""
        found = (re.match(r"([\w()]+): +(\d+) kB", line) for line in self.section("meminfo"))
        return {m[1]: int(m[2]) * 1024 for m in found if m}

    @cached_property
    def slabs(self) -> list[str]:
        return [line.split()[0] for line in self.section("slabinfo") if not line.startswith(("slabinfo", "#"))]

    @cached_property
    def modules(self) -> list[Module]:
        found = []
        for line in self.section("modules"):
            name, size, refcount, users, state, address = line.split()[:6]
            names = tuple(u for u in users.split(",") if u and u != "-")
            found.append(Module(name, int(size), int(refcount), names, state, int(address, 16)))
        return found

    @cached_property
    def mounts(self) -> Any:
        """(source, target, type, options) in the order of /proc/mounts."""
        return [tuple(line.split()[:4]) for line in self.section("mounts")]

    @cached_property
    def files(self) -> dict[int, dict[int, str]]:
        """By PID, {descriptor: path}, of /proc/PID/fd; the shell that printed it is left out."""
        found: dict[Any, Any] = {}
        for line in self.section("fds"):
            pid, fd, path = line.split(" ", 2)
            found.setdefault(int(pid), {})[int(fd)] = path
        return found

    @cached_property
    def maps(self) -> Any:
        """By PID, {(start, end, permissions, offset, name)}, of /proc/PID/maps."""
        found: dict[Any, Any] = {}
        for line in self.section("maps"):
            pid, span, perms, offset, _device, _inode, *name = line.split(" ", 6)
            start, end = (int(part, 16) for part in span.split("-"))
            found.setdefault(int(pid), set()).add((start, end, perms, int(offset, 16), name[0] if name else ""))
        return found

    @cached_property
    def text(self) -> list[str]:
        """The log's lines without times and callers."""
        return [re.sub(r"^\[ *\d+\.\d+\] ?(\[ *[TC]\d+\] ?)?", "", line) for line in self.log]

    @cached_property
    def traces(self) -> list[Trace]:
        """Every call trace of the log, in order; it ends at a line that can be no part of one."""
        found = []
        for at, line in enumerate(self.text):
            if line.strip() == "Call Trace:":
                owner = next(m for before in reversed(self.text[:at]) if (m := OWNER.match(before)))
                found.append(Trace(self._functions(at + 1), *(int(n) if n else None for n in owner.groups())))
        return found

    def _functions(self, at: int) -> list[str]:
        names = []
        for line in self.text[at:]:
            frame, interrupted = FRAME.match(line), INTERRUPTED.match(line)
            if interrupted:
                names.append(plain(interrupted[1]))
            elif frame is None:
                if not BETWEEN.match(line):
                    break
            elif not frame[1] and plain(frame[2]) not in PRINTING:
                names.append(plain(frame[2]))
        return names

    @cached_property
    def oops(self) -> dict[Any, Any]:
        """The registers of the oops as it printed them; empty where the kernel died of no oops."""
        ends = [at for at, line in enumerate(self.text) if re.search(r": [0-9a-f]{4} \[#\d+\]", line)]
        found: dict[Any, Any] = {}
        for line in self.text[ends[-1] :] if ends else ():
            if line.strip() == "Call Trace:":
                break
            found.update((name.lower().replace("r0", "r"), int(value, 16)) for name, value in REGISTER.findall(line))
            place = INTERRUPTED.match(line)
            if place:
                found["place"] = (place[1], int(place[2], 16))
        return found
