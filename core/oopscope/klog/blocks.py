"""Which records of a log are one dump of something: registers with a stack, the memory of an OOM, its tasks, locks.

It knows the kernel's formats from 3.x to 7.3 (show_regs and dump_stack_print_info, show_trace_log_lvl,
sched_show_task, show_mem, dump_tasks, debug_show_all_locks, print_circular_bug and its kin, show_workqueue_state,
slub's print_trailer, KASAN's report) and no screen. Records of several CPUs interleave: where the caller of each is
recorded, a block holds one caller's.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from oopscope.klog.lines import LogLine, LogRow
from oopscope.klog.machines import REGISTERS, ROWS, either

LEAST = 3  # rows that are worth a fold
LONGEST = 400  # rows of a block; what follows is another
QUIET_NS = 500_000_000  # a block's rows are not further apart
STRAYS = 2  # records of others in the midst of a block, where callers are not recorded

_FRAME = (
    r"[ \t]*(?:\[<[0-9a-f]+>\] |\[[0-9a-f]{16}\] \[[0-9a-f]{16}\] )?(?:\? )?"
    r"(?:[\w.$]+\+0x[0-9a-f]+/0x[0-9a-f]+|0x[0-9a-f]{8,16}\b)"
)
_SEGMENTS = r"(?:[CDEFGS]S|pstate) ?: *[0-9a-f]"
_REGISTER = rf"(?:{_SEGMENTS}|{either(REGISTERS)} ?: *[0-9a-f])"
_REGISTERS = re.compile(  # lines of registers alone: not that of the place, nor those of symbols
    rf" *(?:{_SEGMENTS}|{either(REGISTERS)} ?: ?(?:[0-9a-f]{{4}}:)?[0-9a-f]{{8,16}}\b)"
).match
_ABOUT = r"CPU: \d+ (?:UID: \d+ )?PID: \d+ "  # dump_stack_print_info
_TASK = r"task:|\S{1,16} +[RSDTtXZPI] +\d+ +\d+ +\d+ 0x[0-9a-f]{8}"  # sched_show_task, since 5.11 and before
_TRACE = r"Call [Tt]race:|Backtrace:"
_ASIDE = (  # of a dump, and none alone
    r"Hardware name: |Modules linked in:|Workqueue: |Tainted: \[| +(?:Not tainted|Tainted: )|RIP: |EIP: |Code: |"
    rf'"echo 0 > /proc/sys/kernel/hung_task_|{_REGISTER}'
)
_MEMORY = (
    r"active_anon:|Node \d+ |lowmem_reserve|\d+ (?:total pagecache )?pages\b|Swap cache stats|Free swap|Total swap|"
    r"Memory cgroup|memory\+?\w*: usage |swap: usage |kmem: usage |(?:Unreclaimable )?[Ss]lab info|Name +Used|"
    r"[\w:.-]+ +\d+KB +\d+KB|[a-z_]+ \d+$|Memory allocations"
)
_OBJECT = (
    r"(?:INFO: )?(?:(?:Slab|Object) 0x|(?:Allocated|Freed) in |0x[0-9a-f]+-0x)|"
    r"(?:Redzone|Object|Bytes b4|Padding) +[0-9a-f]|"
    r"Memory state around|Allocated by task|Freed by task|Last potentially related|The buggy address|[ >][0-9a-f]{16}: "
)
_LOCK = r"\d+ locks? held by |no locks held by | *#\d+: "

BEGINS = re.compile(
    rf"(?P<dump>{_ABOUT}|{_TASK}|{_TRACE}|{_ASIDE})|(?P<memory>Mem-Info:|memory: usage )|"
    rf"(?P<tasks>Tasks state |\[ +pid +\] )|(?P<locks>Showing all locks held|{_LOCK})|"
    rf"(?P<workqueues>Showing busy workqueues)|(?P<objects>{_OBJECT})"
)
GOES_ON: dict[str, Callable[[str], re.Match[str] | None]] = {
    name: re.compile(pattern).match
    for name, pattern in {
        "dump": rf"{_FRAME}|{_REGISTER}| *</?[#A-Z]|{_ABOUT}|{_TASK}|{_TRACE}|{_ASIDE}|---\[ end trace|irq event stamp|"
        r"(?:hard|soft)irqs last |Disabling lock debugging|Stack: ?$|\(inlined",
        "memory": _MEMORY,
        "tasks": r"\[ *(?:\d+|pid) *\] ",
        "locks": rf"{_LOCK}|\s*$|=====",
        "workqueues": r" *(?:workqueue [^:]+: |pwq |in-flight: |pending: |inactive: |delayed: |pool \d+: )",
        "objects": rf"{_OBJECT}|{_FRAME}|\s*$|[ >]*[0-9a-f]+: [0-9a-f][0-9a-f] |\s*\^$",
        "lockdep": "",  # free words, up to their last line
    }.items()
}
AGAIN = re.compile(f"{_ABOUT}|{_TASK}|{_TRACE}").match  # where the block has shown its stack: another one begins
TRACE = re.compile(_TRACE).match
CLOSES = {"dump": "---[ end trace", "lockdep": "stack backtrace:"}  # the last line
LOCKDEP = re.compile(
    r"WARNING: (?:possible |inconsistent lock|suspicious RCU|bad unlock|held lock|lock held when|nested lock|"
    r"\S+ lock order|.*-safe -> .*unsafe lock)",
    re.IGNORECASE,
).match
HEADER = re.compile(r"(?:[\w. -]+: )?(?:BUG|WARNING|INFO|Oops|Kernel panic)\b|NMI backtrace|-----").match


def _of_registers(text: str) -> bool:
    return _REGISTERS(text) is not None or any(row.match(text) for row, _name in ROWS)


class Block(NamedTuple):
    """Rows that fold into their first."""

    number: int
    kind: str  # dump, registers, memory, tasks, locks, lockdep, workqueues, objects
    head: int  # the row of its first line
    caller: str | None
    within: int | None = None  # the block that this one is in: registers in a dump


class _Open:
    """A block that may go on."""

    __slots__ = ("count", "inner", "kind", "last", "ns", "number", "strays", "traced")

    def __init__(self, number: int, kind: str, last: int) -> None:
        self.number, self.kind, self.last = number, kind, last
        self.inner: int | None = None  # the block of registers that goes on in it
        self.count = 1
        self.ns: int | None = None
        self.traced = False
        self.strays = 0


class Blocks:
    """The blocks of rows that come in, in the order of their first rows; `take` looks at each row once."""

    def __init__(self) -> None:
        self.all: list[Block] = []
        self.heads: list[int] = []
        self.sizes: list[int] = []  # rows of each block, its first one too
        # The rows after the heads, as runs in the order of the rows: [start, end) and whose they are.
        self.starts, self.ends, self.owners = array("I"), array("I"), array("I")
        self.first_run: list[int] = []  # of each block
        self._open: dict[str | None, _Open] = {}
        self._lockdep: set[str | None] = set()  # callers whose next line is of a lock report
        self._before: _Open | None = None  # the block of the row before
        self._last_run: list[int] = []
        self.hidden = array("I")  # of each run the block that hides it too, or the one that owns it

    def take(self, rows: Sequence[LogRow], start: int, stop: int) -> None:
        """Look at rows that follow those that were looked at."""
        opened, begins = self._open, BEGINS.match
        for at in range(start, stop):
            row = rows[at]
            text = row.text or ""
            if type(row) is LogLine and not row.first:  # a further line of a record
                if self._before is not None:
                    self._take_in(self._before, at, row, text)
                continue
            block = opened.get(row.caller)
            if block is None and not self._lockdep:
                match = begins(text)
                if match is None:
                    self._before = None
                    if text.startswith("WARNING: ") and LOCKDEP(text):
                        self._lockdep.add(row.caller)
                    continue
                self._before = self._begin(str(match.lastgroup), at, row)
            else:
                self._before = self._go_on(block, text, at, row)

    def _begin(self, kind: str, at: int, row: LogRow) -> _Open:
        block = _Open(len(self.all), kind, at)
        block.ns, block.traced = row.ns, bool(TRACE(row.text or ""))
        self._new(Block(block.number, kind, at, row.caller))
        self._open[row.caller] = block
        return block

    def _new(self, block: Block) -> None:
        self.all.append(block)
        self.heads.append(block.head)
        self.sizes.append(1)
        self.first_run.append(len(self.starts))
        self._last_run.append(len(self.starts) - 1)

    def _go_on(self, block: _Open | None, text: str, at: int, row: LogRow) -> _Open | None:
        caller = row.caller
        if caller in self._lockdep:
            self._lockdep.discard(caller)
            return self._begin("lockdep", at, row)
        if block is None:
            match = BEGINS.match(text)
            return self._begin(str(match.lastgroup), at, row) if match is not None else None
        late = row.ns is not None and block.ns is not None and abs(row.ns - block.ns) > QUIET_NS
        if late or block.count >= LONGEST or (block.traced and AGAIN(text)) or not GOES_ON[block.kind](text):
            return self._other(block, late, text, at, row)
        block.traced = block.traced or (block.kind == "dump" and TRACE(text) is not None)
        self._take_in(block, at, row, text)
        return block

    def _other(self, block: _Open, late: bool, text: str, at: int, row: LogRow) -> _Open | None:
        """Take a row that is not of the open block: of another, or a stray one."""
        match = BEGINS.match(text)
        if match is not None:
            return self._begin(str(match.lastgroup), at, row)
        block.strays += 1
        if row.caller is not None or late or block.strays > STRAYS or HEADER(text):
            self._open.pop(row.caller, None)
        if text.startswith("WARNING: ") and LOCKDEP(text):
            self._lockdep.add(row.caller)
        return None

    def _take_in(self, block: _Open, at: int, row: LogRow, text: str) -> None:
        number = block.number
        registers = block.kind == "dump" and _of_registers(text)
        owner = block.inner if registers and block.inner is not None else number
        self._run(owner, number, at)
        if not registers:
            block.inner = None
        elif block.inner is None:  # their first line is the dump's, that of the others theirs
            block.inner = len(self.all)
            self._new(Block(block.inner, "registers", at, row.caller, number))
        else:
            self.sizes[block.inner] += 1
        block.count += 1
        block.ns = row.ns if row.ns is not None else block.ns
        block.strays = 0
        self.sizes[number] = block.count
        if text.startswith(CLOSES.get(block.kind, "\n")):
            self._open.pop(row.caller, None)

    def _run(self, owner: int, outer: int, at: int) -> None:
        """Take a row into the runs of a block, `outer` being the one that it is in."""
        if self.ends and self.ends[-1] == at and self.owners[-1] == owner:
            self.ends[-1] = at + 1
        else:
            self.starts.append(at)
            self.ends.append(at + 1)
            self.owners.append(owner)
            self.hidden.append(outer)
        last = len(self.starts) - 1
        for number in {owner, outer}:
            if self.sizes[number] == 1:
                self.first_run[number] = last
            self._last_run[number] = last

    def rows_of(self, number: int) -> Iterator[int]:
        """Yield the rows of a block, its head first."""
        yield self.all[number].head
        for run in range(self.first_run[number], self._last_run[number] + 1):
            if number in (self.owners[run], self.hidden[run]):
                yield from range(self.starts[run], self.ends[run])

    def headed(self, row: int) -> int | None:
        """Return the block that a row is the head of, where it is worth a fold."""
        at = bisect_left(self.heads, row)
        found = at < len(self.heads) and self.heads[at] == row and self.sizes[at] >= LEAST
        return at if found else None

    def holding(self, row: int) -> int | None:
        """Return the block that a row belongs to, as its head or under it."""
        run = bisect_left(self.ends, row + 1)
        if run < len(self.starts) and self.starts[run] <= row:
            return self.owners[run] if self.sizes[self.owners[run]] >= LEAST else None
        return self.headed(row)

    def after(self, row: int, caller: str | None) -> int | None:
        """Return the first block worth a fold that begins at a row or after it and is a caller's."""
        for at in range(bisect_left(self.heads, row), len(self.heads)):
            if self.sizes[at] >= LEAST and self.all[at].caller == caller:
                return at
        return None
