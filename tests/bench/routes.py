"""Compare dumps of one stopped guest, taken by many routes, by hand:

    PYTHONPATH=core python tests/bench/routes.py FOLDER [--reference FILE] [--distill]

For each dump in the folder: format, seconds, bytes, and which sections of its report differ from the reference's (the
first file, by name, that has CPU registers in notes), with the first difference of each. With --distill, also the
report of what is distilled from it. Files that are no dumps are named and passed over.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from oopscope.boot.attach import open_kernel
from oopscope.distill.recording import distill
from oopscope.dumps import open_path
from oopscope.errors import OopscopeError
from oopscope.report.build import build

SECTIONS = ("verdict", "cpus", "tasks", "log", "system", "meminfo", "zones", "slabs", "modules", "mounts")


def read(path: Path) -> tuple[dict, str]:
    """Return a dump's report, and a line about it."""
    started = time.perf_counter()
    kernel = open_kernel([path])
    report = json.loads(json.dumps(build(kernel, ["dump", *SECTIONS], stacks=True)))
    d = report["dump"]
    flattened = " flattened" if d["flattened"] else ""
    line = f"{d['format']}{flattened} {d['compression'] or ''} {d['parts']} parts".replace(" 1 parts", "")
    return report, f"{line}, {d['bytes'] >> 20} MiB, {time.perf_counter() - started:.2f} s"


def first_difference(a: object, b: object, where: str = "") -> str:
    """Return where two pieces of reports differ first, and how."""
    if isinstance(a, dict) and isinstance(b, dict):
        pairs = [(f"{where}.{key}", a.get(key), b.get(key)) for key in [*a, *(k for k in b if k not in a)]]
    elif isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return f"{where}: {len(a)} rows, not {len(b)}"
        pairs = [(f"{where}[{n}]", x, y) for n, (x, y) in enumerate(zip(a, b, strict=True))]
    else:
        return f"{where}: {str(a)[:100]!r}, not {str(b)[:100]!r}"
    return next(first_difference(x, y, at) for at, x, y in pairs if x != y)


def compare(report: dict, reference: dict) -> list[str]:
    """Return a line for each section that differs."""
    return [
        first_difference(report[name], reference[name], name) for name in SECTIONS if report[name] != reference[name]
    ]


def show(name: str, line: str, report: dict, reference: dict) -> bool:
    """Print a dump's lines; return whether all is the same."""
    differences = compare(report, reference)
    print(f"{'same' if not differences else 'DIFFERS':8}{name:32}{line}")
    for text in [*differences, *(p["message"] for p in report["problems"])]:
        print(f"{'':8}  {text}")
    return not differences


def distilled(path: Path, reference: dict) -> bool:
    """Distil a dump and compare the report of what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "small.kdump"
        distill(open_path(path), out, lambda _text: None)
        report, line = read(out)
        return show(f"  distilled {path.name}", line, report, reference)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--distill", action="store_true")
    args = parser.parse_args()
    found = []
    for path in sorted(p for p in args.folder.iterdir() if p.is_file()):
        try:
            found.append((path, *read(path)))
        except OopscopeError as e:
            print(f"{'-':8}{path.name:32}{e}")
    chosen = args.reference.name if args.reference else None
    known = [f for f in found if f[0].name == chosen or (chosen is None and f[1]["cpus"][0]["registers"])]
    reference = (known or found)[0][1]
    same = True
    for path, report, line in found:
        same &= show(path.name, line, report, reference)
        if args.distill:
            same &= distilled(path, reference)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
