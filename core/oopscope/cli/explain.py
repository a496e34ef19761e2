"""Explain a term: a cause, a state, a column, a taint letter, a register, a word of crash analysis; or find one."""

import argparse
import json
import textwrap

from oopscope.cli import DONE, USAGE, complain, nearest
from oopscope.cli.common import write
from oopscope.explain import KINDS, Topic, every_topic, heading_of, named, search, text_of

WIDTH = 88
SHOWN = 12  # of what a search finds
PARTS = (("", "means"), ("How it comes about: ", "how"), ("Look at next: ", "look"))


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("term", nargs="*", metavar="TERM", help="what to explain; several words are one term")
    parser.add_argument("--list", action="store_true", help="the index: every term, by kind")
    parser.add_argument("--search", metavar="WORDS", default="", help="the terms whose texts hold all these words")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text for people, or data")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    word = " ".join(args.term)
    if args.list or not (word or args.search):
        write(_index() if args.format == "text" else _data(every_topic()))
        return DONE
    called = [] if args.search else named(word)
    found = called or search(args.search or word)
    if not found:
        near = nearest(word or args.search, [topic.name for topic in every_topic()])
        hint = f"did you mean {near}?" if near else "`oopscope explain --list` has the index"
        return complain(f"nothing is said of {(word or args.search)[:60]}; {hint}", USAGE)
    if args.format == "json":
        write(_data(found))
        return DONE
    if word and not called:
        complain(f"nothing is called {word[:60]}; this speaks of it:", DONE)
    write("\n".join(_told(topic) for topic in found[:SHOWN]))
    if len(found) > SHOWN:
        complain(f"and {len(found) - SHOWN} more: {', '.join(topic.name for topic in found[SHOWN : SHOWN + 20])}", DONE)
    return DONE


def _told(topic: Topic) -> str:
    text = text_of(topic)
    lines = [f"{heading_of(topic.kind)}: {topic.name}"]
    for lead, part in PARTS:
        words = getattr(text, part)
        if words:
            lines += textwrap.wrap(lead + words, WIDTH, initial_indent="  ", subsequent_indent="  ")
    if text is not None and text.see:
        lines.append(f"  On the screen: :{text.see}")
    return "".join(f"{line}\n" for line in lines)


def _index() -> str:
    lines = []
    for kind, title, _ in KINDS:
        names = sorted((topic.name for topic in every_topic() if topic.kind == kind), key=str.lower)
        lines += [title, *textwrap.wrap(", ".join(names), WIDTH, initial_indent="  ", subsequent_indent="  ",
                                        break_on_hyphens=False)]  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def _data(topics: list[Topic]) -> str:
    found = [{"kind": one.kind, "name": one.name, **text._asdict()} for one in topics if (text := text_of(one))]
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
