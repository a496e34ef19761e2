"""Distil a guest's dump to what the comparison with its account reads: `python tests/life/keep.py DUMP OUT`."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from life.compare import compare
from life.tally import account_of
from oopscope.api import OpenDump
from oopscope.distill import recording
from oopscope.dumps import open_path

TOUCHES = ("code", "meanings", "details")


def keep(dump: Path, out: Path) -> None:
    """Write what is read of a dump while its tables are held against the account beside it."""
    account = account_of(dump.with_name(f"{dump.name}.console"))
    for part in ("cached", "dentry-state"):  # all inodes and names of files: too much to store
        account.pop(part, None)

    def build(kernel: Any, *_: Any, **__: Any) -> None:
        compare(OpenDump(kernel), account)

    ours: Any = recording
    ours.build = build
    for name in TOUCHES:
        setattr(ours, f"_touch_{name}", lambda _kernel: None)
    ours.other_readers = SimpleNamespace(ranges=lambda _kernel: (), roots=lambda _dump: set())
    print(recording.distill(open_path(str(dump)), out, lambda *_: None))


if __name__ == "__main__":
    keep(Path(sys.argv[1]), Path(sys.argv[2]))
