"""The README's lists are what the code says, and each list is there."""

import re
from pathlib import Path

from oopscope_tui.tools.readme import BLOCK, LISTS, renewed

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def test_the_lists_are_made_from_the_code() -> None:
    text = README.read_text(encoding="utf-8")
    assert renewed(text) == text, "run: python -m oopscope_tui.tools.readme"
    assert sorted(name for _, name, _ in BLOCK.findall(text)) == sorted(LISTS)


def test_what_changed_in_the_code_changes_the_list() -> None:
    before = "a\n<!-- made: rules -->\n\n- `no_such_rule`: x\n\n<!-- end -->\nb\n"
    after = renewed(before)
    assert "no_such_rule" not in after
    assert "- `null_pointer`: " in after
    assert (after[:2], after[-3:]) == ("a\n", "\nb\n")
    assert renewed(after) == after


def test_nothing_is_cut_where_a_page_is_830_pixels_wide() -> None:
    """So many pixels hold some 97 letters of code, and a picture that is drawn so wide or narrower."""
    text = README.read_text(encoding="utf-8")
    parts = text.split("```")
    assert [line for part in parts[1::2] for line in part.splitlines() if len(line) > 97] == []
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    assert len(pictures) == 2, "two large ones"
    for picture in pictures:
        assert (ROOT / picture).exists(), picture
    links = re.findall(r"\]\((screenshots[^)]*)\)", text)
    assert all((ROOT / link).exists() for link in links)
