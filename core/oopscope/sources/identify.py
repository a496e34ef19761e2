"""What a file is that is no dump, and what to do about it, in one line.

It knows signatures, most of them from file(1)'s magic; it is asked only when no container knew the file.
"""

import struct
from typing import NamedTuple

from oopscope.sources import ByteSource


class Signature(NamedTuple):
    """Bytes at an offset, and the sentence about the file that has them."""

    offset: int
    magic: bytes
    what: str


_KERNEL = "a kernel image, not a dump of one: give the vmcore"
_UNPACK = "compressed with {0}: unpack it first, with `{1}`"
_LOCKED = "encrypted with {0}: decrypt it first, with `{1}`"
_OLD = "{0}, a format of before 2008 that oopscope does not read: try crash(8)"

SIGNATURES: tuple[Signature, ...] = (
    Signature(0, b"\x1f\x8b", _UNPACK.format("gzip", "gzip -dc FILE > FILE.dump")),
    Signature(0, b"\xfd7zXZ\0", _UNPACK.format("xz", "xz -dc FILE > FILE.dump")),
    Signature(0, b"\x28\xb5\x2f\xfd", _UNPACK.format("zstd", "zstd -dc FILE > FILE.dump")),
    Signature(0, b"BZh", _UNPACK.format("bzip2", "bzip2 -dc FILE > FILE.dump")),
    Signature(0, b"\x04\x22\x4d\x18", _UNPACK.format("lz4", "lz4 -dc FILE > FILE.dump")),
    Signature(0, b"\x89LZO\0", _UNPACK.format("lzop", "lzop -dc FILE > FILE.dump")),
    Signature(0, b"PK\x03\x04", _UNPACK.format("zip", "unzip FILE")),
    Signature(0, b"7z\xbc\xaf\x27\x1c", _UNPACK.format("7-Zip", "7z x FILE")),
    Signature(0, b"Salted__", _LOCKED.format("openssl", "openssl enc -d ... -in FILE -out FILE.dump")),
    Signature(0, b"age-encryption.org/v1", _LOCKED.format("age", "age -d FILE > FILE.dump")),
    Signature(0, b"-----BEGIN AGE ENCRYPTED FILE", _LOCKED.format("age", "age -d FILE > FILE.dump")),
    Signature(0, b"-----BEGIN PGP MESSAGE", _LOCKED.format("gpg", "gpg -d FILE > FILE.dump")),
    Signature(0, b"\x85\x02", _LOCKED.format("gpg", "gpg -d FILE > FILE.dump")),
    Signature(0, b"\x85\x01", _LOCKED.format("gpg", "gpg -d FILE > FILE.dump")),
    Signature(0, b"\x84\x5e", _LOCKED.format("gpg", "gpg -d FILE > FILE.dump")),
    Signature(0, b"\x8c\x0d\x04", _LOCKED.format("gpg", "gpg -d FILE > FILE.dump")),
    Signature(257, b"ustar", "a tar archive: unpack it first, with `tar xf FILE`"),
    Signature(0x202, b"HdrS", _KERNEL),
    Signature(56, b"ARM\x64", _KERNEL),
    Signature(56, b"RSC\x05", _KERNEL),
    Signature(4, b"zimg", _KERNEL),
    Signature(0, b"DISKDUMP", _OLD.format("a diskdump of Red Hat Enterprise Linux 3 or 4")),
    Signature(0, b"\xed\x23\x8f\x61\x73\x01\x19\xa8", _OLD.format("an LKCD dump")),
    Signature(0, b"sadu", "a Fujitsu sadump, which oopscope does not read: convert it with `makedumpfile -l`"),
    Signature(0, b"PAGEDU64", "a Windows crash dump (win-dmp): for a Linux guest take `--format=kdump-zlib` or elf"),
    Signature(0, b"PAGEDUMP", "a Windows crash dump, not a Linux one"),
    Signature(0, b"LibvirtQemudPart", "a libvirt save image that was never finished: it holds no whole memory"),
    Signature(0, b"QFI\xfb", "a qcow2 disk image: a snapshot inside it must be loaded in QEMU and dumped from there"),
    Signature(0, b"KDMV", "a VMware disk image, not memory: give the .vmss or .vmsn file with its .vmem beside it"),
    Signature(0, b"<?xml", "an XML file, not a dump"),
    Signature(0, b"SQLite format 3", "an SQLite database, not a dump"),
)

_ELF_TYPES = {
    1: "an object file or kernel module (ELF), not a dump: give the vmcore",
    2: "a kernel or a program (ELF executable), not a dump: give the vmcore; oopscope needs no vmlinux",
    3: "a program or a library (ELF shared object), not a dump: give the vmcore; oopscope needs no vmlinux",
    4: "an ELF core without physical memory in it, not a kernel dump",
}


TEXT_MODE = "Every newline in it became CR LF: copy it again, not in text mode"


def in_text_mode(data: bytes) -> bool:
    """Tell whether every newline has a carriage return before it: no file of numbers is so by chance."""
    newlines = data.count(b"\n")
    return newlines >= 16 and data.count(b"\r\n") == newlines


def what_is(source: ByteSource) -> str:
    """Say what a file is, and what to do instead, in one line."""
    head = source.read_at(0, 4096)
    if not head:
        return source.problem or "an empty file: the dump was never written"
    name = source.name.rsplit("/", 1)[-1]
    for line in SIGNATURES:
        if head.startswith(line.magic, line.offset):
            from shlex import quote

            return line.what.replace("FILE.dump", quote(name + ".dump")).replace("FILE", quote(name))
    if head.startswith(b"\x7fELF"):
        return _elf(head)
    if _is_text(head):
        return _text(head)
    if not head.strip(b"\0"):
        return "not a dump that oopscope knows: it begins with zero bytes, as a dump does whose writing failed at once"
    return f"not a dump that oopscope knows: it begins with the bytes {head[:8].hex(' ')}"


def _elf(head: bytes) -> str:
    kind = struct.unpack_from(">H" if head[5:6] == b"\2" else "<H", head, 16)[0] if len(head) >= 18 else 0
    return _ELF_TYPES.get(kind, "an ELF file, but no core: not a dump")


def _is_text(head: bytes) -> bool:
    """Tell whether bytes read as text: no control characters but white space and escape, valid UTF-8 up to the cut."""
    if any(b < 32 and b not in b"\t\n\r\f\x1b" for b in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as e:
        return e.start > len(head) - 4 and len(head) == 4096
    return True


def _text(head: bytes) -> str:
    line = next((text for text in head.decode(errors="replace").splitlines() if text.strip()), "").strip()
    shown = "".join(c if c.isprintable() else "." for c in line[:40])
    return f"a text file ({shown!r}), not a dump: the dump is often the file named vmcore beside it"
