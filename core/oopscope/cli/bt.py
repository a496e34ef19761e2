"""Print stacks: the panicking CPU's by default, every CPU's, every task's, or some tasks'; identical ones once."""

import argparse
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from oopscope.cli import DONE, USAGE, complain
from oopscope.cli.common import Progress, add_extra, load, write
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.report.cells import printable
from oopscope.report.frames import frame_lines
from oopscope.sources.remote import location
from oopscope.stacks.cpus import all_cpus
from oopscope.stacks.tasks import Task, all_tasks, stack


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "paths", nargs="+", type=location, metavar="PATH", help="a dump or its URL, or the parts of a split one"
    )
    parser.add_argument("--pid", type=int, nargs="+", metavar="N", help="the stacks of these threads")
    parser.add_argument("--cpus", action="store_true", help="every CPU's stack")
    parser.add_argument("--all", action="store_true", help="every thread's stack")
    parser.add_argument("--state", metavar="D", help="the stacks of threads in these states, such as D or DR")
    parser.add_argument("--group", action="store_true", help="identical stacks once, the most frequent first")
    add_extra(parser)


class _Stack(NamedTuple):
    title: str
    frames: Sequence[Frame]


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    kernel = load(args.paths, Progress())
    if args.pid or args.all or args.state:
        tasks = [t for t in all_tasks(kernel) if _wanted(t, args)]
        if args.pid and not tasks:
            return complain(f"no thread {', '.join(map(str, args.pid))}", USAGE)
        if args.state and not tasks:
            complain(f"no thread is in state {args.state}; the letters are those of ps: R, S, D, T, Z, I", DONE)
        stacks = [_Stack(_task_title(t), stack(kernel, t.address)) for t in tasks]
    else:
        stacks = _cpu_stacks(kernel, args.cpus)
    write("\n".join(_grouped(stacks) if args.group else map(_text, stacks)))
    kernel.remember()
    for problem in kernel.problems:
        complain(f"{problem.section}: {problem.message}", DONE)
    return DONE


def _wanted(task: Task, args: argparse.Namespace) -> bool:
    if args.pid:
        return task.pid in args.pid
    return bool(args.all or (task.state and task.state in args.state))


def _cpu_stacks(kernel: Kernel, every: bool) -> list[_Stack]:
    cpus = all_cpus(kernel)
    chosen = cpus if every else [c for c in cpus if c.state == "panic"] or cpus
    return [_Stack(f"CPU {c.cpu}  {c.state or 'unknown'}  {_who(c.pid, c.comm)}", c.frames) for c in chosen]


def _task_title(t: Task) -> str:
    ran = f"  last ran {t.since_last_run_seconds:.1f} s before" if t.since_last_run_seconds is not None else ""
    return f"{_who(t.pid, t.state or '?')}  {t.comm or '(name not in the dump)'}{ran}"


def _who(pid: int | None, name: str | None) -> str:
    return f"PID {'?' if pid is None else pid}  {name or '(name not in the dump)'}"


def _text(found: _Stack) -> str:
    body = "".join(f"  {line}\n" for line in frame_lines(found.frames)) or "  no stack\n"
    return f"{printable(found.title)}\n{body}"


def _grouped(stacks: Iterable[_Stack]) -> Iterable[str]:
    """Fold stacks of the same functions, most frequent first."""
    groups: dict[tuple[tuple[str | None, int | None], ...], list[_Stack]] = {}
    for found in stacks:
        groups.setdefault(tuple((f.symbol, f.offset) for f in found.frames if f.kind != "user"), []).append(found)
    for members in sorted(groups.values(), key=lambda m: -len(m)):
        heads = "".join(f"{printable(m.title)}\n" for m in members)
        body = "".join(f"  {line}\n" for line in frame_lines(members[0].frames)) or "  no stack\n"
        yield f"{len(members)} with this stack:\n{heads}{body}"
