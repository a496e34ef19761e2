"""The register of commands: each line is whole, no word means two things, and none misleads."""

import pytest

from oopscope.commands.command import Act, CardOf, EachTask, Say, TableOf
from oopscope.commands.register import BY_WORD, COMMANDS, HERE, request, told
from oopscope.explain import KINDS as TOPICS
from oopscope.subsystems import TABLES
from oopscope.subsystems.cards import CARDS, card_kind

# crash 8 and 9: `help` lists these.
CRASH = """
* alias ascii bpf bt btop dev dis eval exit extend files foreach fuser gdb help ipcs irq kmem list log mach mod mount
net p ps pte ptob ptov q rd repeat runq sbitmapq search set sig struct swap sym sys task timer tree union vm vtop waitq
whatis wr
"""


@pytest.mark.parametrize("word", CRASH.split())
def test_every_word_of_crash_is_known(word: str) -> None:
    assert word in BY_WORD, "it would be taken for something else"
    assert told(word)


def test_the_register_is_whole() -> None:
    words = [word for command in COMMANDS for word in command.words]
    assert len(words) == len(set(words))
    for command in COMMANDS:
        assert command.help and len(told(command.name)) < 400
        options = [option.name for option in command.options]
        assert len(options) == len(set(options))
        for option in command.options:
            told_once = [option.help, option.missing, option.lacks]
            assert sum(map(bool, told_once)) == 1, f"{command.name} {option.name}"
        told_elsewhere = command.name in ("bt", "log", "net")
        assert command.examples or command.on == "screen" or command not in HERE or told_elsewhere, command.name


def test_every_example_is_understood_and_asks_for_what_there_is() -> None:
    for command in HERE:
        for after, _ in (*command.examples, ("", "")):
            asked = command.ask(after.split(" --")[0].split() if not after.startswith("--") else [])
            if isinstance(asked, TableOf):
                assert asked.table in dict(TABLES), command.name
            elif isinstance(asked, CardOf):
                assert asked.card in dict(CARDS), command.name
                assert set(asked.parts) <= {part.key for part in card_kind(asked.card).parts}, command.name
            elif isinstance(asked, EachTask):
                assert set(asked.parts) <= {part.key for part in card_kind("task").parts}, command.name
            elif not after:
                assert isinstance(asked, Act | Say), command.name
            else:
                raise AssertionError(f"{command.name} {after}: {asked}")
    assert TOPICS


@pytest.mark.parametrize("line, asked", [
    ("bt", CardOf("task", None, ("stack",))),
    ("bt 238", CardOf("task", 238, ("stack",))),
    ("bt -c 1", CardOf("cpu", 1)),
    ("bt -a", TableOf("cpus")),
    ("bt 1 238", EachTask("pid=1,238", ("stack",))),
    ("ps", TableOf("tasks")),
    ("ps insmod", TableOf("tasks", "insmod")),
    ("ps 1 2", TableOf("tasks", None, "pid=1,2")),
    ("ps -k", TableOf("tasks", None, "kernel_thread:yes")),
    ("ps -p 238", CardOf("task", 238, ("task", "family"))),
    ("PS -p", EachTask("", ("task", "family"))),
    ("ps -r 1", CardOf("task", 1, ("task", "limits"))),
    ("ps -C 0,2-3", TableOf("tasks", None, "cpu=0,2,3")),
    ("ps /^kw/", TableOf("tasks", None, "comm~^kw")),
    ("bt 1 init", EachTask('(pid == 1 || comm == "init")', ("stack",))),
    ("bt -c 0,1", TableOf("cpus", None, "cpu=0,1")),
    ("bt -n idle", EachTask("pid=0", ("stack",))),
    ("bt -p", CardOf("task", None, ("stack",))),
    ("bt -asx", TableOf("cpus")),
    ("bt -al", TableOf("cpus")),
    ("timer -rC 0", TableOf("timers", None, "cpu=0")),
    ("runq -c 0,1", TableOf("runqueues", None, "cpu=0,1")),
    ("irq 1 9", TableOf("interrupts", None, "irq=1,9")),
    ("dis -rl schedule+4", CardOf("code", "schedule+4/to")),
    ("foreach 1 2 bt -s", EachTask("pid=1,2", ("stack",))),
    ("foreach UN ps -m", TableOf("tasks", None, "state:D", "since_last_run_seconds",
                                 ("since_last_run_seconds", "pid", "state", "cpu", "comm", "wait"))),
    ("for gleader net -s", EachTask("(pid == tgid)", ("files",))),
    ("p runqueues:a", CardOf("value", "runqueues")),
    ("p/x jiffies", CardOf("value", "jiffies")),
    ("eval 5k + 1", CardOf("value", "5120 + 1")),
    ("struct rq.nr_running,curr runqueues:a", CardOf("value", "runqueues.{nr_running,curr}")),
    ("list task_struct.tasks -h init_task -s task_struct.pid,comm",
     CardOf("value", "ring(init_task, task_struct, tasks).{pid,comm}")),
    ("tree -t rb -r a.root -o b.node ffff888003a4c000",
     CardOf("value", "tree(((struct a *)0xffff888003a4c000).root, b, node)")),
    ("files 1", CardOf("task", 1, ("paths", "files"))),
    ("vm insmod", CardOf("task", "insmod", ("memory", "mappings"))),
    ("foreach UN bt", EachTask("state:D", ("stack",))),
    ("foreach user kworker 12 files",
     EachTask('kernel_thread:no (pid == 12 || comm == "kworker")', ("paths", "files"))),
    ("kmem -s dentry", TableOf("slabs", "dentry")),
    ("kmem -i", TableOf("meminfo")),
    ("kmem ffff888003a4c000", CardOf("symbol", "ffff888003a4c000")),
    ("mod -t", TableOf("modules", None, "taint~.")),
    ("mod labcrash", CardOf("module", "labcrash")),
    ("struct task_struct ffff888003a4c000", CardOf("struct", "task_struct@ffff888003a4c000")),
    ("struct ffff888003a4c000 task_struct", CardOf("struct", "task_struct@ffff888003a4c000")),
    ("* struct file -o", CardOf("struct", "file")),
    ("union thread_union init_stack", CardOf("struct", "thread_union@init_stack")),
    ("whatis struct page", CardOf("struct", "page")),
    ("whatis vfs_read", CardOf("struct", "vfs_read", (), CardOf("symbol", "vfs_read"))),
    ("rd -x jiffies 4", CardOf("memory", "jiffies/4")),
    ("dis -r schedule+4", CardOf("code", "schedule+4/to")),
    ("dis schedule 5", CardOf("code", "schedule/5")),
    ("p runqueues:1", CardOf("value", "runqueues:1")),
    ("runq -c 1", TableOf("runqueues", None, "cpu=1")),
    ("mount /proc", TableOf("mounts", None, '(target == "/proc" || source == "/proc")')),
    ("mount tmpfs", TableOf("mounts", None, '"tmpfs"')),
    ("irq", TableOf("interrupts")),
    ("irq 24", TableOf("interrupts", None, "irq=24")),
    ("dev -d", TableOf("disks")),
    ("ps -S", CardOf("states", 0)),
    ("ps -G", TableOf("tasks", None, "(pid == tgid)")),
    ("log -T", Act("log", "utc")),
    ("rd -8 jiffies", CardOf("memory", "jiffies/16/8")),
    ("rd -a linux_banner 60", CardOf("memory", "linux_banner/60/a")),
    ("list task_struct.tasks -H init_task.tasks -s task_struct.comm",
     CardOf("value", "list(init_task.tasks, task_struct, tasks).comm")),
    ("list -H ffff888003a4c000 -o task_struct.tasks",
     CardOf("value", "list(*(0xffff888003a4c000), task_struct, tasks)")),
    ("list task_struct.tasks -h ffff888003a4c000", CardOf("value", "ring(0xffff888003a4c000, task_struct, tasks)")),
    ("tree -t rb -o vmap_area.rb_node vmap_area_root", CardOf("value", "tree(vmap_area_root, vmap_area, rb_node)")),
    ("bt -f 1", CardOf("stack", 1)),
    ("bt -g 1", EachTask("tgid=1", ("stack",))),
    ("struct task_struct.pid,comm init_task", CardOf("struct", "task_struct.pid,comm@init_task")),
    ("struct task_struct -l tasks ffff888003a4c000",
     CardOf("struct", "task_struct@(0xffff888003a4c000 - offsetof(task_struct, tasks))")),
    ("task -R pid,comm 1", CardOf("struct", "task_struct.pid,comm@task(1)")),
    ("vm -m 1", CardOf("value", "*task(1).mm")),
    ("search -c some text", CardOf("search", '"some text')),
    ("search ffff888003a4c000", CardOf("search", "0xffff888003a4c000")),
    ("sym -q sched", CardOf("symbols", "q:sched")),
    ("sym -l", CardOf("symbols", "l:")),
    ("vtop init_task", CardOf("translation", "v:init_task")),
    ("ptob 10", CardOf("translation", "f:10")),
    ("set -c 1", CardOf("cpu", 1)),
    ("set -p", CardOf("task", None)),
    ("theme dark", Act("theme", "dark")),
    ("nothing like it", None),
    ("", None),
])  # fmt: skip
def test_lines(line: str, asked: CardOf | None) -> None:
    assert request(line) == asked


@pytest.mark.parametrize("line", [
    "tree -t xa x", "dev", "irq -b", "ps -Z", "runq -t", "dis -s schedule", "list", "kmem -x",
    "sys config", "struct a b c", "foreach UN", "set", "rd jiffies x", "task 1 /^i/", "sys CONFIG_SMP",
    "set scroll off", "foreach vtop 1", "foreach UN bt -R x", "foreach active bt", "bt -R x", "bt -n busy", "irq x",
    "ps -C x", "timer -C x", "struct rq runqueues:b", "list -o 8 -H x",
    "wr 1 2", "gdb x", "mount -f",
    "search a b", "dis schedule x", "sym -q", "sym", "task -R pid", "vm -m", "struct -l tasks", "runq -c x", "bt -n",
    "tree x", "bt -f 1 2", "bt -g init",
])  # fmt: skip
def test_what_is_not_there_says_so_in_one_line_and_is_nothing_else(line: str) -> None:
    asked = request(line)
    assert isinstance(asked, Say), asked
    assert asked.text.count("\n") == 0
    assert line.split()[0] in asked.text or "at a time" in asked.text


def test_what_an_option_would_add_is_said_and_the_rest_answered() -> None:
    assert "source lines" in BY_WORD["bt"].lacks(["-al"]) and "source lines" in BY_WORD["dis"].lacks(["-rl", "x"])
    assert BY_WORD["bt"].lacks(["-a"]) == BY_WORD["foreach"].lacks(["UN", "bt", "-l"]) == ""


def test_options_that_are_written_together() -> None:
    assert request("ps -km") == request("ps -k -m")
    assert isinstance(request("kmem -sq"), Say)
