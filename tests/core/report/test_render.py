"""Text, Markdown, HTML and JSON of every real dump, and of dumps whose every word is hostile."""

import json
import re
from html.parser import HTMLParser
from importlib import import_module
from typing import Any

import pytest

from cases import Case, case_of
from oopscope.cli.report import FORMATS
from oopscope.errors import NoMember, NoSymbol, NoType, NoTypes
from oopscope.kernel.kinds import ABSENT
from oopscope.report import text
from oopscope.report.cells import cell, duration, printable, size, width
from oopscope.report.markdown import code, prose
from oopscope.report.rows import grid
from oopscope.subsystems import Column

# None of these may reach a terminal, a browser or an issue tracker as it is.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]"
)
PAYLOADS = {
    "escapes": "\x1b[2J\x1b]0;title\x07\x1b[31mred\x9b1m",
    "script": "</script></pre></td></details><script>alert(1)</script><img src=x onerror=alert(1)>",
    "entities": "&lt;b&gt; &amp; &#60;script&#62; '\"",
    "markdown": "``` `x` **b** _i_ [l](javascript:alert(1)) ![i](http://h.example/p) | # h <b> @someone #1 ~~~",
    "fence": "\n```\n# out of the fence\n<script>\n```",
    "mentions": "@everyone /close #42 GH-1",
    "brackets": "[bold]x[/bold] [link=http://h.example]y[/link]",
    "bidi": "\u202egnp.exe\u202c \u2066x\u2069 \u200e\u200f",
    "separators": "a\u2028b\u2029c\x85d\x0be\x0cf\rg",
    "long": "A" * 10_000,
    "nul": "a\0b",
    "surrogates": "\ud800\udfff",
    "emoji": "\U0001f4a5 \u0430\u0301 \u6f22\u5b57",
    "empty": "",
}
# What the report itself chooses: words of the contract, which no dump can set.
OURS = {"kind", "category", "cause", "confidence", "format", "compression", "arch", "section", "state", "key"}


def spoil(data: Any, payload: str, key: str = "") -> Any:
    """Put a payload behind every text that a dump could have set."""
    if isinstance(data, dict):
        return {k: spoil(v, payload, k) for k, v in data.items()}
    if isinstance(data, list):
        return [spoil(item, payload, key) for item in data]
    if isinstance(data, str) and key not in OURS and not re.fullmatch(r"0x[0-9a-f]+", data):
        return data + payload
    return data


SOME = 12  # rows of a list: one row's text is as good as another's


def first_and_last(report: dict[str, Any]) -> dict[str, Any]:
    """A report of which the long lists have their first rows and their last."""
    return {k: v[:SOME] + v[-SOME:] if isinstance(v, list) and len(v) > 2 * SOME else v for k, v in report.items()}


def hostile(name: str, payload: str) -> Any:
    """A report whose every text could have been set by a dump; of long lists the first rows and the last."""
    few = first_and_last(case_of(name).report)
    report = {k: v if k in ("schema", "oopscope") else spoil(v, payload) for k, v in few.items()}
    report["problems"] = [{"section": "tasks", "message": f"a task{payload}", "address": None}]
    return report


def render(form: str, report: Any) -> str:
    return import_module(f"oopscope.report.{form}").render(report)


class Tags(HTMLParser):
    """What a browser would make of a page: its elements and their attributes' names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found, self.text = [], []  # type: ignore[var-annotated]
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, tuple(sorted(k for k, _ in attrs))))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.thorough
@pytest.mark.parametrize("form", FORMATS)
def test_every_dump_in_every_format(case: Case, form: str) -> None:
    out = render(form, case.report)
    verdict = case.report["verdict"]
    assert not FORBIDDEN.search(out.replace("\t", " "))
    out.encode("utf-8")
    if form == "html":
        page = Tags(out)
        text = " ".join("".join(page.text).split())
    else:
        text = " ".join(out.replace("`", "").replace("\\", "").split())
    for word in (verdict["cause"], verdict["comm"], verdict["signature"], case.report["system"]["release"]):
        assert word in text, word
    if form != "json":
        assert " ".join(verdict["summary"].split()) in text
    assert verdict["title"].split()[0] in text


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_hostile_reaches_the_output(form: str, payload: str) -> None:
    out = render(form, hostile("6.1-deadlock", PAYLOADS[payload]))
    found = FORBIDDEN.search(out.replace("\t", " "))
    assert found is None, (found and out[max(0, found.start() - 40) : found.end() + 10]).encode("unicode_escape")
    out.encode("utf-8")
    assert len(out) < 20_000_000


@pytest.mark.parametrize("payload", PAYLOADS)
def test_html_gets_no_element_and_no_attribute_from_a_dump(payload: str) -> None:
    clean, spoiled = (Tags(render("html", hostile("6.1-deadlock", p))) for p in ("", PAYLOADS[payload]))
    assert set(spoiled.found) <= set(clean.found)
    scripts = [tag for tag, _ in spoiled.found if tag in ("script", "img", "iframe", "object", "b" * 99)]
    assert scripts == ["script"]


def outside_of_code(text: str) -> str:
    """Markdown without its fences and code spans: what a site would read as markup."""
    lines, fence = [], None
    for line in text.split("\n"):
        mark = re.match(r"(`{3,})", line)
        if fence is None and mark:
            fence = mark[1]
        elif fence is not None:
            if line.strip() == fence:
                fence = None
        else:
            lines.append(line)
    assert fence is None, "a fence is open at the end"
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", "\n".join(lines))


@pytest.mark.parametrize("payload", ["script", "markdown", "fence", "mentions", "brackets", "entities"])
def test_markdown_gets_no_markup_from_a_dump(payload: str) -> None:
    left = outside_of_code(render("markdown", hostile("6.1-deadlock", PAYLOADS[payload])))
    for word in (
        "<script",
        "<img",
        "javascript:",
        "@someone",
        "@everyone",
        "**b**",
        "](",
        "![",
        "# out",
        "/close",
        "#42",
    ):
        assert word not in left, word
    tags = {tag for tag, _ in Tags(left).found}
    assert tags <= {"details", "summary", "sub"}


def test_markdown_fits_an_issue(case: Case) -> None:
    """With every stack and the whole log, too: the log's end is there, what else does not fit is named."""
    out = render("markdown", case.report)
    assert len(out) < 65_536
    assert "<summary>Log (" in out
    assert case.report["log"][-1]["text"].split("\n")[0][:60] in out
    assert ("Left out, as an issue would not hold it:" in out) == ("<summary>Stacks of" not in out)


def test_markdown_fits_an_issue_whatever_the_dump_holds() -> None:
    """Texts of a hundred thousand characters are cut, and said to be; so are a long log and a thousand problems."""
    whole = case_of("6.1-null").report
    long = "x|`" * 33_333
    report = whole | {
        "verdict": whole["verdict"] | {"title": long, "summary": long, "panic_message": long, "comm": long},
        "system": whole["system"] | {"nodename": long},
        "cpus": [
            whole["cpus"][0]
            | {"frames": [f | {"symbol": long + str(n)} for n in range(30) for f in whole["cpus"][0]["frames"]]}
        ],
        "log": [r | {"text": f"{n} {long}"} for n in range(3) for r in whole["log"]],
        "problems": [{"section": "tasks", "message": f"{n} {long}", "address": None} for n in range(1000)],
    }
    out = render("markdown", report)
    assert len(out) < 65_536
    assert "characters more)" in out
    assert re.search(r"Log \(the last \d+ of \d+ records\)", out)
    assert re.search(r"and \d+ more", out)


def test_bars_are_escaped_in_tables_only() -> None:
    whole = case_of("6.1-null").report
    verdict = whole["verdict"] | {
        "panic_message": "a|b", "evidence": [{"text": "a|b", "source": {"kind": "log", "key": "1"}}],
    }  # fmt: skip
    out = render("markdown", whole | {"verdict": verdict})
    assert "| panic message | `a\\|b` |" in out
    assert "- `a|b`" in out


@pytest.mark.thorough
@pytest.mark.parametrize("form", FORMATS)
def test_sections_that_could_not_be_read(form: str) -> None:
    """None, as a failed section is, for each in turn and for all."""
    whole = first_and_last(case_of("6.1-null").report)
    names = [k for k in whole if k not in ("schema", "oopscope", "tables", "problems")]
    for missing in ([], *([n] for n in names), names):
        report = {k: None if k in missing else v for k, v in whole.items()}
        report["problems"] = [{"section": n, "message": "not in the dump", "address": None} for n in missing]
        out = render(form, report)
        assert (form != "text") or out.count("could not be read; see Problems") == len(missing)
        assert "not in the dump" in out or not missing


@pytest.mark.parametrize("form", FORMATS)
def test_what_a_kernel_never_had_is_not_called_unread(form: str) -> None:
    """A table that fails for want of a type, a symbol or a member says so in its own place; others may be unread."""
    whole, why = case_of("6.1-null").report, (NoType("cgroup"), NoSymbol("x"), NoMember("rq", "y"), NoTypes())
    names = ("cgroups", "sockets", "disks", "mounts", "slabs")
    report = whole | dict.fromkeys(names)
    report["problems"] = [
        {"section": n, "message": m, "address": None} for n, m in zip(names, map(str, why), strict=False)
    ]
    report["problems"].append({"section": "slabs", "message": "not in the dump", "address": None})
    out = render(form, report)
    for error in why:
        assert " ".join(out.split()).count(str(error)) >= (1 if form == "json" else 2), error
    assert form != "text" or out.count("could not be read; see Problems") == 1


@pytest.mark.parametrize("form", FORMATS)
def test_a_part_of_the_sections(form: str) -> None:
    """As --sections leaves them: what is not there leaves no gap and no fault."""
    whole = case_of("6.1-null").report
    for name in [k for k in whole if k not in ("schema", "oopscope", "tables", "known", "problems")]:
        out = render(form, {k: whole[k] for k in ("schema", "oopscope", name, "problems")})
        assert len(out) > 60 or "none" in out
    assert render(form, {k: whole[k] for k in ("schema", "oopscope", "problems")})


@pytest.mark.parametrize("form", FORMATS)
def test_every_cell_empty(form: str) -> None:
    """A row of which only its place is known, as a hole leaves it."""
    whole = case_of("6.1-deadlock").report

    def emptied(row: Any, kept: tuple[str, ...]) -> dict[str, Any]:
        return {k: v if k in kept else [] if isinstance(v, list) else None for k, v in row.items()}

    report = {
        **whole,
        "system": dict.fromkeys(whole["system"]),
        "cpus": [emptied(c, ("cpu", "online")) for c in whole["cpus"]],
        "tasks": [emptied(t, ("address",)) for t in whole["tasks"]],
        "slabs": [emptied(s, ("name", "object_size")) for s in whole["slabs"]],
        "modules": [emptied(m, ("name", "size_bytes", "address")) for m in whole["modules"]],
        "mounts": [emptied(m, ()) for m in whole["mounts"]],
        "meminfo": dict.fromkeys(whole["meminfo"]),
        "zones": [{**z, "min": None, "low": None, "high": None} for z in whole["zones"]],
        "verdict": {**emptied(whole["verdict"], ("category", "cause", "title", "summary", "confidence", "signature"))},
    }
    assert "None" not in render(form, report) or form == "json"


class TestCells:
    def test_printable(self) -> None:
        assert printable("a\x1b[1mb\x00\x7f\x9b\u202e") == "a\u241b[1mb\u2400\u2421\\u009b\\u202e"
        assert printable("a\nb\tc", keep="\n") == "a\nb\u2409c"
        assert printable("plain \u6f22") == "plain \u6f22"

    def test_sizes_and_durations(self) -> None:
        assert [size(n) for n in (0, 999, 1000, 4096, 1 << 20, 150 << 30, 1 << 50)] == [
            *("0", "999", "1.0K", "4.0K", "1.0M", "150G", "1.0P"),
        ]
        assert [duration(s) for s in (0.04, 59.9, 61, 3_700, 90_000)] == [
            *("0.04s", "59s", "1m 01s", "1h 01m", "1d 01h"),
        ]

    def test_cells_by_kind(self) -> None:
        assert cell(None) == ABSENT
        assert cell(0xFFFF888000001000, "address") == "0xffff888000001000"
        assert cell(True, "bool") == "yes"
        assert cell(("a\x1b", "b"), "list") == "a\u241b, b"
        assert cell({"rip": 16}, "registers") == "rip=0x10"

    def test_a_grid_is_aligned(self) -> None:
        from collections import namedtuple

        row = namedtuple("Row", "name size")  # type: ignore[name-match]
        columns = (Column("name", "Name"), Column("size", "Size", "bytes"))
        assert grid(columns, [row("a\nb", 4096), row("longer", None)]) == (
            f"Name    Size\na\u240ab     4.0K\nlonger     {ABSENT}\n"
        )

    def test_cells_of_wide_and_marked_text(self) -> None:
        assert [width(text) for text in ("plain", "\u6f22\u5b57", "e\u0301", "\u1112\u1161\u11ab")] == [5, 4, 1, 2]


@pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS)
def test_code_spans_hold_what_they_are_given(text: str) -> None:
    span = code(text)
    ticks = re.match("`+", span)[0]
    assert span.endswith(ticks)
    assert ticks not in span[len(ticks) : -len(ticks)].replace(ticks + "`", "")
    assert outside_of_code(f"x {prose(text)} y").count("<") == 0


def test_json_keeps_what_was_hostile() -> None:
    """A script gets the very text, escaped."""
    report = hostile("6.1-null", PAYLOADS["escapes"])
    assert json.loads(render("json", report)) == report


def test_a_task_that_slept_was_noticed_on_a_cpu_and_ran_on_none() -> None:
    """khungtaskd panicked on the CPU that the verdict names, and the deadlock is of others."""
    shown = text.render(case_of("6.1-deadlock").report)
    assert "PID 238, noticed on CPU 0" in shown and "PID 238, on CPU" not in shown
    assert "insmod, PID 238, on CPU 1" in text.render(case_of("6.1-null").report)
