"""The system call that a task is in: its name from the stack's frames, its arguments from the registers saved at entry.

Follows arch/*/include/asm/syscall_wrapper.h and syscall.h. The saved registers are those that the frame at the kernel's
entry stands on, never a fixed offset from the stack's end: with FRED (6.9) that has moved. They are believed where they
hold what an entry leaves in them.
"""

import re
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import entry_kind
from oopscope.kernel.kernel import Kernel
from oopscope.linux.file import Files, descriptors
from oopscope.linux.path import place_at
from oopscope.structs.plan import Plan

WRAPPER = re.compile(r"__(?:x64|ia32|arm64|riscv|s390x?|powerpc|se|do)_(?:compat_)?sys_(\w+?)(?:\.\w+)*$|^sys_(\w+)$")
OTHER_TABLE = re.compile(r"compat|int80", re.I)  # entries of 32-bit programs
ENOSYS = 38
MAX_CALLS = 1024
# Calls whose first argument is a descriptor.
OF_A_FILE = frozenset((
    "read", "write", "pread64", "pwrite64", "readv", "writev", "preadv", "pwritev", "close", "fstat", "newfstat",
    "lseek", "ioctl", "fcntl", "flock", "fsync", "fdatasync", "ftruncate", "getdents", "getdents64", "fchdir",
    "fallocate", "accept", "accept4", "bind", "listen", "connect", "recvfrom", "sendto", "recvmsg", "sendmsg",
    "recvmmsg", "sendmmsg", "shutdown", "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "sendfile", "splice",
    "sync_file_range", "syncfs", "io_uring_enter", "mq_timedreceive", "mq_timedsend", "timerfd_settime",
))  # fmt: skip


class X86(NamedTuple):
    """struct pt_regs of x86_64, as a system call leaves it."""

    di: int
    si: int
    dx: int
    r10: int
    r8: int
    r9: int
    number: int
    ax: int
    cs: int


X86_REGS = Plan("pt_regs", X86, number="orig_ax")


class SystemCall(NamedTuple):
    """A system call; arguments are None where no saved registers were found."""

    name: str
    number: int | None
    arguments: tuple[int, ...] | None
    file: str | None  # what its first argument, a descriptor, names


def system_call(kernel: Kernel, task: int, frames: tuple[Frame, ...]) -> SystemCall | None:
    """Return the call that a stack is in; None where it is in none."""
    name = next(filter(None, map(_name, reversed(frames))), None)
    entry, regs = next(((one, row) for one in frames if (row := _saved(kernel, one))), (None, None))
    if regs is None or entry is None:
        return SystemCall(name, None, None, None) if name else None
    name = name or _by_number(kernel, entry, regs.number)
    if name is None:
        return None
    arguments = (regs.di, regs.si, regs.dx, regs.r10, regs.r8, regs.r9)
    file = _file(kernel, task, regs.di & 0xFFFFFFFF) if name in OF_A_FILE else None
    return SystemCall(name, regs.number, arguments, file)


def _name(frame: Frame) -> str | None:
    found = WRAPPER.search(frame.symbol) if frame.symbol and frame.reliable else None
    return (found[1] or found[2]) if found else None


def _by_number(kernel: Kernel, entry: Frame, number: int) -> str | None:
    """Return a call's name from the table of calls: its own function may have gone over into another (sys_read)."""
    table, symbol = kernel.find_symbol("sys_call_table"), entry.symbol or ""
    if table is None or OTHER_TABLE.search(symbol):
        return None
    try:
        found = kernel.name_of(kernel.memory.word(table + number * kernel.memory.word_size))
    except OopscopeError:
        return None
    named = WRAPPER.search(found.symbol) if found is not None and not found.offset else None
    return (named[1] or named[2]) if named else None


def _saved(kernel: Kernel, frame: Frame) -> X86 | None:
    """Return the registers that lie where an entry's frame stands; None for what is none of a system call."""
    if not frame.symbol or not frame.sp or not frame.reliable or entry_kind(frame.symbol) != "syscall":
        return None
    word = kernel.memory.word_size
    for at in (frame.sp, frame.sp + word):  # beyond the address to which the call from the entry returns
        try:
            row = kernel.bind(X86_REGS).row(at)
        except OopscopeError:
            return None
        if row.cs & 3 == 3 and row.number < MAX_CALLS and row.ax == kernel.memory.top - ENOSYS:
            return row
    return None


def _file(kernel: Kernel, task: int, number: int) -> str | None:
    """Return what a descriptor of a task names: its path, or what a socket is; None where that cannot be told."""
    types, memory = kernel.types, kernel.memory
    try:
        files, fs = (memory.word(task + types.member("task_struct", name).offset) for name in ("files", "fs"))
        seen = Files(kernel, place_at(kernel, fs + types.member("fs_struct", "root").offset))
        for fd, file, close_on_exec in descriptors(kernel, files):
            if fd == number:
                found = seen.open_file(fd, file, close_on_exec)
                return found.note if found.kind == "socket" and found.note else found.path
    except OopscopeError:
        return None
    return None
