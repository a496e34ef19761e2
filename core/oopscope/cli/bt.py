"""Print stacks: the panicking CPU's by default, every CPU's, every task's, or some tasks'; identical ones once."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from oopscope.cli import DONE, USAGE, complain
from oopscope.cli.ask import answer
from oopscope.cli.common import Progress, add_extra, load, write, write_data
from oopscope.cli.options import add_options
from oopscope.commands.command import Say, numbers_of
from oopscope.commands.register import BY_WORD
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.report.cells import printable
from oopscope.report.frames import frame_lines
from oopscope.report.values import frames_once
from oopscope.sources.remote import Location, location
from oopscope.stacks.cpus import all_cpus
from oopscope.stacks.groups import folded, key_of, passes
from oopscope.stacks.tasks import Task, all_tasks, kept_stacks, stack


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "paths", nargs="+", type=location, metavar="PATH", help="a dump or its URL, or the parts of a split one"
    )
    parser.add_argument("--pid", type=int, nargs="+", metavar="N", help="the stacks of these threads; also after PATH")
    parser.add_argument("--cpus", "-a", action="store_true", help="every CPU's stack")
    parser.add_argument("-c", dest="cpu", type=_numbers, metavar="0,1", help="the stacks of some CPUs")
    parser.add_argument("--all", action="store_true", help="every thread's stack")
    parser.add_argument("--state", metavar="D", help="the stacks of threads in these states, such as D or DR")
    parser.add_argument("--group", action="store_true", help="identical stacks once, the most frequent first")
    parser.add_argument(
        "--function", metavar="NAME", action="append", help="only stacks with this function in them; * for any letters"
    )
    parser.add_argument("--module", metavar="NAME", action="append", help="only stacks with a frame of this module")
    parser.add_argument("--format", choices=("text", "json", "jsonl"), default="text", help="text for people, or data")
    command = BY_WORD["bt"]
    parser.set_defaults(command=command, no_headers=False)
    add_options(parser, command, ("-a", "-c"))
    add_extra(parser)


AS_ALWAYS = {"-s", "-x", "-d", "-l", "-p"}  # these come so, or nothing comes of them
NAMED = 8  # tasks of a group that are named one by one


class _Stack(NamedTuple):
    title: str
    frames: Sequence[Frame]
    of: dict[str, Any]  # whose it is, as data
    since: float | None = None  # seconds since it last ran


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    args.paths, threads, names = _apart(args.paths)
    args.pid = [*(args.pid or ()), *threads]
    given = getattr(args, "given", None) or []
    if lacks := args.command.lacks(given):
        complain(lacks, DONE)
    given = [one for one in given if one not in AS_ALWAYS]
    if given or any(set("*/") & set(name) for name in names):
        request = args.command.ask([*given, *map(str, args.pid), *names])
        if isinstance(request, Say):
            return complain(request.text, USAGE)
        return answer(args, request, load(args.paths, Progress()))
    kernel = load(args.paths, Progress())
    if names:
        args.pid += [task.pid for task in all_tasks(kernel) if {task.comm, f"{task.address:x}"} & {*names}]
    if names and not args.pid:
        return complain(f"no task {', '.join(names)}, nor a file of that name", USAGE)
    return _print(kernel, args)


def _print(kernel: Kernel, args: argparse.Namespace) -> int:
    if args.pid or args.all or args.state or args.function or args.module:
        kernel.cached(kept_stacks).wanted = not (args.pid or args.state)  # of most: each page is unpacked once
        tasks = [t for t in all_tasks(kernel) if _wanted(t, args)]
        if args.pid and not tasks:
            return complain(f"no thread {', '.join(map(str, args.pid))}", USAGE)
        if args.state and not tasks:
            complain(f"no thread is in state {args.state}; the letters are those of ps: R, S, D, T, Z, I", DONE)
        stacks = [_of_task(kernel, t) for t in tasks]
        if args.function or args.module:
            stacks = [one for one in stacks if passes(one.frames, args.function or (), args.module or ())]
            if not stacks:
                complain("no stack has that in it", DONE)
    else:
        stacks = _cpu_stacks(kernel, args.cpus, args.cpu)
        if args.cpu is not None and not stacks:
            return complain(f"no CPU {', '.join(map(str, args.cpu))}", USAGE)
    if args.format == "text":
        write("\n".join(_grouped(stacks) if args.group else map(_text, stacks)))
    else:
        same = frames_once()
        data = ({**one.of, "frames": [same(f) for f in one.frames]} for one in stacks)
        write_data(data, args.format)
    kernel.remember()
    for problem in kernel.problems:
        complain(f"{problem.section}: {problem.message}", DONE)
    return DONE


def _apart(paths: Sequence[Location]) -> tuple[list[Location], list[int], list[str]]:
    """Return the dump's paths, and the PIDs and the tasks' names that follow them: words that no file is called."""
    words = [p for p in paths[1:] if isinstance(p, Path) and not p.exists() and not p.parent.is_dir()]
    words += [p for p in paths[1:] if isinstance(p, Path) and p == Path(p.name) and not p.exists()]
    names = [str(p) for p in words if not p.name.isdigit() or p != Path(p.name)]
    return [p for p in paths if p not in words], [int(p.name) for p in words if str(p).isdigit()], names


def _numbers(text: str) -> list[int]:
    listed = numbers_of(text)
    if listed is None:
        raise argparse.ArgumentTypeError(f"{text[:20]} lists no CPUs: -c 0, -c 0,2-4")
    return [int(one) for one in listed.split(",")]


def _of_task(kernel: Kernel, t: Task) -> _Stack:
    of = {"pid": t.pid, "comm": t.comm, "state": t.state, "cpu": t.cpu, "address": f"{t.address:#x}"}
    return _Stack(_task_title(t), stack(kernel, t.address), of, t.since_last_run_seconds)


def _wanted(task: Task, args: argparse.Namespace) -> bool:
    if args.pid:
        return task.pid in args.pid
    if args.state:
        return bool(task.state and task.state in args.state)
    return bool(args.all or args.function or args.module)


def _cpu_stacks(kernel: Kernel, every: bool, some: Sequence[int] | None) -> list[_Stack]:
    cpus = all_cpus(kernel)
    chosen = cpus if every else [c for c in cpus if c.state == "panic"] or cpus
    chosen = [c for c in cpus if c.cpu in some] if some is not None else chosen
    return [
        _Stack(
            f"CPU {c.cpu}  {c.state or 'unknown'}  {_who(c.pid, c.comm)}",
            c.frames,
            {"cpu": c.cpu, "state": c.state, "pid": c.pid, "comm": c.comm},
        )
        for c in chosen
    ]


def _task_title(t: Task) -> str:
    ran = f"  last ran {t.since_last_run_seconds:.1f} s before" if t.since_last_run_seconds is not None else ""
    return f"{_who(t.pid, t.state or '?')}  {t.comm or '(name not in the dump)'}{ran}"


def _who(pid: int | None, name: str | None) -> str:
    return f"PID {'?' if pid is None else pid}  {name or '(name not in the dump)'}"


def _text(found: _Stack) -> str:
    body = "".join(f"  {line}\n" for line in frame_lines(found.frames)) or "  no stack\n"
    return f"{printable(found.title)}\n{body}"


def _grouped(stacks: Iterable[_Stack]) -> Iterable[str]:
    """Fold stacks of the same functions, most frequent first; of many tasks the names are folded."""
    groups: dict[object, list[_Stack]] = {}
    for found in stacks:
        groups.setdefault(key_of(found.frames), []).append(found)
    for members in sorted(groups.values(), key=lambda m: -len(m)):
        heads = "".join(f"{printable(m.title)}\n" for m in members) if len(members) <= NAMED else _folded(members)
        body = "".join(f"  {line}\n" for line in frame_lines(members[0].frames)) or "  no stack\n"
        yield f"{len(members):,} with this stack:\n{heads}{body}"


def _folded(members: Sequence[_Stack]) -> str:
    """Return many tasks in two lines: their names, and the one that ran last the longest ago."""
    names = [str(one.of.get("comm") or "?") for one in members]
    longest = max(members, key=lambda one: one.since or 0.0)
    states = "".join(sorted({str(one.of.get("state") or "?") for one in members}))
    return f"{printable(folded(names))}  in state {states}\nlongest: {printable(longest.title)}\n"
