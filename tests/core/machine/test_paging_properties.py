"""Page tables of every machine: what was mapped is found; whatever tables hold, a walk ends in a page or a refusal."""

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oopscope.arch import Level, Paging
from oopscope.errors import NotMapped
from oopscope.machine import arch, readable
from properties import few


@cache
def pagings() -> dict[str, Paging]:
    """All that is said of page tables, by machine and name."""
    found: dict[Any, Any] = {}
    for key in readable():
        found |= {f"{key} {name}": paging for name, paging in arch(key).pagings.items()}
    return found


def entry(level: Level, paging: Paging, address: int, inner: bool) -> int | None:
    """An entry that leads to an address, as a table or as a page; None where this level has none such."""
    if inner and level.table is None:
        return None
    mask = level.address if inner else level.frame or level.address
    address &= -(1 << level.shift) if not inner else -1
    made = address >> paging.left & mask
    if paging.high[0]:
        made |= address >> paging.high[1] & paging.high[0]
    if paging.address_in(made, mask) != address:
        return None  # more than the entry can say
    made = made & ~level.present.mask | level.present.value
    if level.table is not None:
        made &= ~level.table.mask
        made |= level.table.value if inner else ~level.table.value & level.table.mask & -level.table.mask
    if level.absent is not None and made & level.absent.mask == level.absent.value:
        made |= level.absent.mask & ~level.absent.value & (~level.table.value if level.table is not None else -1)
    if made & level.present.mask != level.present.value:
        return None  # at this level there are no pages, or no tables
    if level.table is not None and (made & level.table.mask == level.table.value) != inner:
        return None
    return made if paging.address_in(made, mask) & -(1 << level.shift if not inner else 1) == address else None


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted(pagings()))
def test_what_was_mapped_is_found(name: str) -> None:
    paging = pagings()[name]

    @few
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        used = paging.levels[0].shift + paging.levels[0].bits
        address = data.draw(st.integers(0, (1 << used) - 1))
        if paging.sign_extended and address >> used - 1:
            address |= (1 << 64) - (1 << used)
        last = data.draw(st.integers(0, len(paging.levels) - 1))
        target = data.draw(st.integers(1, 1 << 20)) << 12
        memory: dict[int, int] = {}
        table = root = 0x10000
        for at, level in enumerate(paging.levels[: last + 1]):
            where = table + (address >> level.shift & (1 << level.bits) - 1) * paging.entry.size
            table += 0x100000
            page = target & -(1 << level.shift)
            made = entry(level, paging, page if at == last else table, at != last)
            if made is None:
                return
            memory[where] = made
        size = 1 << paging.levels[last].shift
        found = paging.translate(root, address, lambda at, _size: paging.entry.pack(memory[at]))
        assert found == (page, size)
        assert found.start % found.size == 0

    holds()


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted(pagings()))
def test_any_tables_end_in_a_page_or_a_refusal(name: str) -> None:
    """Entries of chance, each read at most once a level, whatever they lead to."""
    paging = pagings()[name]

    @few
    @given(st.integers(0, (1 << 64) - 1), st.randoms(use_true_random=False), st.integers(0, 3))
    def holds(address: int, chance: Any, tame: int) -> None:
        reads = []

        def read(at: int, size: int) -> bytes:
            reads.append(at)
            value = chance.getrandbits(8 * size)
            for level in paging.levels[:tame]:  # else most are not present
                value = value & ~level.present.mask | level.present.value
            return paging.entry.pack(value)

        try:
            found = paging.translate(0x1000, address, read)
        except NotMapped as error:
            assert error.address == address
        else:
            assert found.size in {1 << level.shift for level in paging.levels}
            assert found.start % found.size == 0 and found.start >= 0
        assert len(reads) <= len(paging.levels)

    holds()
