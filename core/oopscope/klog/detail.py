"""What the lines of one report say: who and where, registers, the pc, code bytes, modules, the stacks.

Each function takes the report's lines and reads one thing of them, for every machine's wording that prints it. Follows
lib/dump_stack.c (dump_stack_print_info), arch/*/kernel/process*.c (show_regs), kernel/module (print_modules).
"""

import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

from oopscope.kernel.frame import Frame
from oopscope.klog.machines import IN_USER, LINKS, PCS, REGISTERS, ROWS, either
from oopscope.klog.trace import frames_of, is_frame
from oopscope.lazy_re import lazy_re
from oopscope.machine.common.wordings import SYMBOL

_TAINT = r"(?: FTT: \d+ \d+)?(?: (?P<kdump>Kdump: loaded))?(?: (?P<taint>Not tainted|Tainted: .*?))?"
_KERNEL = r"(?:[ -]+T?[ -]*(?P<release>\d+\.\d+\S*)(?: (?P<build>#\d.*))?)?$"
WHO = lazy_re(
    r"CPU: (?P<cpu>\d{1,5}) (?:UID: (?P<uid>\d+) )?PID: (?P<pid>\d{1,10}) Comm: (?P<comm>.{1,64}?)" + _TAINT + _KERNEL
)
OLD_WHO = lazy_re(r"Pid: (?P<pid>\d{1,10}), comm: (?P<comm>.{1,16}?)" + _TAINT + _KERNEL)
_CUT = lazy_re(r" (?:Kdump: |Not ta|Tainted)")  # of a line that is cut off before it says all
PROCESS = lazy_re(r"Process (?P<comm>.{1,16}?) \(pid: (?P<pid>\d{1,18})")
_OTHER_CPU = lazy_re(r"(?:CPU:? {1,8}|.*\bon (?:cpu|CPU) ?#?|.* - CPU#|NMI backtrace for cpu )(?P<cpu>\d{1,5})\b")
_STUCK = lazy_re(r".*soft lockup - CPU#(?P<cpu>\d{1,18}) stuck for \d+s! \[(?P<comm>.*):(?P<pid>\d{1,18})\]")
_BLOCKED = lazy_re(r"INFO: task (?P<comm>.{1,64}):(?P<pid>\d{1,18}) ")
_WARNED = lazy_re(
    r"WARNING: .*?CPU(?:: |#)(?P<cpu>\d{1,18})(?:: (?P<comm>.{1,16}?)/(?P<pid>\d{1,18})| PID: (?P<only>\d{1,18}))?"
)
_ATOMIC = lazy_re(r"(?:BUG: )?scheduling while atomic: (?P<comm>.+?)/(?:0x[0-9a-f]+/)?(?P<pid>\d{1,18})/0x[0-9a-f]+")
_BY_TASK = lazy_re(r"(?:Read|Write|Free) of .* by task (?P<comm>.+?)/(?P<pid>\d{1,18})")
_TAINTED = lazy_re(r"Tainted: (?:\[.\]=\S+ ?,? ?)*(?P<letters>[A-Z](?:[A-Z ]*[A-Z])?)(?![a-z])")
HARDWARE = lazy_re(r"Hardware name: (?P<name>.+)")
WORKQUEUE = lazy_re(r"Workqueue: (?P<name>.+)")
MODULES = lazy_re(r"Modules linked in:(?P<list>.*)")
_LOADED = lazy_re(r"(?P<name>[A-Za-z0-9][\w-]*)(?:\((?P<flags>[A-Z+\-]+)\))?(?=\s|$)")
_REGISTER = lazy_re(rf"\b(?P<name>{either(REGISTERS)})\s?: ?(?:[0-9a-f]{{4}}:)?(?P<value>[0-9a-f]{{8,16}})\b")
_WARNED_AT = lazy_re(rf"WARNING: .{{0,80}}? at \S+:\d+ {SYMBOL}")
AGAIN = lazy_re(r"[RE]IP {1,2}\[<[0-9a-f]+>\]")  # x86 up to 4.9, behind the code bytes
_LINK = lazy_re(rf"\s*{either(LINKS)}{SYMBOL}")
_USER_PC = lazy_re(either(IN_USER))
# s390 lists instructions, the one at pc marked: "Krnl Code: >000003ffe0c02a2a: e54cf0a40000  mvhi ...".
LISTED = lazy_re(r"^\s{0,64}(?:Krnl Code:)?\s{0,64}>[0-9a-f]{8,16}: ?(?P<bytes>(?:[0-9a-f]{4}){1,3})\b")
CODE = lazy_re(r"Code: (?P<bytes>[0-9a-fA-F<>() ]{2,})")
_ADDRESS = lazy_re(
    r"(?:address:? ?|request at (?:virtual address )?|dereference at (?:virtual address |virtual kernel address )?|"
    r"read at |write at |memory at |page at |on (?:read|write) at |"
    r"\(0x[0-9a-f]+\) at |pointer dereference (?:on (?:read|write) )?at )(?:0x)?(?P<address>[0-9a-f]{4,16})\b"
)
FAULTED = lazy_re(
    r"BUG: |[Uu]nable to handle|CPU \d+ [Uu]nable|general protection|Oops: general|Kernel attempted|"
    r"Unhandled fault|Failing address"
)
TRACE = lazy_re(
    r"[\t ]*(?:(?:Call [Tt]race|Call Backtrace|Backtrace|Stack [Tt]raceback)\b.{0,20}?:|"
    r"stack backtrace:)\s*(?P<rest>.*)"
)
# Other stacks than a report's own, by how their titles begin.
OTHERS = (
    "Allocated", "Freed", "freed", "allocated", "Last potentially", "Second to last", "Last Breaking", "Uninit was",
    "other info", "write to", "read to", "kfence-#", "NMI backtrace", "page last", "Local variable",
)  # fmt: skip
_OTHER = lazy_re("|".join(map(re.escape, OTHERS)))
_TRACES = 64  # of one report


class Who(NamedTuple):
    """Whom a report is about; None is what it does not say."""

    cpu: int | None = None
    pid: int | None = None
    comm: str | None = None
    taint: str | None = None  # letters; "" for not tainted
    release: str | None = None
    hardware: str | None = None
    workqueue: str | None = None


class Loaded(NamedTuple):
    """A module of the list, and its letters."""

    name: str
    flags: str


class Code(NamedTuple):
    """The bytes around the pc, and the place of the one that it is at (None where none is marked)."""

    data: bytes
    at: int | None
    unit: int = 1  # bytes of what is printed as one number: of an instruction on machines where all are as long


def who(lines: Sequence[str]) -> Who:
    """Return whom a report is about, by the line that every dump of a stack has, else by what its heading says."""
    cpu = pid = comm = taint = release = hardware = workqueue = None
    for text in lines:
        found = WHO.match(text.lstrip()) or OLD_WHO.match(text)
        if found and comm is None:
            groups = found.groupdict()
            cpu = int(groups["cpu"]) if groups.get("cpu") else cpu
            pid, comm, release = int(found["pid"]), _CUT.split(found["comm"])[0].strip(), found["release"]
            taint = letters(found["taint"]) if found["taint"] else None
        hardware = hardware or (m["name"].strip() if (m := HARDWARE.match(text)) else None)
        workqueue = workqueue or (m["name"].strip() if (m := WORKQUEUE.match(text)) else None)
    said = _said(lines)
    return Who(
        said.cpu if said.cpu is not None else cpu,
        said.pid if said.pid is not None else pid,
        said.comm if said.comm is not None and (said.pid != pid or comm is None) else comm,
        taint, release, hardware, workqueue,
    )  # fmt: skip


def _said(lines: Sequence[str]) -> Who:
    """Return whom the report's own words name: a soft lockup is noticed by its CPU, a blocked task by another."""
    for text in lines[:8]:
        for pattern in (_STUCK, _BLOCKED, _ATOMIC):
            found = pattern.match(text)
            if found:
                groups = found.groupdict()
                return Who(int(groups["cpu"]) if groups.get("cpu") else None, int(found["pid"]), found["comm"])
    for text in lines:
        found = PROCESS.match(text)
        if found and not any(WHO.match(t) or OLD_WHO.match(t) for t in lines):
            return Who(_old_cpu(lines), int(found["pid"]), found["comm"])
    return Who(_old_cpu(lines) if not any(WHO.match(t) for t in lines) else None)


def _old_cpu(lines: Sequence[str]) -> int | None:
    return next((int(m["cpu"]) for text in lines if (m := _OTHER_CPU.match(text))), None)


def letters(taint: str) -> str:
    """Return the letters of `Tainted: G           OE `; none for `Not tainted`."""
    found = _TAINTED.match(taint)
    return found["letters"].replace(" ", "") if found else ""


def modules(lines: Sequence[str]) -> tuple[Loaded, ...] | None:
    """Return the modules of the list, which may go on over several lines where a program cut them."""
    for text in lines:
        found = MODULES.match(text)
        if found:
            words = found["list"].split("[last unloaded:")[0]
            return tuple(Loaded(m["name"], m["flags"] or "") for m in _LOADED.finditer(words))
    return None


def registers(lines: Sequence[str]) -> dict[str, int]:
    """Return the first value that each register is given before a program's registers begin."""
    found: dict[str, int] = {}
    for text in lines:
        if _USER_PC.match(text.strip()):
            break
        for match in _REGISTER.finditer(text):
            found.setdefault(match["name"].lower(), int(match["value"], 16))
        for pattern, name in ROWS:
            row = pattern.match(text)
            if row is not None:
                _add_row(found, row, name)
    return found


def _add_row(found: dict[str, int], row: re.Match[str], name: str) -> None:
    """Add the registers of a line that says no names: from the one that it numbers on, else from the last on."""
    if not name:
        words = row["values"].split()
        for said, value in zip(words[::2], words[1::2], strict=False):
            found.setdefault(said, int(value, 16))
        return
    groups = row.groupdict()
    numbered, head = groups.get("first"), groups.get("head")
    if not numbered and not head and f"{name}0" not in found:
        return  # other numbers
    first = int(numbered) if numbered else 0 if head else next(n for n in count() if f"{name}{n}" not in found)
    values = {f"{name}{first + i}": int(value, 16) for i, value in enumerate(row["values"].split())}
    found.update(values if not numbered else {k: v for k, v in values.items() if k not in found})


def pc(lines: Sequence[str]) -> Frame | None:
    """Return where the report stood; None where it does not say, or stood in a program."""
    at = next((i for i, text in enumerate(lines) if TRACE.match(text)), len(lines))
    found = _pc(lines[:at])
    if found is not None or in_user(lines):
        return found
    warned = next((m for text in lines if (m := _WARNED_AT.match(text))), None)
    if warned is not None:
        return _frame(warned)
    return _pc([text for text in lines[at:] if AGAIN.match(text)])  # the beginning is lost, its end says it again


def stands(text: str) -> bool:
    """Return whether a line says where in the kernel a CPU stood."""
    line = text.strip()
    return any(line.startswith(words) and pattern.match(line) for words, pattern in PCS) and not _USER_PC.match(line)


def _pc(lines: Sequence[str]) -> Frame | None:
    bare = None
    for text in lines:
        stripped = text.strip()
        if _USER_PC.match(stripped):
            return bare
        for begins, pattern in PCS:
            found = pattern.match(stripped) if stripped.startswith(begins) else None
            if found is not None:
                frame = _frame(found)
                if frame is not None and frame.symbol:
                    return frame
                bare = bare or frame
                break
    return bare


def _frame(found: re.Match[str]) -> Frame | None:
    groups = found.groupdict()
    address = int(groups.get("address") or groups.get("address2") or groups.get("bare") or "0", 16)
    name = groups.get("name")
    if name is None:
        said = groups.get("bare") is not None or groups.get("nil") is not None or address
        return Frame(address, None, None, None, "task", True) if said else None
    offset = int(groups["at"], 16) if groups["at"] else None
    return Frame(address, name.lstrip(".") or name, offset, groups.get("module"), "task", True)


def link(lines: Sequence[str]) -> Frame | None:
    """Return where the link register pointed, on machines that have one and print it with its function."""
    for text in lines:
        if TRACE.match(text):
            return None
        found = _LINK.match(text)
        if found is not None:
            return _frame(found)
    return None


def of_arm64(lines: Sequence[str]) -> bool:
    """Return whether the link register is printed as arm64 does, whose unwinder leaves out a leaf's caller."""
    return any(text.lstrip().startswith("lr : ") for text in lines)


def in_user(lines: Sequence[str]) -> bool:
    """Return whether the first pc that a report prints is a program's."""
    for text in lines:
        if TRACE.match(text):
            return False
        if _USER_PC.match(text.strip()):
            return True
        if stands(text):
            return False
    return False


def code(lines: Sequence[str]) -> Code | None:
    """Return the bytes of the first `Code:` line; on machines with fixed instructions in the order printed."""
    faulted = any(text.lstrip().startswith("Failing address") for text in lines)
    for text in lines:
        listed = LISTED.match(text)
        if listed and faulted:  # of other exceptions pc is behind the instruction
            return Code(bytes.fromhex(listed["bytes"]), 0)
        found = CODE.search(text)
        if found and not text.lstrip().startswith("Krnl"):
            words = found["bytes"].split()
            at = next((i for i, word in enumerate(words) if word[0] in "<("), None)
            data, place, unit = bytearray(), None, 1
            for i, word in enumerate(words):
                digits = word.strip("<>()")
                if len(digits) % 2 or not digits:
                    return None
                place, unit = (len(data), len(digits) // 2) if i == at else (place, unit)
                data += bytes.fromhex(digits)
            return Code(bytes(data), place, unit)
    return None


def fault_address(lines: Sequence[str]) -> int | None:
    """Return the address that the fault handler names."""
    for text in lines:
        if TRACE.match(text):
            break
        if FAULTED.match(text):
            found = _ADDRESS.search(text)
            if found:
                return int(found["address"], 16)
    return None


def stacks(lines: Sequence[str]) -> Iterator[tuple[str, tuple[Frame, ...]]]:
    """Yield each stack with its title; a report without a title of its own may have frames all the same."""
    title, inside, found, made = "", list[str](), False, 0
    for text in lines:
        trace = TRACE.match(text)
        if trace or _OTHER.match(text):
            if inside and (frames := frames_of(inside)):
                yield title, frames
                made += 1
            others = trace and title.startswith(OTHERS) and not inside and not text.startswith("stack backtrace")
            title = title if others else text.strip()
            inside, found = ([trace["rest"]] if trace and trace["rest"] else []), True
        elif (found and (is_frame(text) or text.startswith(("RIP: ", "EIP: ")))) or (not found and is_frame(text)):
            inside.append(text)
        if made >= _TRACES:
            return
    if inside and (frames := frames_of(inside)):
        yield title, frames
