"""What things on the screen mean, in words: causes of death, task states, taint flags, columns, counters, signs.

One kind of thing a file; KINDS is the table of them. A file holds TEXTS: the thing's own name, and what is said of it.
"""

from importlib import import_module
from typing import NamedTuple

# The kind, its heading, and the module whose TEXTS it is; strings, so that nothing is imported before it is asked for.
KINDS: tuple[tuple[str, str, str], ...] = (
    ("cause", "Cause", "oopscope.explain.causes"),
    ("confidence", "Confidence", "oopscope.explain.confidence"),
    ("state", "Task state", "oopscope.explain.states"),
    ("cpu-state", "CPU", "oopscope.explain.cpu_states"),
    ("taint", "Taint", "oopscope.explain.taints"),
    ("log", "Kind of log line", "oopscope.explain.log_lines"),
    ("level", "Log level", "oopscope.explain.levels"),
    ("sign", "Sign", "oopscope.explain.signs"),
    ("register", "Register", "oopscope.explain.registers"),
    ("memory", "Memory", "oopscope.explain.memory"),
    ("watermark", "Zone", "oopscope.explain.watermarks"),
    ("system", "Fact", "oopscope.explain.system"),
    ("column", "Column", "oopscope.explain.columns"),
)


class Text(NamedTuple):
    """What is said of one thing: what it means, how it comes about, what to look at next."""

    means: str
    how: str = ""
    look: str = ""


class Topic(NamedTuple):
    """A thing that can be explained: its kind and its name."""

    kind: str
    name: str


def texts(kind: str) -> dict[str, Text]:
    """Return what is said of a kind's things, by name."""
    module = next(module for name, _, module in KINDS if name == kind)
    found: dict[str, Text] = import_module(module).TEXTS
    return found


def text_of(topic: Topic) -> Text | None:
    """Return what is said of a thing; None where nothing is. A column may mean the same in every table."""
    known = texts(topic.kind)
    return known.get(topic.name) or (known.get(topic.name.rpartition(".")[2]) if topic.kind == "column" else None)


def heading_of(kind: str) -> str:
    """Return a kind's heading."""
    return next(title for name, title, _ in KINDS if name == kind)


def every_topic() -> list[Topic]:
    """Return every thing that can be explained."""
    return [Topic(kind, name) for kind, _, _ in KINDS for name in texts(kind)]


def named(word: str) -> list[Topic]:
    """Return the things of a name, whatever their kind, each text once; without case where none is so."""
    known = every_topic()
    exact = [topic for topic in known if topic.name == word]
    found = exact or [topic for topic in known if topic.name.rpartition(".")[2].lower() == word.lower()]
    return list({(topic.kind, text_of(topic)): topic for topic in reversed(found)}.values())[::-1]
