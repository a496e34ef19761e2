"""The Python API: one opened dump, asked by the kernel's and the field's words.

It decides nothing of the kernel: each name hands on to the reader that the report and the screen use too, so that all
of them give the same answers. What cannot be read raises an OopscopeError, or is None in a row; `problems` says why.
"""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel, Name
from oopscope.kernel.problems import Problem

if TYPE_CHECKING:
    from oopscope.kernel.frame import Frame
    from oopscope.linux.printk import Record
    from oopscope.stacks.cpus import Cpu
    from oopscope.stacks.tasks import Task
    from oopscope.structs.view import View
    from oopscope.subsystems.cards import Card
    from oopscope.triage.finding import Verdict


class OpenDump:
    """One opened dump. Made by `oopscope.open`."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def __repr__(self) -> str:
        return f"<OpenDump {self.kernel.path}: Linux {self.kernel.info.get('OSRELEASE') or 'of an unknown release'}>"

    # Tables: each a list of rows, whose fields are the table's columns.

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all tables."""
        from oopscope.subsystems import TABLES

        return tuple(key for key, _ in TABLES)

    def table(self, name: str) -> list[Any]:
        """Return the rows of a table by its name; KeyError for no such table, OopscopeError where it is not to be had.

        A row's fields are the table's columns, in the units that their names say (`rss_bytes`); None is absent.
        """
        return self.kernel.cached(_rows_of(name))

    @property
    def tasks(self) -> list["Task"]:
        """Every thread, as ps(1) shows it."""
        return self.table("tasks")

    @property
    def cpus(self) -> list["Cpu"]:
        """Every CPU with its stack and registers, the one that panicked first."""
        return self.table("cpus")

    @property
    def log(self) -> list["Record"]:
        """The records of the kernel's log, oldest first."""
        return self.table("log")

    @property
    def verdict(self) -> "Verdict":
        """Why the machine died, with the evidence."""
        from oopscope.triage import verdict

        return verdict(self.kernel)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be read so far, or disagrees, and why."""
        return tuple(self.kernel.problems)

    def report(self) -> dict[str, Any]:
        """Return everything as plain data: what `oopscope report --format json` prints."""
        from oopscope.report.build import build

        return build(self.kernel)

    def ask(self, line: str) -> "list[Any]":
        """Return what a command of the register comes to: a table's rows, or cards; ValueError for what is none.

        `k.ask("ps -k")`, `k.ask("foreach UN bt")`, `k.ask("struct rq runqueues:1")`: crash's words, as at the shell.
        """
        from oopscope.commands.command import Act, Say, TableOf
        from oopscope.commands.register import request
        from oopscope.report.answer import cards_of, rows_of

        asked = request(line)
        if asked is None or isinstance(asked, Act | Say):
            raise ValueError(asked.text if isinstance(asked, Say) else f"no command: {line[:60]}")
        return rows_of(self.kernel, asked).rows if isinstance(asked, TableOf) else list(cards_of(self.kernel, asked))

    # One thing.

    def card(self, kind: str, key: int | str, *parts: str) -> "Card":
        """Return a thing in detail: task, cpu, module, lock, symbol, code, struct, memory; whole or some of its parts.

        KeyError for no such kind, OopscopeError for no such thing.
        """
        from oopscope.subsystems.cards import card

        return card(self.kernel, kind, key, parts)

    def task(self, who: int | str) -> "Task":
        """Return a task by its PID, the address of its struct task_struct, or its name; LookupError for none.

        Of several tasks of one name the first by PID is meant.
        """
        by = "comm" if isinstance(who, str) else "pid"
        found = next((task for task in self.tasks if getattr(task, by) == who), None)
        found = found or next((task for task in self.tasks if task.address == who), None)
        if found is None:
            raise LookupError(f"no task {who:#x}" if isinstance(who, int) and who > 1 << 32 else f"no task {who}")
        return found

    def stack(self, who: "int | str | Task") -> tuple["Frame", ...]:
        """Return the stack of a task, innermost first; frames that are not `reliable` are guesses."""
        from oopscope.stacks.tasks import stack

        return stack(self.kernel, (self.task(who) if isinstance(who, int | str) else who).address)

    def eval(self, expression: str) -> Any:
        """Return the value of an expression: C's, over memory, symbols and types; nothing is ever run.

        `task(1).mm.total_vm`, `per_cpu(runqueues, 0).clock`, `sizeof(struct page)`, `*(struct file *)0xffff...`. A
        number, bytes, a struct (View) or a Pointer; a Word is a variable of unknown type, read as a word: a guess.
        """
        from oopscope.inspect.expression import evaluate

        return evaluate(self.kernel, expression)

    def struct(self, name: str, where: int | str | None = None) -> "View":
        """Return a struct by its type's name at an address or a symbol; without one, its layout alone.

        Members are attributes: `k.struct("task_struct", "init_task").comm`. NoType, NoMember, ReadError.
        """
        address = self.symbol(where) if isinstance(where, str) else where
        return self.kernel.view(name.removeprefix("struct ").removeprefix("union "), address)

    def symbol(self, name: str) -> int:
        """Return the address of a symbol of the kernel or a module; `schedule+0x1a` and `runqueues:1` too; NoSymbol."""
        from oopscope.inspect.look_up import address_of

        return address_of(self.kernel, name)

    def name_of(self, address: int) -> Name | None:
        """Return the symbol at or before an address, and how far into it; None where no symbol covers it."""
        return self.kernel.name_of(address)

    def read(self, where: int | str, size: int) -> bytes:
        """Return so many bytes of the kernel's memory; MissingPage, NotMapped."""
        return self.kernel.memory.read(self.symbol(where) if isinstance(where, str) else where, size)

    def per_cpu(self, symbol: str, cpu: int) -> int:
        """Return the address of a CPU's copy of a per-CPU variable."""
        return self.symbol(f"{symbol}:{cpu}")


_READERS: dict[str, Callable[[Kernel], list[Any]]] = {}


def _rows_of(name: str) -> Callable[[Kernel], list[Any]]:
    """Return the reader of a table's rows: always the same for a name, so that the kernel keeps what it read."""
    from oopscope.subsystems import table

    found = table(name)
    return _READERS.setdefault(name, lambda kernel: list(found.rows(kernel)))


def open(
    path: str | PathLike[str], *parts: str | PathLike[str], progress: Callable[[str], None] | None = None
) -> OpenDump:
    """Open a dump by its path or URL; the other parts of a split one after it. NotADump, Unsupported, OopscopeError.

    progress: called with a word on what is being done.
    """
    from oopscope.boot.attach import open_kernel
    from oopscope.sources.remote import location

    places = [location(str(one)) if isinstance(one, str) else Path(one) for one in (path, *parts)]
    try:
        return OpenDump(open_kernel(places, progress))
    except OSError as e:
        raise OopscopeError(f"{path}: {e.strerror or e}") from e
