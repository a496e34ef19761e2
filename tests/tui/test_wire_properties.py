"""Any run of updates, written as differences, leaves the terminal as a full repaint of the last screen would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from oopscope_tui.terminal.wire import Wire
from properties import few
from tui.terminal import Terminal

WIDTH, HEIGHT, EDGE = 24, 8, 11  # panes are cut at EDGE
STYLES = st.sampled_from(
    [Style.null(), Style(bold=True), Style(color="red"), Style(reverse=True), Style(color="black", bgcolor="yellow")]
)
WORDS = st.sampled_from(["a", "plain words", "世界", "e\u0301x", "   ", "│", "►", ""])


def strips(width: int) -> st.SearchStrategy[Strip]:
    """A line of a pane, exactly as wide as it."""
    segments = st.lists(st.builds(Segment, WORDS, STYLES), max_size=4)
    return segments.map(lambda line: Strip(line).adjust_cell_length(width))


LINES = st.lists(strips(WIDTH), min_size=HEIGHT, max_size=HEIGHT)
WHOLE = LINES.map(lambda lines: LayoutUpdate([[line] for line in lines], Region(0, 0, WIDTH, HEIGHT)))


@st.composite
def scrolled(draw: st.DrawFn) -> list[CompositorUpdate]:
    """A screen, and the same with its lines moved."""
    lines, by = draw(LINES), draw(st.integers(1, HEIGHT - 1))
    moved = lines[by:] + lines[:by]
    return [LayoutUpdate([[line] for line in each], Region(0, 0, WIDTH, HEIGHT)) for each in (lines, moved)]


@st.composite
def pieces(draw: st.DrawFn) -> list[CompositorUpdate]:
    """Some lines of some panes anew."""
    chops: list[dict[int, Strip | None]] = [{0: None, EDGE: None} for _ in range(HEIGHT)]
    spans = []
    for y in sorted(draw(st.sets(st.integers(0, HEIGHT - 1), min_size=1))):
        left, right = draw(st.sampled_from([(True, False), (False, True), (True, True)]))
        chops[y] = {
            0: draw(strips(EDGE)) if left else None,
            EDGE: draw(strips(WIDTH - EDGE)) if right else None,
        }
        spans.append((y, 0 if left else EDGE, WIDTH if right else EDGE))
    return [ChopsUpdate(chops, spans, [[EDGE, WIDTH]] * HEIGHT)]


UPDATES = st.lists(WHOLE.map(lambda one: [one]) | scrolled() | pieces(), min_size=1, max_size=5)


@pytest.mark.thorough
@few
@given(st.lists(strips(WIDTH), min_size=HEIGHT, max_size=HEIGHT), UPDATES, st.booleans())
def test_a_changed_screen_is_what_a_full_repaint_shows(
    first: list[Strip], updates: list[list[CompositorUpdate]], lost: bool
) -> None:
    console = Console(color_system="standard", force_terminal=True)
    wire, terminal = Wire(), Terminal(WIDTH, HEIGHT)
    start = LayoutUpdate([[line] for line in first], Region(0, 0, WIDTH, HEIGHT))
    terminal.feed(wire.update(start).render_segments(console))
    for update in (one for run in updates for one in run):
        terminal.feed(wire.update(update).render_segments(console))
    if lost:  # something else has written over it
        terminal.feed("\x1b[3;4Hnoise")
        wire.forget()
        terminal.feed(wire.update(updates[-1][-1]).render_segments(console))
    anew = Terminal(WIDTH, HEIGHT)
    frame = wire._frame
    assert frame is not None
    wire.forget()
    again = ChopsUpdate([{0: None, EDGE: None}] * HEIGHT, [], [[EDGE, WIDTH]] * HEIGHT)
    anew.feed(wire.update(again).render_segments(console))
    assert terminal.rows == anew.rows == frame
