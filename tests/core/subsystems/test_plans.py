"""Plans of every module bind on the types of every stored kernel, and the tables are what they promise."""

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import pytest

import oopscope
import oopscope.subsystems
from cases import BARE, LATER, NAMES, Case, case_of
from oopscope.errors import Absent, ReadError
from oopscope.structs.plan import Plan
from oopscope.subsystems import TABLES, Column, table

# Plans of what only some kernels have, and the stored kernels that lack it.
EVERY = {"5.10", "6.1", "6.12", "7.2", "7.3"}
LACKING = {
    # Types of modules that no stored dump's guest had, or whose kernel keeps none; bound by their modules' own BTF.
    **{
        f"oopscope.linux.drive.{name}": EVERY
        for name in ("SCSI", "HOST", "MAPPED", "CELL", "MAP_TABLE", "MAP_TARGET", "LOOP", "RAID")
    },
    "oopscope.linux.mount_options.OVERLAY": EVERY,
    "oopscope.linux.mount_options.XFS": EVERY,
    "oopscope.linux.printk_safe.BUFFER": {"6.1", "6.12", "7.2", "7.3"},  # 93d102f094be, 5.15
    "oopscope.linux.edac.CONTROLLER": EVERY,  # built without CONFIG_EDAC
    "oopscope.linux.edac.DIMM": EVERY,
    "oopscope.linux.machine_check.RECORD": {"5.10", "6.1"},  # built without CONFIG_X86_MCE
    "oopscope.linux.mount_options.FUSE": {"5.10", "6.1"},  # built in later
    "oopscope.linux.virtqueue.RING": {"5.10", "6.1"},  # of module virtio_ring there, built in later
    "oopscope.linux.module_types.BTF_MODULE": {"5.10"},  # types of modules came with 5.11
    "oopscope.linux.module_types.BTF": {"5.10"},
    "oopscope.linux.net.CORE_STATS": {"5.10"},  # 625788b58445, 5.18
    "oopscope.linux.net.DSTATS": {"5.10"},  # of modules until 79e0c5be8c73, 6.1
    "oopscope.linux.slab.SLAB_NODE": EVERY,  # of CONFIG_SLAB
    "oopscope.linux.vmstat.ZONE_STAT": {"5.10"},  # f19298b9516c, 5.14
    "oopscope.linux.zone.PAGE_LISTS_IN_SET": {"6.1", "6.12", "7.2", "7.3"},  # gone with 5.14, 28f836b6777b
}
KERNELS = {name.split("-")[0]: name for name in NAMES}


def plans() -> dict[str, Plan]:
    """Every Plan that a module of core holds, by `module.NAME`."""
    found: dict[Any, Any] = {}
    for info in pkgutil.walk_packages(oopscope.__path__, "oopscope."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if isinstance(value, Plan):
                found.setdefault(id(value), (f"{info.name}.{name}", value))
    return dict(found.values())


PLANS = plans()


def test_the_walk_finds_plans() -> None:
    assert len(PLANS) > 15
    assert any(name.endswith("task.TASK") for name in PLANS)


@pytest.mark.parametrize("name", PLANS)
def test_binds_on_every_kernel(name: str) -> None:
    """One dump of each kernel; a required member that is missing there is a fault of the plan."""
    lacking = {}
    for release, dump in KERNELS.items():
        try:
            case_of(dump).kernel.bind(PLANS[name])
        except Absent as e:
            lacking[release] = e
    assert set(lacking) == LACKING.get(name, set()), lacking


@pytest.mark.parametrize("key, module", TABLES)
def test_table(key: str, module: str) -> None:
    found = table(key)
    assert found.key == key
    assert found.title
    assert found.columns
    assert all(isinstance(c, Column) and c.key and c.title for c in found.columns)
    assert len({c.key for c in found.columns}) == len(found.columns)
    try:
        rows = list(found.rows(case_of("6.1-life" if key in LATER else "6.1-deadlock").kernel))
    except ReadError:
        rows = []
    assert rows or key in BARE
    for row in rows:
        for column in found.columns:
            getattr(row, column.key)


TYPES = {
    "text": (str, int, float, tuple),
    "int": int,
    "bytes": int,
    "address": int,
    "seconds": (int, float),
    "state": str,
    "symbol": str,
    "bool": bool,
    "list": tuple,
    "frames": tuple,
    "registers": dict,
}


def test_every_row_has_its_columns_types(case: Case) -> None:
    for key in case.tables:
        found = table(key)
        for row in found.rows(case.kernel):
            for column in found.columns:
                value = getattr(row, column.key)
                assert value is None or isinstance(value, TYPES[column.kind]), (key, column.key, value)
                assert column.kind == "bool" or not isinstance(value, bool), (key, column.key, value)


def test_every_file_with_a_table_is_in_the_list() -> None:
    folder = Path(oopscope.subsystems.__file__).parent
    modules = {f"oopscope.subsystems.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"}
    with_table = {name for name in modules if hasattr(importlib.import_module(name), "TABLE")}
    assert with_table == {module for _, module in TABLES}
    assert len({key for key, _ in TABLES}) == len(TABLES)
