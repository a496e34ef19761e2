"""Real dumps of machines other than x86_64, whole but distilled, against what their guests said of themselves.

Each guest gave its account, and then crashed itself by SysRq-c. `machines/NAME.kdump` lies among the other dumps.
"""

import random
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bench.fuzz import changer
from builders.altered import Altered
from oopscope.boot.attach import attach, open_kernel
from oopscope.distill.recording import _machine as machine_of_header
from oopscope.dumps import open_path
from oopscope.inspect.expression import evaluate
from oopscope.inspect.meaning import number_meaning
from oopscope.inspect.words import memory
from oopscope.linux.task_files import task_files
from oopscope.report.build import build, sections
from oopscope.subsystems import TABLES
from oopscope.subsystems.cards.memory import characters
from truth import Truth, missing_in_order, plain

FOLDER = Path(__file__).parents[2] / "dumps" / "machines"
NAMES = sorted(path.stem for path in FOLDER.glob("*.kdump"))
ALL = sections(["dump", "system", "verdict", *(key for key, _ in TABLES if key != "system")])
NEWCOMERS = re.compile(r"sleep|kworker/.*")
FIRST = re.compile(
    r"ret_from_(fork|kernel_thread)\w*|start_kernel|__primary_switched|__secondary_switched|secondary_start_sbi|_start_kernel|restart_int_handler|startup_continue|start_\w+|"
    r"exc_virt_0x\w+"  # interrupted before it had left the program's stack
)
# What the dumps were distilled for; a table that came later may lack its pages.
KEPT = {"system", "tasks", "stacks", "log", "modules", "mounts", "slabs", "meminfo", "zones", "locks"}
KEYS = {"arm64": "aarch64"}
# A call trace's line, on riscv and s390 with the address. What returns to the next function's first byte has its name.
FRAME = re.compile(r"^ ?\(?(?:\[<?[0-9a-f]+>?\] ){0,2}([A-Za-z_][\w.]*)\+(0x[0-9a-f]+)/0x[0-9a-f]+")


@cache
def opened(name: str) -> Any:
    kernel = open_kernel([FOLDER / f"{name}.kdump"])
    return kernel, build(kernel, ALL, stacks=True), Truth.beside(FOLDER / f"{name}.kdump")


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_there_are_dumps() -> None:
    assert "6.12-arm64" in NAMES


def test_numbers_and_text_are_read_in_the_kernel_s_byte_order(name: str) -> None:
    kernel, _, _ = opened(name)
    order = kernel.arch.byteorder
    assert evaluate(kernel, "nr_threads") == kernel.memory.u32(kernel.symbol("nr_threads")) < 1000
    meaning = number_meaning(int.from_bytes(b"init\0\0\0\0", order), order=order)
    assert meaning is not None and meaning.words == 'text "init"'
    assert characters(int.from_bytes(b"init\0\0\0\0", order), 8, order) == "init...."
    assert memory(kernel, "nr_threads").order == order


def test_the_map_of_all_memory_is_known_without_page_tables(name: str) -> None:
    kernel, _, _ = opened(name)
    base = kernel.machine.direct_base(kernel)
    address = kernel.memory.word(kernel.symbol("slab_caches"))
    if name.endswith("ppc64le"):  # whose map needs no page tables in any case
        assert base is None and kernel.memory.translate(address) == address & (1 << 60) - 1
    else:
        assert (address - base) % kernel.memory.top == kernel.memory.translate(address)


def test_the_machine(name: str) -> None:
    kernel, report, _ = opened(name)
    key = name.split("-")[1]
    assert report["dump"]["arch"] == kernel.arch.name == KEYS.get(key, key)
    assert report["system"]["release"].startswith(name.split("-")[0])
    assert report["system"]["memory_bytes"] > 128 << 20
    assert len(report["cpus"]) == 2
    # Some lines of /proc/meminfo came when these dumps had been distilled.
    told = [p for p in report["problems"] if p["section"] in KEPT and p["section"] != "meminfo"]
    assert told == []


def test_a_distilled_dump_names_its_machine(name: str) -> None:
    """Other tools go by that; QEMU says "Unknown" of most."""
    kernel, _, _ = opened(name)
    assert machine_of_header(kernel).facts.machine in kernel.arch.machines


def test_verdict_and_log(name: str) -> None:
    _, report, truth = opened(name)
    verdict = report["verdict"]
    assert (verdict["cause"], verdict["confidence"]) == ("sysrq-crash", "certain")
    assert verdict["panic_message"] == "sysrq triggered crash"
    assert (verdict["pid"], verdict["comm"]) == (1, "init")
    assert verdict["symbol"].startswith("sysrq_handle_crash+")
    have = [line for record in report["log"] for line in record["text"].split("\n")]
    assert missing_in_order([line for line in truth.text if line and "console [" not in line], have) == []


def test_the_stack_of_the_panic_is_what_the_kernel_printed(name: str) -> None:
    """Printed by dump_stack() from within panic(), so that it begins with what has returned since."""
    _, report, truth = opened(name)
    begin = max(i for i, line in enumerate(truth.text) if re.match(r"Call [Tt]race:", line))
    said = []
    for line in truth.text[begin + 1 :]:
        found = FRAME.match(line)
        if found is None:
            break
        if found[2] != "0x0":
            said.append(plain(found[1]))
    said = said[said.index("panic") :]
    frames = report["cpus"][0]["frames"]
    assert len(said) >= 8
    assert missing_in_order(said, [plain(f["symbol"]) for f in frames]) == []
    assert frames[-1]["kind"] == "user"
    assert all(f["reliable"] for f in frames)


def test_processes(name: str) -> None:
    _, report, truth = opened(name)
    tasks = {t["pid"]: t for t in report["tasks"] if t["pid"]}
    have = {(t["pid"], t["ppid"]) for t in tasks.values() if t["pid"] == t["tgid"]}
    assert truth.parents <= have
    assert [tasks[pid]["comm"] for pid, _ in have - truth.parents if not NEWCOMERS.match(tasks[pid]["comm"])] == []
    assert len(truth.processes) > 45
    for process in truth.processes:
        task = tasks[process.pid]
        assert (task["comm"], task["ppid"]) == (process.comm, process.ppid)
        assert task["kernel_thread"] == (process.size is None)
        assert task["vsz_bytes"] == (process.size or 0) * 1024


def test_every_stack_leads_to_its_end(name: str) -> None:
    """To the program, or to where a kernel thread or a CPU began; and who sleeps is known to sleep somewhere."""
    _, report, _ = opened(name)
    assert len(report["tasks"]) > 45
    for task in report["tasks"]:
        frames = task["frames"]
        assert frames, task
        assert frames[-1]["kind"] == "user" or FIRST.match(frames[-1]["symbol"]), task
        assert all(f["reliable"] for f in frames)
        if task["state"] in "SDI":
            assert task["wait"] and "schedule" not in task["wait"] and task["wait"] != "__switch_to"


def test_modules_mounts_and_slabs(name: str) -> None:
    _, report, truth = opened(name)
    assert [(m["name"], m["size_bytes"], int(m["address"], 16)) for m in report["modules"]] == [
        (m.name, m.size, m.address) for m in truth.modules
    ]
    assert [(m["source"], m["target"], m["fstype"]) for m in report["mounts"]] == [m[:3] for m in truth.mounts]
    assert [s["name"] for s in report["slabs"]] == truth.slabs


def test_meminfo(name: str) -> None:
    _, report, truth = opened(name)
    have, want = report["meminfo"], truth.meminfo
    assert have["MemTotal"] == want["MemTotal"]
    for key in ("MemFree", "MemAvailable", "Slab", "Cached", "KernelStack"):
        assert have[key] == pytest.approx(want[key], rel=0.05), key


def test_open_files(name: str) -> None:
    kernel, report, truth = opened(name)
    tasks = {t["pid"]: int(t["address"], 16) for t in report["tasks"]}
    assert truth.files
    for pid, wanted in truth.files.items():
        if pid in tasks and pid != 1:
            have = {file.fd: file.path for file in task_files(kernel, tasks[pid]).files}
            assert {fd: path for fd, path in wanted.items() if have.get(fd) != path} == {}


@pytest.mark.thorough
def test_changed_and_missing_pages_cost_no_more_than_themselves(name: str) -> None:
    """No fault of the program's own, whatever memory says; what is lost is said.

    The kernel's image is spared, so that there are types, and every reader goes on into what was changed.
    """
    seed = 1
    change, _, _ = changer(random.Random(seed), f"{name} {seed}")
    dump, image = open_path(FOLDER / f"{name}.kdump"), image_of(name)
    frames = [n for a, b in dump.ranges() for n in range(a // dump.page_size, b // dump.page_size) if n not in image]
    holes = set(random.Random(seed).sample(frames, len(frames) // 50))
    lying = Altered(dump, holes, change=lambda pfn, page: page if pfn in image else change(pfn, page))
    report = build(attach(lying, lambda _text: None), ALL, stacks=True)
    assert report["tasks"]
    assert [p["message"] for p in report["problems"] if "fault of oopscope" in p["message"]] == []


def image_of(name: str) -> range:
    """Return the page frames of a kernel's image."""
    kernel, _, _ = opened(name)
    size, start, end = kernel.dump.page_size, kernel.symbol("_stext"), kernel.symbol("_end")
    first = kernel.memory.translate(start) // size
    return range(first, first + (end - start) // size + 1)
