"""How long a report takes, and how much memory: by hand, `python tests/bench/report.py DUMP ... [--vmlinux FILE ...]`.

Each command runs in a process of its own, pinned to two cores where that can be done; the figures are the median of
five runs, with the dump in the page cache. "First run" has no index cache, "again" has the one that a first run left.
With --many the dump is of a machine with some 12,000 tasks, held to what is asked of such a one. Make it with
`sleepers.c` of this folder, built static, as the last act of a guest of 1.5 GB (`sleepers 20 600`, then SysRq-c).
With --vmlinux (the kernel with debug symbols, one for each dump) and drgn installed, drgn does the same work on the
same dump: every task, every stack by names, the log, the modules. Prints a Markdown table.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
RUNS = 5
CORES = 2
# What the product promises on its reference dumps: seconds, bytes.
LIMITS = {"report, first run": (1.0, 150 << 20), "report, again": (0.5, 150 << 20), "log": (0.4, None)}
MANY = {
    "report": (1.0, 80 << 20),
    "every stack": (2.5, 150 << 20),
    "first verdict": (0.4, None),
    "stacks by group": (2.5, 150 << 20),
    "distill": (3.5, None),
}
SAME_WORK = ("--sections", "tasks,modules,log", "--stacks")

DRGN = """
import sys
import drgn
from drgn.helpers.linux import for_each_module, for_each_task, get_dmesg
prog = drgn.Program()
prog.set_core_dump(sys.argv[1])
prog.load_debug_info([sys.argv[2]])
tasks = frames = 0
for task in for_each_task(prog):
    tasks += 1
    task.pid.value_(), task.comm.string_(), task.tgid.value_()
    try:
        for frame in prog.stack_trace(task):
            frame.name
            frames += 1
    except (LookupError, ValueError, drgn.FaultError):
        pass
modules = [module.name.string_() for module in for_each_module(prog)]
print(tasks, "tasks,", frames, "frames,", len(modules), "modules,", len(get_dmesg(prog).splitlines()), "lines of log")
"""


class Run(NamedTuple):
    """What one run took: seconds by the clock, seconds of processor time, bytes of memory at the highest."""

    seconds: float
    processor: float
    bytes: int


class Cost(NamedTuple):
    """The medians of some runs, the slowest, and the highest memory."""

    seconds: float
    slowest: float
    processor: float
    bytes: int


def pin() -> None:
    """Keep this process, and what it starts, on two cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))


def environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "core"), str(ROOT / "tui")])
    return {**os.environ, "PYTHONPATH": path, "OOPSCOPE_CACHE": "off", **more}


def run(command: Sequence[str], **env: str) -> Run:
    """Run a command once, in a process of its own, with what this tree holds."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(**env))
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: status {process.returncode}\n{process.stderr.read().decode()}")
    process.stderr.close()
    return Run(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def measure(command: Sequence[str], runs: int, **env: str) -> Cost:
    """Run a command some times, after one run that is not counted."""
    run(command, **env)
    found = [run(command, **env) for _ in range(runs)]
    times = [r.seconds for r in found]
    processor = statistics.median(r.processor for r in found)
    return Cost(statistics.median(times), max(times), processor, max(r.bytes for r in found))


def oopscope(*args: str) -> list[str]:
    return [sys.executable, "-m", "oopscope_tui", *args]


def ours(dump: Path, runs: int) -> Iterator[tuple[str, Cost]]:
    """Measure each of oopscope's commands on a dump."""
    with tempfile.TemporaryDirectory() as cache:
        report = oopscope("report", str(dump), "--format", "json")
        yield "report, first run", measure(report, runs)
        yield "report, again", measure(report, runs, OOPSCOPE_CACHE=cache)
        yield "log", measure(oopscope("log", str(dump)), runs)


def of_many_tasks(dump: Path, runs: int) -> Iterator[tuple[str, Cost]]:
    """Measure what grows with the number of tasks."""
    with tempfile.TemporaryDirectory() as folder:
        small = str(Path(folder) / "small.kdump")
        yield "report", measure(oopscope("report", str(dump)), runs)
        yield "every stack", measure(oopscope("report", str(dump), "--format", "json", "--stacks"), runs)
        yield "first verdict", measure(oopscope("report", str(dump), "--sections", "verdict"), runs)
        yield "stacks by group", measure(oopscope("bt", str(dump), "--all", "--group"), runs)
        yield "distill", measure(oopscope("distill", str(dump), small, "--force"), min(runs, 2))


def side_by_side(dump: Path, vmlinux: Path, runs: int) -> Iterator[tuple[str, Cost]]:
    """Measure oopscope and drgn doing the same: tasks, stacks, log, modules."""
    work = oopscope("report", str(dump), "--format", "json", *SAME_WORK)
    yield "oopscope, first run", measure(work, runs)
    with tempfile.TemporaryDirectory() as cache:
        yield "oopscope, again", measure(work, runs, OOPSCOPE_CACHE=cache)
    yield f"drgn {version('drgn')} with vmlinux", measure([sys.executable, "-c", DRGN, str(dump), str(vmlinux)], runs)


def found_by_oopscope(dump: Path) -> str:
    """Say what was found, so that it can be seen that the work was the same."""
    command = oopscope("report", str(dump), "--format", "json", *SAME_WORK)
    found = json.loads(subprocess.run(command, capture_output=True, check=True, env=environment()).stdout)
    frames = sum(len(t["frames"]) for t in found["tasks"])
    counts = f"{len(found['tasks'])} tasks, {frames} frames, {len(found['modules'])} modules"
    return f"oopscope found {counts}, {len(found['log'])} records of log."


def found_by_drgn(dump: Path, vmlinux: Path) -> str:
    """The same of drgn: its list has no idle tasks, and inlined functions are frames to it, by debug symbols."""
    command = [sys.executable, "-c", DRGN, str(dump), str(vmlinux)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    return f"drgn found {done.stdout.strip()}."


def machine() -> str:
    """Name the machine: its processor, how many cores are used, Python and oopscope."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{model}, {cores} cores{load}, Linux {platform.release()}, Python {platform.python_version()}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cells(cost: Cost) -> list[str]:
    times = (cost.seconds, cost.slowest, cost.processor)
    return [*(f"{seconds:.2f} s" for seconds in times), f"{cost.bytes / (1 << 20):.0f} MB"]


def cells_of(one: Run) -> list[str]:
    """Return one run as cells: seconds, of the processor, memory."""
    return [f"{one.seconds:.2f} s", f"{one.processor:.2f} s", f"{one.bytes / (1 << 20):.0f} MB"]


def verdict(name: str, cost: Cost) -> str:
    """Say whether a cost is within what is promised."""
    seconds, size = (LIMITS | MANY)[name]
    kept = cost.processor <= seconds and (size is None or cost.bytes <= size)
    return f"{'yes' if kept else 'NO'}: {seconds:.1f} s" + (f", {size >> 20} MB" if size else "")


def describe(dump: Path) -> str:
    return f"`{dump.name}`, {dump.stat().st_size / (1 << 20):.1f} MB"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dumps", nargs="+", type=Path, metavar="DUMP")
    parser.add_argument(
        "--vmlinux", nargs="+", type=Path, default=[], metavar="FILE", help="one for each dump, for drgn"
    )
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help=f"runs that count ({RUNS})")
    parser.add_argument("--many", action="store_true", help="dumps of machines with some 12,000 tasks")
    args = parser.parse_args()
    if args.vmlinux and len(args.vmlinux) != len(args.dumps):
        parser.error("as many --vmlinux as dumps, please")
    pin()
    print(f"{machine()}. Median and slowest of {args.runs} runs; memory at the highest.\n")
    over = 0
    for dump in args.dumps:
        rows = []
        for name, cost in (of_many_tasks if args.many else ours)(dump, args.runs):
            rows.append([name, *cells(cost), verdict(name, cost)])
            over += rows[-1][-1].startswith("NO")
        print(f"{describe(dump)}\n\n{table(['oopscope', 'median', 'slowest', 'processor', 'memory', 'within'], rows)}")
    for dump, vmlinux in zip(args.dumps, args.vmlinux, strict=False):
        try:
            found = list(side_by_side(dump, vmlinux, args.runs))
        except PackageNotFoundError:
            print("drgn is not installed: nothing to compare with.")
            break
        first = found[0][1].seconds
        rows = [[name, *cells(cost), f"{cost.seconds / first:.1f}"] for name, cost in found]
        print(f"{describe(dump)}: tasks, stacks, log, modules; vmlinux of {vmlinux.stat().st_size >> 20} MB\n")
        print(f"{found_by_oopscope(dump)}\n{found_by_drgn(dump, vmlinux)}\n")
        print(table(["", "median", "slowest", "processor", "memory", "times as long"], rows))
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
