"""Instructions by the library's own functions are what its Python package says of them, for each machine."""

import sys
from random import Random

import capstone
import pytest

from oopscope import instructions
from oopscope.instructions import CALL, IMMEDIATE, JUMP, MEMORY, READ, REGISTER, decoder

HOW = {
    "x86_64": ("x86", ("64",), "att"),
    "i386": ("x86", ("32",), "att"),
    "aarch64": ("arm64", (), None),
    "riscv64": ("riscv", ("riscv64", "riscvc"), None),
    "powerpc": ("ppc", ("64",), None),
    "powerpc, big": ("ppc", ("64", "big"), None),
    "s390x": ("sysz", ("big",), None),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", HOW)
def test_as_the_package_has_it(name: str) -> None:
    """Random bytes, decoded from each even place: every field of every instruction that they are."""
    ours, theirs = decoder(*HOW[name]), instructions._Packaged(capstone, *HOW[name])
    assert isinstance(ours, instructions._Direct)
    code = Random(name).randbytes(1 << 12)
    assert ours.texts(code, 0x1000) == theirs.texts(code, 0x1000)
    seen = 0
    for at in range(0, len(code), 2):
        one = code[at : at + 16]
        found = ours.details(one, at)
        assert found == theirs.details(one, at)
        seen += len(found)
    assert seen > 500


def test_what_an_instruction_says() -> None:
    (load,) = decoder("x86", ("64",), "att").details(bytes.fromhex("488b4728"), 0x1000)  # mov 0x28(%rdi),%rax
    assert (load.mnemonic, load.text, load.size) == ("mov", "rax, qword ptr [rdi + 0x28]", 4)
    assert load.operands[0].kind == REGISTER and load.operands[0].register == "rax"
    assert load.operands[1][:1] + load.operands[1][3:] == (MEMORY, "rdi", "", "", 1, 0x28, 8, READ)
    assert load.reads == ("rdi",) and load.writes == ("rax",)
    call, jump = decoder("x86", ("64",), "att").details(bytes.fromhex("e80000000075fe"), 0)
    assert CALL in call.groups and JUMP in jump.groups and jump.operands[0].kind == IMMEDIATE


def test_bytes_that_are_no_instruction() -> None:
    made = decoder("x86", ("64",), "att")
    assert made.details(b"\x06", 0) == [] == made.details(b"", 0)
    assert [size for _, size, _, _ in made.texts(b"\x06\x90", 0)] == [1, 1]


def test_a_library_of_another_release_is_used_by_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instructions, "_library", lambda: None)
    made = decoder("x86", ("64",), "att")
    assert isinstance(made, instructions._Packaged)
    assert made.texts(bytes.fromhex("488b4728"), 0)[0][3] == "0x28(%rdi), %rax"


def test_none_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "capstone", None)
    assert decoder("x86", ("64",), "att") is None
