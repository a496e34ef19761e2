"""A provider that answers in core's stead: the same row types, no dump; sizes, delays and failures as a test asks."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from oopscope import subsystems as core
from oopscope.commands.questions import Question
from oopscope.dumps import Facts
from oopscope.errors import NotADump, OopscopeError
from oopscope.inspect.code import CodeFound, Register
from oopscope.inspect.disassemble import Code, Instruction
from oopscope.inspect.meaning import Meaning
from oopscope.inspect.operands import Access, Context, Deed
from oopscope.inspect.struct import Row, StructFound
from oopscope.inspect.words import Piece, Stretches, Word
from oopscope.kernel.fact import Fact as CardFact
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Name
from oopscope.structs.layout import Member
from oopscope.structs.view import Item
from oopscope.subsystems import Column, Table
from oopscope.subsystems.cards import Card
from oopscope.subsystems.cards import Facts as CardFacts
from oopscope.triage.finding import Evidence, Source, Verdict
from oopscope_tui.panes.tasks.detail import PLAIN
from tui import fake_details


class Record(NamedTuple):
    index: int  # type: ignore[assignment]
    ns: int | None
    level: int
    facility: int
    caller: str | None
    text: str


class Task(NamedTuple):
    pid: int
    tgid: int
    ppid: int | None
    comm: str | None
    state: str
    cpu: int | None
    address: int
    kernel_thread: bool
    rss_bytes: int | None
    vsz_bytes: int | None
    uid: int | None
    since_last_run_seconds: float | None
    wait: str | None


class Cpu(NamedTuple):
    cpu: int
    online: bool
    state: str | None
    pid: int | None
    comm: str | None
    task: int | None
    frames: tuple[Frame, ...]
    registers: dict[str, int] | None


class Slab(NamedTuple):
    name: str
    object_size: int
    active: int | None
    total: int | None
    bytes: int | None


class Zone(NamedTuple):
    node: int
    name: str
    free: int
    min: int | None
    low: int | None
    high: int | None
    managed: int


class Module(NamedTuple):
    name: str
    size_bytes: int
    address: int
    refcount: int | None
    used_by: tuple[str, ...]
    state: str
    taint: str


class Mount(NamedTuple):
    source: str | None
    target: str | None
    fstype: str | None
    options: str | None


class Named(NamedTuple):
    name: str
    bytes: int | None


class Fact(NamedTuple):
    name: str
    value: Any


class Problem(NamedTuple):
    section: str
    message: str
    address: int | None


BASE = 0xFFFFFFFF81000000
TASK = 0xFFFF888000050000
STACK = (
    Frame(0xFFFFFFFFC0A01005, "lab_read_balance", 0x5, "labcrash", "exception", True),
    Frame(0xFFFFFFFFC0A01030, "lab_init", 0x30, "labcrash", "task", True),
    Frame(BASE + 0x1F2A, "do_one_initcall", 0x44, None, "task", True),
    Frame(BASE + 0x2F2A, "kmem_cache_alloc_trace", 0x12, None, "task", False),
    Frame(BASE + 0x3F2A, "do_init_module", 0x4C, None, "task", True),
    Frame(BASE + 0x4F2A, "__do_sys_finit_module", 0xB3, None, "task", True),
    Frame(BASE + 0x5F2A, "do_syscall_64", 0x55, None, "task", True),
    Frame(BASE + 0x6F2A, "entry_SYSCALL_64_after_hwframe", 0x6E, None, "syscall", True),
)
IDLE = (Frame(BASE + 0x7F2A, "native_safe_halt", 0xB, None, "task", True),)
SLEEP = (
    Frame(BASE + 0x8F2A, "__schedule", 0x2C1, None, "task", True),
    Frame(BASE + 0x9F2A, "schedule", 0x5A, None, "task", True),
    Frame(BASE + 0xAF2A, "worker_thread", 0xB0, None, "task", True),
)
REGISTERS = {
    name: BASE + at * 0x1111 for at, name in enumerate(("rip", "rsp", "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8"))
}

VERDICT = Verdict(
    category="software",
    cause="null-pointer-dereference",
    title="NULL pointer dereference in lab_read_balance [labcrash]",
    summary="The kernel read address 0x18 through a null pointer in lab_read_balance, while insmod loaded labcrash.",
    confidence="certain",
    panic_message="Fatal exception",
    cpu=1,
    pid=241,
    comm="insmod",
    symbol="lab_read_balance+0x5",
    module="labcrash",
    evidence=(
        Evidence("BUG: kernel NULL pointer dereference, address: 0000000000000018", Source("log", "40")),
        Evidence("RIP stands in lab_read_balance+0x5 of the module labcrash", Source("frame", "1")),
        Evidence("insmod (241) was loading the module", Source("task", "241")),
    ),
    next_steps=("Read lab_read_balance in labcrash: which pointer may be null?", "Unload or block the module."),
    signature="0123456789abcdef",
)

SYSTEM = {
    "nodename": "lab-node-1", "release": "6.1.0-50-cloud-amd64", "version": "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1",
    "machine": "x86_64", "crash_time": "2026-11-23T03:20:11Z", "boot_time": "2026-11-23T03:19:56Z",
    "uptime_seconds": 15.0, "load_average": (0.42, 0.1, 0.03), "cpus_online": 2, "cpus_present": 2,
    "memory_bytes": 384 << 20, "task_count": 61, "tainted": 1 << 12 | 1 << 13, "taint": "GOE",
    "command_line": "BOOT_IMAGE=/vmlinuz root=/dev/vda1 console=ttyS0 crashkernel=160M", "kaslr_offset": 0x1A000000,
    "page_table_levels": 4, "boot_ns": 1_795_403_996_000_000_000, "log_epoch_ns": 1_795_403_996_000_000_000,
}  # fmt: skip


def log(count: int = 60) -> list[Record]:
    out = []
    for at in range(count):
        level, text = 6, f"device {at}: probing resource [mem 0x{at * 4096:08x}-0x{at * 4096 + 4095:08x}]"
        if at == 12:
            level, text = 4, "usb 1-1: device descriptor read/64, error -71"
        if at == 40:
            level, text = 1, "BUG: kernel NULL pointer dereference, address: 0000000000000018"
        if at == 41:
            level, text = 0, "Kernel panic - not syncing: Fatal exception"
        out.append(Record(at, at * 250_000_000, level, 0, f"T{at}" if at % 3 else "C1", text))
    return out


def tasks(count: int = 61) -> list[Task]:
    out = []
    for at in range(count):
        pid = at + 1
        if pid == 41 and count <= 241:
            pid = 241
        comm = "insmod" if pid == 241 else f"kworker/{at % 2}:{at}" if at % 3 else f"daemon-{at}"
        blocked = at in (5, 9, 17)
        out.append(
            Task(
                pid,
                pid,
                1 if at else 0,
                comm,
                "R" if pid == 241 else "D" if blocked else "S",
                at % 2,
                0xFFFF888000000000 + at * 0x2000,
                bool(at % 3),
                None if at % 3 else (at + 1) << 19,
                None if at % 3 else (at + 1) << 23,
                0 if at % 2 else 1000,
                float(at * 7 + 1),
                None if pid == 241 else "worker_thread",
            )
        )
    return out


def modules(count: int = 9) -> list[Module]:
    names = ["labcrash", *(f"module_{at}" for at in range(count - 1))]
    return [
        Module(
            name,
            16384 * (at + 1),
            0xFFFFFFFFC0A00000 + at * 0x8000,
            at,
            ("module_0",) if at > 3 else (),
            "live",
            "" if at else "OE",
        )
        for at, name in enumerate(names)
    ]


TABLES: dict[str, tuple[str, tuple[Column, ...], Callable[[], Iterable[Any]]]] = {
    "log": ("Log", (Column("ns", "Time", "int"), Column("level", "Level", "int"), Column("text", "Text")), log),
    "system": (
        "System",
        (Column("name", "Fact"), Column("value", "Value")),
        lambda: [Fact(name, value) for name, value in SYSTEM.items()],
    ),
    "cpus": (
        "CPUs",
        (Column("cpu", "CPU", "int"), Column("state", "State", "state"), Column("frames", "Stack", "frames")),
        lambda: [
            Cpu(0, True, "idle", 0, "swapper/0", 0xFFFF888000010000, IDLE, dict(REGISTERS)),
            Cpu(1, True, "panic", 241, "insmod", 0xFFFF888000050000, STACK, dict(REGISTERS)),
        ],
    ),
    "tasks": ("Tasks", (Column("pid", "PID", "int"), Column("comm", "Command")), tasks),
    "meminfo": (
        "Memory",
        (Column("name", "Counter"), Column("bytes", "Size", "bytes")),
        lambda: [
            Named("MemTotal", 384 << 20), Named("MemFree", 160 << 20), Named("MemAvailable", 240 << 20),
            Named("Buffers", 4 << 20), Named("Cached", 80 << 20), Named("AnonPages", 60 << 20), Named("Slab", 30 << 20),
            Named("KernelStack", 2 << 20), Named("PageTables", None), Named("SwapTotal", 0), Named("SwapFree", 0),
        ],
    ),
    "zones": (
        "Zones",
        (Column("node", "Node", "int"), Column("name", "Zone"), Column("free", "Free", "bytes")),
        lambda: [
            Zone(0, "DMA", 8 << 20, 1 << 18, 1 << 19, 1 << 20, 15 << 20),
            Zone(0, "DMA32", 3 << 20, 4 << 20, 5 << 20, 6 << 20, 360 << 20),
        ],
    ),
    "slabs": (
        "Slab caches",
        (Column("name", "Cache"), Column("bytes", "Memory", "bytes")),
        lambda: [Slab(f"cache-{at}", 64 + at, 90, 100, (40 - at) << 15) for at in range(40)],
    ),
    "modules": ("Modules", (Column("name", "Module"), Column("size_bytes", "Size", "bytes")), modules),
    "mounts": (
        "Mounts",
        (
            Column("source", "Source"),
            Column("target", "Mounted on"),
            Column("fstype", "Type"),
            Column("options", "Options"),
        ),
        lambda: [
            Mount("/dev/vda1", "/", "ext4", "rw,relatime"),
            Mount("proc", "/proc", "proc", "rw,nosuid,nodev,noexec"),
            Mount(None, "/gone", None, None),
        ],
    ),
}  # fmt: skip


MEANING = Meaning("task", "task_struct of insmod (241) +0x10", pid=241, struct=("task_struct", TASK))
GUESS = Meaning("ascii", 'text "insmod"', False)
GONE = Meaning("slab", "filp object", struct=("file", TASK), why="excluded: not in the dump")


def code(key: str) -> CodeFound:
    """A function of forty instructions, of which the fifth reads through a null pointer."""
    name = key.partition("@")[0]
    address = int(name, 16) if name.startswith("0x") else BASE
    start = address - 16
    lines = [Instruction(start + 4 * at, b"\x48\x8b\x47\x28", f"movq   {at}(%rdi),%rax", None, "") for at in range(40)]
    lines[2] = Instruction(start + 8, b"\xe8\0\0\0", f"callq  {BASE:#x}", BASE, "schedule")
    sp = int(key.partition("@")[2] or "0", 16)
    done = Deed("movq 0x28(%rdi),%rax", (Access("reads", "rdi + 0x28", 0x28, 8, Meaning("null", "NULL + 0x28")),),
                (("rdi", 0, Meaning("null", "NULL")), ("rsi", TASK, MEANING)), "")  # fmt: skip
    found = Code(address, start, start + 160, Name("lab_read_balance", 16, "labcrash"), tuple(lines), "90 <48> 8b", "")
    return CodeFound(address, sp, found, "", None, "int lab_read_balance(struct account *account)",
                     done if sp else None, Context({"rdi": 0}, 1, None) if sp else None)  # fmt: skip


def struct(key: str) -> StructFound:
    """A struct of a number, a pointer, a struct inside, and one that cannot be read."""
    name, _, place = key.partition("@")
    items = (
        Item(Member("pid", 0, 4, "int", 1), "pid_t pid", 241, "241 (0xf1)"),
        Item(Member("parent", 8, 8, "ptr", 2), "struct task_struct *parent", TASK, hex(TASK), "task_struct"),
        Item(Member("tasks", 16, 16, "struct", 3), "struct list_head tasks", None, "{next = NULL, prev = NULL}"),
        Item(Member("gone", 4096, 8, "ptr", 2), "struct file *gone", why="physical page at 0x1000 is not there"),
    )
    rows = tuple(Row(item, MEANING if item.member.name == "parent" else None) for item in items)
    shown = rows if place else tuple(Row(row.item._replace(number=None, text=None, why=""), None) for row in rows)
    return StructFound(name, int(place, 16) if place else None, 4104, shown, None)


def words(start: int) -> tuple[Word, ...]:
    """Words of which some mean something."""
    known = {0: (TASK + 16, MEANING), 1: (0x646F6D736E69, GUESS), 2: (TASK, GONE), 3: (0, Meaning("null", "NULL"))}
    return tuple(Word(start + 8 * at, *known.get(at, (at, None))) for at in range(64))


ANSWERS: dict[str, Callable[[Any], Any]] = {
    "stack": lambda address: SLEEP,
    **{f"task.{name}": fake_details.part(name) for name in ("facts", "family", "memory", "paths", "files", "mappings")},
    **dict.fromkeys((f"task.{name}" for name in PLAIN), lambda address: None),
    "strip": fake_details.strip,
    "memory-shares": fake_details.shares,
    "swapped": fake_details.swapped,
    "card": lambda key: Card(
        "value",
        "Value",
        key,
        (
            CardFacts(
                "value",
                "Value",
                (CardFact("expression", "Expression", "text", key), CardFact("value", "Value", "int", 565)),
            ),
        ),
    ),
    "symbol.symbol": lambda name: CardFacts(
        "symbol",
        "Symbol",
        (CardFact("symbol", "Symbol", "symbol", name), CardFact("address", "Address", "address", BASE)),
    ),
    "registers": lambda cpu: tuple(Register(name, value, MEANING) for name, value in REGISTERS.items()),
    "code": code,
    "struct": struct,
    "words": words,
    "memory": lambda key: Stretches(
        int(key, 16), 8, (Piece(TASK - 8192, TASK - 4096, "not mapped"), Piece(TASK - 4096, TASK + 8192, ""))
    ),
}


@dataclass
class Fake:
    """Everything may be replaced: rows by table, what fails, how long each row takes."""

    rows: dict[str, Callable[[], Iterable[Any]]] = field(default_factory=dict)
    columns: dict[str, tuple[Column, ...]] = field(default_factory=dict)
    fails: dict[str, Exception] = field(default_factory=dict)
    found: Verdict | None = VERDICT
    row_delay: float = 0.0
    open_delay: float = 0.0
    said: list[Problem] = field(default_factory=list)
    stacks: list[int] = field(default_factory=list)

    def open(self, paths: object, progress: Callable[[str], None]) -> object:
        progress("reading the page tables")
        time.sleep(self.open_delay)
        if "open" in self.fails:
            raise self.fails["open"]
        return object()

    def are_one(self, paths: object) -> bool:
        return True

    def facts(self, kernel: object) -> Facts:
        facts = Facts("kdump")
        facts.machine, facts.compression, facts.dump_level = "x86_64", "zstd", 31
        facts.pages_saved, facts.pages_total, facts.bytes = 20000, 98304, 16 << 20
        facts.nodename, facts.release = "lab-node-1", "6.1.0-50-cloud-amd64"
        return facts

    def tables(self) -> list[Table]:
        return [self.table(key) for key in {**TABLES, **self._extra()}]

    def _extra(self) -> dict[str, tuple[str, tuple[Column, ...], Callable[[], Iterable[Any]]]]:
        return {
            key: (key.title(), self.columns.get(key, ()), rows) for key, rows in self.rows.items() if key not in TABLES
        }

    def table(self, key: str) -> Table:
        title, columns, rows = {**TABLES, **self._extra()}[key]
        made = self.rows.get(key, rows)

        def read(kernel: object) -> Iterator[Any]:
            if key in self.fails:
                raise self.fails[key]
            for row in made():
                if self.row_delay:
                    time.sleep(self.row_delay)
                yield row
            if f"{key}-late" in self.fails:
                raise self.fails[f"{key}-late"]

        real = core.table(key) if key in dict(core.TABLES) else None
        known = self.columns.get(key, columns)
        named = {column.key for column in known}
        group = real.group if real else "system"
        identity = real.identity if real and set(real.identity) <= named else ()
        sort = real.sort if real and real.sort.lstrip("-") in named else ""
        return Table(key, title, known, read, group, identity, sort)

    def verdict(self, kernel: object) -> Verdict | None:
        if "verdict" in self.fails:
            raise self.fails["verdict"]
        return self.found

    def findings(self, kernel: object) -> list[Any]:
        return []

    def answer(self, kernel: object, question: Question) -> Any:
        if question.kind in self.fails:
            raise self.fails[question.kind]
        if question.kind == "stack":
            self.stacks.append(question.key)
        return ANSWERS[question.kind](question.key)

    def problems(self, kernel: object) -> list[Problem]:
        return self.said

    def trouble(self, error: BaseException) -> tuple[str, int]:
        return str(error), 3 if isinstance(error, NotADump) else 4 if isinstance(error, OopscopeError) else 1
