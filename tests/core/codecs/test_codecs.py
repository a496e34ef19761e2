"""Page codecs: exact size or ValueError, and no memory for bombs."""

import contextlib
import random
import struct
import subprocess
import sys

import pytest
import zstandard

from builders import noise_page, text_page
from builders.kdump import PACK
from oopscope.codecs import CODECS, by_flag, names

PAGES = [text_page(1), noise_page(2), bytes(4096), text_page(3, 65536), (noise_page(4) + text_page(5, 61440))]


@pytest.mark.parametrize("name", PACK)
@pytest.mark.parametrize("page", PAGES, ids=["text", "noise", "zero", "64k", "mixed"])
def test_round_trip(name: str, page: bytes) -> None:
    flag, pack = PACK[name]
    assert by_flag(flag)(pack(page), len(page)) == page


@pytest.mark.parametrize("name", PACK)
def test_other_sizes_are_refused(name: str) -> None:
    flag, pack = PACK[name]
    packed = pack(text_page(1))
    for data in (
        pack(text_page(1, 4095)),
        pack(text_page(1, 8192)),
        pack(b""),
        packed[:-1],
        packed[: len(packed) // 2],
        b"",
    ):
        with pytest.raises(ValueError, match=r"."):
            by_flag(flag)(data, 4096)


@pytest.mark.parametrize("name", PACK)
def test_damage_is_a_value_error_or_a_page(name: str) -> None:
    flag, pack = PACK[name]
    packed, rng = pack(text_page(1) + noise_page(1)[:0]), random.Random(5)
    for _ in range(500):
        bad = bytearray(packed)
        for _ in range(rng.randrange(1, 4)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        with contextlib.suppress(ValueError):
            assert len(by_flag(flag)(bytes(bad), 4096)) == 4096


def test_a_flag_that_is_not_one_known_codec() -> None:
    for flag in (0, 0x3, 0x40, 0x8):
        with pytest.raises(ValueError, match="codec"):
            by_flag(flag)
    assert names(0x22) == ["lzo", "zstd"]
    assert {name for _bit, name, _module in CODECS} == set(PACK)


BOMB = """
import sys
sys.path[:0] = {path!r}
from oopscope.codecs import by_flag
def most():  # KiB; ru_maxrss would begin with the parent's
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
codec = by_flag({flag})
codec_input = bytes.fromhex({data!r})
before = most()
try:
    codec(codec_input, 4096)
    print("unpacked")
except ValueError:
    print(most() - before)
"""


@pytest.mark.parametrize("name", [*PACK, "zstd-unsized"])
def test_a_bomb_is_refused_without_its_memory(name: str) -> None:
    zeros = bytes(64 << 20)
    if name == "zstd-unsized":
        flag, data = 0x20, zstandard.ZstdCompressor(level=19, write_content_size=False).compress(zeros)
    elif name == "lzo":
        flag, data = 0x02, PACK[name][1](bytes(1 << 20))[:4096]
    elif name == "snappy":
        flag, data = 0x04, PACK[name][1](bytes(1 << 20))
    else:
        flag, data = PACK[name][0], PACK[name][1](zeros)
    script = BOMB.format(path=sys.path, flag=flag, data=data.hex())
    run = subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True, check=True)
    assert int(run.stdout) < 8 << 10  # KiB


def test_a_zstd_window_larger_than_any_page_is_refused() -> None:
    frame = struct.pack("<I", 0xFD2FB528) + bytes([0x00, 17 << 3]) + b"\x01\x00\x00"  # window 128 MiB, no size, empty
    with pytest.raises(ValueError, match=r"."):
        by_flag(0x20)(frame, 4096)
