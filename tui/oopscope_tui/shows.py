"""The screens of one run, one after another: a dump, the list that leads to it, the next dump."""

import sys
from collections.abc import Sequence
from pathlib import Path

from textual.driver import Driver

from oopscope_tui.app import OopscopeApp


def show(paths: Sequence[str | Path], driver: type[Driver] | None = None) -> int:
    """Show the screens of a dump or of a folder's dumps, one after another; return the last one's exit status."""
    status = 0
    app: OopscopeApp | None = OopscopeApp(list(paths))
    while app is not None:
        if driver is not None:
            app.driver_class = driver
        app.run()
        if app.failure:
            print(f"oopscope: {app.failure}", file=sys.stderr)  # noqa: T201
        status = app.return_value if app.return_value is not None else app.return_code or 0
        app = app.follower()
    return status
