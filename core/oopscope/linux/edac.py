"""Memory controllers and modules that EDAC watches, with the errors that it counted. Follows drivers/edac/edac_mc.c.

They hang in the list mc_devices; a module must name the controller that lists it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.optional_module import is_there, symbol_of, types_of
from oopscope.structs.plan import Bound, Plan

MODULE, LIST = "edac_core", "mc_devices"
MAX_CONTROLLERS, MAX_MODULES, MAX_NAME = 1024, 4096, 64


class Controller(NamedTuple):
    """struct mem_ctl_info."""

    address: int
    number: int
    name: int
    modules: int
    total: int
    corrected: int
    uncorrected: int
    link: int


class ModuleStruct(NamedTuple):
    """struct dimm_info."""

    label: bytes
    controller: int
    number: int
    kind: int
    pages: int
    corrected: int
    uncorrected: int
    csrow: int
    channel: int


CONTROLLER = Plan(
    "mem_ctl_info", Controller, number="mc_idx", name="ctl_name", modules="dimms", total="tot_dimms",
    corrected="ce_noinfo_count", uncorrected="ue_noinfo_count", link="&link",
)  # fmt: skip
DIMM = Plan(
    "dimm_info", ModuleStruct, controller="mci", number="idx", kind="mtype", pages="nr_pages", corrected="ce_count",
    uncorrected="ue_count", csrow="csrow", channel="cschannel",
)  # fmt: skip


class MemoryModule(NamedTuple):
    """A module, or what a controller counted without knowing of which."""

    controller: str
    name: str | None
    label: str | None  # None: errors that were not located
    corrected: int
    uncorrected: int
    bytes: int | None
    kind: str | None
    row: int | None
    channel: int | None
    address: int


@once
def memory_modules(kernel: Kernel) -> list[MemoryModule]:
    """Return the modules of all controllers, each controller's errors that were not located behind them."""
    if not is_there(kernel, MODULE, LIST):
        return []
    types, found = types_of(kernel, MODULE, "mem_ctl_info"), list[MemoryModule]()
    controllers = CONTROLLER.bind(types, kernel.memory, kernel.endian)
    modules = DIMM.bind(types, kernel.memory, kernel.endian)
    kinds = {number: name.removeprefix("MEM_") for name, number in types.enum("mem_type").items()}
    lost = kernel.problems.lost("edac", "a memory controller")
    head = symbol_of(kernel, MODULE, LIST)
    walk = for_each_list(kernel.memory, head, controllers.offset("link"), lost, MAX_CONTROLLERS)
    for row in controllers.rows(walk, lost):
        word = f"mc{row.number}"
        try:
            name = kernel.memory.text(row.name, MAX_NAME) if row.name else None
        except OopscopeError:
            name = None
        for address, one in _modules(kernel, row, modules):
            label, kind = decoded(one.label), kinds.get(one.kind, str(one.kind))
            size, counts = one.pages * kernel.memory.page_size, (one.corrected, one.uncorrected)
            found.append(MemoryModule(word, name, label, *counts, size, kind, one.csrow, one.channel, address))
        counts = (row.corrected, row.uncorrected)
        found.append(MemoryModule(word, name, None, *counts, None, None, None, None, row.address))
    return found


def _modules(kernel: Kernel, row: Controller, modules: Bound[ModuleStruct]) -> Iterator[tuple[int, ModuleStruct]]:
    """Yield the modules of a controller that have memory: struct dimm_info * and what it holds."""
    if row.total > MAX_MODULES:
        kernel.problems.add("edac", f"a memory controller with {row.total} modules", row.address)
        return
    lost = kernel.problems.lost("edac", "a memory module")
    try:
        addresses = kernel.memory.words(row.modules, row.total) if row.total else ()
    except OopscopeError as e:
        return lost(e)
    for address in addresses:
        try:
            one = modules.row(address)
        except OopscopeError as e:
            lost(e)
            continue
        if one.controller != row.address:
            kernel.problems.add("edac", "what should be a memory module is of another controller", address)
        elif one.pages:
            yield address, one
