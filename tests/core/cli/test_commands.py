"""What each command prints of a real dump, option by option; that it ends well in a pipe, and starts light."""

import csv
import io
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import oopscope.cli
from cases import BARE, DUMPS, LATER, UNREAD, case_of
from core.cli.runner import NAME, Done, Run, environment, oopscope_run
from oopscope.cli import COMMANDS, DAMAGED, DONE, NOT_A_DUMP, USAGE, Command, every
from oopscope.cli.report import FORMATS, status
from oopscope.subsystems import TABLES, table

pytestmark = pytest.mark.usefixtures("kept_index")

DEADLOCK, IRQ, SYSRQ = (DUMPS / f"{name}.kdump" for name in ("6.1-deadlock", "6.1-irq", "7.2-sysrq"))
LIFE = DUMPS / "6.1-life.kdump"
ANSI = re.compile("\x1b")


class TestTable:
    def test_every_file_is_in_the_list(self) -> None:
        """Beside the files with a command there are those that several share."""
        folder = Path(oopscope.cli.__file__).parent
        modules = {f"oopscope.cli.{p.stem}" for p in folder.glob("*.py") if p.stem != "__init__"}
        commands = {name for name in modules if hasattr(import_module(name), "prepare")}
        assert commands == {c.module for c in every()}
        assert len({c.name for c in COMMANDS}) == len(COMMANDS)

    @pytest.mark.parametrize("line", COMMANDS, ids=lambda c: c.name)
    def test_help(self, command: Run, line: Command) -> None:
        done = command(line.name, "--help")
        assert (done.status, done.err) == (DONE, "")
        assert done.out.startswith(f"usage: oopscope {line.name}")
        assert " ".join(import_module(line.module).__doc__.split()[:5]) in " ".join(done.out.split())
        assert all(len(text) <= 120 for text in done.out.splitlines())

    def test_top_level_help_names_every_command_and_status(self, command: Run) -> None:
        done = command("--help")
        assert done.status == DONE
        for line in COMMANDS:
            assert re.search(rf"^  {line.name} +{re.escape(line.help)}$", done.out, re.M), line.name
        assert "exit status: 0 done, 2 wrong usage, 3 not a dump, 4 damaged" in done.out

    def test_version(self, command: Run) -> None:
        assert command("--version").out == f"oopscope {oopscope.__version__}\n"


class TestReport:
    def test_json_is_the_report(self, command: Run) -> None:
        done = command("report", DEADLOCK, "--format", "json", "--stacks")
        assert (done.status, done.err) == (DONE, "")
        whole, report = case_of("6.1-deadlock").report, json.loads(done.out)
        assert "log" not in report
        for section in set(report) - {"dump", "coverage", "tables", "memory_shares", "problems", *LATER}:
            assert report[section] == whole[section], section
        assert report["dump"]["path"] == str(DEADLOCK)

    def test_sections(self, command: Run) -> None:
        done = command("report", DEADLOCK, "--format", "json", "--sections", " log, verdict ,")
        assert list(json.loads(done.out)) == ["schema", "oopscope", "verdict", "known", "log", "tables", "problems"]
        done = command("report", DEADLOCK, "--sections", "modules")
        assert "labcrash" in done.out
        assert "Verdict" not in done.out

    @pytest.mark.parametrize("form", FORMATS)
    def test_into_a_file(self, command: Run, tmp_path: Path, form: str) -> None:
        out = tmp_path / "report"
        done = command("report", DEADLOCK, "--format", form, "-o", out)
        assert (done.status, done.out, done.err) == (DONE, "", "")
        assert "deadlock" in out.read_text(encoding="utf-8")

    def test_text_begins_with_the_verdict(self, command: Run) -> None:
        out = command("report", DEADLOCK).out
        places = [out.index(word) for word in ("Verdict\n-------", "deadlock", "\nCPUs\n", "\nModules\n", "virtio_blk")]
        assert places == sorted(places)
        assert max(map(len, out.split("Tasks\n")[0].splitlines())) <= 80

    @pytest.mark.parametrize(
        "report, expected",
        [
            ({"dump": {"complete": True}, "verdict": {"cause": "kernel-bug"}, "tasks": []}, DONE),
            ({"dump": {"complete": True}, "verdict": {"cause": "unknown"}}, DONE),
            ({"dump": {"complete": False}, "verdict": {"cause": "unknown"}}, DAMAGED),
            ({"dump": {"complete": False}, "verdict": {"cause": "kernel-bug"}, "tasks": []}, DONE),
            ({"dump": {"complete": True}, "verdict": None}, DAMAGED),
            ({"dump": {"complete": True}, "verdict": {"cause": "kernel-bug"}, "tasks": None}, DAMAGED),
            ({"dump": {"complete": True}, "cpus": None}, DAMAGED),
            ({"log": None}, DONE),
        ],
    )
    def test_status(self, report: dict[str, dict[str, bool | str] | list[Any] | None], expected: int) -> None:
        assert status(report) == expected


class TestShow:
    def test_list(self, command: Run) -> None:
        lines = command("show", "--list").out.splitlines()
        assert [line.split()[0] for line in lines] == [key for key, _ in TABLES]
        assert all(c.key in lines[i] for i, (key, _) in enumerate(TABLES) for c in table(key).columns)

    @pytest.mark.thorough
    @pytest.mark.parametrize("key", [key for key, _ in TABLES if key not in UNREAD])
    def test_text_json_and_csv_have_the_same_rows(self, command: Run, key: str) -> None:
        columns, dump = table(key).columns, LIFE if key in LATER else DEADLOCK
        data = json.loads(command("show", key, dump, "--format", "json").out)
        rows = list(csv.reader(io.StringIO(command("show", key, dump, "--format", "csv").out)))
        text = command("show", key, dump).out
        assert rows[0] == [c.key for c in columns]
        assert len(rows) - 1 == len(data)
        assert data or key in BARE
        assert all(list(row) == [c.key for c in columns] for row in data)
        if key != "waits":  # drawn as a graph for a reader
            assert [c.title for c in columns] == re.split(r"\s{2,}", text.splitlines()[0].strip())
            assert len(text.splitlines()) == len(data) + 1
        assert not ANSI.search(text)

    def test_json_is_the_section(self, command: Run) -> None:
        tasks = json.loads(command("show", "tasks", DEADLOCK, "--format", "json").out)
        whole = case_of("6.1-deadlock").report["tasks"]
        assert tasks == [{k: v for k, v in t.items() if k != "frames"} for t in whole]

    def test_csv_holds_what_is_nested_as_json(self, command: Run) -> None:
        rows = list(csv.DictReader(io.StringIO(command("show", "cpus", IRQ, "--format", "csv").out)))
        assert json.loads(rows[0]["frames"]) == case_of("6.1-irq").report["cpus"][0]["frames"]
        rows = list(csv.DictReader(io.StringIO(command("show", "tasks", DEADLOCK, "--format", "csv").out)))
        blank = [r for r in rows if r["wait"] == ""]
        assert blank
        assert "None" not in {v for r in rows for v in r.values()}

    def test_csv_on_a_terminal_gets_no_escapes(self) -> None:
        """It is for a script, but the next one prints it."""
        from oopscope.report.rows import _flat

        assert _flat("a\x1b[2J\u202eb\nc") == "a\u241b[2J\\u202eb\nc"
        assert _flat([{"symbol": "a\x1b"}]) == '[{"symbol": "a\\u001b"}]'
        assert _flat(7) == 7


class TestLog:
    def lines(self, command: Run, *args: int | str) -> list[str]:
        done = command("log", DEADLOCK, *args)
        assert (done.status, done.err) == (DONE, "")
        return done.out.splitlines()

    def test_as_the_kernel_prints_it(self, command: Run) -> None:
        out = self.lines(command)
        truth = case_of("6.1-deadlock").truth
        assert len(out) == len(truth.log)
        for ours, theirs, text in zip(out, truth.log, truth.text, strict=True):
            stamp = re.match(r"\[ *\d+\.\d{6}\]", theirs)
            assert not stamp or ours.startswith(stamp[0])
            assert ours.rstrip().endswith(text.strip())

    def test_grep(self, command: Run) -> None:
        out = self.lines(command, "--grep", "blocked for more than")
        assert len(out) == 2
        assert all("INFO: task lab-teller" in line for line in out)
        assert command("log", DEADLOCK, "--grep", "info: TASK").out == ""  # capitals: case matters
        assert len(self.lines(command, "--grep", "info: task")) == 2
        done = command("log", DEADLOCK, "--grep", "no such thing")
        assert (done.status, done.out, done.err) == (1, "", "")  # as grep(1) ends
        assert command("log", DEADLOCK, "--grep", "^$|x^") == command("log", DEADLOCK, "--grep", "^$")

    def test_level(self, command: Run) -> None:
        records = json.loads("".join(self.lines(command, "--format", "json")))
        counts = [len(json.loads("".join(self.lines(command, "--level", n, "--format", "json")))) for n in range(8)]
        assert counts == [sum(r["level"] <= n for r in records) for n in range(8)]
        assert 0 < counts[3] < counts[7] == len(records)

    def test_the_last_ones_a_level_by_name_and_a_stretch_of_time(self, command: Run) -> None:
        whole = self.lines(command)
        assert self.lines(command, "-n", "3") == whole[-3:]
        assert self.lines(command, "-p", "err") == self.lines(command, "--level", "3")
        assert self.lines(command, "-T") == self.lines(command, "--time", "utc")
        records = json.loads("".join(self.lines(command, "--format", "json")))
        end, last = records[-1]["ns"], json.loads("".join(self.lines(command, "--since", "-1s", "--format", "json")))
        assert last == [r for r in records if r["ns"] >= end - 10**9]
        early = json.loads("".join(self.lines(command, "--until", "0.5", "--format", "json")))
        assert early == [r for r in records if r["ns"] <= 5 * 10**8]
        crash = case_of("6.1-deadlock").report["system"]["crash_time"]
        assert self.lines(command, "--since", crash)[-1] == whole[-1]
        assert len(self.lines(command, "--since", crash)) < len(whole)
        for bad in (("--since", "yesterday"), ("--until", "1x"), ("-p", "loud"), ("-n", "0"), ("-n", "x")):
            assert command("log", DEADLOCK, *bad).status == USAGE, bad

    def test_json_is_the_section(self, command: Run) -> None:
        assert json.loads("".join(self.lines(command, "--format", "json"))) == case_of("6.1-deadlock").report["log"]

    def test_utc(self, command: Run) -> None:
        system = case_of("6.1-deadlock").report["system"]
        out = self.lines(command, "--time", "utc", "--grep", "Linux version|Kernel panic")
        stamps = [re.match(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\.\d{6} ", line).groups() for line in out]
        assert "T".join(stamps[0]) + "Z" == system["boot_time"]
        assert "T".join(stamps[-1])[:-3] == system["crash_time"][:-4]
        assert stamps == sorted(stamps)

    def test_delta(self, command: Run) -> None:
        """Differences add up to the time since boot."""
        out = [line for line in self.lines(command, "--time", "delta") if line.startswith("[")]
        total = sum(float(re.match(r"\[ *([+-]\d+\.\d+)\]", line)[1]) for line in out)  # type: ignore[misc]
        assert total == pytest.approx(case_of("6.1-deadlock").report["log"][-1]["ns"] / 1e9, abs=0.001)
        filtered = [line for line in self.lines(command, "--time", "delta", "--grep", "blocked for more") if line]
        assert float(re.match(r"\[ *([+-]\d+\.\d+)\]", filtered[1])[1]) < 1

    def test_needs_no_symbols_and_no_types(self) -> None:
        """The log alone: quick on any kernel, and from a dump that holds little else."""
        code = (
            "import sys\nfrom oopscope.cli import run\n"
            f"run(['log', {str(DEADLOCK)!r}])\n"
            "sys.stderr.write(' '.join(m for m in sys.modules if 'oopscope' in m))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True
        )
        loaded = set(done.stderr.split())
        assert "oopscope.linux.printk" in loaded
        assert not loaded & {"oopscope.structs.layout", "oopscope.triage", "oopscope.stacks.tasks", "oopscope_tui"}


class TestBt:
    def test_threads_may_follow_the_path(self, command: Run) -> None:
        assert command("bt", DEADLOCK, "1", "238").out == command("bt", DEADLOCK, "--pid", "1", "238").out
        assert command("bt", DEADLOCK, "99999").status == USAGE

    def test_json_has_the_frames_of_the_report(self, command: Run) -> None:
        report = case_of("6.1-deadlock").report
        (told,) = json.loads(command("bt", DEADLOCK, "238", "--format", "json").out)
        task = next(t for t in report["tasks"] if t["pid"] == 238)
        assert told == {key: task[key] for key in ("pid", "comm", "state", "cpu", "address", "frames")}
        lines = command("bt", DEADLOCK, "-a", "--format", "jsonl").out.splitlines()
        assert [json.loads(line)["frames"] for line in lines] == [cpu["frames"] for cpu in report["cpus"]]
        (one,) = json.loads(command("bt", DEADLOCK, "-c", "1", "--format", "json").out)
        assert one["cpu"] == 1
        assert command("bt", DEADLOCK, "-c", "77").status == USAGE

    def heads(self, out: str) -> list[str]:
        return re.findall(r"^(?:PID|CPU) .*", out, re.M)

    def test_the_panicking_cpu_by_default(self, command: Run) -> None:
        done = command("bt", IRQ)
        assert (done.status, done.err) == (DONE, "")
        assert self.heads(done.out) == ["CPU 0  panic  PID 0  swapper/0"]
        functions = re.findall(r"^  [0-9a-f]{16}  (\S+)\+0x", done.out, re.M)
        frames = case_of("6.1-irq").report["cpus"][0]["frames"]
        assert functions == [f["symbol"] for f in frames]
        assert done.out.index("<irq>") < done.out.index("lab_in_irq") < done.out.index("</irq>")

    def test_every_cpu(self, command: Run) -> None:
        assert len(self.heads(command("bt", IRQ, "--cpus").out)) == 2

    def test_grouped_and_only_those_of_a_module_or_with_a_function(self, command: Run) -> None:
        out = command("bt", DEADLOCK, "--group", "--module", "labcrash").out
        assert "2 with this stack:" in out
        assert all("[labcrash]" in part for part in out.split("\n\n") if part.strip())
        assert command("bt", DEADLOCK, "--function", "lab_tr*").out.count("PID") == 2
        assert command("bt", DEADLOCK, "--all", "--module", "zfs").out.strip() == ""

    def test_some_threads(self, command: Run) -> None:
        out = command("bt", DEADLOCK, "--pid", 239, 1).out
        assert [h.split()[1] for h in self.heads(out)] == ["1", "239"]
        assert "lab_transfer+0x2e [labcrash]" in out

    def test_every_thread(self, command: Run) -> None:
        out = command("bt", DEADLOCK, "--all").out
        assert len(self.heads(out)) == len(case_of("6.1-deadlock").report["tasks"])
        assert "no stack" not in out

    def test_by_state(self, command: Run) -> None:
        assert len(self.heads(command("bt", DEADLOCK, "--state", "D").out)) == 2
        both = self.heads(command("bt", DEADLOCK, "--state", "DR").out)
        assert {h.split()[2] for h in both} == {"D", "R"}
        assert command("bt", SYSRQ, "--state", "D").out == ""

    def test_groups(self, command: Run) -> None:
        out = command("bt", DEADLOCK, "--state", "D", "--group").out
        assert out.count("with this stack") == 1
        assert out.startswith("2 with this stack:\nPID 238  D  lab-teller-ab")
        out = command("bt", DEADLOCK, "--all", "--group").out
        counts = [int(n) for n in re.findall(r"^(\d+) with this stack", out, re.M)]
        assert counts == sorted(counts, reverse=True)
        assert sum(counts) == len(case_of("6.1-deadlock").report["tasks"])
        assert counts[0] > 5  # idle workers all sleep in one place


class TestTriage:
    def test_a_folder(self, tmp_path: Path) -> None:
        """Two at a time, a line each, in any order."""
        names = ("5.10-sysrq", "6.1-null", "6.1-deadlock", "7.2-list")
        for name in names:
            (tmp_path / f"{name}.kdump").symlink_to(DUMPS / f"{name}.kdump")
        done = oopscope_run("triage", tmp_path, "--jobs", "2")
        assert (done.returncode, done.stderr) == (DONE, b"")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert sorted(Path(line["path"]).stem for line in lines) == sorted(names)
        for line in lines:
            report = case_of(Path(line["path"]).stem).report
            for key in ("cause", "category", "summary", "panic_message", "symbol", "module", "signature", "comm"):
                assert line[key] == report["verdict"][key]
            for key in ("nodename", "release", "crash_time"):
                assert line[key] == report["system"][key]
            assert line["complete"] is True

    def test_one_that_is_no_dump_is_a_line_with_an_error(self, command: Run, tmp_path: Path) -> None:
        bad = tmp_path / "empty"
        bad.write_bytes(b"")
        done = command("triage", bad, DEADLOCK)
        lines = [json.loads(line) for line in done.out.splitlines()]
        assert done.status == DONE
        assert lines[0] == {"path": str(bad), "error": f"{bad}: an empty file: the dump was never written"}
        assert lines[1]["cause"] == "deadlock"
        assert command("triage", bad).status == NOT_A_DUMP

    def test_an_empty_folder(self, command: Run, tmp_path: Path) -> None:
        done = command("triage", tmp_path)
        assert (done.status, done.out, done.err) == (NOT_A_DUMP, "", f"{NAME} no dumps there\n")


class TestDistill:
    def test_writes_and_says_what(self, command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from oopscope.distill import kdump_file

        monkeypatch.setattr(kdump_file, "LEVEL", 1)
        out = tmp_path / "small.kdump"
        done = command("distill", DEADLOCK, out)
        assert (done.status, done.out) == (DONE, "")
        assert re.fullmatch(rf"{NAME} {re.escape(str(out))}: \d+ pages, {out.stat().st_size} bytes\n", done.err)

    def test_refuses_to_write_over_a_file(self, command: Run, tmp_path: Path) -> None:
        out = tmp_path / "precious"
        out.write_text("mine")
        done = command("distill", DEADLOCK, out)
        assert (done.status, done.out) == (USAGE, "")
        assert done.err == f"{NAME} {out} exists; --force writes over it\n"
        assert out.read_text() == "mine"


def test_demo_list(command: Run) -> None:
    done = command("demo", "--list")
    assert (done.status, done.err) == (DONE, "")
    assert done.out.splitlines()
    assert all(re.fullmatch(r"[a-z0-9-]+", line) for line in done.out.splitlines())


def test_the_demos_are_dumps_with_a_cause() -> None:
    from oopscope.boot.attach import open_kernel
    from oopscope.cli.demo import demo_path, demos
    from oopscope.triage import verdict

    for name in demos():
        path = demo_path(name)
        assert verdict(open_kernel([path])).cause != "unknown"
        assert path.stat().st_size <= 8 << 20
    first = open_kernel([demo_path()])
    assert verdict(first).confidence == "certain"
    assert list(first.problems) == []


class TestPipe:
    @pytest.mark.parametrize("args", [["report", DEADLOCK, "--stacks"], ["log", DEADLOCK], ["bt", DEADLOCK, "--all"]])
    def test_head_ends_it_quietly(self, args: list[Path | str]) -> None:
        """The reader closes the pipe after a line; nothing is said about it."""
        with subprocess.Popen(
            [sys.executable, "-m", "oopscope_tui", *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        ) as process:
            assert process.stdout.readline()
            process.stdout.close()
            said = process.stderr.read()
        assert said == b""

    def test_no_colour_and_no_progress_when_not_on_a_terminal(self) -> None:
        for args in (["report", DEADLOCK], ["log", DEADLOCK], ["bt", DEADLOCK, "--all"], ["show", "tasks", DEADLOCK]):
            done = oopscope_run(*args, FORCE_COLOR="1", CLICOLOR_FORCE="1")
            assert done.returncode == DONE
            assert b"\x1b" not in done.stdout
            assert done.stderr == b""

    def test_a_locale_that_knows_only_ascii(self) -> None:
        done = oopscope_run("report", DEADLOCK, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
        assert done.returncode == DONE
        assert done.stdout.isascii()

    def test_from_any_folder_by_a_relative_path(self, tmp_path: Path) -> None:
        done = oopscope_run("report", "6.1-null.kdump", "--format", "json", "--sections", "dump", cwd=DUMPS)
        assert json.loads(done.stdout)["dump"]["path"] == "6.1-null.kdump"


class TestExplain:
    def test_a_term_a_search_the_index_and_data(self, command: Run) -> None:
        assert lines_of(command("explain", "rcu"))[0] == "Term: RCU"
        assert "Cause: soft-lockup" in lines_of(command("explain", "soft-lockup"))
        assert "Term: page cache" in lines_of(command("explain", "--search", "page cache"))
        assert "  null-pointer-dereference" in command("explain", "--list").out.replace(",", "\n")
        told = json.loads(command("explain", "D", "--format", "json").out)
        assert {one["kind"] for one in told} >= {"state", "taint"}

    def test_what_nobody_knows_is_said(self, command: Run) -> None:
        done = command("explain", "kernl-bug")
        assert (done.status, done.out) == (USAGE, "")
        assert "did you mean kernel-bug?" in done.err


def lines_of(done: Done) -> list[str]:
    assert done.status == DONE, done.err
    return done.out.splitlines()


def test_explain_says_where_nothing_has_that_name(command: Run) -> None:
    """What merely speaks of a word is not shown as if it were called so; a line of the log is known as one."""
    done = command("explain", "kmem_cache")
    assert done.status == DONE and "nothing is called kmem_cache; this speaks of it:" in done.err
    for words, title in (("Oops: 0002 [#1] PREEMPT SMP", "Oops"), ("kernel BUG at fs/inode.c:12!", "kernel BUG at")):
        done = command("explain", *words.split())
        assert done.out.startswith(f"Kind of log line: {title}\n") and not done.err
