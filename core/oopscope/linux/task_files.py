"""What a process has open, where it stands and what it runs: asked for one task at a time, and in no report."""

from itertools import islice
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.file import MAX_FILES, Files, OpenFile, descriptors
from oopscope.linux.path import place_at
from oopscope.linux.task import lost_tasks, task_structs


class TaskFiles(NamedTuple):
    """The open files of a task; `why` says what ended the list, or why there is none."""

    files: tuple[OpenFile, ...]
    more: bool  # there are more than are listed
    cwd: str | None
    root: str | None
    exe: str | None
    why: str


def _pointer(kernel: Kernel, task: int, member: str) -> int:
    return kernel.memory.word(task + kernel.types.member("task_struct", member).offset)


def task_files(kernel: Kernel, task: int) -> TaskFiles:
    """Return the open files of the task whose struct is at an address; what cannot be read is None or said."""
    nothing = TaskFiles((), False, None, None, None, "")
    if task not in kernel.cached(task_structs) and task not in kernel.cached(lost_tasks):
        return nothing._replace(why="no such task")
    try:
        files, fs, mm = (_pointer(kernel, task, member) for member in ("files", "fs", "mm"))
        if not files or not fs:
            return nothing._replace(why="a task that has exited has none")
        if not mm:
            return nothing._replace(why="a kernel thread has none of its own")
        root = fs + kernel.types.member("fs_struct", "root").offset
        seen = Files(kernel, place_at(kernel, root))
    except OopscopeError as e:
        return nothing._replace(why=str(e))
    found, more, why = _listed(kernel, files, seen)
    return TaskFiles(
        found,
        more,
        _path(seen, fs + kernel.types.member("fs_struct", "pwd").offset),
        _root(kernel, root),
        _exe(kernel, seen, mm),
        why,
    )


def _listed(kernel: Kernel, files: int, seen: Files) -> tuple[tuple[OpenFile, ...], bool, str]:
    found: list[OpenFile] = []
    try:
        for fd, file, close_on_exec in islice(descriptors(kernel, files), MAX_FILES + 1):
            found.append(seen.open_file(fd, file, close_on_exec))
    except OopscopeError as e:
        return tuple(found), False, str(e)
    return tuple(found[:MAX_FILES]), len(found) > MAX_FILES, ""


def _path(seen: Files, path: int) -> str | None:
    try:
        return seen.path(path)
    except OopscopeError:
        return None


def _root(kernel: Kernel, root: int) -> str | None:
    """Where the process's root is for PID 1: more than `/` in a chroot or a container."""
    first = next((t.address for t in kernel.cached(task_structs).values() if t.pid == 1), None)
    try:
        fs = _pointer(kernel, first, "fs") if first else 0
        outer = place_at(kernel, fs + kernel.types.member("fs_struct", "root").offset if fs else root)
        return Files(kernel, outer).path(root)
    except OopscopeError:
        return None


def _exe(kernel: Kernel, seen: Files, mm: int) -> str | None:
    try:
        file = kernel.memory.word(mm + kernel.types.member("mm_struct", "exe_file").offset)
        return seen.path_of_file(file) if file else None
    except OopscopeError:
        return None
