"""The man page oopscope(1), made from what the parsers take, so that it cannot fall behind them. See man(7)."""

import re
from collections.abc import Iterator

import oopscope
from oopscope.cli.examples import examples_of
from oopscope.cli.spec import Option, Spec, Value

STATUS = (
    ("0", "done"),
    ("1", "a fault of oopscope's own"),
    ("2", "wrong usage"),
    ("3", "not a dump; the message says what it is instead"),
    ("4", "the dump is damaged or too incomplete for a verdict; what could be read is still printed"),
)
ENVIRONMENT = (
    ("OOPSCOPE_CACHE", "where the index of symbols and types is kept; off keeps none"),
    ("OOPSCOPE_CONFIG", "names another file of settings; off reads none"),
    ("NO_COLOR", "set to anything: no colours on the screen"),
)
FILES = (
    (
        "~/.config/oopscope/config.toml",
        "settings of the screen: keys, theme, time format and columns, as TOML; in $XDG_CONFIG_HOME where that is set. "
        "On the screen, the command :settings writes one to begin with, with every key and its name",
    ),
    ("/var/crash", "where the screen looks for dumps when no PATH is given"),
    ("~/.cache/oopscope", "the index of symbols and types, keyed by the kernel's build id; safe to delete"),
)
ABOUT = (
    "oopscope opens a Linux kernel crash dump and shows why the machine died, with the evidence. It needs nothing but "
    "the dump: symbols, types and unwind tables are the kernel's own, read from its memory.",
    "Given a dump or a folder of dumps it opens a screen in the terminal, whose keys ? explains. The commands below "
    "print the same without a screen: data to the standard output, messages to the standard error.",
)


def page(found: list[Spec]) -> str:
    """Return the page as roff."""
    top, commands = found[0], found[1:]
    lines = [f'.TH OOPSCOPE 1 "" "oopscope {_text(oopscope.__version__)}" "User Commands"']
    lines += [".SH NAME", "oopscope \\- see why a Linux machine died, from its crash dump and nothing else"]
    lines += [".SH SYNOPSIS", *_synopsis(top), *(line for spec in commands for line in (".br", *_synopsis(spec)))]
    lines += [".SH DESCRIPTION", _text(ABOUT[0]), ".PP", _text(ABOUT[1])]
    lines += [".SH OPTIONS", *(line for option in top.options for line in _option(option))]
    lines.append(".SH COMMANDS")
    for spec in commands:
        lines += [f".SS {_text(f'oopscope {spec.name}')}", *_paragraphs(spec.description)]
        lines += [line for place in spec.places for line in _place(place)]
        lines += [line for option in spec.options if "--help" not in option.names for line in _option(option)]
        lines += [line for example in _examples(spec) for line in example]
    lines += [".SH EXIT STATUS", *_pairs(STATUS), ".SH ENVIRONMENT", *_pairs(ENVIRONMENT), ".SH FILES", *_pairs(FILES)]
    lines += [".SH EXAMPLES", *(line for example in _commands(top) for line in _example(*example))]
    lines += [".SH SEE ALSO", ".BR makedumpfile (8),", ".BR kdump (5),", ".BR crash (8)"]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Escape text for roff: no line of it is taken for a request."""
    clean = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "'").replace('"', "\\(dq")
    return "\\&" + clean if clean[:1] in (".", "'") else clean


def _paragraphs(text: str) -> Iterator[str]:
    for i, paragraph in enumerate(text.strip().split("\n\n")):
        yield from [".PP"] if i else []
        yield _text(" ".join(paragraph.split()))


def _synopsis(spec: Spec) -> Iterator[str]:
    yield f".B oopscope {spec.name}".rstrip()
    yield f"[\\fIOPTIONS\\fR] {' '.join(_text(place.usage) for place in spec.places)}"


def _place(place: Value) -> Iterator[str]:
    if place.words:
        yield ".TP"
        yield f".I {_text(place.name)}"
        yield _text(f"one of {', '.join(place.words)}")


def _option(option: Option) -> Iterator[str]:
    yield ".TP"
    value = f" \\fI{_text(option.value.name)}\\fR" if option.value else ""
    yield ", ".join(f"\\fB{_text(name)}\\fR" for name in option.names) + value
    words = option.value.words if option.value else ()
    told = not words or option.help.startswith("one of") or all(map(str.isdigit, words))
    listed = "" if told else f" ({', '.join(words)})"
    yield _text(f"{option.help}{listed}")


def _commands(spec: Spec) -> list[list[str]]:
    """Return the examples, and what each does."""
    lines = (line.strip() for line in spec.examples.splitlines() if line.startswith("  oopscope"))
    return [re.split(r"\s{2,}", line, maxsplit=1) for line in lines]


def _example(line: str, what: str) -> list[str]:
    return [".TP", f"\\fB{_text(line)}\\fR", _text(what)]


def _examples(spec: Spec) -> Iterator[list[str]]:
    for i, (line, what) in enumerate(examples_of(spec.name)):
        yield [*([".PP", "Examples:"] if not i else []), *_example(line, what)]


def _pairs(pairs: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for name, text in pairs:
        yield from (".TP", f".B {_text(name)}", _text(text))
