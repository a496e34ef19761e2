"""What a number means, as a card tells it: its words, and where they lead."""

from oopscope.inspect.meaning import Meaning
from oopscope.kernel.fact import Fact, Link

NOWHERE = ("null", "error", "poison", "ascii", "nothing", "user")


def words_of(meaning: Meaning | None) -> str | None:
    """Return what a number points at in words, with why it cannot be read; None where nothing is known."""
    if meaning is None:
        return None
    return f"{meaning.words} · {meaning.why}" if meaning.why else meaning.words


def link_of(value: int, meaning: Meaning | None) -> Link | None:
    """Return where a number that is an address leads: code, a task, a struct, else the words that lie there."""
    if meaning is None or meaning.kind in NOWHERE:
        return None
    if meaning.kind == "code":
        return Link("code", f"{value:#x}")
    if meaning.kind == "task" and meaning.pid:
        return Link("task", meaning.pid)
    if meaning.struct is not None:
        return Link("struct", f"{meaning.struct[0]}@{meaning.struct[1]:#x}")
    return Link("memory", f"{value:#x}")


def fact_of(key: str, title: str, value: int, meaning: Meaning | None) -> Fact:
    """Return what a number means as a fact."""
    if meaning is None:
        return Fact(key, title)
    return Fact(key, title, "text", words_of(meaning), link_of(value, meaning), sure=meaning.sure)
