"""The screen on made-up rows, for the benches: python screen_app.py LOG_LINES TASKS [plain] [busy]."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "core"), str(ROOT / "tui"), str(ROOT / "tests")]

from oopscope_tui.app import OopscopeApp  # noqa: E402
from tui.fake import Fake, Record, log, tasks  # noqa: E402


def busy() -> Iterator[Any]:
    """Compute without end, as a long walk does, and yield nothing."""
    at = 0
    while True:
        at = at * 7 + 1 & 0xFFFFFFFF
        if at == 1 << 40:
            yield at


def main() -> None:
    lines, many = int(sys.argv[1]), int(sys.argv[2])
    fake = Fake(rows={"log": lambda: log(lines), "tasks": lambda: tasks(many)})
    if "busy" in sys.argv:
        fake.rows["busy"] = busy
    app = OopscopeApp([Path("bench.kdump")], fake)
    if "plain" in sys.argv:
        app.wire.update = lambda update: update  # type: ignore[method-assign, assignment]
    sys.exit(app.run())


if __name__ == "__main__":
    assert Record  # type: ignore[truthy-function]
    main()
