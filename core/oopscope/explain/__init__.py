"""What things on the screen mean, in words: causes of death, task states, taint flags, columns, counters, signs.

One kind of thing a file; KINDS is the table of them. A file holds TEXTS: the thing's own name, and what is said of it.
"""

import re
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
    ("category", "Kind of cause", "oopscope.explain.categories"),
    ("term", "Term", "oopscope.explain.terms"),
    ("kernel-word", "Term", "oopscope.explain.kernel_words"),
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
    """Return the things of a name, whatever their kind, each text once; of several taint flags each.

    A thing goes by its own name, as it is written before as it sounds, by other words for it, by a column's heading,
    or by a line of the log.
    """
    word = word.strip().rstrip(":") or word
    known, low = every_topic(), word.lower()
    found = [topic for topic in known if topic.name == word] or [
        topic for topic in known if topic.name.rpartition(".")[2].lower() == low
    ]
    if not any(topic.kind != "column" for topic in found):
        found = _meant(known, low) + found
    found = found or _headed(low) or _flags(word) or (topics_in("log", word) if " " in word else [])
    return list({(topic.kind, text_of(topic)): topic for topic in reversed(found)}.values())[::-1]


def _meant(known: list[Topic], low: str) -> list[Topic]:
    """Return what goes by other words too."""
    from oopscope.explain.also import ALSO

    meant = next((name for other, name in ALSO.items() if other.lower() == low), None)
    return [topic for topic in known if topic.name == meant and topic.kind != "column"][:1]


def _headed(low: str) -> list[Topic]:
    """Return the columns of a heading, those of tasks first."""
    from oopscope.subsystems import TABLES, table

    keys = sorted((key for key, _ in TABLES), key=lambda key: key != "tasks")
    found = [(key, column) for key in keys for column in table(key).columns if column.title.lower() == low]
    return [Topic("column", f"{key}.{column.key}") for key, column in found]


def _flags(word: str) -> list[Topic]:
    """Return the taint flags of `GOE`, `P W O`; none of any other word."""
    letters = [Topic("taint", letter) for letter in dict.fromkeys(word.replace(" ", ""))]
    both = {"P", "G"} <= {topic.name for topic in letters}  # the first letter is one of them
    return letters if len(letters) > 1 and not both and all(text_of(topic) for topic in letters) else []


def search(words: str) -> list[Topic]:
    """Return the things whose texts hold all words, each as the beginning of a word.

    First what goes by these words, then what is called so, then by whether they stand together, and how often.
    """
    wanted, known = words.lower().split()[:8], every_topic()
    if not wanted:
        return []
    together = " ".join(wanted)
    each = [re.compile(rf"(?<![a-z0-9]){re.escape(word)}") for word in wanted]
    first = dict.fromkeys(_meant(known, together))
    found: list[tuple[int, int, Topic]] = []
    for at, topic in enumerate(known):
        text = text_of(topic)
        whole = " ".join((topic.name, *(text[:3] if text is not None else ()))).lower()
        counts = [len(pattern.findall(whole)) for pattern in each]
        if all(counts):
            called = all(pattern.search(topic.name.lower()) for pattern in each)
            rank = 1_000_000 * (topic in first) + 100_000 * called + 10_000 * (together in whole)
            found.append((-rank - sum(counts), at, topic))
    return [topic for _, _, topic in sorted(found)]
