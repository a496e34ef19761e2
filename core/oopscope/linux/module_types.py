"""Types of modules: split BTF, which the kernel keeps a copy of (5.11).

Follows kernel/bpf/btf.c. struct module's own pointers to it are cleared once a module is loaded; the list `btf_modules`
holds a struct btf for each, whose data begins with a header like the kernel's own.
"""

from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, NoType, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import for_each_list
from oopscope.structs.layout import Types
from oopscope.structs.plan import Plan
from oopscope.symbols.btf import Btf

MAX_MODULES = 4096
MAX_SIZE = 32 << 20


class BtfModule(NamedTuple):
    """struct btf_module: a module, and its types."""

    module: int
    btf: int
    link: int


class BtfStruct(NamedTuple):
    """struct btf: where the data is, in bytes, and whose."""

    data: int
    data_size: int
    name: bytes


BTF_MODULE = Plan("btf_module", BtfModule, link="&list")
BTF = Plan("btf", BtfStruct)


def _tables(kernel: Kernel) -> dict[str, BtfStruct]:
    """Return where each module's BTF is; empty for a kernel that keeps none."""
    lost = kernel.problems.lost("types", "types of modules")
    try:
        head, bound = kernel.symbol("btf_modules"), kernel.bind(BTF_MODULE)
        rows = kernel.bind(BTF)
    except Absent:
        return {}
    found = {}
    walk = for_each_list(kernel.memory, head, bound.offset("link"), lost, MAX_MODULES)
    for entry in bound.rows(walk, lost):
        try:
            table = rows.row(entry.btf)
        except OopscopeError as e:
            lost(e)
            continue
        if table.data and 0 < table.data_size <= MAX_SIZE:
            found[decoded(table.name)] = table
    return found


def modules_with_types(kernel: Kernel) -> list[str]:
    """Return the names of the modules whose types are in the dump."""
    return list(kernel.cached(_tables))


def module_tables(kernel: Kernel) -> list[tuple[int, int]]:
    """Return the address and size in bytes of each module's BTF."""
    return [(table.data, table.data_size) for table in kernel.cached(_tables).values()]


def module_types(kernel: Kernel, module: str) -> Types:
    """Return a module's types, the kernel's own included, decoded once; NoType for a module without."""
    known = kernel.cached(_decoded)
    if module not in known:
        table = kernel.cached(_tables).get(module)
        if table is None:
            raise NoType(f"of module {module}")
        data = kernel.memory.read(table.data, table.data_size)
        known[module] = Types(lambda: Btf(data, kernel.types.btf, kernel.memory.word_size))
    return known[module]


def _decoded(_kernel: Kernel) -> dict[str, Types]:
    return {}  # by the module's name
