"""Open files of a process: the table of descriptors, and what stands behind each.

Follows fs/file.c, include/linux/fdtable.h and, for files that have no place in a tree, the d_dname functions of
fs/pipe.c, net/socket.c, fs/anon_inodes.c, fs/libfs.c, fs/nsfs.c and fs/pidfs.c.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.path import Dentry, Paths, Place, place_at
from oopscope.linux.sock import socket_at
from oopscope.structs.plan import Plan

MAX_FILES = 4096  # of one process that are looked at
MAX_FDS = 1 << 26  # sysctl_nr_open's own limit on 64-bit is about this
CHUNK = 512  # bytes of the bitmap of open descriptors that are read at once


class FilesStruct(NamedTuple):
    """struct files_struct."""

    fdt: int


class Fdtable(NamedTuple):
    """struct fdtable."""

    max_fds: int
    fd: int
    open_fds: int
    close_on_exec: int


class FileStruct(NamedTuple):
    """struct file."""

    address: int
    path: int
    flags: int
    position: int
    inode: int
    private: int


class InodeStruct(NamedTuple):
    """struct inode."""

    mode: int
    number: int
    device: int
    size: int


FILES = Plan("files_struct", FilesStruct)
FDTABLE = Plan("fdtable", Fdtable)
FILE = Plan(
    "file",
    FileStruct,
    path="&f_path",
    flags="f_flags",
    position="f_pos",
    inode="f_inode",
    private="private_data",
)
INODE = Plan("inode", InodeStruct, mode="i_mode", number="i_ino", device="i_rdev", size="i_size")

KINDS = {
    0o010000: "pipe", 0o020000: "char device", 0o040000: "directory", 0o060000: "block device", 0o100000: "file",
    0o120000: "link", 0o140000: "socket",
}  # fmt: skip
# What names a file that has no place in a tree: the function in its dentry's operations, and what it makes.
NAMELESS = {
    "pipefs_dname": "pipe:[{number}]",
    "sockfs_dname": "socket:[{number}]",
    "anon_inodefs_dname": "anon_inode:{name}",
    "pidfs_dname": "anon_inode:[pidfd]",
    "ns_dname": "namespace:[{number}]",
    "dmabuffs_dname": "/dmabuf:{name}",
    "simple_dname": "/{name} (deleted)",
}
ACCESS = ("O_RDONLY", "O_WRONLY", "O_RDWR", "")
# include/uapi/asm-generic/fcntl.h, as x86 has them; O_LARGEFILE is always set.
FLAGS = (
    (0o2000, "O_APPEND"), (0o4000, "O_NONBLOCK"), (0o20000, "O_ASYNC"), (0o40000, "O_DIRECT"),
    (0o200000, "O_DIRECTORY"), (0o400000, "O_NOFOLLOW"), (0o1000000, "O_NOATIME"), (0o10000000, "O_PATH"),
)  # fmt: skip
O_DSYNC, O_SYNC, O_TMPFILE = 0o10000, 0o4010000, 0o20000000


class OpenFile(NamedTuple):
    """One descriptor; what cannot be read is None, and `why` says so."""

    fd: int
    address: int
    kind: str | None
    path: str | None
    flags: str
    position: int | None
    size: int | None
    note: str = ""  # what a socket is, a device's numbers
    why: str = ""


def _bitmap(kernel: Kernel, address: int, size: int) -> int:
    """Read a bitmap of so many bytes, which is an array of words: the lowest bit of the first is bit 0."""
    raw, word = kernel.memory.read(address, size), kernel.memory.word_size
    if kernel.arch.byteorder == "big":
        raw = b"".join(raw[at : at + word][::-1] for at in range(0, size, word))
    return int.from_bytes(raw, "little")


def descriptors(kernel: Kernel, files: int) -> Iterator[tuple[int, int, bool]]:
    """Yield (descriptor, address of its struct file, close on exec) of a files_struct; ReadError or Implausible."""
    table, memory = kernel.bind(FDTABLE).row(kernel.bind(FILES).row(files).fdt), kernel.memory
    if table.max_fds > MAX_FDS or table.max_fds % 8:
        raise Implausible(f"a table of {table.max_fds} open files", table.fd)
    for start in range(0, table.max_fds // 8, CHUNK):
        size = min(CHUNK, table.max_fds // 8 - start)
        opened = _bitmap(kernel, table.open_fds + start, size)
        closing = _bitmap(kernel, table.close_on_exec + start, size) if opened else 0
        while opened:
            bit = (opened & -opened).bit_length() - 1
            opened &= opened - 1
            fd = start * 8 + bit
            file = memory.word(table.fd + fd * memory.word_size)
            if file:  # else: the number is taken, and the file still being opened
                yield fd, file, bool(closing >> bit & 1)


def flag_words(flags: int) -> str:
    """Return open(2)'s flags in its own words."""
    words = ["O_PATH"] if flags & 0o10000000 else [ACCESS[flags & 3]]
    words += [word for bit, word in FLAGS if flags & bit and word != "O_PATH"]
    if flags & O_SYNC == O_SYNC:
        words.append("O_SYNC")
    elif flags & O_DSYNC:
        words.append("O_DSYNC")
    if flags & O_TMPFILE:
        words.append("O_TMPFILE")
    return " ".join(word for word in words if word)


class Files:
    """Files as one process sees them: paths begin at its root."""

    def __init__(self, kernel: Kernel, root: Place) -> None:
        self._kernel, self._paths = kernel, Paths(kernel, root)

    def open_file(self, fd: int, address: int, close_on_exec: bool) -> OpenFile:
        """Return what a descriptor is; each part that cannot be read is None, with the first reason."""
        try:
            file = self._kernel.bind(FILE).row(address)
        except OopscopeError as e:
            return OpenFile(fd, address, None, None, "", None, None, "", str(e))
        why: list[str] = []
        try:
            inode: InodeStruct | None = self._kernel.bind(INODE).row(file.inode)
        except OopscopeError as e:
            inode = None
            why.append(str(e))
        try:
            path: str | None = self.path(file.path, inode)
        except OopscopeError as e:
            path = None
            why.append(str(e))
        kind = self._kind(inode, path)
        note = self._note(kind, file, inode, why)
        flags = flag_words(file.flags) + (" O_CLOEXEC" if close_on_exec else "")
        seekable = kind in ("file", "directory", "block device")
        size = inode.size if inode is not None and kind == "file" else None
        return OpenFile(
            fd, address, kind, path, flags, file.position if seekable else None, size, note, why[0] if why else ""
        )

    def path_of_file(self, address: int) -> str:
        """Return the path of a struct file; ReadError."""
        file = self._kernel.bind(FILE).row(address)
        return self.path(file.path, self._kernel.bind(INODE).row(file.inode))

    def path(self, address: int, inode: InodeStruct | None = None) -> str:
        """Return a struct path as /proc shows it; ReadError."""
        place = place_at(self._kernel, address)
        dentry = self._paths.dentry(place.dentry)
        made = self._nameless(dentry, place, inode)
        return made if made is not None else self._paths.shown(place)

    def _nameless(self, dentry: Dentry, place: Place, inode: InodeStruct | None) -> str | None:
        """Make the name that d_dname() would; None for a dentry without one, as those in a tree are."""
        if not dentry.op:
            return None
        types, memory = self._kernel.types, self._kernel.memory
        function = memory.word(dentry.op + types.member("dentry_operations", "d_dname").offset)
        known = self._kernel.name_of(function) if function else None
        pattern = NAMELESS.get(known.symbol) if known else None
        if pattern is None or (dentry.parent == place.dentry and place.dentry == self._paths.mount(place.mount).root):
            return None
        name = decoded(self._paths.name(dentry))
        return pattern.format(name=name, number=inode.number if inode is not None else "?")

    def _kind(self, inode: InodeStruct | None, path: str | None) -> str | None:
        if path is not None and path.startswith("anon_inode:"):
            return "anon inode"
        return KINDS.get(inode.mode & 0o170000, "anon inode") if inode is not None else None

    def _note(self, kind: str | None, file: FileStruct, inode: InodeStruct | None, why: list[str]) -> str:
        if kind == "socket":
            try:
                return str(socket_at(self._kernel, file.private))
            except OopscopeError as e:
                why.append(str(e))
        elif kind in ("char device", "block device") and inode is not None:
            return f"{inode.device >> 20}:{inode.device & (1 << 20) - 1}"
        return ""
