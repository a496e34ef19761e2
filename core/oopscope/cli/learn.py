"""Lessons in reading dumps, step by step on the screen: a bundled one by number or name, or a trainer's own file."""

import argparse
import os
import sys
import textwrap
from pathlib import Path

from oopscope.cli import DONE, USAGE, complain
from oopscope.cli.common import add_look, write
from oopscope.lessons import Lesson, LessonError, lessons, progress, read_lesson

WIDTH = 88


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    text = "its number, its name or a TOML file; by default the first that is not done"
    parser.add_argument("lesson", nargs="?", metavar="LESSON", help=text)
    parser.add_argument("--list", action="store_true", help="name the lessons, and how far each was done")
    parser.add_argument("--print", dest="shown", action="store_true", help="print the lesson instead, answers and all")
    parser.add_argument("--check", action="store_true", help="only check the lesson: every fault of the file, by line")
    add_look(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    if args.list:
        write(_listed())
        return DONE
    try:
        chosen = _chosen(args.lesson)
        if chosen is None:
            return complain(f"no lesson {args.lesson}; `oopscope learn --list` names them", USAGE)
        lesson = read_lesson(chosen)
    except LessonError as error:
        for line in str(error).split("\n"):
            complain(line, USAGE)
        return USAGE
    if args.check:
        write(f"{lesson.title}: {len(lesson.steps)} steps, nothing wrong\n")
        return DONE
    if args.shown:
        write(told(lesson))
        return DONE
    if args.open_screen is None or sys.stdout is None or not sys.stdout.isatty():
        return complain("a lesson needs a terminal; `oopscope learn --print LESSON` reads it here", USAGE)
    os.environ["OOPSCOPE_LESSON"] = str(chosen)  # where the screen finds it
    status: int = args.open_screen([lesson.path])
    return status


def _chosen(word: str | None) -> Path | None:
    """Return a lesson's file: by its number, its name or a part of it; the first that is not done for none."""
    known = lessons()
    if word is None:
        done = progress()
        return next((path for path in known if done.get(path.stem, 0) < len(read_lesson(path).steps)), known[0])
    if word.isascii() and word.isdigit() and 0 < int(word[:4]) <= len(known):
        return known[int(word[:4]) - 1]
    if word.endswith(".toml") or "/" in word:
        return Path(word)
    return next((path for path in known if word.lower() in path.stem), None)


def _listed() -> str:
    lines, done = [], progress()
    for number, path in enumerate(lessons(), 1):
        lesson = read_lesson(path)
        steps = len(lesson.steps)
        how = "done" if done.get(path.stem, 0) >= steps else f"{done.get(path.stem, 0)} of {steps}"
        lines.append(f"{number}  {lesson.title:<44}{how:>8}   {path.stem.partition('-')[2]}\n")
    return "".join(lines)


def told(lesson: Lesson) -> str:
    """Return a lesson as a text, for a trainer."""
    lines = [lesson.title, *textwrap.wrap(lesson.about, WIDTH), f"Dump: {lesson.dump}", ""]
    for number, step in enumerate(lesson.steps, 1):
        lines += [f"{number}. " + (f"(:{step.open})" if step.open else "")]
        lines += textwrap.wrap(step.text, WIDTH, initial_indent="   ", subsequent_indent="   ")
        if step.ask:
            lines += textwrap.wrap(f"? {step.ask}", WIDTH, initial_indent="   ", subsequent_indent="     ")
            lines.append(f"   = {' | '.join(step.answer)}")
    return "\n".join(lines) + "\n"
