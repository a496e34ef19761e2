"""The HTML report: whole without anything from outside, hostile text stays text, every part is there; it is small."""

import base64
import copy
import hashlib
import re
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.report import html
from oopscope.report.blocked import add_stacks
from oopscope.report.build import build
from oopscope.report.page import kit, log, machine, stacks, tables
from oopscope.subsystems import TABLES
from stored import DUMPS

EVERY = ("dump", "verdict", *(key for key, _ in TABLES))
FEW = 20  # rows, where a page is made of each of many reports
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202e&lt;\"'\x00\x9b\ud800"


@cache
def _whole(name: str) -> Any:
    kernel = open_kernel([DUMPS / f"{name}.kdump"])
    report = build(kernel, EVERY)
    add_stacks(kernel, report)
    return report


def report_of(name: str) -> Any:
    return copy.deepcopy(_whole(name))


class Reader(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[Any] = []
        self.ids: list[Any] = []
        self.links: list[Any] = []
        self.text: dict[Any, str] = {}
        self.open: list[Any] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [v for k, v in attrs if k == "id"]
        self.links += [v for k, v in attrs if k == "href"]
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "script"):
            self.text[self.open[-1]] = self.text.get(self.open[-1], "") + data


@pytest.mark.parametrize("name", ["6.1-null", "6.1-deadlock", "7.3-oom", "5.10-softlockup"])
def test_a_page_stands_alone_and_is_small(name: str) -> None:
    text = html.render(report_of(name))
    assert len(text.encode()) < 400_000
    page = Reader(text)
    assert not {t for t, _ in page.tags} & {"link", "img", "iframe", "object", "embed", "base", "form"}
    for _tag, attrs in page.tags:
        assert not [k for k in attrs if k.startswith("on") or k in ("style", "src", "srcset", "action")]
        assert attrs.get("href", "#").startswith("#")
    assert "url(" not in page.text["style"]
    assert "@import" not in page.text["style"]
    assert not re.search(r"https?:|fetch\(|XMLHttp|innerHTML|eval\(|document\.write", page.text["script"])


def test_the_policy_allows_only_the_pages_own_script_and_style() -> None:
    text = html.render(report_of("6.1-null"))
    page = Reader(text)
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        body = text.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert text.index("Content-Security-Policy") < text.index("<style>")


def test_links_lead_somewhere_and_ids_are_unique() -> None:
    for name in ("6.1-null", "6.1-deadlock", "6.1-doublefree"):
        page = Reader(html.render(report_of(name)))
        assert len(page.ids) == len(set(page.ids))
        assert {link[1:] for link in page.links} <= set(page.ids)
        assert "L371" in page.ids


def test_verdict_comes_first_and_every_part_is_there() -> None:
    text = html.render(report_of("6.1-null"))
    order = [
        text.index(f'<section id="{key}"')
        for key in ("verdict", "stack", "cpus", "blocked", "system", "dump", "memory", "tables", "log")
    ]
    assert order == sorted(order)
    assert "BUG: kernel NULL pointer dereference, address: 0000000000000028" in text
    assert re.search(
        r'<li class="hit k-task"><code><b>lab_read_balance\.isra\.0</b><i>\+0x5</i> <em>labcrash</em>', text
    )
    assert text.count('class="hit') == 1
    assert re.search(r'<p id="L371" class="l\d ev"', text)


def spoil(value: Any) -> Any:
    """Put hostile text in front of every text of a report, where a dump could have put it."""
    if isinstance(value, dict):
        return {k: v if k in ("kind", "category", "address", "key") else spoil(v) for k, v in value.items()}
    if isinstance(value, list):
        return [spoil(v) for v in value]
    return HOSTILE + value if isinstance(value, str) and not value.startswith("0x") else value


def test_text_of_a_dump_stays_text() -> None:
    clean = report_of("6.1-deadlock")
    report = {k: v if k in ("schema", "oopscope") else spoil(v) for k, v in clean.items()}
    for task, before in zip(report["tasks"], clean["tasks"], strict=True):
        task["state"] = before["state"]
    report["problems"] = [{"section": HOSTILE, "message": HOSTILE, "address": None}]
    text = html.render(report)
    page, plain = Reader(text), Reader(html.render(clean))
    assert {t for t, _ in page.tags} == {t for t, _ in plain.tags}
    assert sum(t == "script" for t, _ in page.tags) == 1
    assert not [a for _, a in page.tags if any(k.startswith("on") for k in a)]
    assert not set(text) & set("\x1b\x00\x9b\u202e\ud800")
    text.encode("utf-8")


def test_category_of_no_known_name_is_no_class() -> None:
    report = report_of("6.1-null")
    report["verdict"]["category"] = '" onload="x'
    assert '<body class="unknown">' in html.render(report)


def test_sections_that_failed_or_are_not_there() -> None:
    report = {key: rows[:FEW] if isinstance(rows, list) else rows for key, rows in report_of("6.1-null").items()}
    for key in EVERY:
        page = html.render({**report, key: None, "problems": [{"section": key, "message": "gone", "address": "0x10"}]})
        assert "gone" in page
        assert html.render({k: v for k, v in report.items() if k != key})
    bare = html.render({"schema": 1, "oopscope": "0", "problems": []})
    assert "<title>Kernel crash dump</title>" in bare
    assert "</html>" in bare


def test_an_incomplete_dump_says_so_above_the_verdict() -> None:
    report = report_of("6.1-null")
    report["dump"]["complete"] = False
    text = html.render(report)
    assert text.index("This dump is incomplete") < text.index("<h1>")
    assert "This dump is incomplete" not in html.render(report_of("6.1-null"))


def frame(symbol: str | None, kind: str = "task", reliable: bool = True) -> dict[str, bool | int | str | None]:
    return {"address": "0x10", "symbol": symbol, "offset": 1, "module": None, "kind": kind, "reliable": reliable}


def test_stacks_mark_doubt_kinds_and_turns() -> None:
    text = stacks.frames([frame("a", "irq"), frame("b", "task", False), frame("c", "syscall"), frame(None, "user")])
    assert "interrupt stack" in text
    assert "interrupted" in text
    assert text.count('class="doubt') == 1
    assert "a guess" in text
    assert "system call" in text
    assert "user program" in text
    assert "a guess" not in stacks.frames([frame("a")])
    assert "no stack" in stacks.frames([])


def test_other_cpus_of_one_stack_are_shown_once() -> None:
    idle = {
        "online": True,
        "state": "idle",
        "pid": 0,
        "comm": "swapper",
        "registers": None,
        "task": None,
        "frames": [frame("do_idle"), frame("cpu_startup_entry")],
    }
    first = {**idle, "cpu": 9, "state": "panic"}
    text = stacks.render_cpus({"cpus": [first, *({**idle, "cpu": i} for i in (0, 1, 2, 5))]})
    assert "CPUs 0-2, 5" in text
    assert text.count("do_idle") == 2


def test_blocked_tasks_are_shown_with_their_stacks_longest_first() -> None:
    text = stacks.render_tasks(report_of("6.1-deadlock"))
    assert "lab-teller-ab" in text
    assert "lab_transfer" in text
    assert text.count('<ol class="stack">') == 1  # both wait at the same place
    assert "No task was in uninterruptible sleep" in stacks.render_tasks(report_of("6.1-null"))


def test_blocked_tasks_beyond_those_with_stacks_are_counted() -> None:
    report = report_of("6.1-deadlock")
    task = next(t for t in report["tasks"] if t["state"] == "D")
    report["tasks"] += [{k: v for k, v in task.items() if k != "frames"} | {"pid": 1000 + i} for i in range(9)]
    text = stacks.render_tasks(report)
    assert '<span class="note">11</span>' in text
    assert "and 9 more: oopscope bt --state D --group" in text


def test_memory_adds_up_and_a_zone_below_its_mark_is_said() -> None:
    report = report_of("7.3-oom")
    text = machine.render_memory(report)
    widths = [float(w) for w in re.findall(r'width="([\d.]+)%"', text.split("</svg>")[0])]
    assert sum(widths) == pytest.approx(100, abs=0.1)
    zone = {**report["zones"][0], "min": 100, "low": 200, "high": 300, "managed": 10_000}
    for free, said in ((50, "below min"), (150, "below low"), (250, "<em></em>")):
        assert said in machine.render_memory({"zones": [{**zone, "free": free}], "meminfo": {}})


def test_long_tables_and_logs_are_cut_with_a_word() -> None:
    report = report_of("6.1-null")
    report["log"] = report["log"] * 20
    text = log.render(report)
    assert text.count("<p id=") == log.MAX_RECORDS + 2  # two of the evidence
    assert "earlier records" in text
    rows = [{**report["slabs"][0], "name": str(i)} for i in range(tables.MAX_ROWS + 5)]
    text = tables.render({"slabs": rows})
    assert text.count("<tr") == tables.MAX_ROWS + 1
    assert "5 more rows" in text


def test_bars_stay_within_themselves() -> None:
    widths = re.findall(r'width="([\d.]+)%"', kit.bar([(0.7, "a"), (0.9, "b"), (-1, "c")], "x"))
    assert widths == ["70.00", "30.00", "0.00"]


def luminance(colour: str) -> float:
    """As WCAG 2 has it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_every_ink_is_read_on_every_ground() -> None:
    style = Reader(html.render(report_of("6.1-null"))).text["style"]
    palettes = [dict(re.findall(r"--(\w+):(#\w+)", block)) for block in re.findall(r"color-scheme:[^}]*", style)]
    assert len(palettes) == 5  # light, dark, each chosen by hand, and on paper
    for palette in (palettes[0] | other for other in palettes):
        for ink in ("ink", "soft", "faint", "link", "bad", "warn"):
            for ground in ("paper", "card", "well"):
                dark, light = sorted((luminance(palette[ink]), luminance(palette[ground])))
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


def test_of_a_long_log_and_many_tasks_the_evidence_is_always_there() -> None:
    report = dict(report_of("6.1-null"))
    report["log"] = [report["log"][n % 100] | {"ns": n} for n in range(20_000)]
    report["tasks"] = [report["tasks"][0] | {"pid": n + 1, "state": "S"} for n in range(9_000)]
    sources = [{"kind": "log", "key": "7"}, {"kind": "log", "key": "19999"}, {"kind": "task", "key": "8999"}]
    report["verdict"] = report["verdict"] | {"evidence": [{"text": "so it is", "source": s} for s in sources]}
    text = html.render(report)
    page = Reader(text)
    assert {"L7", "L19999", "pid-8999"} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {"L8", "pid-8998"} & set(page.ids) == set()
    assert "14000 earlier records" in text
    assert "5999 more rows" in text
    assert len(text.encode()) < 3_000_000
