"""Each machine's tables of loads and stores, held against capstone and against instructions of real kernels."""

import re
import struct
from random import Random
from typing import Any

import pytest

from oopscope.instructions import Instruction, decoder
from oopscope.kernel.machine import Reckoned
from oopscope.machine.aarch64 import accesses as arm64
from oopscope.machine.arm import accesses as arm
from oopscope.machine.arm import code as arm_code
from oopscope.machine.common.forms import Form
from oopscope.machine.loongarch64 import accesses as loongarch64
from oopscope.machine.powerpc import accesses as powerpc
from oopscope.machine.powerpc import big
from oopscope.machine.riscv64 import accesses as riscv64
from oopscope.machine.s390x import accesses as s390x

TOP = 1 << 64
PC = 0x4000
SPELT = {"fp": "x29", "lr": "x30"}


def values(tables: Any) -> dict[str, int]:
    return {name: 0x1000 * (i + 1) for i, name in enumerate(tables.NAMES.bases) if name}


def filled(form: Form, random: Random) -> int:
    return form.value | (random.getrandbits(32) & ~form.mask)


def arm64_address(one: Instruction, known: dict[str, int]) -> int | None:
    """Return the address of an instruction by how capstone writes it: "x0, [x1, w2, uxtw #3]"."""
    found = re.search(r"\[(.*?)\]", one.text)
    if found is None:
        return None
    base, *more = found[1].split(", ")
    address = known[SPELT.get(base, base)]
    if more and more[0][0] == "#":
        return (address + int(more[0][1:], 0)) % TOP
    if more:
        shift = int(more[1].partition("#")[2] or "0") if more[1:] else 0
        address += 0 if more[0] in ("xzr", "wzr") else known[SPELT.get(more[0], f"x{more[0][1:]}")] << shift
    return address % TOP


def test_arm64_is_what_capstone_says() -> None:
    """Random registers and numbers in every row; words that are no instruction for capstone are left out."""
    made, known, random, seen = decoder("arm64", (), None), values(arm64), Random(1), 0
    for form in arm64.FORMS:
        code = struct.pack("<I", filled(form, random))
        done, one = arm64.uses(code, PC, known, TOP), next(iter(made.details(code, PC)), None)
        assert done is not None
        if one is None:
            continue
        seen += 1
        assert done.mnemonic.split()[0] == one.mnemonic
        wanted = arm64_address(one, known)
        if wanted is not None:
            assert done.reckoned.uses[0].address == wanted, (one.mnemonic, one.text)
        elif one.mnemonic == "ldr":  # relative to itself
            assert one.text.endswith(f"#{done.reckoned.uses[0].address:#x}")
    assert seen > 600


def test_arm_is_what_capstone_says() -> None:
    made, known, random, seen = decoder("arm", (), None), values(arm), Random(1), 0
    for form in arm.FORMS:
        for _ in range(4):
            code = struct.pack("<I", filled(form, random) & 0x0FFFFFFF | 0xE0000000)  # always
            done, one = arm.uses(code, PC, known, 1 << 32), next(iter(made.details(code, PC)), None)
            assert done is not None
            memory = next((operand for operand in one.operands if operand.base), None) if one is not None else None
            if one is None or "pc" in one.text or memory is None:
                continue
            seen += 1
            assert one.mnemonic.startswith(done.mnemonic)
            shift = re.search(r"lsl #(\d+)\]", one.text)
            address = known[arm_code.whole(memory.base)] + memory.displacement
            if memory.scaled:
                address += known[arm_code.whole(memory.scaled)] << int(shift[1] if shift else 0)
            assert done.reckoned.uses[0].address == address % (1 << 32), (one.mnemonic, one.text)
    assert seen > 100


@pytest.mark.parametrize(
    "word, expected",
    [
        (0xF9401400, ["reads x0 + 0x28 8"]),  # ldr x0, [x0, #0x28]
        (0xB9000801, ["writes x0 + 0x8 4"]),  # str w1, [x0, #8]
        (0x39400C00, ["reads x0 + 0x3 1"]),  # ldrb w0, [x0, #3]
        (0xA9410C22, ["reads x1 + 0x10 8", "reads x1 + 0x18 8"]),  # ldp x2, x3, [x1, #0x10]
        (0xA9BF7BFD, ["writes sp - 0x10 8", "writes sp - 0x8 8"]),  # stp x29, x30, [sp, #-0x10]!
        (0xF8408420, ["reads x1 8"]),  # ldr x0, [x1], #8
        (0xF8627820, ["reads x1 + x2 * 8 8"]),  # ldr x0, [x1, x2, lsl #3]
        (0xB8625820, ["reads x1 + uxtw(x2) * 4 4"]),  # ldr w0, [x1, w2, uxtw #2]
        (0xC85FFC20, ["reads x1 8"]),  # ldaxr x0, [x1]
        (0x88E07C41, ["reads and writes x2 4"]),  # casa w0, w1, [x2]
        (0xB8E00020, ["reads and writes x1 4"]),  # ldaddal w0, w0, [x1]
        (0xD50B7423, ["writes x3 64"]),  # dc zva, x3
        (0xD63F0020, ["calls x1 0"]),  # blr x1
        (0x58000080, ["reads pc + 0x10 8"]),  # ldr x0, #0x4010
        (0xD4210000, []),  # brk #0x800
    ],
)
def test_arm64(word: int, expected: list[str]) -> None:
    done = arm64.uses(struct.pack("<I", word), PC, values(arm64), TOP)
    assert done is not None
    assert told(done.reckoned) == expected
    assert done.reckoned.note == ("" if expected else "where BUG() and WARN() stop")


def told(done: Reckoned) -> list[str]:
    return [f"{use.verb} {use.formula} {use.size}" for use in done.uses]


def test_what_uses_no_memory_has_no_row() -> None:
    for word in (0xAA0003E1, 0x91004000, 0x94000001, 0xD503201F):  # mov, add, bl, nop
        assert arm64.uses(struct.pack("<I", word), PC, values(arm64), TOP) is None
    assert arm64.uses(b"\x00\x14", PC, {}, TOP) is None


def test_an_address_from_an_unknown_register_is_not_told() -> None:
    done = arm64.uses(struct.pack("<I", 0xF9401400), PC, {"x1": 0}, TOP)
    assert done is not None and done.reckoned.uses == ()


PLACE = re.compile(r"(-?(?:0x)?[0-9a-f]+)?\((?:0x[0-9a-f]+, )?(?:%?(\w+), )?%?(\w+)\)")  # 0x28(a0), 0x18(%r1, %r2)
OTHERS = {
    "riscv64": (riscv64, ("riscv", ("riscv64", "riscvc"), None), 40),
    "powerpc": (powerpc, ("ppc", ("64",), None), 40),
    "s390x": (s390x, ("sysz", ("big",), None), 140),
}
SPELT_ABI = {"fp": "s0"}


def written_address(key: str, text: str, known: dict[str, int]) -> int | None:
    """Return the address by how capstone writes the first place in memory: the register's and the number's sum."""
    if key == "powerpc" and not PLACE.search(text):  # lwzx r3, r4, r5
        parts = text.split(", ")
        if len(parts) < 3:
            return None
        first, second = parts[1:3]
        return (known.get(f"gp{first}", 0) * (first != "0") + known.get(f"gp{second}", 0)) % TOP
    found = PLACE.search(text)
    if found is None:
        return None
    names = [SPELT_ABI.get(name, name) for name in found.groups()[1:] if name]
    spelt = [f"gp{name}" if key == "powerpc" else name for name in names]
    return (int(found[1] or "0", 0) + sum(known.get(name, 0) for name in spelt)) % TOP


@pytest.mark.parametrize("key", OTHERS)
def test_the_others_are_what_capstone_says(key: str) -> None:
    """Random registers and numbers in every row; words that are no instruction for capstone are left out."""
    tables, how, least = OTHERS[key]
    made, known, random, seen = decoder(*how), values(tables) | {"gpr0": 0x99}, Random(1), 0
    for form in tables.FORMS:
        bits = 48 if key == "s390x" else 32 if key == "powerpc" or form.value & 3 == 3 else 16
        word = form.value | (random.getrandbits(bits) & ~form.mask)
        code = word.to_bytes(bits // 8, "big" if key == "s390x" else "little")
        done, one = tables.uses(code, PC, known, TOP), next(iter(made.details(code, PC)), None)
        assert done is not None
        if one is None:
            continue
        assert one.mnemonic.startswith(done.mnemonic)
        wanted = written_address(key, one.text, known)
        if wanted is not None and done.reckoned.uses and done.reckoned.uses[0].size:
            seen += 1
            assert done.reckoned.uses[0].address == wanted, (one.mnemonic, one.text)
    assert seen > least


@pytest.mark.parametrize(
    "key, code, expected",
    [
        ("riscv64", "03b58502", ["reads a1 + 0x28 8"]),  # ld a0, 0x28(a1)
        ("riscv64", "2330a5fe", ["writes a0 - 0x20 8"]),  # sd a0, -0x20(a0)
        ("riscv64", "8875", ["reads a1 + 0x28 8"]),  # c.ld a0, 0x28(a1)
        ("riscv64", "0064", ["reads s0 + 0x8 8"]),  # c.ld s0, 8(s0)
        ("riscv64", "af22b500", ["reads and writes a0 4"]),  # amoadd.w t0, a1, (a0)
        ("riscv64", "8295", ["calls a1 0"]),  # c.jalr a1
        ("riscv64", "0290", []),  # c.ebreak
        ("loongarch64", "99352038", ["reads t0 + t1 1"]),  # ldx.bu s2, t0, t1
        ("loongarch64", "61a0ff29", ["writes sp - 0x18 8"]),  # st.d ra, sp, -24
        ("loongarch64", "8c210026", ["reads t0 + 0x20 8"]),  # ldptr.d t0, t0, 32
        ("loongarch64", "a4146138", ["reads and writes a1 4"]),  # amadd.w a0, a1, a1
        ("loongarch64", "8101004c", ["calls t0 0"]),  # jirl ra, t0, 0
        ("loongarch64", "01002a00", []),  # break 1
        ("powerpc", "280063e8", ["reads gpr3 + 0x28 8"]),  # ld r3, 0x28(r3)
        ("powerpc", "e1ff21f8", ["writes gpr1 - 0x20 8"]),  # stdu r1, -0x20(r1)
        ("powerpc", "2e20647c", ["reads gpr4 + gpr4 4"]),  # lwzx r3, r4, r4
        ("powerpc", "2104804e", ["calls ctr 0"]),  # bctrl
        ("big", "e8630028", ["reads gpr3 + 0x28 8"]),  # ld r3, 0x28(r3)
        ("big", "4e800421", ["calls ctr 0"]),  # bctrl
        ("powerpc", "0000e00f", []),  # twui r0, 0
        ("s390x", "e31020280004", ["reads r2 + 0x28 8"]),  # lg %r1, 0x28(%r2)
        ("s390x", "e320f0a0ff24", ["writes r15 - 0xf60 8"]),  # stg %r2, -0xf60(%r15)
        ("s390x", "58123004", ["reads r3 + r2 + 0x4 4"]),  # l %r1, 4(%r2, %r3)
        ("s390x", "d207200830", []),  # cut off
        ("s390x", "d20720083010", ["writes r2 + 0x8 8", "reads r3 + 0x10 8"]),  # mvc 8(8, %r2), 0x10(%r3)
        ("s390x", "ebefb0300004", ["reads r11 + 0x30 8", "reads r11 + 0x38 8"]),  # lmg %r14, %r15, 0x30(%r11)
        ("s390x", "58100010", ["reads 0x10 4"]),  # l %r1, 0x10: without a base
        ("s390x", "0de1", ["calls r1 0"]),  # basr %r14, %r1
    ],
)
def test_the_others(key: str, code: str, expected: list[str]) -> None:
    tables = OTHERS[key][0] if key in OTHERS else {"loongarch64": loongarch64, "big": big}[key]
    done = tables.uses(bytes.fromhex(code), PC, values(powerpc if key == "big" else tables) | {"ctr": 1}, TOP)
    assert (told(done.reckoned) if done else []) == expected
    if key != "s390x" and not expected:
        assert done is not None and "BUG()" in done.reckoned.note
