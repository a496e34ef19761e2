"""A real 32-bit kernel with PAE, without types, and with symbols of functions alone: what can be said of it is said."""

from pathlib import Path

from oopscope.boot.attach import attach
from oopscope.dumps import open_path
from oopscope.errors import NotMapped
from oopscope.machine import arch
from oopscope.report.build import build

DUMP = Path(__file__).with_name("6.5-i386.kdump")
# What the kernel printed of its own stack as it died.
TRACE = (
    *("panic", "mount_root_generic", "mount_root", "prepare_namespace", "kernel_init_freeable", "kernel_init"),
    *("ret_from_fork", "ret_from_fork_asm", "entry_INT80_32"),
)
SECTIONS = ("dump", "system", "verdict", "cpus", "tasks", "meminfo", "modules", "mounts", "log")


def test_a_report() -> None:
    report = build(attach(open_path(DUMP), lambda _text: None), SECTIONS, stacks=True)
    system, cpus = report["system"], report["cpus"]
    assert report["dump"]["arch"] == "i386"
    assert report["verdict"]["cause"] == "root-not-mounted"
    assert system["release"] == "6.5.0-0.deb12.4-686-pae"
    assert system["machine"] == "i686"
    assert system["page_table_levels"] == 3
    assert system["command_line"].endswith("root=/dev/vda1")
    assert [(c["cpu"], c["state"], c["pid"], c["comm"]) for c in cpus] == [
        (0, "panic", 1, "swapper/0"),
        (1, None, None, None),
    ]
    names = [f["symbol"] for f in cpus[0]["frames"]]
    assert names[names.index("panic") :] == list(TRACE)
    assert all(f["reliable"] for f in cpus[0]["frames"])
    log = [r["text"] for r in report["log"]]
    assert len(log) > 300
    assert "end Kernel panic - not syncing: VFS: Unable to mount root fs" in log[-1]
    assert not any("fault of oopscope" in p["message"] for p in report["problems"])
    assert sum("no types" in p["message"] for p in report["problems"]) <= 4


def test_page_tables_of_two_levels() -> None:
    """A page of 4 MiB, one of 4 KiB, and none."""
    memory = {0x1000 + 4 * 768: 0x00400083, 0x1000 + 4 * 769: 0x00002003, 0x2000 + 4 * 5: 0x00ABC003}

    def read(address: int, size: int) -> bytes:
        return memory.get(address, 0).to_bytes(size, "little")

    paging = arch("i386").pagings["2-level"]
    large = paging.translate(0x1000, 0xC0012345, read)
    assert (large.start, large.size) == (0x400000, 1 << 22)
    small = paging.translate(0x1000, 0xC0405678, read)
    assert (small.start, small.size) == (0xABC000, 4096)
    try:
        paging.translate(0x1000, 0xC0406678, read)
    except NotMapped as e:
        assert e.address == 0xC0406678
    else:
        raise AssertionError
