"""Every key of the screen, in one table: the bindings, the key line and the help are made from it.

The fingers know them already: less and vim (/ n N g G), k9s (: Enter Esc), top (< > R), htop.
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from textual.binding import Binding


class Key(NamedTuple):
    """A key or several (comma-separated, Textual's names), what it does, and how it is shown."""

    keys: str
    action: str
    shown: str  # as the key line and the help write the key
    label: str  # one word for the key line; empty: not on the key line
    help: str
    priority: bool = False
    called: str = ""  # its name in the settings, where the action's own is not enough

    @property
    def name(self) -> str:
        """The action's name in the settings; keys of one name are changed together. Empty: not to be changed."""
        return self.called or _name_of(self.action)


@cache  # the line of keys asks for it with every key that is pressed
def _name_of(action: str) -> str:
    action, _, argument = action.removeprefix("app.").rstrip(")").partition("(")
    return argument.strip("'") if "'" in argument else action.replace("_", "-")


EVERYWHERE = (
    Key("1,2,3,4,5,6,7,8,9", "", "1-9", "", "the tab of that number; again: the next view of it"),
    Key("full_stop", "app.next_view(1)", ". ,", "", "the next view of this tab", called="next-view"),
    Key("comma", "app.next_view(-1)", ",", "", "the previous view of this tab", called="previous-view"),
    Key("tab", "app.next_pane(1)", "Tab", "", "next pane, of this tab or of the next", called="next-pane"),
    Key("shift+tab", "app.next_pane(-1)", "Shift-Tab", "", "previous pane", called="previous-pane"),
    Key("colon", "app.prompt('goto')", ":", "go to", "go to a pane, a PID, cpu N, or a symbol"),
    Key("ctrl+p", "app.command_palette", "Ctrl-P", "", "every command and place in one list", called="commands"),
    Key("escape,backspace", "app.back", "Esc", "back", "back to where you were"),
    Key("e", "app.explain", "e", "explain", "explain the selected thing: a cause, a state, a column, a counter"),
    Key("y", "app.copy", "y", "copy", "copy the selected thing (OSC 52: through SSH too)"),
    Key("Y", "app.copy_all", "Y", "", "copy the whole section, such as a stack; of a list the detail beside it"),
    Key("w", "app.prompt('write')", "w", "write", "write the pane: .txt .csv .json .md .html; .svg: a picture"),
    Key("question_mark,f1", "app.help", "?", "keys", "the keys of this place"),
    Key("q", "app.leave", "q", "quit", "quit; from these keys and from an explanation: back", called="quit"),
    Key(
        "ctrl+c,ctrl+q",
        "app.quit",
        "Ctrl-C",
        "",
        "quit at once; at a prompt: only leave it",
        priority=True,
        called="quit-at-once",
    ),
    Key("ctrl+z", "app.suspend_process", "Ctrl-Z", "", "to the shell; fg comes back"),
    Key("ctrl+l", "app.repaint", "Ctrl-L", "", "repaint the screen"),
)

LINES = (
    Key("slash", "app.prompt('search')", "/", "search", "search: a regular expression, smart case"),
    Key("n", "hit(1)", "n", "", "next match", called="next-match"),
    Key("N", "hit(-1)", "N", "", "previous match", called="previous-match"),
    Key("f", "app.prompt('filter')", "f", "filter", "show only rows with a word, or state:D rss>100M comm~^kw -idle"),
    Key("enter", "open", "Enter", "open", "open or follow the selected row"),
    Key("down,j", "move(1)", "↓ j", "", "down", called="down"),
    Key("up,k", "move(-1)", "↑ k", "", "up", called="up"),
    Key("pagedown,space,ctrl+f", "page(1)", "Space PgDn", "", "a page down", called="page-down"),
    Key("pageup,b,ctrl+b", "page(-1)", "b PgUp", "", "a page up", called="page-up"),
    Key("ctrl+d", "half(1)", "Ctrl-D", "", "half a page down", called="half-down"),
    Key("ctrl+u", "half(-1)", "Ctrl-U", "", "half a page up", called="half-up"),
    Key("g,home", "edge(0)", "g", "", "to the first row", called="first"),
    Key("G,end", "edge(1)", "G", "", "to the last row", called="last"),
    Key("right,l", "aside(1)", "→ l", "", "into the detail; in text: scroll right", called="right"),
    Key("left,h", "aside(-1)", "← h", "", "back to the list; in text: scroll left", called="left"),
)

TEXT = (
    Key("right_square_bracket", "section(1)", "] [", "section", "to the next heading", called="next-section"),
    Key("left_square_bracket", "section(-1)", "[", "", "to the previous heading", called="previous-section"),
)

TABLE = (
    Key("s,greater_than_sign", "sort(1)", "s", "sort", "sort by the next column", called="sort"),
    Key("less_than_sign", "sort(-1)", "<", "", "sort by the previous column", called="sort-back"),
    Key("R,S", "reverse", "R", "", "reverse the order"),
    Key("c", "columns", "c", "columns", "choose the columns, their order and widths"),
)

DUMPS = (Key("g", "group", "g", "by bug", "by bug: how many dumps of each, the most frequent first; again: by time"),)

CHOOSER = (
    Key("space", "show_column", "Space", "show", "show or hide the column", called="show-column"),
    Key("less_than_sign,left", "shift(-1)", "< >", "move", "put it further to the left", called="column-left"),
    Key("greater_than_sign,right", "shift(1)", ">", "", "and to the right", called="column-right"),
    Key("plus", "widen(1)", "+ -", "width", "make it wider", called="wider"),
    Key("minus", "widen(-1)", "-", "", "and narrower", called="narrower"),
    Key("r", "default", "r", "default", "all as it was", called="default-columns"),
    Key("c,escape,backspace", "close", "c", "done", "back to the list: what was chosen stays", called="close-columns"),
)

CPUS = (
    Key("plus", "unfold", "+", "", "show the CPUs of a group; Enter too"),
    Key("minus", "fold", "-", "", "show the group alone"),
)

TASKS = (
    Key("D", "blocked", "D", "blocked", "only blocked tasks, longest first; again: all"),
    Key("t", "tree", "t", "tree", "the tree: children under parents, threads under processes; again: the list"),
    Key("space", "fold_or_page", "Space", "", "in the tree: fold or unfold what is under a task; else a page down"),
    Key("minus", "fold", "-", "", "in the tree: fold; where nothing is to fold, the parent"),
    Key("plus", "unfold", "+", "", "in the tree: unfold"),
)

LOG = (
    Key("t", "times", "t", "times", "times: since boot, of the wall clock, before the crash"),
    Key("l", "level(1)", "l", "level", "levels: all, warnings and worse, errors and worse"),
    Key("o", "oops", "o", "oops", "to where the oops begins"),
    Key("right_square_bracket", "trouble(1)", "] [", "errors", "to the next error or oops", called="next-error"),
    Key("left_square_bracket", "trouble(-1)", "[", "", "to the previous one", called="previous-error"),
    Key("c", "follow", "c", "caller", "only the records of this one's caller, a task or a CPU; again: all"),
    Key("z", "fold_all", "z", "folds", "fold all stack traces and tables; again: unfold them"),
    Key("space", "fold_or_page", "Space", "", "on a folded block (▸): unfold or fold it; else a page down"),
    Key("minus", "fold", "-", "", "fold the block that the cursor is in"),
    Key("plus", "unfold", "+", "", "unfold it"),
    Key("W", "wrap", "W", "", "wrap long lines; again: → and ← scroll sideways"),
)

# Of the command palette, which has them from Textual: only shown.
PALETTE = (
    Key("enter", "", "Enter", "go", ""),
    Key("down", "", "↑ ↓", "choose", ""),
    Key("escape", "", "Esc", "back", ""),
)

# Every table, by where its keys work; those of SHARED work in most places.
TABLES = {"everywhere": EVERYWHERE, "lists": LINES, "texts": TEXT, "tables": TABLE, "cpus": CPUS, "tasks": TASKS,
          "log": LOG, "columns": CHOOSER, "dumps": DUMPS}  # fmt: skip
SHARED = ("everywhere", "lists", "tables")


def bindings(keys: Iterable[Key]) -> list[Binding]:
    """Return Textual's bindings for keys that have an action."""
    return [
        Binding(key.keys, key.action, key.help, show=False, priority=key.priority, id=key.name)
        for key in keys
        if key.action
    ]


def without(table: Iterable[Key], own: Iterable[Key]) -> tuple[Key, ...]:
    """Return a table as it is left where a place has some of its keys for itself."""
    taken = {name for key in own for name in key.keys.split(",")}
    left = []
    for key in table:
        names = [name for name in key.keys.split(",") if name not in taken]
        shown = [word for word in key.shown.split() if (word if len(word) == 1 else word.lower()) not in taken]
        if names:
            left.append(key._replace(keys=",".join(names), shown=" ".join(shown)))
    return tuple(left)


def digits() -> list[Binding]:
    """Return the bindings of the digits, each to the tab of its number."""
    return [Binding(str(number), f"app.pane({number})", show=False) for number in range(1, 10)]
