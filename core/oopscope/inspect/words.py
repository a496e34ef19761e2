"""Memory about an address, word by word, each with what it may mean; pages that are not there with the reason."""

import re
from itertools import groupby
from typing import NamedTuple

from oopscope.arch import ByteOrder
from oopscope.errors import MissingPage, OopscopeError, ReadError
from oopscope.inspect.address_space import stack_map
from oopscope.inspect.describe import describe
from oopscope.inspect.look_up import address_of
from oopscope.inspect.meaning import Meaning
from oopscope.kernel.kernel import Kernel
from oopscope.linux.task import TaskStruct

CHUNK = 64  # words that are read and described at once
AROUND = 128  # pages that can be looked at on either side


class Piece(NamedTuple):
    """A stretch of pages that are all there, or all missing for one reason."""

    start: int
    end: int
    why: str


class Word(NamedTuple):
    """A word of memory and what it may mean; value None where it cannot be read."""

    address: int
    value: int | None
    meaning: Meaning | None


class Stretches(NamedTuple):
    """The memory about an address."""

    address: int
    word_size: int
    pieces: tuple[Piece, ...]
    order: ByteOrder = "little"


def memory(kernel: Kernel, key: str) -> Stretches:
    """Return which pages about an address can be read."""
    address = address_of(kernel, key)
    size = kernel.memory.page_size
    first = max(0, address // size - AROUND)
    pages = range(first, min(address // size + AROUND, kernel.memory.top // size))
    stretches = groupby(pages, key=lambda number: _why(kernel, number))
    found = []
    for why, numbers in stretches:
        listed = list(numbers)
        found.append(Piece(listed[0] * size, (listed[-1] + 1) * size, why))
    return Stretches(address, kernel.memory.word_size, tuple(found), kernel.arch.byteorder)


def _why(kernel: Kernel, number: int) -> str:
    try:
        kernel.memory.page(number)
    except OopscopeError as error:
        return _short(error)
    return ""


def _short(error: OopscopeError) -> str:
    """Return why a page is not there, without the address, so that neighbours are alike."""
    if isinstance(error, MissingPage):
        return f"not in the dump ({error.reason})"
    return re.sub("0x[0-9a-f]+", "…", error.why if isinstance(error, ReadError) else str(error))


def words(kernel: Kernel, start: int) -> tuple[Word, ...]:
    """Return CHUNK words from an address, each with what it may mean."""
    size = kernel.memory.word_size
    task = _task_of(kernel, start)
    found = []
    for at in range(start, min(start + CHUNK * size, kernel.memory.top), size):
        try:
            value = kernel.memory.word(at)
        except OopscopeError:
            found.append(Word(at, None, None))
            continue
        found.append(Word(at, value, describe(kernel, value, task)))
    return tuple(found)


def _task_of(kernel: Kernel, address: int) -> TaskStruct | None:
    """Return the task whose stack an address lies in: its words may be its user addresses."""
    owned = kernel.cached(stack_map).at(address)
    return owned.task if owned is not None else None
