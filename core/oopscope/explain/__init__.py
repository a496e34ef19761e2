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
    ("dump-level", "Dump level", "oopscope.explain.dump_levels"),
    ("capture", "Way of capture", "oopscope.explain.captures"),
    ("term", "Term", "oopscope.explain.terms"),
    ("column", "Column", "oopscope.explain.columns"),
)


class Text(NamedTuple):
    """What is said of one thing: what it means, how it comes about, what to look at next, and the pane where it is."""

    means: str
    how: str = ""
    look: str = ""
    see: str = ""


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


def topics_in(kind: str, value: object) -> list[Topic]:
    """Return what can be explained of a value of that kind: its name, each of its letters, the kind of a log line."""
    if value is None or not kind:
        return []
    text = str(value)
    if kind == "log":
        from oopscope.explain.log_lines import kind_of

        found = kind_of(text)
        names = [found] if found is not None else []
    else:
        names = [text, *text[:20]]
    known = texts(kind)
    return [Topic(kind, name) for name in dict.fromkeys(names) if name in known]


def heading_of(kind: str) -> str:
    """Return a kind's heading."""
    return next(title for name, title, _ in KINDS if name == kind)


def every_topic() -> list[Topic]:
    """Return every thing that can be explained."""
    return [Topic(kind, name) for kind, _, _ in KINDS for name in texts(kind)]


def named(word: str) -> list[Topic]:
    """Return the things of a name, whatever their kind, each text once; without case where none is so."""
    from oopscope.explain.terms import ALSO

    known = every_topic()
    exact = [topic for topic in known if topic.name == word]
    found = exact or [topic for topic in known if topic.name.rpartition(".")[2].lower() == word.lower()]
    if not found:
        meant = next((name for other, name in ALSO.items() if other.lower() == word.lower()), None)
        found = [Topic("term", meant)] if meant is not None else []
    return list({(topic.kind, text_of(topic)): topic for topic in reversed(found)}.values())[::-1]


def search(words: str) -> list[Topic]:
    """Return the things whose texts hold all words.

    First the term that goes by these words, then those that are called so, then by how often the words are held.
    """
    from oopscope.explain.terms import ALSO

    wanted = words.lower().split()[:8]
    meant = next((name for other, name in ALSO.items() if other.lower() == " ".join(wanted)), None)
    found: list[tuple[int, int, Topic]] = []
    for at, topic in enumerate(every_topic()):
        text = text_of(topic)
        whole = " ".join((topic.name, *(text[:3] if text is not None else ()))).lower()
        if wanted and all(word in whole for word in wanted):
            in_name = all(word in topic.name.lower() for word in wanted)
            first = 2 if topic == Topic("term", meant or "") else in_name
            found.append((-1000 * first - sum(whole.count(word) for word in wanted), at, topic))
    return [topic for _, _, topic in sorted(found)]
