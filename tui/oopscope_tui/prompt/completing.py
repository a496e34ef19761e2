"""What the `:` prompt offers while a line is typed: panes, commands, rows that tables offer by name, symbols, topics.

Candidates are made as they are looked at, in slices, from what the store has; only the best are kept. A first row that
stands for the line as it is typed is what Enter does, whatever else is found.
"""

from bisect import insort
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from time import perf_counter
from typing import Any

from oopscope.commands.register import BY_WORD
from oopscope.subsystems import Column, Offer, Table, every_table
from oopscope_tui.look import palette
from oopscope_tui.look.text import cells
from oopscope_tui.look.values import show
from oopscope_tui.panes import thing_in
from oopscope_tui.places import Act, Place, Target
from oopscope_tui.prompt import fuzzy
from oopscope_tui.prompt.choice import Choice, Ranked
from oopscope_tui.prompt.commands import COMMANDS, Panes, is_guess, target_of, understand, wants_more
from oopscope_tui.reading.store import Store

KEPT = 40  # of the best
STEP = 128  # candidates between two looks at the clock
SYMBOLS = 20_000  # names from stacks that are offered
LONGEST = 120  # characters of a name that are shown


def of_panes(store: Store, panes: Panes) -> Iterator[Choice]:
    """Yield the panes."""
    for key, title in panes:
        rows = len(store.feed(key).rows)
        yield Choice(key, key, "pane", f"{title}{f', {rows:,} rows' if rows else ''}", Place(key))


def of_commands(store: Store, panes: Panes) -> Iterator[Choice]:
    """Yield the commands that are no panes, by their first word."""
    for command in COMMANDS:
        word = command.words[0]
        if word not in (key for key, _ in panes):
            yield Choice(
                f"{word} {command.brief}".rstrip(),
                f"{word} " if command.takes or command.needs else word,
                "command",
                command.help,
                None if command.needs else target_of(command.ask([])),
            )


def of_table(table: Table, offer: Offer) -> "Source":
    """Return what yields the rows of a table, as it offers them."""
    key = table.named_by[0]
    tells = [column for column in table.columns if column.key in offer.tells]

    def rows(store: Store, panes: Panes) -> Iterator[Choice]:
        for row in store.feed(table.key).rows:
            name = offer.name(row)[:LONGEST]
            if name:
                value = getattr(row, key)
                line = f"{offer.word} {value}"[: len(offer.word) + 1 + LONGEST].strip()
                told = ", ".join(_told(column, row) for column in tells if getattr(row, column.key) not in (None, ""))
                yield Choice(name, line, table.thing, told, Place(table.key, value, True))

    return rows


def _told(column: Column, row: Any) -> str:
    """Return what a column tells of a row; a bare number with its heading."""
    text = show(column.kind, getattr(row, column.key))
    return f"{column.title} {text}" if column.kind == "int" else text


def of_symbols(store: Store, panes: Panes) -> Iterator[Choice]:
    """Yield the functions in the stacks that were read, each once."""
    seen: set[str] = set()
    stacks = [row.frames for row in store.cpus]
    stacks += [answer.value for question, answer in store.answers.items() if question.kind == "stack"]
    for frame in chain.from_iterable(stack or () for stack in stacks):
        name = frame.symbol
        if name and name not in seen and len(seen) < SYMBOLS:
            seen.add(name)
            place = Place("symbol", name)
            yield Choice(name[:LONGEST], name, "symbol", f"[{frame.module}]" if frame.module else "in a stack", place)


def of_themes(store: Store, panes: Panes) -> Iterator[Choice]:
    """Yield the themes."""
    for name, theme in palette.PALETTES.items():
        yield Choice(name, f"theme {name}", "theme", theme.help, Act("theme", name))


def of_topics(store: Store, panes: Panes) -> Iterator[Choice]:
    """Yield what can be explained."""
    from oopscope.explain import every_topic, heading_of
    from oopscope.explain.also import ALSO

    topics = every_topic()
    known = {topic.name.lower() for topic in topics}
    for other, name in ALSO.items():  # a term by another of its names
        if other.lower() not in known:
            means = f"{heading_of('term')}: {name}"
            yield Choice(other, f"explain {other}", "topic", means, Act("explain", other))
    for topic in topics:
        name = f"{topic.kind}:{topic.name}"
        yield Choice(topic.name, f"explain {name}", "topic", heading_of(topic.kind), Act("explain", name))


def of_dumps(store: Store, panes: Panes) -> Iterator[Choice]:
    """Yield the dumps of a list."""
    for row in store.dumps:
        if row.state not in ("gone", "part"):
            path = str(row.path)
            yield Choice(row.name, path, "dump", row.title or row.panic or row.state or "", Act("open", path))


Source = Callable[[Store, Panes], Iterator[Choice]]


@cache
def offered(late: bool = False) -> dict[str, Source]:
    """Return the tables whose rows are offered, by what their rows are."""
    return {
        one.thing: of_table(one, one.offer) for one in every_table() if one.offer is not None and one.offer.late == late
    }


@cache
def general() -> tuple[Source, ...]:
    """Return what is gone through for a line that is no command's."""
    return of_panes, of_dumps, of_commands, *offered().values(), of_symbols, *offered(True).values()


@cache
def sources() -> dict[str, Source]:
    """Return what a command takes, by the names of commands.Command.takes."""
    own: dict[str, Source] = {"symbol": of_symbols, "theme": of_themes, "topic": of_topics, "command": of_commands}
    return {**offered(), **offered(True), **own}


@cache
def order() -> dict[str, int]:
    """Return the kinds of choices: of those that fit alike the first is offered first."""
    kinds = ("pane", "dump", "command", *offered(), "theme", "topic", "symbol", *offered(True))
    return {kind: at for at, kind in enumerate(kinds)}


class Completer:
    """What fits one line, as it is found."""

    def __init__(self, text: str, store: Store, panes: Panes) -> None:
        self.text, self._panes = text, panes
        self.found = 0
        self.first = True  # nothing of it was shown yet
        self._best: list[Ranked] = []
        head, _, rest = text.lstrip().partition(" ")
        command = BY_WORD.get(head.lower()) if rest or text.endswith(" ") else None
        takes = sources().get(command.takes) if command is not None and command.takes else None
        self._head = f"{head} " if takes is not None else ""
        self._pattern = fuzzy.lowered("".join((rest if takes is not None else text).split()))
        chosen = (takes,) if takes is not None else () if command is not None else general()
        everything = bool(self._pattern or takes is not None)
        self._candidates = chain.from_iterable(one(store, panes) for one in chosen if everything)
        self._guess = is_guess(text, panes)
        in_list = [key for key, _ in panes] == ["dumps"]  # where no kernel is open, no symbol is to be had
        self._literal = understand(text, panes) if not wants_more(text) and not (in_list and self._guess) else None
        self._number = 0
        self.done = False

    def work(self, budget: float = 0.008) -> bool:
        """Look on for about `budget` seconds; return whether more is left."""
        until = perf_counter() + budget
        while not self.done:
            for _ in range(STEP):
                choice = next(self._candidates, None)
                if choice is None:
                    self.done = True
                    break
                self._take(choice)
            if perf_counter() > until:
                break
        return not self.done

    def _take(self, choice: Choice) -> None:
        self._number += 1
        match = fuzzy.match(self._pattern, choice.shown)
        if match is None:
            return
        self.found += 1
        if self._head:  # what the command makes of it
            line = f"{self._head}{choice.line.partition(' ')[2] or choice.line}"  # a topic's name may hold blanks
            choice = choice._replace(line=line, target=understand(line, self._panes))
        length = match.length if self._pattern else 0
        rank = (match.fit, order()[choice.kind], match.start, length, self._number)
        if self._guess and choice.kind == "symbol" and match.fit > fuzzy.EXACT:
            rank = (max(rank[0], fuzzy.INSIDE), *rank[1:])
        if choice.target is not None and choice.target == self._literal:
            rank = (-1, *rank[1:])
        if len(self._best) < KEPT or rank < self._best[-1].rank:
            insort(self._best, Ranked(rank, choice, match.positions))
            del self._best[KEPT:]

    def rows(self) -> list[Ranked]:
        """Return the best, the first being what Enter does."""
        literal = self._literal
        if literal is None or any(one.choice.target == literal for one in self._best):
            return self._best
        if not self._pattern:
            return self._best
        word = self.text.split()[-1] if isinstance(literal, Place) else self.text.strip()
        kind, what = _kind_of(literal, self.text, self._guess)
        fit = -1 if not self._guess else fuzzy.INSIDE if kind == "symbol" else fuzzy.GAPS + 1
        own = Ranked((fit, -1, 0, 0, 0), Choice(word, self.text, kind, what, literal), ())
        return sorted([*self._best, own])

    def offer(self) -> str:
        """Return the line that Tab makes: of the best that is not typed in full already."""
        typed = self.text.strip().lower()
        return next((one.choice.line for one in self.rows() if one.choice.line.strip().lower() != typed), self.text)


def _kind_of(target: Target, text: str, guess: bool) -> tuple[str, str]:
    if not isinstance(target, Place):
        from oopscope_tui.prompt.offering import told

        return "command", told(text)
    if target.pane == "symbol":
        return "symbol", "look it up among the kernel's symbols" if guess else "look it up"
    if text.split()[0].lower() in BY_WORD and len(text.split()) > 1:
        from oopscope_tui.prompt.offering import told

        return "command", told(text)
    return (thing_in(target.pane) or "pane") if target.key is not None else "pane", target.pane


def widest(rows: list[Ranked]) -> int:
    """Return the cells of the widest name."""
    return max((cells(one.choice.shown) for one in rows), default=0)
