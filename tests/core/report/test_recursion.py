"""Recursions in stacks are told once, in text, on the page and by bt."""

from typing import Any

import pytest

from oopscope.kernel.frame import Frame
from oopscope.report import text
from oopscope.report.frames import frame_lines
from oopscope.report.page import stacks as page
from oopscope.report.recursion import folded


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("", []),
        ("abc", [("a", 1), ("b", 1), ("c", 1)]),
        ("aaa", [("a", 1)] * 3),
        ("xaaaay", [("x", 1), ("a", 4), ("y", 1)]),
        ("xabababababy", [("x", 1), ("ab", 5), ("y", 1)]),
        ("abcdabcdabcdabcdab", [("abcd", 4), ("a", 1), ("b", 1)]),
        ("aaaaabaaaab", [("a", 5), ("b", 1), ("a", 4), ("b", 1)]),
    ],
)
def test_what_stands_in_a_row_is_folded(keys: str, found: list[Any]) -> None:
    assert [("".join(part), times) for part, times in folded(keys, str)] == found
    assert "".join("".join(part) * times for part, times in folded(keys, str)) == keys


NAMES = ["top", *["descend", "recurse"] * 200, "entry"]
FRAMES = [
    {"address": f"{at:#x}", "symbol": name, "offset": len(name), "module": None, "kind": "task", "reliable": True}
    for at, name in enumerate(NAMES)
]


def test_hundreds_of_frames_are_a_few_lines() -> None:
    assert list(text.frames_text(FRAMES, "")) == [
        "top+0x3\n", "descend+0x7\n", "recurse+0x7\n", "... the same 2 frames 199 times more\n", "entry+0x5\n",
    ]  # fmt: skip
    html = page.frames(FRAMES, "recurse+0x7")
    assert html.count("<li") == 5
    assert "the same 2 frames 199 times more" in html
    assert html.count('class="hit') == 1
    calls = [Frame(0x1000 + NAMES.index(name), name, len(name), None, "task", True) for name in NAMES]
    assert [line.split()[-1] for line in frame_lines(calls)] == [
        "top+0x3", "descend+0x7", "recurse+0x7", "more", "entry+0x5",
    ]  # fmt: skip
