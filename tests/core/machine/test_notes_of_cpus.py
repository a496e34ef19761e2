"""CPU notes that are not one a CPU: each is given to the CPU on whose stack it points, none is guessed."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from builders.altered import Altered, stored
from oopscope.boot.attach import attach
from oopscope.dumps import Note
from oopscope.kernel.kernel import per_cpu_offsets
from oopscope.stacks.registers import NT_PRSTATUS, registers

NAME = "6.1-null.kdump"


class Noted(Altered):
    """A dump with other CPU notes, and with CPUs as an emulator saw them."""

    def __init__(self, dump: Any, notes: list[Note], bases: tuple[int, ...] = ()) -> None:
        super().__init__(dump)
        self._notes, self._bases = notes, bases

    def cpus(self) -> Any:
        return [SimpleNamespace(per_cpu_base=base) for base in self._bases]

    def notes(self) -> Any:
        others = [n for n in self._dump.notes() if not (n.name == "CORE" and n.type == NT_PRSTATUS)]
        return iter([*self._notes, *others])


def by_notes(change: Callable[..., Any]) -> tuple[dict[int, dict[str, int]], list[str]]:
    """Read the registers by the dump's notes alone, changed."""
    dump = stored(NAME)
    own = [n for n in dump.notes() if n.name == "CORE" and n.type == NT_PRSTATUS]
    kernel = attach(Noted(dump, change(own)), lambda _text: None)
    kernel._addresses["crash_notes"] = None
    return registers(kernel), [p.message for p in kernel.problems]


@pytest.fixture(scope="module")
def whole() -> dict[int, dict[str, int]]:
    found = registers(attach(stored(NAME), lambda _text: None))
    assert len(found) == 2
    return found


def foreign(note: Note, sp: int = 0x1234, pid: int = 0) -> Note:
    desc = bytearray(note.desc)
    desc[32:36] = pid.to_bytes(4, "little")
    desc[112 + 19 * 8 : 112 + 20 * 8] = sp.to_bytes(8, "little")
    return note._replace(desc=bytes(desc))


def test_a_note_of_a_cpu_that_is_not_there(whole: dict[int, dict[str, int]]) -> None:
    found, problems = by_notes(lambda own: [foreign(own[0]), *reversed(own)])
    assert found == whole
    assert [p for p in problems if "CPU notes" in p] == [
        "3 CPU notes for 2 CPUs: 2 of them by the stacks that they point into, the tasks that ran or the per-CPU areas"
    ]


def test_fewer_notes_than_cpus(whole: dict[int, dict[str, int]]) -> None:
    found, _problems = by_notes(lambda own: own[1:])
    assert found == {1: whole[1]}


def test_a_note_twice_is_one(whole: dict[int, dict[str, int]]) -> None:
    assert by_notes(lambda own: [*own, *own])[0] == whole


def test_notes_that_contradict_are_nobodys(whole: dict[int, dict[str, int]]) -> None:
    found, _problems = by_notes(lambda own: [*own, foreign(own[1], whole[1]["rsp"] + 8)])
    assert found == {0: whole[0]}


def test_by_the_area_that_an_emulator_saw(whole: dict[int, dict[str, int]]) -> None:
    """Both CPUs ran a program, a third one never began."""
    dump = stored(NAME)
    own = [n for n in dump.notes() if n.name == "CORE" and n.type == NT_PRSTATUS]
    areas = attach(stored(NAME), lambda _text: None).cached(per_cpu_offsets)
    notes = [foreign(own[0]), foreign(own[1]), foreign(own[1])]
    kernel = attach(Noted(dump, notes, (areas[1], 0, areas[0])), lambda _text: None)
    kernel._addresses["crash_notes"] = None
    found = registers(kernel)
    assert sorted(found) == [0, 1]
    assert found[1]["rip"] == whole[0]["rip"]


def test_by_the_task_where_the_stack_does_not_tell(whole: dict[int, dict[str, int]]) -> None:
    def change(own: list[Note]) -> list[Note]:
        pids = [int.from_bytes(n.desc[32:36], "little") for n in own]
        busy = next(i for i, pid in enumerate(pids) if pid)
        return [foreign(own[busy], pid=pids[busy])] + [Note("CORE", NT_PRSTATUS, bytes(336))] * 2

    found, _problems = by_notes(change)
    assert [regs["rsp"] for regs in found.values()] == [0x1234]
