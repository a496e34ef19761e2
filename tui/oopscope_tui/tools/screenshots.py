"""Pictures of every pane: `python -m oopscope_tui.tools.screenshots OUTDIR [DUMP] [--png]`.

An SVG of each, at 80x24 and 160x48 on a dark ground, at 160x48 on a light one: OUTDIR/dark/80x24/overview.svg and so
on; those of the README at 120x36. A PNG beside each where it is asked for and a converter is at hand: resvg-py or
cairosvg from PyPI, or rsvg-convert. They are for the people who write the documentation; nothing that runs needs them.
"""

import argparse
import asyncio
import shutil
import subprocess
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from rich.segment import Segment

from oopscope_tui.app import OopscopeApp
from oopscope_tui.look.picture import DARK, LIGHT, Palette, svg
from oopscope_tui.reading.provider import Provider

# Name of the picture, and the keys that lead to it from the overview.
SCENES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("overview", ("1",)),
    ("cpus", ("2",)),
    ("tasks", ("3",)),
    ("task-stack", ("3", "enter")),
    ("tasks-filter", ("3", "f", *"state:S rss>1k", "enter")),
    ("memory", ("4",)),
    ("log", ("5",)),
    ("log-search", ("5", "g", "slash", *"memory", "enter")),
    ("log-folded", ("5", "o", "z")),
    ("modules", ("colon", *"modules", "enter")),
    ("waits", ("7",)),
    ("sockets", ("colon", *"sockets", "enter")),
    ("mounts", ("colon", *"mounts", "enter")),
    ("coverage", ("colon", *"coverage", "enter")),
    ("slabs", ("colon", *"slabs", "enter")),
    ("system", ("colon", *"system", "enter")),
    ("tasks-tree", ("3", "t")),
    ("prompt", ("1", "colon", *"ta")),
    ("code", ("2", "enter", "j", "enter")),
    ("registers", ("2", "enter", "right_square_bracket", "right_square_bracket")),
    ("struct", ("colon", *"struct task_struct init_task", "enter")),
    ("explain", ("1", "e")),
    ("keys", ("1", "question_mark")),
)
SIZES = ((80, 24), (160, 48))
LIGHT_SIZE = SIZES[1]  # of those on a light ground: a smaller one shows no other colours
LARGE: tuple[tuple[str, tuple[str, ...]], ...] = (SCENES[0], next(scene for scene in SCENES if scene[0] == "code"))
LARGE_SIZE = (120, 36)  # of those in the README, where a picture is 830 pixels wide
PALETTES: dict[str, Palette] = {"dark": DARK, "light": LIGHT}
PATIENCE = 120.0  # seconds for the dump to be read


async def screen(app: OopscopeApp, keys: Sequence[str], size: tuple[int, int]) -> list[list[Segment]]:
    """Run the app without a terminal, press the keys once all is read, and return what stands on the screen."""
    async with app.run_test(size=size) as pilot:
        for _ in range(int(PATIENCE / 0.05)):
            await pilot.pause(0.05)
            if app.idle or app.failure:
                break
        if app.failure:
            raise SystemExit(app.failure)
        for key in keys:
            await pilot.press(key)
        for _ in range(20):
            await pilot.pause(0.05)
        return [list(strip) for strip in app.lines_on_screen()]


def to_png(source: Path) -> bool:
    """Write a PNG beside an SVG; return whether a converter was found."""
    target = source.with_suffix(".png")
    try:
        resvg = import_module("resvg_py")
        drawn = resvg.svg_to_bytes(svg_path=str(source), monospace_family="DejaVu Sans Mono")
        target.write_bytes(bytes(drawn))
        return True
    except ImportError:
        pass
    try:
        import_module("cairosvg").svg2png(url=str(source), write_to=str(target), scale=1)
        return True
    except ImportError:
        pass
    tool = shutil.which("rsvg-convert")
    if tool is None:
        return False
    subprocess.run([tool, "--output", str(target), str(source)], check=True)  # noqa: S603
    return True


def take(out: Path, dump: Path, provider: Provider | None = None) -> list[Path]:
    """Make the picture of every scene in every size, on a dark ground and one on a light; return the SVG files."""
    made = []
    for size in (*SIZES, LARGE_SIZE):
        for name, keys in LARGE if size == LARGE_SIZE else SCENES:
            shown = asyncio.run(screen(OopscopeApp([dump], provider), keys, size))
            for ground, palette in PALETTES.items():
                if ground != "dark" and size != LIGHT_SIZE:
                    continue
                folder = out / ground / f"{size[0]}x{size[1]}"
                folder.mkdir(parents=True, exist_ok=True)
                made.append(folder / f"{name}.svg")
                made[-1].write_text(svg(shown, size[0], palette), encoding="utf-8")
    return made


def main() -> None:
    """Parse the arguments and make the pictures."""
    parser = argparse.ArgumentParser(prog="python -m oopscope_tui.tools.screenshots", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("dump", type=Path, nargs="?", help="the dump that ships with the package if not given")
    parser.add_argument("--png", action="store_true", help="a PNG beside each SVG")
    args = parser.parse_args()
    dump = args.dump
    if dump is None:
        from oopscope.cli.demo import demo_path

        dump = Path(demo_path())
    made = take(args.out, dump)
    lacking = args.png and not all(to_png(path) for path in made)
    print(f"{len(made)} pictures in {args.out}" + ("; no converter for PNG found" if lacking else ""))  # noqa: T201


if __name__ == "__main__":
    main()
