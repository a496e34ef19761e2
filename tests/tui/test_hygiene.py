"""What is imported when: textual for the screen alone, and before the first paint nothing of core."""

import subprocess
import sys
from typing import Any

import pytest

from stored import DUMPS

REPORT_THE_MODULES = """
import sys
from oopscope_tui.__main__ import main
try:
    status = main({argv!r})
except SystemExit as error:
    status = error.code
print("TEXTUAL" if any(name.split(".")[0] in ("textual", "rich") for name in sys.modules) else "CLEAN", file=sys.stderr)
"""
DUMP = next(iter(sorted(DUMPS.glob("*.kdump"))), None)


def run(code: bytes | str) -> Any:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "argv", [["--version"], ["--help"], ["report", str(DUMP)], ["show", "--list"], ["demo", "--list"]]
)
def test_headless_commands_do_not_import_textual(argv: list[str]) -> None:
    done = run(REPORT_THE_MODULES.format(argv=argv))
    assert done.stderr.splitlines()[-1] == "CLEAN", done.stderr


def test_without_a_terminal_the_screen_says_so() -> None:
    done = run("import sys; from oopscope_tui.__main__ import main; sys.exit(main(['.']))")
    assert done.returncode == 2
    assert "terminal" in done.stderr
    assert done.stderr.count("\n") == 1


# What of core the first paint may import: names and constants, which cost nothing.
LIGHT = {
    *("oopscope", "oopscope.commands", "oopscope.commands.questions", "oopscope.fleet", "oopscope.fleet.times"),
    *(
        "oopscope.fleet.finding",
        "oopscope.fleet.listing",
        "oopscope.kernel",
        "oopscope.kernel.kinds",
        "oopscope.klog",
        "oopscope.klog.lines",
        "oopscope.subsystems",
    ),
    *(
        "oopscope.kernel.clock",
        "oopscope.sources",
        "oopscope.sources.beside",
        "oopscope.fleet.brief",
        "oopscope.commands.command",
        "oopscope.errors",
        "oopscope.lazy_re",
    ),
    *("oopscope.report", "oopscope.report.cells", "oopscope.report.query"),
}


def test_the_first_paint_needs_no_core() -> None:
    code = (
        "import sys; import oopscope_tui.app, oopscope_tui.panes.overview;"
        "print(*sorted(n for n in sys.modules if n.split('.')[0] in ('oopscope', 'elftools', 'zstandard', 'cramjam')))"
    )
    assert set(run(code).stdout.split()) <= LIGHT


def test_a_store_without_a_log_looks_for_no_trouble_in_it() -> None:
    code = "import sys; from oopscope_tui.reading.store import Store; Store().oops; print(*sys.modules)"
    assert "oopscope.klog.parse" not in run(code).stdout.split()


def test_what_is_asked_for_later_is_imported_later() -> None:
    code = "import sys; import oopscope_tui.app, oopscope_tui.panes.overview; print(*sys.modules)"
    loaded = set(run(code).stdout.split())
    late = {"tomllib",
            "oopscope_tui.prompt.acts", "oopscope_tui.prompt.all_commands", "oopscope.explain", "oopscope_tui.export",
            "oopscope_tui.prompt.completing"}  # fmt: skip
    assert "oopscope_tui.settings.settings" in loaded
    assert loaded & late == set()
