"""What is no dump, or a damaged one: one clear line, the status of the contract, never a traceback."""

import json
import os
import struct
import tempfile
from pathlib import Path

import pytest

from builders.elf import Elf, Load
from builders.flattened import flatten
from builders.kdump import Kdump
from builders.notes import note
from cases import DUMPS, case_of
from core.cli.runner import NAME, Run, one_line, oopscope_run
from oopscope.boot.attach import open_kernel
from oopscope.cli import COMMANDS, DAMAGED, DONE, NOT_A_DUMP, USAGE
from oopscope.dumps import open_path
from oopscope.errors import FormatError, NotADump

DUMP = DUMPS / "6.1-null.kdump"
READERS = ("report", "log", "bt")  # each opens a dump by itself; `show` takes a table first
SECTIONS = "dump,system,verdict,cpus,tasks,meminfo,zones,slabs,modules,mounts,log"


def vmlinux() -> bytes:
    """A kernel image as a linker leaves it: ELF, executable."""
    return Elf([Load(0x1000000, b"\x55" * 8192, vaddr=0xFFFFFFFF81000000)], type=2).build()


def user_core() -> bytes:
    """A core of a program: an ELF core with registers and a name, whose segments have no physical address."""
    info = bytes(40) + b"firefox".ljust(16, b"\0") + b"firefox -P".ljust(80, b"\0")
    notes = note("CORE", 1, bytes(336)) + note("CORE", 3, info)
    return Elf([Load(0, b"stack" * 900, vaddr=0x7FFC00000000)], [notes]).build()


NOT_DUMPS = {
    "empty": (b"", "an empty file: the dump was never written"),
    "text": (b"Nov 23 kernel: all is well\n" * 40, "a text file"),
    "vmlinux": (vmlinux(), "oopscope needs no vmlinux"),
    "user core": (user_core(), "a core of the process 'firefox', not of a kernel"),
    "module": (Elf([], type=1).build(), "an object file or kernel module"),
    "zeros": (bytes(70000), "begins with zero bytes"),
    "noise": (os.urandom(16) + b"\xff\xfe" * 4096, "not a dump that oopscope knows"),
    "python": (b"print('hello')\n", "a text file"),
}


class TestWhatIsNoDump:
    @pytest.mark.parametrize("kind", NOT_DUMPS)
    def test_one_clear_line(self, tmp_path: Path, kind: str) -> None:
        raw, says = NOT_DUMPS[kind]
        path = tmp_path / "vmcore"
        path.write_bytes(raw)
        done = oopscope_run("report", path)
        assert done.returncode == NOT_A_DUMP
        said = one_line(done)
        assert said.startswith(f"{path}: ")
        assert says in said

    @pytest.mark.parametrize("name", READERS)
    def test_every_command_says_so(self, command: Run, tmp_path: Path, name: str) -> None:
        path = tmp_path / "vmcore"
        path.write_bytes(b"")
        done = command(name, path)
        assert (done.status, done.out) == (NOT_A_DUMP, "")
        assert done.err == f"{NAME} {path}: an empty file: the dump was never written\n"
        done = command("show", "tasks", path)
        assert (done.status, done.out) == (NOT_A_DUMP, "")
        done = command("distill", path, tmp_path / "out")
        assert done.status == NOT_A_DUMP
        assert not (tmp_path / "out").exists()

    def test_a_missing_file(self, tmp_path: Path) -> None:
        done = oopscope_run("report", tmp_path / "none")
        assert done.returncode == NOT_A_DUMP
        assert one_line(done) == f"{tmp_path / 'none'}: No such file or directory"

    def test_a_directory_without_dumps_and_one_with(self, command: Run, tmp_path: Path) -> None:
        done = command("report", tmp_path)
        assert (done.status, done.out) == (NOT_A_DUMP, "")
        assert done.err == f"{NAME} {tmp_path}: a directory, with no dump in it\n"
        (tmp_path / "crash").mkdir()
        (tmp_path / "crash" / "vmcore").write_bytes(Kdump({1: b"x" * 4096}).build())
        done = command("report", tmp_path)
        assert done.status == DAMAGED  # the one dump in it is opened
        assert "VMCOREINFO" in done.err

    def test_a_directory_that_may_not_be_looked_into(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Root may look into all, and so may a test."""

        def refuse(_path: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("oopscope.dumps.os.scandir", refuse)
        with pytest.raises(NotADump, match=r"not all could be looked at \(Permission denied\)"):
            open_path(tmp_path)

    def test_a_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo")
        done = oopscope_run("report", tmp_path / "fifo")
        assert done.returncode == NOT_A_DUMP
        assert "a device or a pipe" in one_line(done)

    def test_without_read_permission(self, command: Run) -> None:
        """To root nothing is forbidden: the dump is asked for as another user, in a folder that all may enter."""
        root = os.geteuid() == 0
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            folder.chmod(0o755)
            path = folder / "vmcore"
            path.write_bytes(b"")
            command("report", path)  # what is imported late may lie where only root can read
            path.write_bytes(DUMP.read_bytes())
            path.chmod(0)
            if root:
                os.seteuid(65534)
            try:
                done = command("report", path)
            finally:
                if root:
                    os.seteuid(0)
        assert (done.status, done.out) == (NOT_A_DUMP, "")
        assert done.err == f"{NAME} {path}: no permission to read it: try again with sudo\n"

    def test_a_name_that_plays_tricks(self, tmp_path: Path) -> None:
        path = tmp_path / "evil\x1b[31m\nname"
        path.write_bytes(b"")
        said = one_line(oopscope_run("report", path))
        assert "\x1b" not in said
        assert "evil" in said

    def test_a_kdump_with_nothing_in_it(self, command: Run, tmp_path: Path) -> None:
        """A dump all right, but of no kernel that could be found."""
        path = tmp_path / "vmcore"
        path.write_bytes(Kdump(dict.fromkeys(range(32), b"y" * 4096)).build())
        done = command("report", path)
        assert done.status in (NOT_A_DUMP, DAMAGED)
        assert done.out == ""
        assert done.err.count("\n") == 1
        assert done.err.startswith(f"{NAME} ")


class TestCut:
    """A dump that ends early: a report of what is left, or one line."""

    @pytest.fixture(scope="class")
    def raw(self) -> bytes:
        return DUMP.read_bytes()

    # What a report of a cut dump says is held at every twentieth, in conditions/test_cut_dumps.py.
    @pytest.mark.thorough
    @pytest.mark.parametrize("sixteenth", [0, 1, 4, 9, 13, 15])
    def test_at_a_sixteenth(self, command: Run, tmp_path: Path, raw: bytes, sixteenth: int) -> None:
        path = tmp_path / "vmcore"
        path.write_bytes(raw[: len(raw) * sixteenth // 16])
        done = command("report", path, "--format", "json", "--sections", SECTIONS, "--stacks")
        assert done.status == (DAMAGED if sixteenth else NOT_A_DUMP)
        if not done.out:
            assert done.err.count("\n") == 1
            assert done.err.startswith(f"{NAME} ")
            return
        report = json.loads(done.out)
        assert report["dump"]["complete"] is False
        assert any(p["section"] == "dump" and "cut" in p["message"] for p in report["problems"])
        assert [p for p in report["problems"] if "fault of oopscope's own" in p["message"]] == []
        whole = case_of("6.1-null").report
        if report["log"]:
            known = {(r["ns"], r["text"]) for r in whole["log"]}
            assert {(r["ns"], r["text"]) for r in report["log"]} <= known
        if report["tasks"]:
            known = {t["pid"] for t in whole["tasks"]}
            assert {t["pid"] for t in report["tasks"]} - {None} <= known

    @pytest.mark.parametrize("form", ["text", "markdown", "html"])
    def test_in_half_in_every_format(self, tmp_path: Path, raw: bytes, form: str) -> None:
        path = tmp_path / "vmcore"
        path.write_bytes(raw[: len(raw) // 2])
        done = oopscope_run("report", path, "--format", form)
        assert done.returncode == DAMAGED
        assert b"Traceback" not in done.stderr
        assert done.stdout or one_line(done)

    @pytest.mark.parametrize("args", [["log"], ["bt", "--all"], ["show", "tasks"], ["show", "modules"], ["triage"]])
    def test_in_half_by_every_command(self, command: Run, tmp_path: Path, raw: bytes, args: list[str]) -> None:
        path = tmp_path / "vmcore"
        path.write_bytes(raw[: len(raw) // 2])
        done = command(*args, path)
        assert done.status in (DONE, NOT_A_DUMP, DAMAGED)
        assert all(line.startswith(f"{NAME} ") for line in done.err.splitlines())
        assert "fault of oopscope's own" not in done.err + done.out

    def test_a_few_bytes_short(self, command: Run, tmp_path: Path, raw: bytes) -> None:
        """Only the last page is gone; the report is whole but for that, and the status says so where it matters."""
        path = tmp_path / "vmcore"
        path.write_bytes(raw[:-8])
        done = command("report", path, "--format", "json")
        report = json.loads(done.out)
        assert report["verdict"]["cause"] == "null-pointer-dereference"
        assert report["dump"]["complete"] is False

    def test_headers_that_lie(self, command: Run, tmp_path: Path, raw: bytes) -> None:
        for at, value in ((428, 0), (428, 1 << 30), (432, 1 << 30), (436, 1 << 31 - 1), (8, 99), (4096 + 40, 1 << 62)):
            changed = bytearray(raw)
            struct.pack_into("<q" if value > 1 << 32 else "<i", changed, at, value)
            path = tmp_path / "vmcore"
            path.write_bytes(changed)
            done = command("report", path)
            assert done.status in (DONE, NOT_A_DUMP, DAMAGED), at
            assert all(line.startswith(f"{NAME} ") for line in done.err.splitlines())


class TestWrongUsage:
    @pytest.mark.parametrize("name", [c.name for c in COMMANDS])
    def test_an_unknown_option(self, command: Run, name: str) -> None:
        done = command(name, "--no-such-option", DUMP)
        assert done.status == USAGE
        assert done.out == ""
        assert done.err.count("\n") == 1 and f"`oopscope {name} --help`" in done.err

    @pytest.mark.parametrize(
        "name", [c.name for c in COMMANDS if c.name not in ("serve", "demo", "schema", "explain", "doctor")]
    )
    def test_nothing_given(self, command: Run, name: str) -> None:
        done = command(name)
        assert (done.status, done.out) == (USAGE, "")
        assert done.err

    @pytest.mark.parametrize(
        "args, says",
        [
            (["report", DUMP, "--sections", "verdict,bogus"], "no section bogus; there are dump, system, verdict"),
            (["report", DUMP, "--format", "pdf"], ("--format", "pdf")),
            (["log", DUMP, "--grep", "(["], "--grep: not a regular expression"),
            (["log", DUMP, "--level", "9"], ("--level", "9")),
            (["log", DUMP, "--time", "sidereal"], ("--time", "sidereal")),
            (["show", "bogus", DUMP], "no table 'bogus'; there are system, cpus"),
            (["show", "tasks"], "which dump? `oopscope show tasks PATH`"),
            (["bt", DUMP, "--pid", "99999"], "no thread 99999"),
            (["bt", DUMP, "--pid", "one"], ("--pid", "one")),
            (["report", DUMP, "-o", "/no/such/folder/report.txt"], "/no/such/folder/report.txt: No such file"),
            (["distill", DUMP, DUMP], "exists; --force writes over it"),
            (["distill", DUMP, DUMP, "--force"], "is the dump itself"),
            (["triage", "--jobs", "many", DUMP], ("--jobs", "many")),
            (["report", DUMP, "--btf", "/no/such/file"], "no file /no/such/file"),
        ],
    )
    def test_says_what_is_wrong(self, command: Run, args: list[Path | str], says: str) -> None:
        before = DUMP.stat().st_mtime_ns, DUMP.stat().st_size
        done = command(*args)
        assert (done.status, done.out) == (USAGE, "")
        # argparse words its errors otherwise in each Python: the option and the value that was wrong are ours to hold
        assert all(words in done.err for words in ((says,) if isinstance(says, str) else says))
        assert "Traceback" not in done.err
        assert (DUMP.stat().st_mtime_ns, DUMP.stat().st_size) == before

    def test_the_screen_without_a_terminal(self, tmp_path: Path) -> None:
        for args in ([], [DUMP], ["demo"]):
            done = oopscope_run(*args)
            assert done.returncode == USAGE
            assert "the screen needs a terminal" in one_line(done)

    def test_no_such_demo(self, command: Run) -> None:
        done = command("demo", "nope")
        assert (done.status, done.out) == (NOT_A_DUMP, "")
        assert "no such demo; there are " in done.err


def test_a_dump_that_was_copied_as_text_says_so(tmp_path: Path) -> None:
    """A plain dump and a flattened one, all of whose newlines became two bytes; not a text file that is meant so."""
    plain = (DUMPS / "6.1-panic.kdump").read_bytes()
    for raw in (plain, flatten(plain, 1 << 16)):
        path = tmp_path / "vmcore"
        path.write_bytes(raw.replace(b"\n", b"\r\n"))
        with pytest.raises(FormatError, match="newline in it became CR LF: copy it again"):
            open_kernel([path])
    path.write_bytes(b"a line\r\n" * 100)
    with pytest.raises(FormatError) as caught:
        open_kernel([path])
    assert "CR LF" not in str(caught.value)
