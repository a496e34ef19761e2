"""Where an arm64 kernel's modules are looked for: the numbers are those of real kernels' VMCOREINFO."""

from types import SimpleNamespace
from typing import Any

import pytest

from oopscope.machine.aarch64.space import modules

GIB = 1 << 30


def kernel(stext: int, **numbers: int) -> Any:
    info = SimpleNamespace(symbol={"_stext": stext}.get, number=numbers.get)
    return SimpleNamespace(info=info)


@pytest.mark.parametrize(("stext", "numbers", "where"), [
    # 6.1 of Debian, moved by KASLR: not in the area of 128 MiB that VMCOREINFO tells
    (0xFFFFB93674C10000, {"MODULES_VADDR": 0xFFFF800000000000, "MODULES_END": 0xFFFF800008000000}, 0xFFFFB9365EC8B000),
    # the same without KASLR: in that area, and the image begins behind it
    (0xFFFF800008010000, {"MODULES_VADDR": 0xFFFF800000000000, "MODULES_END": 0xFFFF800008000000}, 0xFFFF800001234000),
    (0xFFFF800008010000, {}, 0xFFFF800001234000),  # a kernel that does not tell
])  # fmt: skip
def test_modules_are_looked_for_where_they_are(stext: int, numbers: dict[str, int], where: int) -> None:
    space = modules(kernel(stext, **numbers))
    assert where in space and len(space) <= 6 * GIB


def test_an_area_far_from_the_image_is_none() -> None:
    space = modules(kernel(0xFFFFB93674C10000, MODULES_VADDR=0xFFFF800000000000, MODULES_END=0xFFFF800008000000))
    assert 0xFFFF800000000000 not in space
