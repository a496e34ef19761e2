"""Commands about tasks: crash's bt, ps, task, files, vm, sig, foreach, set, and where they differ from it."""

from collections.abc import Callable

from oopscope.commands.command import (
    Argument,
    CardOf,
    Command,
    EachTask,
    Line,
    Option,
    Request,
    Say,
    TableOf,
    as_number,
    missing,
)

PID = Argument("PID | NAME", "task")
SOURCE = "source lines need debug symbols, and oopscope works without: dis shows the code of a frame"
FACTS, SIGNALS = ("task", "facts"), ("task", "signals")
# foreach's words for tasks, as a filter of the table of tasks.
STATES = {"RU": "R", "IN": "S", "UN": "D", "ST": "T", "TR": "t", "ZO": "Z", "DE": "X", "ID": "I", "PA": "P", "NE": "N"}
KINDS = {"kernel": "kernel_thread:yes", "user": "kernel_thread:no", "active": "state:R", "": ""}
# What foreach can do with each task, and the parts of its card.
EACH = {"bt": ("stack",), "files": ("paths", "files"), "vm": ("memory", "mappings"), "task": FACTS, "sig": SIGNALS,
        "set": ("task",), "ps": ("task",)}  # fmt: skip


def _several(line: Line) -> str:
    """Return the filter for several PIDs; an empty text where the line names no more than one task."""
    pids = [str(as_number(name)) for name in line.names]
    return f"pid={','.join(pids)}" if len(pids) > 1 and "None" not in pids else ""


def _task(*parts: str) -> Callable[[Line], Request]:
    """Return the request for the card of a task, or for those of several."""

    def request(line: Line) -> Request:
        several = _several(line)
        if len(line.names) > 1 and not several:
            return Say("one name at a time, or several PIDs")
        return EachTask(several, parts) if several else CardOf("task", line.key, parts)

    return request


def _bt(line: Line) -> Request:
    """A task's stack, of `-c N` a CPU's, of `-a` every CPU's, of nothing the culprit's."""
    if "-a" in line.options:
        return TableOf("cpus")
    if "-c" in line.options:
        cpu = as_number(line.options["-c"])
        return CardOf("cpu", cpu) if cpu is not None else TableOf("cpus")
    if line.options.keys() & {"-f", "-F", "-r"}:
        return CardOf("stack", line.key, (), None) if not _several(line) else Say("bt -f: one task at a time")
    if "-g" in line.options:
        pid = as_number(line.first)
        return EachTask(f"tgid={pid}", ("stack",)) if pid is not None else Say("bt -g wants a PID: bt -g 1")
    return _task("stack")(line)


def _ps(line: Line) -> Request:
    """Tasks: all, of the kernel or of users, of a name; or one of them, with its family or its arguments."""
    parts = {"-p": "family", "-c": "family", "-g": "family", "-a": "memory", "-t": "used", "-r": "limits"}
    for name in parts.keys() & line.options.keys():
        if line.key is None:
            return Say(f"ps {name} wants a PID: ps {name} 1")
        return CardOf("task", line.key, ("task", parts[name]))
    if "-A" in line.options:
        return TableOf("cpus")
    if "-S" in line.options:
        return CardOf("states", 0)
    kinds = {"-k": "kernel_thread:yes", "-u": "kernel_thread:no"}
    leaders = "(pid == tgid)" if "-G" in line.options else ""
    where = " ".join([*(kinds[name] for name in kinds if name in line.options), leaders, _several(line)]).strip()
    key = None if _several(line) else line.key
    if line.options.keys() & {"-m", "-l"}:
        columns = ("since_last_run_seconds", "pid", "state", "cpu", "comm", "wait")
        return TableOf("tasks", key, where, "since_last_run_seconds", columns)
    return TableOf("tasks", key, where)


def _task_or_members(line: Line) -> Request:
    """A task in detail; with `-R` members of its struct alone."""
    if "-R" not in line.options:
        return _task()(line)
    if len(line.names) != 1:
        return Say("task -R wants members and one PID: task -R pid,comm 1")
    return CardOf("struct", f"task_struct.{line.options['-R']}@task({line.first})")


def _vm(line: Line) -> Request:
    """A task's memory; with `-m` its struct mm_struct."""
    if "-m" not in line.options:
        return _task("memory", "mappings")(line)
    if len(line.names) != 1 or as_number(line.first) is None:
        return Say("vm -m wants a PID: vm -m 1")
    return CardOf("value", f"*task({line.first}).mm")


def _set(line: Line) -> Request:
    if "-c" in line.options:
        cpu = as_number(line.options["-c"])
        return CardOf("cpu", cpu) if cpu is not None else Say("set -c wants the number of a CPU")
    if "-p" in line.options:
        return CardOf("task", None)
    if line.key is None:
        return Say("set wants a PID; oopscope has no current task: each command takes the task that it is about")
    return CardOf("task", line.key)


def _sig(line: Line) -> Request:
    """A task's signals; with `-g` those of all threads of a process."""
    if "-g" not in line.options:
        return _task(*SIGNALS)(line)
    pid = as_number(line.first)
    return EachTask(f"tgid={pid}", SIGNALS) if pid is not None else Say("sig -g wants a PID: sig -g 1")


def _foreach(line: Line) -> Request:
    """`foreach UN bt`: tasks by state, kind, name or PID, then what is done with each."""
    words = list(line.names)
    do = next((at for at, word in enumerate(words) if word in EACH), None)
    if do is None:
        return Say(f"foreach wants a command after the tasks: {', '.join(EACH)}; as in foreach UN bt")
    terms = []
    for word in words[:do]:
        if word.upper() in STATES:
            terms.append(f"state:{STATES[word.upper()]}")
        elif word in KINDS:
            terms.append(KINDS[word])
        elif as_number(word) is not None:
            terms.append(f"pid={as_number(word)}")
        else:
            terms.append(f"comm:{word}")
    return EachTask(" ".join(terms), EACH[words[do]])


COMMANDS: tuple[Command, ...] = (
    Command(
        ("bt",),
        "the stack of a task or of a CPU",
        _bt,
        (PID,),
        (
            Option("-a", "every CPU's"),
            Option("-c", "a CPU's", "N"),
            Option("-s", "names with offsets, as always"),
            Option("-f", "with the stack's words"),
            Option("-F", "with the stack's words, and what each means"),
            Option("-r", "the same"),
            Option("-g", "of all threads of a process"),
            Option("-l", missing=SOURCE),
            Option("-t", missing="frames found by scanning a stack are there, each marked as a guess"),
            Option("-T", missing="frames found by scanning a stack are there, each marked as a guess"),
            Option("-e", missing="frames of exceptions are marked in every stack"),
            Option("-n", missing="idle tasks are those with PID 0: ps shows them"),
            Option("-R", missing="who refers to a name: sym NAME tells which stacks it is in"),
            Option("-v", missing="a stack that overflowed is the verdict's: sys"),
        ),
    ),
    Command(
        ("ps", "top", "pid"),
        "tasks, or one of them",
        _ps,
        (PID,),
        (
            Option("-k", "of the kernel"),
            Option("-u", "of users"),
            Option("-m", "by when they last ran"),
            Option("-l", "the same"),
            Option("-A", "what the CPUs ran"),
            Option("-p", "its parents"),
            Option("-c", "its children"),
            Option("-g", "its threads"),
            Option("-a", "its arguments"),
            Option("-t", "its times"),
            Option("-s", missing="the stack of a task: bt PID"),
            Option("-r", "its limits"),
            Option("-S", "how many are in which state"),
            Option("-G", "of each process the first thread"),
            Option("-H", missing="without the line of names: ps --no-headers"),
            Option("-y", missing="the scheduling policy is in task PID"),
        ),
        (("", "every thread"), ("-m", "by when they last ran"), ("--where 'state:D' --format csv", "blocked ones")),
    ),
    Command(
        ("task",),
        "a task in detail: facts, family, locks, stack, memory, files, mappings",
        _task_or_members,
        (PID,),
        (
            Option("-R", "members of its struct alone", "MEMBERS"),
            Option("-x", "hexadecimal, as always"),
            Option("-d", "decimal, as always"),
        ),
        (("1", "all of PID 1"), ("1 --format json", "the same for a script"), ("-R pid,comm 1", "members alone")),
    ),
    Command(
        ("set",),
        "a task in detail",
        _set,
        (PID,),
        (
            Option("-c", "what a CPU did", "N"),
            Option("-p", "the task that is to blame"),
            Option("-v", missing="what can be set is in the settings: config.toml, :settings on the screen"),
            Option("-a", missing="whose stack a CPU's is: bt -c N"),
        ),
        (("1", "PID 1"), ("-p", "the one that panicked")),
    ),
    Command(
        ("files",),
        "a task's open files, where it runs and what",
        _task("paths", "files"),
        (PID,),
        (
            Option("-d", missing="a dentry: struct dentry ADDRESS"),
            Option("-R", missing="search a path in every task: foreach files"),
            Option("-c", missing="the page cache of an inode: struct inode.i_data ADDRESS"),
        ),
        (("1", "of PID 1"),),
    ),
    Command(
        ("vm",),
        "a task's memory: sizes, arguments, mappings",
        _vm,
        (PID,),
        (
            Option("-m", "its struct mm_struct"),
            Option("-R", missing="search a name among mappings: vm PID --format csv | grep NAME"),
            Option("-x", "hexadecimal, as always"),
            Option("-p", missing="pages of a mapping: vtop ADDRESS for one address"),
            Option("-v", missing="struct vm_area_struct ADDRESS; vm PID gives the addresses"),
        ),
        (("1", "of PID 1"),),
    ),
    Command(
        ("sig",),
        "a task's signals: handlers, what is blocked, what is pending",
        _sig,
        (PID,),
        (
            Option("-g", "of all threads of a process"),
            Option("-l", missing="the numbers of the signals: kill -l"),
            Option("-s", missing="sig PID names them"),
        ),
        (("1", "of PID 1"),),
    ),
    Command(
        ("foreach",),
        "a command for tasks by state (UN, RU, IN ...), name, PID, `user` or `kernel`",
        _foreach,
        (Argument("WHICH bt | files | vm", "", True),),
        (),
        (("UN bt", "stacks of the blocked tasks"), ("user files", "open files of every process")),
    ),
    missing("fuser", nearest="who has a file open: foreach files"),
    missing("waitq", nearest="who waits in a function: sym FUNCTION; for what: waits"),
    missing("last", nearest="when tasks last ran: ps -m"),
)
