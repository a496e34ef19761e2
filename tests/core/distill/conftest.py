"""Distilling packs pages quickly here: what a dump says does not depend on how well it is packed."""

from collections.abc import Iterator

import pytest

from oopscope.distill import kdump_file


@pytest.fixture(autouse=True, scope="package")
def _packed_quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kdump_file, "LEVEL", 1)
        yield
