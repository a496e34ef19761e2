"""The commands of the register at the shell: crash's words with a path, rows and cards in every form."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from cases import DUMPS, case_of
from core.cli.runner import Done, Run
from oopscope.cli import DAMAGED, DONE, USAGE, Command, asked
from oopscope.commands.register import BY_WORD

pytestmark = pytest.mark.usefixtures("kept_index")

DEADLOCK, NULL = DUMPS / "6.1-deadlock.kdump", DUMPS / "6.1-null.kdump"


def lines(done: Done) -> list[str]:
    assert done.status == DONE, done.err
    return done.out.splitlines()


class TestEachOne:
    @pytest.mark.thorough
    @pytest.mark.parametrize("line", asked(), ids=lambda c: c.name)
    def test_help_has_examples_that_run(self, command: Run, line: Command) -> None:
        done = command(line.name, "--help")
        assert (done.status, done.err) == (DONE, "")
        assert done.out.startswith(f"usage: oopscope {line.name} ")
        assert "examples:" in done.out or line.name == ""
        for after, _ in BY_WORD[line.name].examples:
            words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", after)]
            ran = command(line.name, DEADLOCK, *words)
            missing = "ffffffff81000000" in after  # an address of the example's own
            # this dump was made before those tables were
            lost = line.name in ("irq", "dev", "timer", "net", "ipcs", "bpf", "route") or "file_systems" in after
            allowed = (DONE, USAGE) if missing else (DONE, DAMAGED) if lost else (DONE,)
            assert ran.status in allowed, f"{line.name} {after}: {ran.err}"
            assert ran.out or missing or lost

    def test_options_stand_before_or_after_the_path(self, command: Run) -> None:
        both = [command("ps", "-m", DEADLOCK).out, command("ps", DEADLOCK, "-m").out]
        assert both[0] == both[1] != command("ps", DEADLOCK).out
        assert command("kmem", "-s", DEADLOCK, "dentry").out == command("kmem", DEADLOCK, "dentry", "-s").out


class TestTables:
    def test_ps_is_the_table_of_tasks(self, command: Run) -> None:
        assert command("ps", DEADLOCK).out == command("show", "tasks", DEADLOCK).out == command("tasks", DEADLOCK).out
        data = json.loads(command("ps", DEADLOCK, "--format", "json").out)
        assert data == [
            {k: v for k, v in task.items() if k != "frames"} for task in case_of("6.1-deadlock").report["tasks"]
        ]
        assert [json.loads(line) for line in lines(command("ps", DEADLOCK, "--format", "jsonl"))] == data

    def test_where_sort_and_columns(self, command: Run) -> None:
        done = command("show", "tasks", DEADLOCK, "--where", "state:D", "--sort", "-pid", "--columns", "pid,comm", "-o",
                       "csv")  # fmt: skip
        assert lines(done) == ["pid,comm", "239,lab-teller-ba", "238,lab-teller-ab"]
        done = command("ps", DEADLOCK, "--sort=-rss", "--columns", "rss", "-o", "x")
        assert done.status == USAGE
        sizes = lines(command("ps", DEADLOCK, "--sort", "-rss", "--columns", "rss_bytes", "--format", "csv",
                              "--no-headers"))  # fmt: skip
        assert list(map(int, sizes)) == sorted(map(int, sizes), reverse=True)
        assert "Command" not in command("ps", DEADLOCK, "--no-headers").out

    @pytest.mark.parametrize("args", [("--columns", "nonsense"), ("--sort", "nonsense"), ("--where", "nonsense>1"),
                                      ("--where", "rss>x"), ("--where", "comm~(")])  # fmt: skip
    def test_what_cannot_be_understood_is_said(self, command: Run, args: tuple[str, str]) -> None:
        done = command("ps", DEADLOCK, *args)
        assert (done.status, done.out, done.err.count("\n")) == (USAGE, "", 1)

    def test_one_row_by_its_key(self, command: Run) -> None:
        rows = list(csv.DictReader(io.StringIO(command("kmem", DEADLOCK, "-s", "dentry", "--format", "csv").out)))
        assert [row["name"] for row in rows] == ["dentry"]
        done = command("slab", DEADLOCK, "nonsense")
        assert (done.status, done.err) == (USAGE, "oopscope: no nonsense among the slabs\n")


class TestCards:
    def test_json_of_a_task(self, command: Run) -> None:
        told = json.loads(command("task", DEADLOCK, "1", "--format", "json").out)
        row = case_of("6.1-deadlock").tasks[1]
        assert told["task"]["comm"] == row["comm"]
        assert told["stack"] == row["frames"]
        assert isinstance(told["complete"], bool)

    def test_several_tasks_are_a_list(self, command: Run) -> None:
        told = json.loads(command("foreach", DEADLOCK, "UN", "bt", "--format", "json").out)
        blocked = [t for t in case_of("6.1-deadlock").report["tasks"] if t["state"] == "D"]
        assert [one["stack"] for one in told] == [t["frames"] for t in blocked]
        assert len(lines(command("task", DEADLOCK, "1", "2", "--format", "jsonl"))) == 2

    def test_csv_is_the_rows_of_a_card(self, command: Run) -> None:
        rows = list(csv.DictReader(io.StringIO(command("rd", DEADLOCK, "init_task", "8", "--format", "csv").out)))
        assert len(rows) == 8 and rows[0]["address"].startswith("0x")
        facts = list(csv.DictReader(io.StringIO(command("sig", DEADLOCK, "1", "--format", "csv").out)))
        assert {"name": "comm", "value": "init"} in facts

    def test_of_nothing_named_it_is_what_is_to_blame(self, command: Run) -> None:
        verdict = case_of("6.1-null").report["verdict"]
        assert f"PID {verdict['pid']}" in lines(command("files", NULL))[0]

    def test_a_member_alone(self, command: Run) -> None:
        told = json.loads(command("struct", NULL, "task_struct.pid", "init_task", "--format", "json").out)
        assert [(one["name"], one["value"]) for one in told["members"]] == [("pid", 0)]
        assert told["members"][0]["offset"] > 0

    def test_whatis_takes_types_before_symbols(self, command: Run) -> None:
        assert lines(command("whatis", NULL, "list_head"))[0] == "Struct  list_head"
        assert lines(command("whatis", NULL, "vfs_read"))[0] == "Symbol  vfs_read"


class TestWords:
    @pytest.mark.parametrize("args", [("gdb", "p"), ("extend",), ("fuser", "x")])
    def test_a_word_that_is_not_there_says_so_before_any_dump_is_opened(
        self, command: Run, args: tuple[str, ...]
    ) -> None:
        done = command(args[0], "/no/such/dump", *args[1:])
        assert (done.status, done.out, done.err.count("\n")) == (USAGE, "", 1)
        assert f"{args[0]} is not there: " in done.err

    def test_an_option_that_is_not_there_says_what_is_nearest(self, command: Run) -> None:
        done = command("kmem", "/no/such/dump", "-F")
        assert (done.status, done.err.startswith("oopscope: kmem -F: ")) == (USAGE, True)
        done = command("dis", "-s", "/no/such/dump", "schedule")
        assert (done.status, "source lines" in done.err) == (USAGE, True)

    def test_what_is_needed_is_asked_for(self, command: Run) -> None:
        done = command("struct", "/no/such/dump")
        assert (done.status, done.err.count("\n")) == (USAGE, 1)
        assert "TYPE" in done.err

    def test_crashs_other_words(self, command: Run) -> None:
        assert command("dmesg", DEADLOCK).out == command("log", DEADLOCK).out
        assert command("lsmod", DEADLOCK).out == command("mod", DEADLOCK).out

    def test_a_file_that_is_called_so_is_a_file(
        self, command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "top").write_text("no dump")
        monkeypatch.chdir(tmp_path)
        assert "needs a terminal" in command("top").err
        assert Path("top").exists()

    def test_nobody_is_found_by_a_name_that_nobody_has(self, command: Run) -> None:
        done = command("task", DEADLOCK, "nobody")
        assert (done.status, done.out, done.err) == (USAGE, "", "oopscope: no task nobody\n")
