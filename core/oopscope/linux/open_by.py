"""Which processes have an open file of a certain thing: a pipe, a socket, a device's connection. Follows fs/file.c.

Every descriptor of every process is looked at once, so this is asked only where somebody waits for such a thing.
"""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.file import Files, descriptors
from oopscope.linux.proc_mounts import first_namespace
from oopscope.linux.task import all_tasks_known, task_structs
from oopscope.structs.plan import Plan

FMODE_READ, FMODE_WRITE = 1, 2
MAX_FDS = 4096  # of one process
MAX_OF_ALL = 1 << 18


class _File(NamedTuple):
    """struct file."""

    private: int
    mode: int
    ops: int


FILE = Plan("file", _File, private="private_data", mode="f_mode", ops="f_op")


class Opened(NamedTuple):
    """An open file of a process: the address of its first thread, the descriptor, how it is open."""

    task: int
    fd: int
    file: int
    mode: int
    ops: int  # struct file_operations: what kind of file it is


class OpenFiles(NamedTuple):
    """All open files by their private_data, and whether no process's were lost: else "nobody" cannot be said.

    having: the processes that have each struct file, by its address.
    """

    by: dict[int, list[Opened]]
    whole: bool
    having: dict[int, list[int]]


@once
def opened_by(kernel: Kernel) -> OpenFiles:
    """Return all open files."""
    found: dict[int, list[Opened]] = {}
    having: dict[int, list[int]] = {}
    files: dict[int, _File | None] = {}
    budget, whole = MAX_OF_ALL, all_tasks_known(kernel)
    seen = set[int]()
    for task in sorted(kernel.cached(task_structs).values(), key=lambda one: one.pid):
        if not task.mm or task.exit_state or not task.files or task.files in seen:
            continue
        seen.add(task.files)
        try:
            for number, (fd, file, _) in enumerate(descriptors(kernel, task.files)):
                budget -= 1
                if number >= MAX_FDS or budget < 0:
                    whole = False
                    break
                if file not in files:
                    files[file] = _row(kernel, file)
                having.setdefault(file, []).append(task.address)
                row = files[file]
                whole &= row is not None
                if row is not None and row.private:
                    found.setdefault(row.private, []).append(Opened(task.address, fd, file, row.mode, row.ops))
        except OopscopeError:
            whole = False
    return OpenFiles(found, whole, having)


def _row(kernel: Kernel, file: int) -> _File | None:
    try:
        return kernel.bind(FILE).row(file)
    except OopscopeError:
        return None


def opened_as(kernel: Kernel, operations: str, section: str) -> list[tuple[int, list[Opened]]]:
    """Return the private_data of every open file of a kind, by the symbol of its operations, with who has it open.

    That some process's files were lost is noted as a problem of the section.
    """
    ops = kernel.symbol(operations)
    if not opened_by(kernel).whole:
        kernel.problems.add(section, "not every process's open files could be read")
    found = ((private, [one for one in opened if one.ops == ops]) for private, opened in opened_by(kernel).by.items())
    return [(private, opened) for private, opened in found if opened]


def files_of_first(kernel: Kernel) -> Files | None:
    """Return files as the first process sees them; None where its root is lost."""
    try:
        return Files(kernel, first_namespace(kernel)[1])
    except OopscopeError:
        return None


def path_seen(files: Files | None, file: int) -> str | None:
    """Return the path of a struct file; None where it, or the root that it is seen from, is lost."""
    try:
        return files.path_of_file(file) if files is not None else None
    except OopscopeError:
        return None
