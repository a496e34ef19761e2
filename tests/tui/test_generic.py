"""The pane of any table that has none of its own."""

from typing import Any, NamedTuple

import pytest

from oopscope.errors import Implausible
from oopscope.subsystems import Column
from oopscope_tui.places import Place
from tui.driving import lines, press, running
from tui.fake import Fake


class Wait(NamedTuple):
    lock: int
    pid: int


async def test_enter_opens_the_row_of_two_that_have_one_name() -> None:
    lock, columns = 0xFFFFFFFFC03E1040, (Column("lock", "Lock", "address"), Column("pid", "Waits", "int"))
    fake = Fake(rows={"locks": lambda: [Wait(lock, 241), Wait(lock, 242)]}, columns={"locks": columns})
    async with running(fake) as (app, pilot):
        await app.go(Place("locks"))
        await press(app, pilot, "j", "enter")
        assert lines(app)[2].startswith("─ 0xffffffffc03e1040 242 ─")
        assert "242" in lines(app)[4] and app.pane.main.row.pid == 242
        await press(app, pilot, "escape")
        assert app.pane.main.row.pid == 242


@pytest.mark.parametrize("key", ["locks", "waits"])
async def test_what_could_not_be_read_has_no_count(key: str) -> None:
    def lost() -> Any:
        raise Implausible("a list of locks", 0x10)

    async with running(Fake(rows={key: lost}, columns={key: (Column("lock", "Lock", "address"),)})) as (app, pilot):
        await app.go(Place(key))
        await press(app, pilot)
        assert "could not be read" in "\n".join(lines(app))
        assert app.pane.notes() == []
