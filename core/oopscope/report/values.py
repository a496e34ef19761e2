"""Values as data, for scripts: what stands in JSON, whichever command, pane or file it is of. See cells for people."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from oopscope.kernel.frame import Frame
from oopscope.subsystems import Column

Data = dict[str, Any]
NUMBERS = frozenset({type(None), bool, float, str})  # what is in JSON as it is, where numbers are addresses
PLAIN = NUMBERS | {int}


def value(raw: object, kind: str = "text") -> object:
    """Turn a cell into JSON's types: addresses are hexadecimal strings, what is absent or unreadable is None."""
    if raw is None or isinstance(raw, bool | float | str):
        return raw
    if isinstance(raw, int):
        return f"{raw:#x}" if kind == "address" else raw
    if isinstance(raw, Frame):
        return frame(raw)
    if isinstance(raw, Mapping):
        return {str(name): value(item, "address" if kind == "registers" else "text") for name, item in raw.items()}
    if isinstance(raw, tuple | list | set | frozenset):
        return [value(item) for item in raw]
    return str(raw)


def frame(f: Frame) -> Data:
    """Return a frame as the contract has it."""
    return {
        "address": f"{f.address:#x}" if f.address or f.symbol is None else None,  # a log names it alone
        "symbol": f.symbol,
        "offset": f.offset,
        "module": f.module,
        "kind": f.kind,
        "reliable": f.reliable,
    }


def frames_once() -> Callable[[Frame], Data]:
    """Return what makes frames' data; of a frame that many tasks have it is one and the same."""
    met: dict[tuple[object, ...], Data] = {}

    def same(f: Frame) -> Data:
        key = f[:-1]  # all but the stack pointer
        data = met.get(key)
        if data is None:
            data = met[key] = frame(f)
        return data

    return same


def rows(columns: Sequence[Column], items: Iterable[object]) -> list[Data]:
    """Return rows of a table by its columns' keys."""
    wanted = [(c.key, attrgetter(c.key), c.kind, NUMBERS if c.kind == "address" else PLAIN) for c in columns]
    return [
        {key: raw if (raw := get(item)).__class__ in plain else value(raw, kind) for key, get, kind, plain in wanted}
        for item in items
    ]


def row(columns: Sequence[Column], item: object) -> Data:
    """Return one row of a table by its columns' keys."""
    return rows(columns, [item])[0]
