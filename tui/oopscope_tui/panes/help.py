"""Keys: what can be pressed at the place that one came from."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from oopscope.commands.command import Command
from oopscope.commands.register import BY_WORD
from oopscope_tui.look import theme
from oopscope_tui.look.text import fit
from oopscope_tui.panes.base import Pane
from oopscope_tui.places import Place
from oopscope_tui.prompt.commands import COMMANDS
from oopscope_tui.settings import keys
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.textview import BLANK, Line, TextView, heading, line, wrapped

FILTERS = (
    ("insmod", "rows with this word; a capital makes case matter"),
    ("-idle", "rows without it"),
    ("state:D,R", "a column is one of these"),
    ("comm:work", "a column holds this"),
    ("rss>100M last>5m", "more than, with a unit; also < >= <="),
    ("comm~^kworker", "a column matches a regular expression; !~ does not"),
)
GOTO = (
    ("tasks, mem, log", "a pane, or the beginning of its name"),
    ("241, insm", "a task, by PID or by name; what fits shows while you type"),
    ("c1, labcrash", "a CPU, a module, a slab cache"),
    ("schedule, 0xff..", "a symbol or an address: where it is, who is in it"),
)


class Help(Pane):
    """The keys of a place."""

    BESIDE = False
    NARROW = "never"

    def make_main(self) -> Lines:
        """Return a text."""
        self.place_title = ""
        self.place_keys: tuple[keys.Key, ...] = ()
        view = TextView("Keys", id="main-help")
        view.show(self._text)
        return view

    def about(self, title: str, own: tuple[keys.Key, ...]) -> None:
        """Show the keys of a place."""
        self.place_title, self.place_keys = title, own
        assert isinstance(self.main, TextView)
        self.main.title = f"Keys of {title}"
        self.main.show(self._text)
        self.main.home()
        self.main.rebuild()

    def command(self, word: str) -> None:
        """Show how a command is used: its options, what is not there, examples."""
        command = BY_WORD[word.lower()]
        assert isinstance(self.main, TextView)
        self.main.title = f"Command {command.name}"
        self.main.show(lambda width: _of_command(command, width))
        self.main.home()
        self.main.rebuild()

    def here(self) -> Place:
        """Return the pane."""
        return Place(self.key)

    def _text(self, width: int) -> list[Line]:
        now = self.scope.keymap.of
        lines = [heading(f" {self.place_title}"), *_keys(map(now, self.place_keys))]
        lines += [BLANK, heading(" Everywhere"), *_keys(map(now, keys.EVERYWHERE))]
        lines += [BLANK, heading(" Filters (f)"), *_examples(FILTERS)]
        lines += [BLANK, heading(" Going to (:)"), *_examples(GOTO), *_examples(_commands())]
        lines += [BLANK, heading(" Signs"), *_signs()]
        return [*lines, BLANK, heading(" Settings"), *self._settings(width)]

    def _settings(self, width: int) -> list[Line]:
        """Return where the settings are, and what is wrong with them."""
        settings = self.scope.settings
        where = str(settings.path) if settings.path is not None else "none: OOPSCOPE_CONFIG is off"
        lines = wrapped(f"{where}  (:settings writes one to begin with)", width, first="   ", rest="   ")
        for trouble in settings.trouble:
            lines += wrapped(trouble, width, theme.DOUBT, "   ! ", "     ")
        return lines


def _of_command(command: Command, width: int) -> list[Line]:
    """Return a command's words, what follows it, its options one by one, and examples."""
    lines = [
        heading(f" {command.name} {command.usage}".rstrip()),
        *wrapped(command.help, width, first="   ", rest="   "),
    ]
    if len(command.words) > 1:
        lines += wrapped(f"also {', '.join(command.words[1:])}", width, theme.DIM, "   ", "   ")
    if not command.there:
        return lines
    there = [one for one in command.options if one.help]
    lines += (
        [BLANK, heading(" Options"), *_examples([(f"{one.name} {one.value}".strip(), one.help) for one in there])]
        if there
        else []
    )
    lacking = [one for one in command.options if not one.help]
    lines += [BLANK, heading(" Not there, and what is nearest")] if lacking else []
    for one in lacking:
        lines += wrapped(f"{one.name}  {one.missing or one.lacks}", width, theme.DIM, "   ", "       ")
    examples = [(f":{command.name} {after}", what) for after, what in command.examples if "--" not in after]
    lines += [BLANK, heading(" Examples")] if examples else []
    for line_, what in examples:
        lines += [line("   ", (line_, theme.KEY), f"   {what}")]
    return lines


def _commands() -> list[tuple[str, str]]:
    """Return every command: its words, what follows it, and what it does."""
    return [
        (", ".join(command.words[:2]), f"{command.brief}  {command.help}" if command.brief else command.help)
        for command in COMMANDS
    ]


def _keys(table: Iterable[keys.Key]) -> list[Line]:
    shown = list(table)
    return [
        line("   ", (fit(_alone(key, after), 14), theme.KEY), key.help) for key, after in zip_longest(shown, shown[1:])
    ]


def _alone(key: keys.Key, after: keys.Key | None) -> str:
    """Return how a key is written without the next line's, with which it shares a place in the key line."""
    return key.shown if after is None else key.shown.removesuffix(f" {after.shown}")


def _examples(table: Sequence[tuple[str, str]]) -> list[Line]:
    return [line("   ", (fit(example, 20), theme.KEY), words) for example, words in table]


def _signs() -> list[Line]:
    return [
        line("   ", ("►", theme.BAD), "  in a stack: where it happened"),
        line("   ", ("?", theme.DIM), "  a frame found by scanning the stack: a guess"),
        line("   ", ("▌", theme.BAD), "  in the log: from the beginning of the oops on"),
        line("   ", ("–", theme.DIM), "  absent from this kernel, or not in the dump"),  # noqa: RUF001
        line("   ", ("!", theme.DOUBT), "  could not be read; why is beside it, and in Problems"),
    ]


PANE = Help
