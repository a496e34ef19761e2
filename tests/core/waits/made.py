"""Memory of single words, made by hand, for what a kind of edge reads: where members lie is told by a table."""

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from core.triage.fakes import Words
from oopscope.kernel.kernel import Name
from oopscope.kernel.problems import Problems
from oopscope.waits.graph import Claim, Node

Members = dict[str, int]  # "struct.member" -> its offset
TOP = 0xFFFF888000000000


class Memory(Words):
    """Words, and the texts that lie at some addresses."""

    steps = 0

    def __init__(self, words: dict[int, int], texts: dict[int, bytes]) -> None:
        super().__init__(words)
        self._texts = texts

    def u32(self, address: int) -> Any:
        return self.word(address) & 0xFFFFFFFF

    def read(self, address: int, size: int) -> bytes:
        return int(self.word(address)).to_bytes(8, "little")[:size]

    def cstring(self, address: int, _limit: int = 0) -> bytes:
        return self._texts.get(address, b"")

    def text(self, address: int, _limit: int = 0) -> str:
        return self.cstring(address).decode()


def made(
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    members: Members,
    words: dict[int, int],
    names: dict[int, str] | None = None,
    texts: dict[int, bytes] | None = None,
    **more: Any,
) -> Any:
    """Return a kernel of such memory, and let a kind read members by a table."""

    def offset(_kernel: Any, struct: str, *paths: str, module: str = "") -> int | None:
        return next((members[f"{struct}.{path}"] for path in paths if f"{struct}.{path}" in members), None)

    def offsets(kernel: Any, struct: str, *paths: Any, module: str = "") -> tuple[int, ...] | None:
        found = [offset(kernel, struct, *((path,) if isinstance(path, str) else path)) for path in paths]
        return None if None in found else tuple(at for at in found if at is not None)

    monkeypatch.setattr(module, "offset", offset, raising=False)
    monkeypatch.setattr(module, "offsets", offsets, raising=False)
    node_of = lambda _kernel, at: Node(f"task:{at:#x}", "task", f"{at:#x}", at)  # noqa: E731
    monkeypatch.setattr(module, "task_node", node_of, raising=False)
    known = names or {}
    name_of = lambda at: Name(known[at], 0, None) if at in known else None  # noqa: E731
    return SimpleNamespace(
        machine=SimpleNamespace(kernel_from=lambda _kernel: 1 << 63),
        memory=Memory(words, texts or {}), name_of=name_of, problems=Problems(), find_symbol=lambda _name: None,
        **more,
    )  # fmt: skip


def sleeper(address: int, functions: tuple[str, ...], **more: Any) -> Any:
    """Return a task that sleeps in some functions, innermost first."""
    given = {"entries": (), "words": (), "places": (1,), "blocked": True, "stack": (), "since": 3.0, "pid": 7, **more}
    return SimpleNamespace(address=address, functions=functions, word=None, **given)


def told(claims: Any) -> list[tuple[str, str, str]]:
    """Return claims as who, how, what."""
    found: list[Claim] = list(claims)
    return [(claim.source.name, claim.kind, claim.target.name) for claim in found]
