"""What one task is, in sections: its stack, its facts and family, its memory, its files, its mappings."""

from collections.abc import Iterator, Sequence
from typing import Any

from oopscope.commands.questions import Answer
from oopscope.kernel.clock import SECOND, moment
from oopscope_tui.look import theme
from oopscope_tui.look.text import cells, clean, fit
from oopscope_tui.look.values import human_bytes, human_seconds, show
from oopscope_tui.panes.base import empty
from oopscope_tui.panes.details import address_link, field_line, link_of, stack_lines, words_line
from oopscope_tui.panes.tasks.table import COLUMNS
from oopscope_tui.places import Place
from oopscope_tui.reading.store import Store
from oopscope_tui.widgets.table import col
from oopscope_tui.widgets.textview import BLANK, Line, Part, line, wrapped

STATES = {
    "R": "running or runnable", "S": "sleeping", "D": "blocked", "I": "idle kernel thread",
    "T": "stopped", "t": "traced", "Z": "zombie", "X": "dead", "P": "parked", "N": "new",
}  # fmt: skip
MORE = (col("tgid", "Thread group", "int"), col("address", "task_struct", "address"))
QUESTIONS = ("stack", "task-facts", "task-memory", "task-files")  # asked, by the task's address, when it is looked at
RELATIVES = 20  # threads or children listed
FIELD = 15  # cells of a fact's title
TOLD_ELSEWHERE = {"pid", "state", "comm", "cpu", "rss_bytes", "vsz_bytes", "uid"}
MEMBERS = {"anonymous", "files", "shared", "at its most", "data", "stack", "code", "locked"}  # shares of the one before


def task_lines(store: Store, row: Any, width: int) -> list[Line]:
    """Return all sections of the task of a row."""
    sections = (_head, _stack, _task, _family, _memory, _files, _mappings)
    return [one for section in sections for one in section(store, row, width)]


def _answered(store: Store, kind: str, row: Any) -> tuple[Any, str]:
    """Return what was found, or None and what stands in its place."""
    answer: Answer | None = store.answer(kind, row.address)
    if answer is None:
        return None, "reading"
    return answer.value, answer.why


def _section(title: str, note: str = "", link: Place | None = None) -> Iterator[Line]:
    yield BLANK
    yield line((f" {title}", theme.TITLE), (f"  {note}" if note else "", theme.LINK if link else theme.DIM), link=link)


def _head(store: Store, row: Any, width: int) -> Iterator[Line]:
    """The state, and for which lock it waits or who waits for it."""
    state = STATES.get(row.state, "")
    kind = "kernel thread" if row.kernel_thread else "process" if row.pid == row.tgid else "thread"
    style = theme.DOUBT if row.state == "D" else theme.PLAIN
    where = f" on CPU {row.cpu}" if row.cpu is not None else ""
    yield line(
        " ", (f"{row.state or '-'} {state}{where}", style), f" · {kind}",
        link=Place("cpus", row.cpu, True) if row.cpu is not None else None,
    )  # fmt: skip
    for wait in store.feed("locks").rows:
        if getattr(wait, "task", None) == row.address:
            yield from _waits(wait, width)
        elif getattr(wait, "owner", None) == row.address and not wait.readers:
            text = f"holds the {_lock(wait)}, for which {wait.pid} {clean(wait.comm or '')} waits"
            yield from wrapped(text, width, theme.DOUBT, " ► ", "   ", Place("tasks", wait.pid, True))


def _waits(wait: Any, width: int) -> list[Line]:
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


def _lock(wait: Any) -> str:
    return clean(f"{wait.kind} {wait.name or f'{wait.lock:#x}'}")


def _stack(store: Store, row: Any, width: int) -> Iterator[Line]:
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


def _task(store: Store, row: Any, width: int) -> Iterator[Line]:
    yield from _section("Task")
    memory, _ = _answered(store, "task-memory", row)
    if memory is not None and memory.arguments is not None:
        yield from field_line("Arguments", clean(memory.arguments), width, FIELD)
    for column in (*COLUMNS, *MORE):
        if column.key not in TOLD_ELSEWHERE:
            value = getattr(row, column.key, None)
            link = address_link(column.title, value) if column.kind == "address" else link_of(column.key, value)
            yield from field_line(column.title, show(column.kind, value), width, FIELD, link)
    found, why = _answered(store, "task-facts", row)
    if found is None:
        yield from empty(why, width)
        return
    boot = store.system.get("boot_ns")
    for fact in found.facts:
        if fact.value == ():
            continue
        text = show(fact.kind, fact.value)
        if fact.key == "started" and fact.value is not None:
            text = f"{human_seconds(fact.value)} after boot{_clock(boot, fact.value)}"
        yield from field_line(clean(fact.title), text, width, FIELD, link_of(fact.key, fact.value))


def _clock(boot: int | None, seconds: float) -> str:
    when = moment(boot + round(seconds * SECOND)) if boot is not None else None
    return f", {when:%Y-%m-%d %H:%M:%S} UTC" if when else ""


def _family(store: Store, row: Any, width: int) -> Iterator[Line]:
    found, _why = _answered(store, "task-facts", row)
    if found is None or not (found.parents or found.thread_count or found.child_count):
        return
    yield from _section("Family")
    for at, one in enumerate(found.parents):
        yield from _relative("Parent" if at == 0 else "of" if at == 1 else "", one, width)
    for title, some, count in (
        ("Threads", found.threads, found.thread_count),
        ("Children", found.children, found.child_count),
    ):
        for at, one in enumerate(some[:RELATIVES]):
            yield from _relative(f"{title}  {count:,}" if at == 0 else "", one, width)
        if count > RELATIVES:
            yield line(" " * (FIELD + 3), (f"and {count - RELATIVES:,} more", theme.DIM))


def _relative(title: str, one: Any, width: int) -> list[Line]:
    text = f"{'-' if one.pid is None else one.pid} {clean(one.comm or '-')}"
    return field_line(title, text, width, FIELD, Place("tasks", one.pid, True) if one.pid else None)


def _memory(store: Store, row: Any, width: int) -> Iterator[Line]:
    found, why = _answered(store, "task-memory", row)
    if found is None or not found.sizes:
        yield from _section("Memory")
        yield from empty(why or found.why, width)
        return
    shared = f", shared by {found.users}" if found.users > 1 else ""
    yield from _section("Memory", f"mm_struct {found.mm:#x}{shared}", Place("struct", f"mm_struct@{found.mm:#x}"))
    if found.arguments is None:
        yield from field_line("Arguments", found.arguments_why, width, FIELD, style=theme.DIM)
    for size, shares in _grouped(found.sizes):
        note = ", ".join(f"{one.name} {human_bytes(one.bytes)}" for one in shares if one.bytes)
        text = human_bytes(size.bytes)
        yield from field_line(clean(size.name), f"{text:<7}{note}" if note else text, width, FIELD)


def _grouped(sizes: Sequence[Any]) -> list[tuple[Any, list[Any]]]:
    groups: list[tuple[Any, list[Any]]] = []
    for size in sizes:
        if size.name in MEMBERS and groups:
            groups[-1][1].append(size)
        else:
            groups.append((size, []))
    return groups


def _files(store: Store, row: Any, width: int) -> Iterator[Line]:
    found, why = _answered(store, "task-files", row)
    if found is None or (not found.files and found.why):
        yield from _section("Files")
        yield from empty(why or found.why, width)
        return
    yield from _section("Files", f"{len(found.files):,}{' and more' if found.more else ''} open")
    for title, value in (
        ("Runs", found.exe),
        ("Stands in", found.cwd),
        ("Root", found.root if found.root != "/" else ""),
    ):
        if value != "":
            yield from field_line(title, show("text", value), width, FIELD)
    digits = max((len(str(one.fd)) for one in found.files), default=1)
    for one in found.files:
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


def _mappings(store: Store, row: Any, width: int) -> Iterator[Line]:
    found, _why = _answered(store, "task-memory", row)
    if found is None or not found.sizes:
        return
    shown = len(found.areas)
    yield from _section(
        "Mappings", f"{found.area_count:,}" + ("" if shown == found.area_count else f", the first {shown:,}")
    )
    if found.why:
        yield from wrapped(found.why, width, theme.DOUBT, "  ! ", "    ")
    digits = max((len(f"{area.end:x}") for area in found.areas), default=1)
    for area in found.areas:
        span = f"  {area.start:>{digits}x}-{area.end:<{digits}x} "
        size = f"{human_bytes(area.end - area.start):>6} "
        yield line(
            (span, theme.DIM), area.perms, size, (clean(area.name or ""), theme.LINK),
            link=Place("struct", f"vm_area_struct@{area.address:#x}"),
        )  # fmt: skip
