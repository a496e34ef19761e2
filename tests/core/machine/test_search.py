"""A kernel's image is found by what a page-table root maps, however small it is."""

from types import SimpleNamespace
from typing import Any

from oopscope.errors import NotMapped
from oopscope.machine.x86_64.memory import START_KERNEL_MAP
from oopscope.machine.x86_64.search import SLOT, Image, Root, image

ROOT = Root(0x40C000, False)


def arch_that_maps(slots: int) -> Any:
    """Return an architecture whose tables map so many slots of the image, from 16 MiB on, to the same offset."""

    def translate(_root: int, address: int, *_more: Any) -> Any:
        if not 8 <= (address - START_KERNEL_MAP) // SLOT < 8 + slots:
            raise NotMapped(address)
        return SimpleNamespace(start=address - START_KERNEL_MAP)

    return SimpleNamespace(pagings={"4-level": SimpleNamespace(translate=translate)})


def test_a_small_image() -> None:
    physical: Any = SimpleNamespace(read=None, place=None)
    for slots in (4, 20):
        found = image(arch_that_maps(slots), physical, ROOT)
        assert found == Image(ROOT, START_KERNEL_MAP + 8 * SLOT, 0)
    assert image(arch_that_maps(1), physical, ROOT) is None
