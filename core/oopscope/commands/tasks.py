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
    numbers_of,
)

PID = Argument("PID | NAME", "task")
SOURCE = "source lines need debug symbols, and oopscope works without: dis shows the code of a frame"
FACTS = ("task", "facts")
SIGNALS = ("task", "signals")
# ps's options that ask for a part of a task's card.
OF_PS = {"-p": "family", "-c": "family", "-g": "family", "-a": "memory", "-t": "used", "-r": "limits"}
SETTINGS = {"scroll", "hex", "radix", "dec", "vi", "emacs", "hash", "zero_excluded", "refresh", "print_max", "console",
            "namelist", "dumpfile", "debug", "core", "silent", "edit", "null-stop", "gdb", "unwind", "offline",
            "redzone", "error"}  # fmt: skip
# foreach's words for tasks, as a filter of the table of tasks.
STATES = {"RU": "R", "IN": "S", "UN": "D", "ST": "T", "TR": "t", "ZO": "Z", "DE": "X", "ID": "I", "PA": "P", "NE": "N"}
LEADERS = "(pid == tgid)"
KINDS = {"kernel": "kernel_thread:yes", "user": "kernel_thread:no", "gleader": LEADERS}
# What foreach can do with each task, and the parts of its card.
EACH = {"bt": ("stack",), "files": ("paths", "files"), "vm": ("memory", "mappings"), "task": FACTS, "sig": SIGNALS,
        "set": ("task",), "ps": (), "net": ("files",)}  # fmt: skip
OF_CRASH = {"struct", "vtop", "rd", "list", "union"}  # foreach's commands that are not there


def _of_tasks(names: tuple[str, ...]) -> str | None:
    """Return the filter for tasks by PIDs, names and patterns (`/^kw/`); None where a word cannot be one."""
    pids = [str(as_number(name)) for name in names if as_number(name) is not None]
    others = [name for name in names if as_number(name) is None]
    if not others:
        return f"pid={','.join(pids)}"
    if len(names) == 1:
        return f"comm~{others[0].strip('/')}" if _is_pattern(others[0]) else f"comm:{others[0]}"
    if any(_is_pattern(name) or '"' in name for name in others):
        return None
    return "(" + " || ".join([*(f"pid == {pid}" for pid in pids), *(f'comm == "{name}"' for name in others)]) + ")"


def _is_pattern(word: str) -> bool:
    return len(word) > 2 and word[0] == word[-1] == "/"


def _several(line: Line) -> str:
    """Return the filter for several tasks, or for those that fit a pattern; an empty text where one is named."""
    if len(line.names) < 2 and not _is_pattern(line.first):
        return ""
    return _of_tasks(line.names) or ""


def _task(*parts: str) -> Callable[[Line], Request]:
    """Return the request for the card of a task, or for those of several."""

    def request(line: Line) -> Request:
        several = _several(line)
        if len(line.names) > 1 and not several:
            return Say("one pattern at a time, or several PIDs and names")
        return EachTask(several, parts) if several else CardOf("task", line.key, parts)

    return request


def _cpus(name: str, word: str) -> Request:
    """Return the request for one CPU's card, or for several of them in the table."""
    listed = numbers_of(word)
    if listed is None:
        return Say(f"{name} wants CPUs by number: {name} 0, {name} 0,2-4")
    return CardOf("cpu", int(listed)) if listed.isdigit() else TableOf("cpus", None, f"cpu={listed}")


def _bt(line: Line) -> Request:
    """A task's stack, of `-c N` a CPU's, of `-a` every CPU's, of nothing the culprit's."""
    options = line.options
    if "-a" in options:
        return TableOf("cpus")
    if "-c" in options:
        return _cpus("bt -c", options["-c"])
    if "-n" in options:
        idle = options["-n"] == "idle"
        return EachTask("pid=0", ("stack",)) if idle else Say("bt -n knows one word: bt -n idle")
    if "-p" in options:
        return CardOf("task", None, ("stack",))
    if options.keys() & {"-f", "-F", "-r", "-t", "-T"}:
        return CardOf("stack", line.key, (), None) if not _several(line) else Say("bt -f: one task at a time")
    if "-g" in options:
        pid = as_number(line.first)
        return EachTask(f"tgid={pid}", ("stack",)) if pid is not None else Say("bt -g wants a PID: bt -g 1")
    return _task("stack")(line)


def _ps(line: Line) -> Request:
    """Tasks: all, of the kernel or of users, of a name; or what else is known of them, such as their parents."""
    for name in OF_PS.keys() & line.options.keys():
        return _task("task", OF_PS[name])(line) if line.names else EachTask("", ("task", OF_PS[name]))
    if "-A" in line.options:
        return TableOf("cpus")
    if "-S" in line.options:
        return CardOf("states", 0)
    kinds = {"-k": "kernel_thread:yes", "-u": "kernel_thread:no", "-G": LEADERS}
    terms = [kinds[name] for name in kinds if name in line.options]
    if "-C" in line.options:
        listed = numbers_of(line.options["-C"])
        if listed is None:
            return Say("ps -C wants CPUs by number: ps -C 0,1")
        terms.append(f"cpu={listed}")
    several = _several(line)
    if len(line.names) > 1 and not several:
        return Say("ps: one pattern at a time, or several PIDs and names")
    where, key = " ".join([*terms, several]).strip(), None if several else line.key
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
        return _cpus("set -c", line.options["-c"])
    if "-p" in line.options:
        return CardOf("task", None)
    if line.first in SETTINGS:
        return Say(f"set {line.first}: nothing of the kind is to be set; numbers come decimal and hexadecimal, long "
                   "answers scroll, and keys and columns are in :settings")  # fmt: skip
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
    """`foreach UN bt`: tasks by state, kind, name or PID, then what is done with each, and that command's options."""
    words = list(line.names)
    do = next((at for at, word in enumerate(words) if word in EACH.keys() | OF_CRASH), None)
    if do is None or words[do] in OF_CRASH:
        named = f"foreach {words[do]} is not there: " if do is not None else ""
        return Say(f"{named}foreach wants a command after the tasks: {', '.join(EACH)}; as in foreach UN bt")
    if "active" in words[:do]:
        return Say("foreach active: what ran on the CPUs is bt -a, and in short ps -A")
    terms = [f"state:{STATES[word.upper()]}" for word in words[:do] if word.upper() in STATES]
    terms += [KINDS[word] for word in words[:do] if word in KINDS]
    names = tuple(word for word in words[:do] if word not in KINDS and word.upper() not in STATES)
    of = _of_tasks(names) if names else ""
    if of is None:
        return Say("foreach: one pattern at a time, or several PIDs and names")
    return _done_with_each(" ".join([*terms, of]).strip(), words[do], words[do + 1 :])


def _done_with_each(where: str, do: str, rest: list[str]) -> Request:
    """Return what a command with its options comes to for the tasks that pass a filter."""
    if do == "net":
        return (
            EachTask(where, EACH[do])
            if not set(rest) - {"-s", "-S"}
            else Say("foreach net -s lists each one's sockets")
        )
    line = next(one for one in COMMANDS if one.name == do).take(rest)
    if isinstance(line, Say):
        return Say(f"foreach {line.text}")
    if line.names:
        return Say(f"foreach {do}: {line.names[0][:20]} comes behind the command; the tasks stand before it")
    if do == "ps":
        asked = _ps(line)
        if isinstance(asked, TableOf):
            return asked._replace(where=f"{where} {asked.where}".strip())
        return (
            asked._replace(where=where) if isinstance(asked, EachTask) else Say("foreach ps: ps has that of all tasks")
        )
    without = [name for name in line.options if name in ("-R", "-m", "-c", "-a", "-g", "-p")]
    return (
        Say(f"foreach {do} {without[0]}: of one task at a time, {do} {without[0]} PID")
        if without
        else EachTask(where, EACH[do])
    )


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
            Option("-t", "the same: return addresses are among the words"),
            Option("-T", "the same"),
            Option("-g", "of all threads of a process"),
            Option("-p", "of the task that is to blame, as without a PID"),
            Option("-n", "of the idle tasks: -n idle", "idle"),
            Option("-x", "hexadecimal, as always"),
            Option("-d", "decimal, as always"),
            Option("-l", lacks=SOURCE),
            Option("-e", missing="frames of exceptions are marked in every stack, with the registers: bt, bt -f"),
            Option("-E", missing="frames of exceptions are marked in every stack: foreach bt"),
            Option("-R", missing="who refers to a name: sym NAME tells which stacks it is in", value="NAME"),
            Option("-v", missing="a stack that overflowed is the verdict's: sys"),
            Option("-I", missing="stacks begin where the dump says; rd ADDRESS shows words from anywhere", value="IP"),
            Option("-S", missing="stacks begin where the dump says; rd ADDRESS shows words from anywhere", value="SP"),
            Option("-o", missing="there is one way to unwind, by ORC or frame pointers, and guesses are marked"),
            Option("-O", missing="there is one way to unwind, by ORC or frame pointers, and guesses are marked"),
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
            Option("-r", "its resource limits"),
            Option("-C", "that ran on CPUs", "0,1"),
            Option("-S", "how many are in which state"),
            Option("-G", "of each process the first thread"),
            Option("-s", missing="the stack pointer of a task is that of its innermost frame: bt -f PID"),
            Option("-H", missing="without the line of names: ps --no-headers"),
            Option("-y", missing="the scheduling policy is in task PID", value="POLICY"),
            Option("-n", missing="names of namespaces are in task PID"),
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
            Option("-a", missing="whose stack a CPU's is: bt -c N", value="PID"),
        ),
        (("1", "PID 1"), ("-p", "the one that panicked")),
    ),
    Command(
        ("files",),
        "a task's open files, where it runs and what",
        _task("paths", "files"),
        (PID,),
        (
            Option("-d", missing="a dentry: struct dentry ADDRESS", value="DENTRY"),
            Option("-p", missing="an inode's pages: struct inode.i_data ADDRESS", value="INODE"),
            Option("-n", missing="an inode by name: foreach files has the paths that are open"),
            Option("-R", missing="search a path in every task: foreach files", value="PATH"),
            Option("-c", missing="the page cache of an inode: struct inode.i_data ADDRESS"),
            Option("-m", missing="where a path's file system is mounted: mount"),
            Option("-M", missing="where a path's file system is mounted: mount"),
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
            Option("-R", missing="search a name among mappings: vm PID --format csv | grep NAME", value="NAME"),
            Option("-x", "hexadecimal, as always"),
            Option("-d", "decimal, as always"),
            Option("-P", missing="pages of a mapping: vtop ADDRESS for one address", value="VMA"),
            Option("-M", missing="the memory of a task that ended: struct mm_struct ADDRESS", value="MM"),
            Option("-f", missing="the flags of a mapping are in vm PID as letters", value="FLAGS"),
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
            Option("-s", missing="sig PID names the signals of a set", value="SET"),
        ),
        (("1", "of PID 1"),),
    ),
    Command(
        ("foreach", "for"),
        "a command for tasks by state (UN, RU, IN ...), name, PID, `user`, `kernel` or `gleader`",
        _foreach,
        (Argument("WHICH bt | files | vm | ps | task", "", True),),
        (),
        (
            ("UN bt", "stacks of the blocked tasks"),
            ("UN ps -m", "the blocked ones by when they last ran"),
            ("user files", "open files of every process"),
        ),
        whole=True,
    ),
    missing("fuser", nearest="who has a file open: foreach files"),
    missing("waitq", nearest="who waits in a function: sym FUNCTION; for what: waits"),
    missing("last", nearest="when tasks last ran: ps -m"),
)
