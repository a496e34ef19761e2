"""Modules as lsmod shows them: size, users, state, taint. Follows kernel/module/{main,procfs}.c."""

from typing import NamedTuple

from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.module import Module, module_list
from oopscope.linux.taint import taint_letters
from oopscope.structs.plan import Plan

STATES = ("live", "coming", "going", "unformed")
# e513cc1c07e2 "module: Remove stop_machine from module unloading", 3.19: a live module holds one reference to itself
MODULE_REF_BASE = 1


class Extra(NamedTuple):
    """What lsmod shows beyond a module's place."""

    refcnt: int | None
    taints: int
    source_list: int


class Use(NamedTuple):
    """struct module_use: who depends on the module."""

    address: int
    source: int


EXTRA = Plan("module", Extra, refcnt="refcnt.counter", source_list="&source_list")
USE = Plan("module_use", Use)


class Row(NamedTuple):
    """One loaded module."""

    name: str
    size_bytes: int | None  # None where only a log names it; the next three too
    address: int | None
    refcount: int | None
    used_by: tuple[str, ...] | None
    state: str
    taint: str


def _users(kernel: Kernel, head: int, names: dict[int, str]) -> tuple[str, ...]:
    lost = kernel.problems.lost("modules", "users of a module")
    try:
        link = kernel.types.member("module_use", "source_list").offset
        bound = kernel.bind(USE)
    except Absent:
        return ()
    uses = bound.rows(for_each_list(kernel.memory, head, link, lost, 4096), lost)
    return tuple(names.get(use.source, f"{use.source:#x}") for use in uses)


def _row(kernel: Kernel, module: Module, names: dict[int, str]) -> Row:
    refcount: int | None = None
    users: tuple[str, ...] = ()
    taint = ""
    try:
        extra = kernel.bind(EXTRA).row(module.row.address)
        refcount = extra.refcnt - MODULE_REF_BASE if extra.refcnt is not None else None
        users, taint = _users(kernel, extra.source_list, names), taint_letters(extra.taints, module=True)
    except OopscopeError as e:
        kernel.problems.lost("modules", module.name)(e)
    base = module.regions[0].start if module.regions else module.row.address
    state = STATES[module.row.state] if module.row.state < len(STATES) else "?"
    return Row(module.name, sum(r.size for r in module.regions), base, refcount, users, state, taint)


@once
def all_modules(kernel: Kernel) -> list[Row]:
    """Return the loaded modules, newest first as /proc/modules lists them."""
    loaded = kernel.cached(module_list)
    names = {m.row.address: m.name for m in loaded}
    return [_row(kernel, m, names) for m in loaded]
