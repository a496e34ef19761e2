"""Dumps without VMCOREINFO: the kernel is found by its own copy of the text, or by page tables and symbols."""

import struct

import pytest

from builders.altered import Altered, stored
from oopscope.boot.attach import attach
from oopscope.errors import FormatError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.printk import log
from oopscope.linux.system import the_system
from oopscope.machine.x86_64.memory import phys_bases
from oopscope.stacks.tasks import all_tasks
from oopscope.symbols.vmcoreinfo import VmcoreInfo
from oopscope.triage import verdict


def quiet(_text: str) -> None:
    pass


def summary(kernel: Kernel) -> dict[str, object]:
    found = verdict(kernel)
    return {
        "tasks": [t._replace(rss_bytes=None) for t in all_tasks(kernel)],
        "log": log(kernel),
        "cause": found.cause,
        "release": the_system(kernel).release,
        "kaslr": the_system(kernel).kaslr_offset,
        "levels": the_system(kernel).page_table_levels,
    }


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["5.10-sysrq.kdump", "6.12-sysrq.kdump", "7.2-sysrq.kdump", "7.3-oom.kdump"])
def test_nothing_but_memory(name: str) -> None:
    """The banner leads to the page tables, those to the symbols, and those to all else; KASLR is worked out."""
    whole, bare = attach(stored(name), quiet), attach(Altered(stored(name), bare=True), quiet)
    assert summary(bare) == summary(whole)
    assert any("no VMCOREINFO" in p.message for p in bare.problems)


def text_of(name: str) -> bytes:
    return next(n.desc for n in stored(name).notes() if n.name == "VMCOREINFO").rstrip(b"\0")


def as_note(text: bytes) -> bytes:
    return struct.pack("<III", 11, len(text), 0) + b"VMCOREINFO\0\0" + text


def test_the_text_in_memory() -> None:
    """Of several texts the one whose addresses lead to its own release is taken, and of those one with CRASHTIME."""
    name = "7.2-sysrq.kdump"
    text = text_of(name)
    plain = b"".join(line for line in text.splitlines(True) if not line.startswith(b"CRASHTIME"))
    stale = plain.replace(b"SYMBOL(init_uts_ns)=ffffffff", b"SYMBOL(init_uts_ns)=fffffffe")
    other = plain.replace(b"OSRELEASE=7", b"OSRELEASE=6")
    texts = [stale, other, plain, as_note(stale), as_note(text), as_note(other)]
    pages = {0x100000 + n: raw.ljust(4096, b"\0") for n, raw in enumerate(texts)}
    kernel = attach(Altered(stored(name), pages=pages, bare=True), quiet)
    assert kernel.info.raw == attach(stored(name), quiet).info.raw
    del pages[0x100004]
    assert attach(Altered(stored(name), pages=pages, bare=True), quiet).info.get("OSRELEASE") == kernel.info.get(
        "OSRELEASE"
    )
    assert kernel.info.get("CRASHTIME") and not any("VMCOREINFO" in p.message for p in kernel.problems)


@pytest.mark.parametrize("apart", [0, 5 << 20, -(9 << 20)])
def test_a_text_that_does_not_say_where_the_image_lies(apart: int) -> None:
    """Before 4.10 it does not: the text was found, and thrown away. It lies in the image, which is tried around it."""
    name = "7.2-sysrq.kdump"
    whole = attach(stored(name), quiet)
    old = b"".join(line for line in text_of(name).splitlines(True) if b"phys_base" not in line)
    near = whole.memory.translate(whole.info.symbol("init_uts_ns") or 0) + apart >> 12
    uts = whole.memory.translate(whole.info.symbol("init_uts_ns") or 0) >> 12
    pfn = near + 1 if near == uts else near

    def change(at: int, page: bytes) -> bytes:
        return (
            page if at == pfn else page.replace(b"OSRELEASE=", b"NO_RELEASE=").replace(b"Linux version", b"No version")
        )

    dump = Altered(stored(name), pages={pfn: old.ljust(4096, b"\0")}, change=change, bare=True)
    found = attach(dump, quiet)
    assert found.info.raw == whole.info.raw
    assert not any("VMCOREINFO" in p.message for p in found.problems)


def test_a_text_far_from_any_image_is_not_tried_for_ever() -> None:
    found = list(phys_bases(VmcoreInfo({"SYMBOL(init_uts_ns)": "ffffffff82a13a40"}), 1 << 40))
    assert found[0] == 0 and len(found) < 256
    assert not list(phys_bases(VmcoreInfo({"SYMBOL(init_uts_ns)": "ffffffff82a13a40", "NUMBER(phys_base)": "0"}), 0))


def test_no_kernel_at_all() -> None:
    def change(_pfn: int, page: bytes) -> bytes:
        return bytes(byte ^ 0x55 for byte in page)

    with pytest.raises(FormatError, match="no kernel was found"):
        attach(Altered(stored("6.1-div0.kdump"), change=change, bare=True), quiet)
