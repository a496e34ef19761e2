"""Every real dump against what its guest said of itself: tasks, modules, mounts, slabs, memory, log and stacks.

The account is a second older than the dump, so what died or was born in between is named here, not shrugged off.
"""

import re
from typing import Any

import pytest

from cases import HELD, NAMES, Case
from truth import missing_in_order, plain

# Who came in the last second: what kills the machine, and a worker that the kernel may start at any time.
NEWCOMERS = re.compile(r"insmod|dd|sleep|lab-\w+(-\w+)?|kworker/.*")
ENDS = {
    *("ret_from_fork", "ret_from_fork_asm"),  # every kernel thread's
    *("secondary_startup_64_no_verify", "common_startup_64"),  # the idle tasks'
}


def names(frames: Any) -> list[str]:
    return [plain(f["symbol"]) for f in frames if f["kind"] != "user"]


def test_there_are_dumps() -> None:
    """Without them the tests below would pass by not being there."""
    assert len(NAMES) >= 17
    assert {name.split("-")[0] for name in NAMES} >= {"5.10", "6.1", "6.12", "7.2", "7.3"}


def test_processes_and_their_parents(case: Case) -> None:
    have = {(t["pid"], t["ppid"]) for t in case.report["tasks"] if t["pid"] == t["tgid"] and t["pid"]}
    assert case.truth.parents <= have
    new = {case.tasks[pid]["comm"] for pid, _ in have - case.truth.parents}
    assert [comm for comm in new if not NEWCOMERS.fullmatch(comm)] == []
    assert len(case.truth.parents) > 45


def test_names_threads_and_sizes(case: Case) -> None:
    threads = [t["tgid"] for t in case.report["tasks"]]
    # up to 6.1 a task keeps 64 faults to itself, of up to 16 pages each, which /proc does not count and we do
    most = 64 * 16 if case.kernel.types.has_member("task_struct", "rss_stat") else 40
    assert len(case.truth.processes) > 45
    for process in case.truth.processes:
        task = case.tasks[process.pid]
        assert (task["comm"], task["ppid"]) == (process.comm, process.ppid)
        assert threads.count(process.pid) == process.threads
        assert task["kernel_thread"] == (process.size is None)
        assert task["vsz_bytes"] == (process.size or 0) * 1024
        # /proc rounds what it counts by CPU; a page table or a page of the stack may have come since
        assert -40 * 4096 <= task["rss_bytes"] - (process.rss or 0) * 1024 <= most * 4096


def test_states_of_who_slept(case: Case) -> None:
    """A state may change within a second; of these programs each slept for longer than the machine lived."""
    asleep = [p for p in case.truth.processes if p.comm in ("sleep", "tail", "nc", "ping")]
    assert len(asleep) == 6
    assert [case.tasks[p.pid]["state"] for p in asleep] == [p.state for p in asleep] == ["S"] * 6
    changed = [p for p in case.truth.processes if case.tasks[p.pid]["state"] != p.state]
    assert all(case.tasks[p.pid]["state"] in "RD" for p in changed), changed  # woken, or working
    assert len(changed) <= 3


def test_ids_cpus_and_waits(case: Case) -> None:
    cpus = {c["cpu"] for c in case.report["cpus"]}
    for task in case.report["tasks"]:
        assert task["cpu"] in cpus
        assert task["uid"] == 0
        assert task["state"] in "RSDTtXZPIN"
        assert int(task["address"], 16) >> 47 == 0x1FFFF
        on_cpu = any(c["task"] == task["address"] for c in case.report["cpus"])
        assert (task["wait"] is None) == (on_cpu or task["wait"] is None)
        if task["state"] in "SDI":
            assert task["wait"], task
            assert not task["wait"].startswith(("schedule", "__schedule", "io_schedule"))
    waits = {t["comm"]: t["wait"] for t in case.report["tasks"]}
    assert waits["kthreadd"] == "kthreadd"
    assert waits["sleep"] in ("do_nanosleep", "hrtimer_nanosleep")


def test_modules(case: Case) -> None:
    have = case.report["modules"]
    if have[0]["name"] == "labcrash":  # it came after the account
        assert have[0]["taint"] == "OE"
        loading = any(f["symbol"] == "do_one_initcall" for t in case.report["tasks"] for f in t["frames"])
        assert (have[0]["state"], have[0]["refcount"]) == (("coming", 1) if loading else ("live", 0))
        have = have[1:]
    assert [(m["name"], m["size_bytes"], m["refcount"], m["state"]) for m in have] == [
        (m.name, m.size, m.refcount, m.state.lower()) for m in case.truth.modules
    ]
    assert [set(m["used_by"]) for m in have] == [set(m.used_by) for m in case.truth.modules]
    assert [int(m["address"], 16) for m in have] == [m.address for m in case.truth.modules]
    assert len(have) >= 5


def test_mounts(case: Case) -> None:
    have, want = case.report["mounts"], case.truth.mounts
    assert [(m["source"], m["target"], m["fstype"]) for m in have] == [m[:3] for m in want]
    for mount, (*_, options) in zip(have, want, strict=True):  # a file system's own options come last in /proc/mounts
        assert options.split(",")[: mount["options"].count(",") + 1] == mount["options"].split(",")
    assert len(have) >= 7


def test_slabs(case: Case) -> None:
    assert [s["name"] for s in case.report["slabs"]] == case.truth.slabs
    assert len(case.truth.slabs) > 100
    for slab in case.report["slabs"]:
        assert 0 <= slab["active"] <= slab["total"]
        assert slab["total"] * slab["object_size"] <= slab["bytes"]
        assert slab["bytes"] % 4096 == 0


def test_objects_in_use_are_those_that_there_are(case: Case) -> None:
    """As many task_structs as tasks, but for the first, which is no object; a CPU's own free ones count as in use."""
    in_use = {s["name"]: s["active"] for s in case.report["slabs"]}
    tasks = len(case.report["tasks"])
    assert tasks - 1 <= in_use["task_struct"] <= tasks + 30
    assert in_use["mnt_cache"] >= len(case.report["mounts"])
    processes = sum(t["pid"] == t["tgid"] for t in case.report["tasks"])
    assert processes - 2 <= in_use["signal_cache"] <= processes + 60


def test_slabs_take_what_meminfo_says(case: Case) -> None:
    """Two ways to one sum, nearly: the kernel's own counter has the large kmalloc()s too, which are in no cache."""
    taken, counted = sum(s["bytes"] for s in case.report["slabs"]), case.report["meminfo"]["Slab"]
    assert 0.85 * counted < taken <= counted


def test_meminfo(case: Case) -> None:
    have, want = case.report["meminfo"], case.truth.meminfo
    for name in ("MemTotal", "SwapTotal", "SwapFree"):
        assert have[name] == want[name], name
    assert have["MemTotal"] > 100 << 20
    # What is reckoned on top of the free pages: reserves, watermarks and half of what can be reclaimed.
    reckoned = have["MemAvailable"] - have["MemFree"]
    assert reckoned == pytest.approx(want["MemAvailable"] - want["MemFree"], abs=256 << 10)
    if case.report["verdict"]["cause"] == "out-of-memory":  # all else changed while memory ran out
        assert have["MemFree"] < want["MemFree"] / 10
        return
    for name in ("MemFree", "MemAvailable", "Slab", "Cached", "KernelStack"):
        assert have[name] == pytest.approx(want[name], rel=0.05), name
    for name in ("Buffers", "Mapped", "Shmem", "SUnreclaim", "Active", "Inactive", "AnonPages", "Committed_AS"):
        assert have[name] == pytest.approx(want[name], rel=0.1, abs=256 << 10), name
    assert have["PageTables"] == pytest.approx(want["PageTables"], rel=0.2)


def test_meminfo_has_the_names_of_proc(case: Case) -> None:
    """Every line of ours is one of the guest's, in its order."""
    order = list(case.truth.meminfo)
    names = [name for name in case.report["meminfo"] if not name.startswith("HugePages_")]  # those are no sizes
    assert [name for name in names if name not in order] == []
    places = [order.index(name) for name in names]
    assert places == sorted(places)
    unread = [name for name, size in case.report["meminfo"].items() if size is None]
    assert not unread or case.name not in HELD  # lines that came when most dumps had been distilled


def test_zones_agree_with_meminfo(case: Case) -> None:
    zones = case.report["zones"]
    assert [z["name"] for z in zones] == ["DMA", "DMA32"]
    assert sum(z["free"] for z in zones) == case.report["meminfo"]["MemFree"]
    assert sum(z["managed"] for z in zones) == case.report["meminfo"]["MemTotal"]
    for zone in zones:
        assert 0 < zone["min"] <= zone["low"] <= zone["high"] <= zone["managed"] <= zone["present"] <= zone["spanned"]


def test_log_line_for_line(case: Case) -> None:
    lines = [line.strip() for record in case.report["log"] for line in record["text"].split("\n")]
    assert lines == [line.strip() for line in case.truth.text]
    assert len(lines) > 390


def test_log_times_callers_and_levels(case: Case) -> None:
    """Each record's stamp as the capture kernel printed it, and its caller where that printed one."""
    stamped = [line for line in case.truth.log if re.match(r"\[ *\d+\.\d+\]", line)]
    assert len(stamped) == len(case.report["log"])
    for line, record in zip(stamped, case.report["log"], strict=True):
        stamp, caller = re.match(r"\[ *(\d+\.\d+)\](?: \[ *([TC]\d+)\])?", line).groups()
        assert f"{record['ns'] // 1000 / 1e6:.6f}" == f"{float(stamp):.6f}"
        assert caller in (None, record["caller"])
    levels = {r["text"].split("\n")[0]: r["level"] for r in case.report["log"]}
    assert next(level for text, level in levels.items() if text.startswith("Linux version")) == 5
    assert {r["facility"] for r in case.report["log"]} <= {0, 1}


def test_stack_of_the_crashing_cpu(case: Case) -> None:
    """Every function that the dying kernel printed without `?`, in that order."""
    cpu = case.report["cpus"][0]
    assert cpu["state"] == "panic"
    traces = [t for t in case.truth.traces if t.pid is None]
    last = traces[-1]
    assert last.cpu == cpu["cpu"]
    assert len(last.functions) >= 3
    assert missing_in_order(last.functions, names(cpu["frames"])) == []
    assert all(f["reliable"] for f in cpu["frames"])


def test_stack_starts_where_the_oops_was(case: Case) -> None:
    """The registers that the crash saved are those that the oops printed, and the first frame is its RIP."""
    if not case.truth.oops:
        assert any("Kernel panic - not syncing" in line for line in case.truth.text)
        return
    cpu, said = case.report["cpus"][0], dict(case.truth.oops)
    place = said.pop("place")
    assert (cpu["frames"][0]["symbol"], cpu["frames"][0]["offset"]) == place
    assert len(said) > 15
    assert {name: int(cpu["registers"][name], 16) for name in said if name != "orig_rax"} == said


def test_stacks_of_blocked_tasks(case: Case) -> None:
    """A hung task's trace, printed seconds before the end, is the stack that it still had."""
    blocked = [t for t in case.truth.traces if t.pid is not None]
    assert bool(blocked) == (case.report["verdict"]["cause"] in ("hung-task", "deadlock"))
    for trace in blocked:
        assert len(trace.functions) >= 6
        assert missing_in_order(trace.functions, names(case.tasks[trace.pid]["frames"])) == []


def test_every_stack_ends_where_stacks_end(case: Case) -> None:
    """At the user boundary for a program, at the kernel's own first function for a thread of its own."""
    for task in case.report["tasks"]:
        frames = task["frames"]
        assert all(f["reliable"] for f in frames), task
        if task["kernel_thread"]:
            assert frames[-1]["symbol"] in ENDS, task
            assert "user" not in {f["kind"] for f in frames}
            continue
        assert frames[-1]["kind"] == "user", task
        assert int(frames[-1]["address"], 16) < 1 << 47
        assert [f["kind"] for f in frames].count("user") == 1
        if len(frames) > 1:
            assert frames[-2]["kind"] in ("syscall", "exception", "irq"), task


def test_every_frame_has_a_name(case: Case) -> None:
    for frames in [t["frames"] for t in case.report["tasks"]] + [c["frames"] for c in case.report["cpus"]]:
        assert frames
        assert [f for f in frames if f["symbol"] is None and f["kind"] != "user"] == []
    modules = {f["module"] for c in case.report["cpus"] for f in c["frames"]} - {None}
    assert modules <= {"labcrash"}


def test_a_running_tasks_stack_is_its_cpus(case: Case) -> None:
    by_address = {t["address"]: t for t in case.report["tasks"]}
    for cpu in case.report["cpus"]:
        task = by_address[cpu["task"]]
        assert (cpu["pid"], cpu["comm"]) == (task["pid"], task["comm"])
        assert task["frames"] == cpu["frames"]


def test_system(case: Case) -> None:
    system, truth = case.report["system"], case.truth
    release = re.search(r"Linux version (\S+)", truth.text[0])[1]
    assert system["release"] == release
    assert case.name.startswith(release.rsplit(".", 1)[0] if release.count(".") > 1 else release.split("-")[0])
    line = next(line for line in truth.text if line.startswith("Command line: "))
    assert system["command_line"].strip() == line.removeprefix("Command line: ").strip()
    assert system["memory_bytes"] == truth.meminfo["MemTotal"]
    assert system["task_count"] == len(case.tasks)
    assert (system["cpus_online"], system["cpus_present"]) == (2, 2)
    assert system["page_table_levels"] == 4
    assert system["machine"] == "x86_64"
    offset = next((m for line in truth.text if (m := re.search(r"Kernel Offset: (0x[0-9a-f]+) from", line))), None)
    if offset:
        assert system["kaslr_offset"] == offset[1]
    last = case.report["log"][-1]["ns"] / 1e9
    assert system["uptime_seconds"] == pytest.approx(last, abs=2.5)
    assert system["boot_time"] < system["crash_time"]


def test_taint_is_what_the_trace_says(case: Case) -> None:
    """The letters beside `Tainted:` in the last trace."""
    said = [re.search(r"(?:Tainted: ([A-Z ]+?)|Not tainted) +\d", line) for line in case.truth.text]
    last = [m for m in said if m][-1]
    letters = (last[1] or "").replace(" ", "")
    extra = set(case.report["system"]["taint"]) - set(letters)
    assert set(letters) <= set(case.report["system"]["taint"])
    assert extra <= {"D", "E", "O", "G"}  # an oops taints after it has printed its own


def test_nothing_was_lost(case: Case) -> None:
    # the super blocks that a finding looks at, and much that waits lead to, were not read when these were distilled
    later = (
        "super blocks: ",
        "page tables are missing: ",
        "what ",
        "the page that ",
        "the queue that ",
        "the futex that ",
        "requests in flight",
    )
    found = (p for p in case.report["problems"] if p["section"] != "timeline")
    problems = [p for p in found if not p["message"].startswith(later)]
    if case.name not in HELD:  # nor some lines of /proc/meminfo
        problems = [p for p in problems if p["section"] != "meminfo"]
    assert problems == []
    # of a wait whose pages were not kept it is not known that there is none
    assert [name for name, section in case.report.items() if section is None and name != "waits"] == []
