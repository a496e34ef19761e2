"""What a file is that is no dump."""

import gzip
import lzma
import struct

import pytest
import zstandard

from oopscope.sources.file import BytesSource
from oopscope.sources.identify import what_is

LINUX = b"\0" * 0x202 + b"HdrS" + bytes(4000)


def elf(kind: int, endian: str = "<") -> bytes:
    return b"\x7fELF\2" + (b"\1" if endian == "<" else b"\2") + bytes(10) + struct.pack(endian + "H", kind) + bytes(99)


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "empty file"),
        (b"[    0.000000] Linux version 6.1.0\n", "text file ('[    0.000000] Linux version"),
        ("é".encode() * 3000, "text file"),
        (LINUX, "kernel image"),
        (elf(1), "kernel module"),
        (elf(2), "no vmlinux"),
        (elf(3, ">"), "shared object"),
        (elf(4), "without physical memory"),
        (gzip.compress(b"x", mtime=0), "gzip -dc vmcore.bin > vmcore.bin.dump"),
        (lzma.compress(b"x"), "xz -dc vmcore.bin"),
        (zstandard.compress(b"x"), "zstd -dc vmcore.bin"),
        (b"BZh91AY", "bzip2 -dc vmcore.bin"),
        (b"DISKDUMP" + bytes(99), "diskdump"),
        (b"PAGEDU64", "win-dmp"),
        (b"LibvirtQemudPart", "never finished"),
        (b"QFI\xfb\0\0\0\3", "qcow2"),
        (bytes(4096), "zero bytes"),
        (b"\x01\x02\x03\x04\x05", "01 02 03 04 05"),
    ],
)
def test_says_what_it_is_in_one_line(data: bytes, words: str) -> None:
    said = what_is(BytesSource(data, "/some/where/vmcore.bin"))
    assert words in said
    assert "\n" not in said


def test_text_is_shown_without_control_characters() -> None:
    said = what_is(BytesSource(b"\x1b[31mred\x1b[0m and so on\n"))
    assert "\x1b" not in said
    assert "text file" in said
