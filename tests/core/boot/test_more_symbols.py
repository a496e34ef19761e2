"""Symbols from a file: a System.map is held against the dump, moved by KASLR, and stands in for what kallsyms lacks."""

from pathlib import Path

import pytest

from cases import DUMPS, case_of
from core.cli.runner import oopscope_run
from oopscope.boot.attach import open_kernel
from oopscope.boot.extra import Extra
from oopscope.boot.more_symbols import more_symbols
from oopscope.errors import FormatError, Implausible
from oopscope.stacks.tasks import all_tasks

NAME = "6.1-null"


@pytest.fixture(scope="module")
def system_map(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What nm would have said of the kernel before KASLR moved it."""
    kernel = open_kernel([DUMPS / f"{NAME}.kdump"])
    moved = kernel.info.kernel_offset
    lines = []
    for symbol in kernel.symbols.symbols():
        at = symbol.address - moved if symbol.address >> 63 else symbol.address
        lines.append(f"{at:016x} {symbol.type} {symbol.name}\n")
    path = tmp_path_factory.mktemp("boot") / "System.map"
    path.write_text("".join(lines))
    return path


class NoKallsyms:
    """A kernel without CONFIG_KALLSYMS: whatever is asked, there is no table."""

    def __getattr__(self, name: str) -> None:
        raise Implausible("kallsyms: there is no such table")


def test_a_kernel_without_kallsyms_reads_by_its_system_map(system_map: Path) -> None:
    whole = case_of(NAME).kernel
    kernel = open_kernel([DUMPS / f"{NAME}.kdump"])
    kernel.__dict__["symbols"] = NoKallsyms()
    kernel.more_symbols = more_symbols(Extra(symbols=system_map))
    for name in ("init_task", "runqueues", "modules", "schedule", "tk_core", "slab_caches"):
        assert kernel.find_symbol(name) == whole.find_symbol(name), name
    assert kernel.find_symbol("no_such_symbol") is None
    assert str(kernel.name_of(whole.symbol("schedule") + 5)) == "schedule+0x5"
    assert [(t.pid, t.comm, t.wait) for t in all_tasks(kernel)] == [(t.pid, t.comm, t.wait) for t in all_tasks(whole)]


def test_without_it_what_kallsyms_said_is_raised() -> None:
    kernel = open_kernel([DUMPS / f"{NAME}.kdump"])
    kernel.__dict__["symbols"] = NoKallsyms()
    kernel.more_symbols = lambda _kernel: []
    with pytest.raises(Implausible, match="no such table"):
        kernel.find_symbol("runqueues")


def test_a_map_of_another_build_is_refused(system_map: Path, tmp_path: Path) -> None:
    other = tmp_path / "System.map"
    lines = [
        f"{int(line[:16], 16) + 64:016x}{line[16:]}" if "init_uts_ns" in line else line
        for line in system_map.read_text().splitlines(keepends=True)
    ]
    other.write_text(
        "".join(f"{int(line[:16], 16) + 64:016x}{line[16:]}" if "init_uts_ns" in line else line for line in lines)
    )
    kernel = open_kernel([DUMPS / f"{NAME}.kdump"])
    with pytest.raises(FormatError, match="of another build"):
        more_symbols(Extra(symbols=other))(kernel)


@pytest.mark.parametrize("text", ["", "hello\n", "\x7fELF"])
def test_a_file_that_is_none_is_one_clear_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "System.map"
    path.write_text(text)
    kernel = open_kernel([DUMPS / f"{NAME}.kdump"])
    with pytest.raises(FormatError, match=r"System\.map"):
        more_symbols(Extra(symbols=path))(kernel)


def test_the_option_wants_a_file() -> None:
    done = oopscope_run("report", DUMPS / f"{NAME}.kdump", "--symbols", "/no/such")
    assert done.returncode == 2
    assert b"/no/such" in done.stderr


def test_the_option_is_told() -> None:
    assert b"--symbols" in oopscope_run("report", "--help").stdout
