"""Overview: why it died, on which evidence, and what a support guide asks first, with no key pressed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from oopscope.kernel.clock import seconds
from oopscope.report.cells import counted_otherwise
from oopscope_tui.look import theme
from oopscope_tui.look.text import ABSENT, cells, clean, fit, plural
from oopscope_tui.look.values import human_bytes, human_seconds
from oopscope_tui.panes import place_of, wide
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.details import field_line, stack_lines
from oopscope_tui.places import Place
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.textview import BLANK, Line, TextView, heading, line, wrapped

if TYPE_CHECKING:
    from oopscope.triage.finding import Source
    from oopscope_tui.reading.rows import Cpu, Evidence, Frame, Task, Verdict

BLOCKED = 5  # tasks listed
HIGH = 38  # lines of the pane from which there is room for more than the facts
FRAMES = 24
LOG_LINES = 12
FIELD = 9  # cells of a field's title
HOW = 11  # cells of the names of a fault's lines
OF_CPU = ("frame", "register")  # evidence that stands in a CPU's stack


class Overview(Pane):
    """The verdict; on a wide screen the facts beside it."""

    NARROW = "never"
    SHARE = 46
    needs = ("verdict", "system", "cpus", "log", "tasks", "meminfo")

    def make_main(self) -> Lines:
        """Return a text."""
        view = TextView("Verdict", id="main-overview")
        view.show(self._text)
        return view

    def refill(self) -> None:
        """Make the text anew."""
        assert isinstance(self.main, TextView)
        verdict = self.store.verdict
        if verdict is not None:
            self.main.title = f"Verdict · {verdict.confidence} · {verdict.category}"
            if verdict.category == "memory":
                self.scope.ask("memory-shares", 0)
            waiting = self._waiting()
            if waiting is not None:
                self.scope.ask("stack", waiting.address)
        self.main.rebuild()

    def place_views(self) -> None:
        """What stands beside on a wide screen follows on a narrow one."""
        super().place_views()
        self.refill()

    def here(self) -> Place:
        """Return the pane; it has no rows."""
        return Place(self.key, None, self.opened)

    def crumbs(self) -> list[str]:
        """Return the pane."""
        return [self.title]

    def detail_title(self) -> str:
        """Return the title of the facts."""
        return "Machine"

    def _text(self, width: int) -> list[Line]:
        lines = [*self._verdict(width), *self._stack(width), *self._next(width), *self._last_words(width)]
        if not self.beside:
            lines += [BLANK, *self.detail(width)]
        return lines

    def detail(self, width: int) -> Sequence[Line]:
        """Return the facts: log, blocked tasks, system, dump."""
        lines = [*self._first_error(width), *self._blocked(width), heading(" System"), *self._system(width)]
        lines += [BLANK, heading(" Dump"), *self._dump(width)]
        besides: list[Line] = []
        for block in self._wide(width):  # as many as leave the facts in view
            if len(besides) + len(block) + len(lines) < self.size.height:
                besides += block
        return [*besides, *lines]

    def _wide(self, width: int) -> list[list[Line]]:
        """Return what a wide and high screen may have room for besides: code, CPUs, memory."""
        if not self.beside or self.size.height < HIGH:
            return []
        verdict = self.store.verdict
        key = wide.code_key(self._told_stack()[2], verdict.symbol) if verdict is not None else ""
        if key:
            self.scope.ask("code", key)
        code = wide.code_lines(self.store.answer("code", key), key, width) if key else []
        cpus = wide.cpu_lines(self.store.cpus, width, wide.CPUS + max(0, self.size.height - 46))
        return [code, cpus, wide.memory_lines(self.store.counters, width)]

    # The verdict.

    def _verdict(self, width: int) -> list[Line]:
        verdict = self.store.verdict
        if verdict is None:
            why = self.store.verdict_why
            return wrapped(f"No verdict: {why}", width, theme.DOUBT) if why else empty("reading the dump", width)
        style = theme.DOUBT if verdict.confidence == "possible" or verdict.category == "unknown" else theme.BAD
        lines = wrapped(verdict.title, width, style)
        lines += wrapped(verdict.summary, width)
        lines.append(BLANK)
        lines += self._who(verdict, width)
        lines += self._known(verdict, width)
        lines += self._how(verdict, width)
        if verdict.evidence:
            lines += [BLANK, heading(" Evidence")]
            for one in verdict.evidence:
                lines += evidence_lines(one, width)
        return [*lines, *self._also_wrong(width), BLANK]

    def _also_wrong(self, width: int) -> list[Line]:
        """Return the findings that matter: notes are the report's."""
        grave = [one for one in getattr(self.store.verdict, "findings", ()) if one.severity != "note"]
        lines = [BLANK, heading(" Also wrong")] if grave else []
        for one in grave:
            age = f"{human_seconds(one.age_seconds)} before: " if one.age_seconds else ""
            style = theme.BAD if one.severity == "error" else theme.DOUBT
            place = next((piece.source for piece in one.evidence if piece.source.kind in ("log", "task")), None)
            link = _stands(place) if place is not None and place.key.isdigit() else None
            lines += wrapped(clean(f"{age}{one.text}"), width - 2, style, "  • ", "    ", link)
        return lines

    def _next(self, width: int) -> list[Line]:
        verdict = self.store.verdict
        if verdict is None or not verdict.next_steps:
            return []
        lines = [BLANK, heading(" Next")]
        for at, step in enumerate(verdict.next_steps, 1):
            lines += wrapped(step, width, theme.PLAIN, f"  {at}. ", "     ")
        return lines

    def _last_words(self, width: int) -> list[Line]:
        """Return the log from where the oops begins."""
        rows, oops = self.store.records, self.store.oops
        if oops is None:
            return []
        lines = [BLANK, line((" Log, from where it begins", theme.TITLE), link=Place("log", rows[oops].index))]
        for row in rows[oops : oops + LOG_LINES]:
            stamp = f"  {seconds(row.ns, 6)}  " if row.ns is not None else " " * 17
            text = clean((row.text or "").partition("\n")[0].replace("\t", "    "))
            style = theme.LEVELS[row.level][2] if row.level is not None and row.level in range(8) else theme.PLAIN
            lines.append(Line(((stamp, theme.DIM), (text, style)), Place("log", row.index)))
        return lines

    def _who(self, verdict: "Verdict", width: int) -> list[Line]:
        lines: list[Line] = []
        if verdict.panic_message:
            lines += field_line("Panic", clean(verdict.panic_message), width, FIELD)
        if verdict.category == "memory":
            lines += self._most(width)
        if verdict.symbol:
            module = f" [{verdict.module}]" if verdict.module else ""
            link = Place("symbol", verdict.symbol.partition("+")[0])
            lines += field_line("In", clean(verdict.symbol + module), width, FIELD, link)
        if verdict.cpu is not None:
            from oopscope.report.facts import ASLEEP

            text = f"{verdict.cpu}, on which it was noticed" if verdict.cause in ASLEEP else f"{verdict.cpu}"
            lines += field_line("CPU", text, width, FIELD, Place("cpus", verdict.cpu, True))
        if verdict.pid is not None:
            link = Place("tasks", verdict.pid, True)
            lines += field_line("Task", clean(f"{verdict.pid} {verdict.comm or ''}"), width, FIELD, link)
        return lines

    def _known(self, verdict: "Verdict", width: int) -> list[Line]:
        """Return the known bugs that fit."""
        bugs = getattr(verdict, "known", ())
        if not bugs:
            return []
        from oopscope.triage.known import words

        return [one for bug in bugs for one in field_line("Known", clean(words(bug._asdict())), width, FIELD)]

    def _how(self, verdict: "Verdict", width: int) -> list[Line]:
        """Return what the faulting instruction did, and who passed it what it used."""
        fault = getattr(verdict, "fault", None)
        if fault is None:
            return []
        from oopscope.report.fault import fault_data, how

        lines = [BLANK, heading(" How")]
        key = wide.code_key(self._told_stack()[2], verdict.symbol)
        for name, text in how(fault_data(fault) or {}):
            link = Place("code", key) if name == "instruction" and key else None
            lines += field_line(name.capitalize(), clean(text), width, HOW, link)
        return lines

    def _told_stack(self) -> "tuple[str, Place | None, Sequence[Frame]]":
        """Return whose stack is shown, where it is, and its frames: of the task that waited, else of the dead CPU."""
        waiting, cpu = self._waiting(), self._dead_cpu()
        answer = self.store.answer("stack", waiting.address) if waiting is not None else None
        if waiting is not None and answer is not None and answer.value:
            return f"{waiting.pid} {waiting.comm or ''}", Place("tasks", waiting.pid, True), answer.value
        if cpu is not None:
            return f"CPU {cpu.cpu}", Place("cpus", cpu.cpu, True), tuple(cpu.frames or ())
        return "", None, ()

    def _stack(self, width: int) -> list[Line]:
        """Return the stack of the task that waited, where the verdict is of one; else of the CPU that died."""
        text, link, frames = self._told_stack()
        if link is None:
            cpus = self.store.feed("cpus")
            note = "no CPU is known to have panicked" if cpus.state == "done" else f"CPUs: {cpus.note}"
            return [heading(" Stack"), *empty(note, width)]
        verdict = self.store.verdict
        title = line((f" Stack of {text}", theme.TITLE), link=link)
        lines = [title, *stack_lines(frames, width, verdict.symbol if verdict else None, most=FRAMES)]
        return lines if frames else [*lines, *empty("no frames", width)]

    def _dead_cpu(self) -> "Cpu | None":
        """The CPU that panicked, or that the verdict names; None for none."""
        rows, verdict = self.store.cpus, self.store.verdict
        found = next((row for row in rows if row.state == "panic"), None)
        if found is None and verdict is not None and verdict.cpu is not None:
            found = next((row for row in rows if row.cpu == verdict.cpu), None)
        return found

    def _waiting(self) -> "Task | None":
        """The task of a hang's verdict, where another was running when the machine died; None for none."""
        verdict = self.store.verdict
        if verdict is None or verdict.category != "hang" or not verdict.pid:
            return None
        if any(row.pid == verdict.pid for row in self.store.cpus):
            return None  # its stack is the CPU's
        return next((row for row in self.store.tasks if row.pid == verdict.pid), None)

    def _most(self, width: int) -> list[Line]:
        """What held most of the memory that was not free, when it ran out."""
        answer = self.store.answer("memory-shares", 0)
        if answer is None or answer.value is None:
            return []
        used = [share for share in answer.value.shares if share.bytes and not share.name.startswith("Free")]
        if not used:
            return []
        most = max(used, key=lambda share: share.bytes)
        total = answer.value.total
        share = f"{human_bytes(most.bytes)} of {human_bytes(total)}, {100 * most.bytes / total:.0f} %"
        text = f"mostly {clean(most.name)}: {share}"
        return field_line("Memory", text, width, FIELD, Place("memory"))

    # The facts.

    def _first_error(self, width: int) -> list[Line]:
        rows = self.store.records
        at = next((at for at, row in enumerate(rows) if row.level is not None and row.level <= 3), None)
        if self.store.oops is not None and (at is None or self.store.oops < at):
            at = self.store.oops
        if at is None:
            return []
        row = rows[at]
        stamp = f"{seconds(row.ns)}  " if row.ns is not None else ""
        text = (row.text or "").partition("\n")[0]
        lines = wrapped(f"{stamp}{text}", width, theme.PLAIN, "   ", "   ", Place("log", row.index))
        return [heading(" First error in the log"), *lines[:3], BLANK]

    def _blocked(self, width: int) -> list[Line]:
        feed = self.store.feed("tasks")
        blocked = [row for row in feed.rows if row.state == "D"]
        if not blocked:
            return []
        blocked.sort(key=lambda row: -(row.since_last_run_seconds or 0))
        lines = [heading(f" Blocked longest, of {plural(len(blocked), 'blocked task')}")]
        digits = max(len(str(row.pid)) for row in blocked[:BLOCKED])
        named = max(cells(clean(row.comm or "")) for row in blocked[:BLOCKED])
        for row in blocked[:BLOCKED]:
            since = human_seconds(row.since_last_run_seconds) if row.since_last_run_seconds is not None else ABSENT
            text = f"{row.pid:>{digits}} {fit(clean(row.comm or ''), named)}{since:>8}  "
            wait = (fit(clean(row.wait or ""), max(8, width - cells(text) - 3)).rstrip(), theme.DIM)
            lines.append(line("  ", text, wait, link=Place("tasks", row.pid, True)))
        return [*lines, BLANK]

    def _system(self, width: int) -> list[Line]:
        system = self.store.system
        if not system:
            return empty(self.store.feed("system").note, width)
        load = system.get("load_average")
        online, present = system.get("cpus_online"), system.get("cpus_present")
        facts = [
            ("Host", system.get("nodename")),
            ("Kernel", " ".join(str(system[key]) for key in ("release", "machine") if system.get(key))),
            ("Built", system.get("version")),
            ("Crashed", _moment(system.get("crash_time"))),
            ("Up", _up(system)),
            ("Load", " ".join(f"{value:.2f}" for value in load) if load else None),
            (
                "CPUs",
                f"{online} online of {present}" if online is not None else counted_otherwise(present),
            ),
            ("Memory", self._memory(system)),
            ("Tasks", _tasks(system.get("task_count"))),
        ]
        lines: list[Line] = []
        for title, value in facts:
            text = ABSENT if value is None or value == "" else clean(str(value))
            lines += field_line(title, text, width, FIELD)[:2]
        lines += self._taint(system, width)
        lines += field_line("Started", clean(str(system.get("command_line") or ABSENT)), width, FIELD)
        return lines

    def _memory(self, system: dict[str, Any]) -> str | None:
        total = system.get("memory_bytes")
        if not total:
            return None
        values = {row.name: row.bytes for row in self.store.counters}
        available = values.get("MemAvailable")
        words = f"{human_bytes(total)} MemTotal"
        return words if available is None else f"{words}, {human_bytes(available)} available"

    def _taint(self, system: dict[str, Any], width: int) -> list[Line]:
        mask = system.get("tainted")
        if mask is None:
            return field_line("Taint", ABSENT, width, FIELD)
        if not mask:
            return field_line("Taint", "none", width, FIELD)
        from oopscope.linux.taint import taint_reasons

        lines = field_line("Taint", clean(str(system.get("taint") or mask)), width, FIELD)
        for reason in taint_reasons(mask):
            lines += wrapped(reason, width, theme.DOUBT, " " * (FIELD + 3), " " * (FIELD + 6))
        return lines

    def _dump(self, width: int) -> list[Line]:
        facts = self.store.facts
        if facts is None:
            return empty("opening", width)
        lines = field_line("File", clean(self.scope.dump_name), width, FIELD)
        kind = [facts.format, facts.compression, "flattened" if facts.flattened else ""]
        level = f"level {facts.dump_level}" if facts.dump_level is not None else ""
        lines += field_line("Format", clean(", ".join(word for word in (*kind, level) if word)), width, FIELD)
        size = human_bytes(facts.bytes)
        if facts.pages_saved is not None:
            size += f", {facts.pages_saved:,} pages"
            if facts.pages_total:
                size += f" of {facts.pages_total:,} ({100 * facts.pages_saved / facts.pages_total:.0f} %)"
        lines += field_line("Holds", size, width, FIELD)
        state = "complete" if facts.complete else "NOT complete: it was cut off while being written"
        style = theme.PLAIN if facts.complete else theme.BAD
        lines += field_line("State", state, width, FIELD, style=style)
        for problem in facts.problems:
            lines += wrapped(problem, width, theme.DOUBT, " " * (FIELD + 1) + "! ", " " * (FIELD + 3))
        if self.store.problems:
            text = f"{plural(len(self.store.problems), 'thing')} could not be read"
            lines += field_line("Problems", text, width, FIELD, Place("problems"))
        return lines


def _stands(source: "Source") -> Place | None:
    """Return where a piece of evidence stands; a record of the log is not opened, for its line says what it says."""
    key: int | str = int(source.key) if source.key.isdigit() else source.key
    if source.kind == "table":
        return Place(source.key.partition(":")[0], key, True)
    place = place_of("cpu" if source.kind in OF_CPU else source.kind, key)
    return place._replace(open=source.kind != "log") if place is not None else None


def evidence_lines(one: "Evidence", width: int) -> list[Line]:
    """Return a piece of evidence, wrapped, and where it stands as a link."""
    source = one.source
    lines = wrapped(one.text, width - 2, theme.PLAIN, "  • ", "    ", _stands(source))
    last = lines[-1]
    where = f"  {source.kind} {source.key}" if source.kind in ("log", "task") else f"  {source.kind}"
    if len(last.text) + len(where) < width:
        lines[-1] = last._replace(parts=(*last.parts, (clean(where), theme.LINK)))
    else:
        lines.append(Line((("    ", theme.PLAIN), (clean(where.strip()), theme.LINK))))
    return lines


def _moment(value: float | None) -> str | None:
    return str(value).replace("T", " ").replace("Z", " UTC") if value is not None else None


def _tasks(counted: int | None) -> str | None:
    """Return how many threads the kernel counts; the list of tasks has the CPUs' idle ones too."""
    from oopscope.report.facts import AND_IDLE

    return f"{counted}{AND_IDLE}" if counted is not None else None


def _up(system: dict[str, Any]) -> str | None:
    uptime = system.get("uptime_seconds")
    if uptime is None:
        return None
    booted = _moment(system.get("boot_time"))
    return human_seconds(float(uptime)) + (f", since {booted}" if booted else "")


PANE = Overview
