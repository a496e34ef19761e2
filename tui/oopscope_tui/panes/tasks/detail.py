"""A task's card on the screen: its stack, its facts and family, its memory, its files, its mappings."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from oopscope.commands.questions import Answer
from oopscope.kernel.clock import SECOND, moment
from oopscope.kernel.fact import Fact
from oopscope.subsystems.cards import Facts, Rows
from oopscope_tui.look import theme
from oopscope_tui.look.text import cells, clean, fit
from oopscope_tui.look.values import human_bytes, human_seconds, show
from oopscope_tui.panes.base import empty
from oopscope_tui.panes.cards import facts_lines, led_to, section_lines
from oopscope_tui.panes.details import field_line, leads, stack_lines, words_line
from oopscope_tui.panes.tasks.table import COLUMNS
from oopscope_tui.places import Place
from oopscope_tui.reading.store import Store
from oopscope_tui.widgets.table import col
from oopscope_tui.widgets.textview import BLANK, Line, Part, line, wrapped

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import Task, Wait

STATES = {
    "R": "running or runnable", "S": "sleeping", "D": "blocked", "I": "idle kernel thread",
    "T": "stopped", "t": "traced", "Z": "zombie", "X": "dead", "P": "parked", "N": "new",
}  # fmt: skip
MORE = (
    col("tgid", "Thread group", "int", names="task"),
    col("address", "task_struct", "address", names="struct task_struct"),
)
# Asked, by the task's address, when it is looked at: its stack, and the parts of its card that the list does not tell.
PLAIN = ("call", "used", "signals", "rights", "limits", "namespaces", "environment")  # parts shown as any card's are
QUESTIONS = (
    "stack", *(f"task.{part}" for part in ("facts", "family", "memory", "paths", "files", "mappings", *PLAIN)),
)  # fmt: skip
RELATIVES = 20  # threads or children listed
FIELD = 15  # cells of a fact's title
TOLD_ELSEWHERE = {"pid", "state", "comm", "cpu", "rss_bytes", "vsz_bytes", "uid"}


def task_lines(store: Store, row: "Task", width: int) -> list[Line]:
    """Return all sections of the task of a row."""
    sections = (
        _head, _stack, _plain("call"), _task, _family, _plain("used"), _plain("signals"), _memory, _files,
        _plain("rights"), _plain("limits"), _plain("namespaces"), _plain("environment"), _mappings,
    )  # fmt: skip
    return [one for section in sections for one in section(store, row, width)]


def _plain(part: str) -> Callable[[Store, "Task", int], Iterator[Line]]:
    """Return what shows a part as a card's section is; nothing where the task has no such part, or what asks failed."""

    def lines(store: Store, row: "Task", width: int) -> Iterator[Line]:
        found, _why = _answered(store, f"task.{part}", row)
        if found is not None:
            yield from _section(found.title)
            yield from section_lines(found, width, FIELD)

    return lines


def _answered(store: Store, kind: str, row: "Task") -> tuple[Any, str]:
    """Return what was found, or None and what stands in its place."""
    answer: Answer | None = store.answer(kind, row.address)
    if answer is None:
        return None, "reading"
    return answer.value, answer.why


def _section(title: str, note: str = "", link: Place | None = None) -> Iterator[Line]:
    yield BLANK
    yield line((f" {title}", theme.TITLE), (f"  {note}" if note else "", theme.LINK if link else theme.DIM), link=link)


def _head(store: Store, row: "Task", width: int) -> Iterator[Line]:
    """The state, and for which lock it waits or who waits for it."""
    state = STATES.get(row.state or "", "")
    kind = "kernel thread" if row.kernel_thread else "process" if row.pid == row.tgid else "thread"
    style = theme.DOUBT if row.state == "D" else theme.PLAIN
    where = f" on CPU {row.cpu}" if row.cpu is not None else ""
    yield line(
        " ", (f"{row.state or '-'} {state}{where}", style), f" · {kind}",
        link=Place("cpus", row.cpu, True) if row.cpu is not None else None,
    )  # fmt: skip
    for wait in store.locks:
        if getattr(wait, "task", None) == row.address:
            yield from _waits(wait, width)
        elif getattr(wait, "owner", None) == row.address and not wait.readers:
            text = f"holds the {_lock(wait)}, for which {wait.pid} {clean(wait.comm or '')} waits"
            yield from wrapped(text, width, theme.DOUBT, " ► ", "   ", Place("tasks", wait.pid, True))
    yield from _other_waits(store, row, width)


def _other_waits(store: Store, row: "Task", width: int) -> Iterator[Line]:
    """What it waits for that is no lock, and who waits for it, by the wait-for graph."""
    locks = {wait.lock for wait in store.locks if getattr(wait, "task", None) == row.address}
    for wait in store.waits:
        if wait.task == row.address and wait.address not in locks:
            holders = f", held by {clean(', '.join(wait.holders))}" if wait.holders else ", nobody known"
            link = Place("tasks", wait.holder_pid, True) if wait.holder_pid else Place("waits")
            text = f"waits for the {clean(wait.kind)} {clean(wait.thing)}{holders}"
            yield from wrapped(text, width, theme.DOUBT if row.state == "D" else theme.PLAIN, " ► ", "   ", link)


def _waits(wait: "Wait", width: int) -> list[Line]:
    text, link = f"waits for the {_lock(wait)}", Place("locks", wait.lock, True)
    if wait.owner == wait.task:
        text += ", which by its record it holds itself, or a task that ended left"
    elif wait.ended:
        text += ", whose owner has ended"
    elif wait.owner_pid is not None:
        text += (
            f", held by {'readers, the last ' if wait.readers else ''}{wait.owner_pid} {clean(wait.owner_comm or '')}"
        )
        link = Place("tasks", wait.owner_pid, True)
    return wrapped(text, width, theme.DOUBT, " ► ", "   ", link)


def _lock(wait: "Wait") -> str:
    return clean(f"{wait.kind} {wait.name or f'{wait.lock:#x}'}")


def _stack(store: Store, row: "Task", width: int) -> Iterator[Line]:
    yield from _section("Stack")
    frames, why = _answered(store, "stack", row)
    verdict = store.verdict
    culprit = verdict.symbol if verdict is not None and verdict.pid == row.pid else None
    lines = stack_lines(frames or (), width, culprit)
    if why == "reading" and frames is None:
        yield from empty(why, width)
    elif why:
        yield line("  ! ", (why, theme.DOUBT))
    elif not lines:
        yield from empty("no frames: a task that only runs user code, or nothing saved", width)
    yield from lines
    yield from words_line(frames)


def _task(store: Store, row: "Task", width: int) -> Iterator[Line]:
    yield from _section("Task")
    memory, _ = _answered(store, "task.memory", row)
    arguments = next((fact for fact in _facts(memory) if fact.key == "arguments"), None)
    if arguments is not None and arguments.value is not None:
        yield from field_line("Arguments", clean(arguments.value), width, FIELD)
    for column in (*COLUMNS, *MORE):
        if column.key not in TOLD_ELSEWHERE:
            value = getattr(row, column.key, None)
            yield from field_line(column.title, show(column.kind, value), width, FIELD, leads(column, value))
    found, why = _answered(store, "task.facts", row)
    if found is None or found.why:
        yield from empty(why or found.why, width)
        return
    boot = store.system.get("boot_ns")
    for fact in found.facts:
        if fact.key == "started" and fact.value is not None:
            text = f"{human_seconds(fact.value)} after boot{_clock(boot, fact.value)}"
            yield from field_line(fact.title, text, width, FIELD)
        else:
            yield from facts_lines((fact,), width, FIELD)


def _facts(section: object) -> Sequence[Fact]:
    return section.facts if isinstance(section, Facts) else ()


def _clock(boot: int | None, seconds: float) -> str:
    when = moment(boot + round(seconds * SECOND)) if boot is not None else None
    return f", {when:%Y-%m-%d %H:%M:%S} UTC" if when else ""


def _family(store: Store, row: "Task", width: int) -> Iterator[Line]:
    found, _why = _answered(store, "task.family", row)
    if not isinstance(found, Rows):
        return
    yield from _section("Family")
    for at, one in enumerate(one for one in found.rows if one.relation == "parent"):
        yield from _relative("Parent" if at == 0 else "of" if at == 1 else "", one, width)
    for title, relation in (("Threads", "thread"), ("Children", "child")):
        some = [one for one in found.rows if one.relation == relation]
        for at, one in enumerate(some[:RELATIVES]):
            yield from _relative(f"{title}  {len(some):,}" if at == 0 else "", one, width)
        if len(some) > RELATIVES:
            yield line(" " * (FIELD + 3), (f"and {len(some) - RELATIVES:,} more", theme.DIM))
    if found.count is not None and found.count > len(found.rows):
        yield line(" " * (FIELD + 3), (f"{found.count - len(found.rows):,} more are not listed", theme.DIM))


def _relative(title: str, one: Any, width: int) -> list[Line]:
    text = f"{'-' if one.pid is None else one.pid} {clean(one.comm or '-')}"
    return field_line(title, text, width, FIELD, Place("tasks", one.pid, True) if one.pid else None)


def _memory(store: Store, row: "Task", width: int) -> Iterator[Line]:
    found, why = _answered(store, "task.memory", row)
    facts = {fact.key: fact for fact in _facts(found)}
    if not facts:
        yield from _section("Memory")
        yield from empty(why or found.why, width)
        return
    mm, users, arguments = (facts.pop(key, None) for key in ("mm", "users", "arguments"))
    shared = f", shared by {users.value}" if users is not None and (users.value or 0) > 1 else ""
    where = f"mm_struct {show('address', mm.value)}{shared}" if mm is not None else ""
    yield from _section("Memory", where, led_to(mm.link) if mm is not None else None)
    if arguments is not None and arguments.value is None:
        yield from facts_lines((arguments,), width, FIELD)
    yield from facts_lines(facts.values(), width, FIELD)


def _files(store: Store, row: "Task", width: int) -> Iterator[Line]:
    found, why = _answered(store, "task.files", row)
    paths, _ = _answered(store, "task.paths", row)
    if not isinstance(found, Rows) or (not found.rows and found.why):
        yield from _section("Files")
        yield from empty(why or found.why, width)
        return
    yield from _section("Files", f"{len(found.rows):,} open")
    shown = (fact for fact in _facts(paths) if fact.key != "root" or fact.value != "/")
    yield from facts_lines(shown, width, FIELD)
    digits = max((len(str(one.fd)) for one in found.rows), default=1)
    for one in found.rows:
        yield _file(one, digits, width)
        if one.why:
            yield from wrapped(one.why, width, theme.DOUBT, " " * (digits + 4) + "! ", " " * (digits + 6))
    if found.why:
        yield from wrapped(found.why, width, theme.DOUBT, "  ! ", "    ")


def _file(one: Any, digits: int, width: int) -> Line:
    """A descriptor: number, access, kind; what it is; then what is seldom asked, as far as there is room."""
    access, _, flags = one.flags.partition(" ")
    name = one.note if one.kind == "socket" and one.note else one.path
    room = width - digits - 26
    text = clean(name or "?")
    details = [flags.replace(" ", ",")] if flags else []
    if one.kind != "socket" and one.note:
        details.insert(0, one.note)
    if one.position is not None:
        of = f" of {human_bytes(one.size)}" if one.size is not None else ""
        details.insert(0, f"at {human_bytes(one.position)}{of}")
    if one.kind == "socket" and one.path:
        details.append(clean(one.path))
    parts: list[str | Part] = [f"  {one.fd:>{digits}} ", (fit(access.removeprefix("O_"), 7), theme.DIM)]
    parts += [fit(one.kind or "?", 13), (text, theme.LINK)]
    if details and cells(text) < room - 4:
        parts.append(("  " + clean("  ".join(details)), theme.DIM))
    return line(*parts, link=Place("struct", f"file@{one.address:#x}"))


def _mappings(store: Store, row: "Task", width: int) -> Iterator[Line]:
    found, _why = _answered(store, "task.mappings", row)
    if not isinstance(found, Rows):
        return
    shown, count = len(found.rows), found.count if found.count is not None else len(found.rows)
    yield from _section("Mappings", f"{count:,}" + ("" if shown == count else f", the first {shown:,}"))
    if found.why:
        yield from wrapped(found.why, width, theme.DOUBT, "  ! ", "    ")
    digits = max((len(f"{area.end:x}") for area in found.rows), default=1)
    for area in found.rows:
        span = f"  {area.start:>{digits}x}-{area.end:<{digits}x} "
        size = f"{human_bytes(area.end - area.start):>6} "
        yield line(
            (span, theme.DIM), area.perms, size, (clean(area.name or ""), theme.LINK),
            link=Place("struct", f"vm_area_struct@{area.address:#x}"),
        )  # fmt: skip
