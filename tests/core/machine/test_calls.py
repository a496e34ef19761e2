"""Calls of riscv64, powerpc and s390x: by instruction words, and where the stacks of real dumps return to."""

from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.errors import NotMapped
from oopscope.stacks.cpus import all_cpus

FOLDER = Path(__file__).parents[2] / "dumps" / "machines"
AT = 0xFFFFFFFF80001000  # behind the code
ORDER = {"riscv64": "little", "loongarch64": "little", "powerpc": "big", "s390x": "big"}
# What stands before AT, how far from AT it calls (None: not told by the instruction), whether it can be a call.
WORDS = [
    ("riscv64", "00000000 ef008000", 4, True),  # jal ra, 8
    ("riscv64", "00000000 eff09fff", -12, True),  # jal ra, -8
    ("riscv64", "97000000 e78080ff", -16, True),  # auipc ra, 0; jalr -8(ra)
    ("riscv64", "97f0ffff e7800000", -0x1008, True),  # auipc ra, -1; jalr ra
    ("riscv64", "00000000 e7800700", None, True),  # jalr a5
    ("riscv64", "00000000 00008297", None, True),  # c.jalr a5
    ("riscv64", "00000000 00008287", None, False),  # c.jr a5
    ("riscv64", "00000000 6f008000", None, False),  # j 8
    ("loongarch64", "00000000 00040054", 0, True),  # bl 4
    ("loongarch64", "00000000 fffbff57", -12, True),  # bl -8
    ("loongarch64", "2100001e 2100004c", (1 << 18) - 8, True),  # pcaddu18i ra, 1; jirl ra, ra, 0
    ("loongarch64", "2100001e 8101004c", None, True),  # jirl ra, t0, 0
    ("loongarch64", "00000000 00040050", None, False),  # b 4
    ("loongarch64", "00000000 2000004c", None, False),  # jr ra
    ("powerpc", "00000000 48000009", 4, True),  # bl .+8
    ("powerpc", "00000000 4bfffff9", -12, True),  # bl .-8
    ("powerpc", "00000000 4e800421", None, True),  # bctrl
    ("powerpc", "00000000 4e800021", None, True),  # blrl
    ("powerpc", "00000000 48000008", None, False),  # b .+8
    ("powerpc", "00000000 4e800020", None, False),  # blr
    ("s390x", "0000 c0e500000004", 2, True),  # brasl %r14, .+8
    ("s390x", "0000 c0e5fffffffc", -14, True),  # brasl %r14, .-8
    ("s390x", "00000000 a7e50004", 4, True),  # bras %r14, .+8
    ("s390x", "000000000000 0de1", None, True),  # basr %r14, %r1
    ("s390x", "000000000000 0d10", None, False),  # basr %r1, %r0
]


def code_of(machine: str) -> Any:
    return import_module(f"oopscope.machine.{machine}.code")


def kernel_with(machine: str, code: bytes) -> Any:
    def read(address: int, size: int) -> bytes:
        if not AT - len(code) <= address <= address + size <= AT:
            raise NotMapped(address)
        return code[address - AT + len(code) :][:size]

    memory = SimpleNamespace(
        read=read, u32=lambda address: int.from_bytes(read(address, 4), ORDER[machine]), top=1 << 64
    )
    return SimpleNamespace(memory=memory, name_of=lambda _address: None)


@pytest.mark.parametrize(("machine", "words", "distance", "is_call"), WORDS, ids=lambda value: str(value))
def test_a_word(machine: str, words: str, distance: int | None, is_call: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oopscope.machine.common.calls.in_text", lambda _kernel, _address: True)
    kernel = kernel_with(machine, bytes.fromhex(words))
    assert code_of(machine).call_target(kernel, AT) == (None if distance is None else AT + distance)
    assert code_of(machine).follows_call(kernel, AT) is is_call
    assert not code_of(machine).follows_call(kernel, AT + 0x100)  # of what cannot be read nothing is told


@pytest.mark.parametrize("machine", ORDER)
def test_a_call_out_of_the_kernels_text_is_none(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oopscope.machine.common.calls.in_text", lambda _kernel, _address: False)
    words = next(words for name, words, distance, _ in WORDS if name == machine and distance is not None)
    assert not code_of(machine).follows_call(kernel_with(machine, bytes.fromhex(words)), AT)


@pytest.mark.parametrize(
    ("machine", "branch", "call", "register"),
    [
        ("riscv64", ("j", "c.j", "bnez", "beq"), ("jal", "c.jal", "ld"), ("fp", "s0")),
        ("powerpc", ("b", "bne+", "blr", "bctr"), ("bl", "bctrl", "ld"), ("lr", "link")),
        ("s390x", ("j", "jgne", "br"), ("brasl", "bras", "basr", "lg"), ("r1", "r1")),
    ],
)
def test_mnemonics(machine: str, branch: tuple[str, ...], call: tuple[str, ...], register: tuple[str, str]) -> None:
    code = code_of(machine)
    jumping = {name: code.jumps(name) for name in (*branch, *call)}
    assert jumping == dict.fromkeys(branch, True) | dict.fromkeys(call, False)
    if hasattr(code, "whole"):
        assert code.whole(register[0]) == register[1]


@cache
def opened(path: Path) -> Any:
    return open_kernel([path])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.kdump")), ids=lambda path: path.stem)
def test_every_frame_of_a_real_stack_returns_behind_a_call(path: Path) -> None:
    """A direct call is to the start of a function: of the frame within, but for a call that was the last thing done."""
    kernel, direct, same = opened(path), 0, 0
    for cpu in all_cpus(kernel):
        for inner, frame in zip(cpu.frames, cpu.frames[1:], strict=False):
            if not frame.reliable or frame.kind == "user" or "exception" in (inner.kind, frame.kind):
                continue
            target = kernel.machine.call_target(kernel, frame.address)
            name = kernel.name_of(target) if target is not None else None
            if name is not None:
                direct, same = direct + 1, same + (name.symbol == inner.symbol)
    assert direct and same * 2 > direct
