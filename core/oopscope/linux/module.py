"""Loaded modules as the kernel holds them: where each lies, its symbols and its ORC tables.

Follows include/linux/module.h and kernel/module/kallsyms.c. A module's address ranges are in mem[] (ac3b43283923
"module: replace module_layout with module_memory", 6.4), in core_layout and init_layout (7523e4dc5057 "module: use a
structure to encapsulate layout.", 4.5) before.
"""

from bisect import bisect_right
from operator import itemgetter
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, NoTypes, OopscopeError
from oopscope.kernel.kernel import Kernel, Name
from oopscope.kernel.walk import for_each_list
from oopscope.structs.plan import Plan
from oopscope.symbols.module_symbols import ModuleSymbols
from oopscope.symbols.orc import Orc

MAX_MODULES = 4096
MAX_SYMBOLS = 1 << 20
MAX_SIZE = 256 << 20
MAX_HEAD = 1 << 20
UNFORMED = 3


class ModuleStruct(NamedTuple):
    """The members of struct module that naming and unwinding need."""

    address: int
    name: bytes
    state: int
    kallsyms: int
    num_orcs: int | None
    orc_unwind_ip: int | None
    orc_unwind: int | None
    link: int


MODULE = Plan(
    "module",
    ModuleStruct,
    num_orcs="arch.num_orcs",
    orc_unwind_ip="arch.orc_unwind_ip",
    orc_unwind="arch.orc_unwind",
    link="&list",
)


class ModKallsyms(NamedTuple):
    """struct mod_kallsyms: the symbols that are in use now."""

    symtab: int
    num_symtab: int
    strtab: int
    typetab: int | None


MOD_KALLSYMS = Plan("mod_kallsyms", ModKallsyms)


class Region(NamedTuple):
    """One range of a module's memory."""

    start: int
    size: int


class Module:
    """One module; its symbols and ORC tables are read when first asked for."""

    def __init__(self, kernel: Kernel, row: ModuleStruct) -> None:
        self._kernel, self.row = kernel, row
        self.name = decoded(row.name)
        self.regions = regions(kernel, row.address)
        self._symbols: ModuleSymbols | None = None
        self._orc: Orc | None = None

    @property
    def symbols(self) -> ModuleSymbols | None:
        """The module's symbols; None where they cannot be read."""
        if self._symbols is None:
            try:
                table = self._kernel.bind(MOD_KALLSYMS).row(self.row.kallsyms)
                self._symbols = ModuleSymbols(
                    self._kernel.memory.read,
                    symtab=table.symtab,
                    count=min(table.num_symtab, MAX_SYMBOLS),
                    strtab=table.strtab,
                    typetab=table.typetab,
                    bits=self._kernel.arch.bits,
                    endian=self._kernel.endian,
                )
            except OopscopeError as e:
                self._kernel.problems.lost("modules", f"symbols of {self.name}")(e)
        return self._symbols

    @property
    def orc(self) -> Orc | None:
        """The module's ORC tables; None where it has none."""
        if self._orc is None and self.row.num_orcs and self.row.orc_unwind_ip and self.row.orc_unwind:
            core = kernel_orc(self._kernel)
            if core is not None:
                self._orc = core.for_module(self.row.orc_unwind_ip, self.row.orc_unwind, self.row.num_orcs)
        return self._orc


def regions(kernel: Kernel, address: int) -> list[Region]:
    """Return the ranges of memory that a module occupies now; those of its init part may be freed (size 0)."""
    types, memory = kernel.types, kernel.memory
    found = []
    try:
        mem = types.member("module", "mem")
        base, size = types.member("module_memory", "base"), types.member("module_memory", "size")
        for i in range(min(mem.count or 0, 16)):
            at = address + mem.offset + i * mem.element_size
            found.append(Region(memory.word(at + base.offset), memory.u32(at + size.offset)))
    except Absent:
        for layout in ("core_layout", "init_layout"):
            at = address + types.member("module", f"{layout}.base").offset
            size_at = address + types.member("module", f"{layout}.size").offset
            found.append(Region(memory.word(at), memory.u32(size_at)))
    return [r for r in found if r.start and 0 < r.size <= MAX_SIZE]


def text_regions(kernel: Kernel, address: int) -> list[Region]:
    """Return the ranges of a module's code: those of its mem[] that hold text, the beginnings of its layouts before."""
    types, memory = kernel.types, kernel.memory
    found = []
    if types.has_member("module", "mem"):
        base, size = types.member("module_memory", "base"), types.member("module_memory", "size")
        kinds = types.enum("mod_mem_type")
        for name in ("MOD_TEXT", "MOD_INIT_TEXT"):
            at = address + types.member("module", f"mem[{kinds.get(name, 0)}]").offset
            found.append(Region(memory.word(at + base.offset), memory.u32(at + size.offset)))
    else:
        for layout in ("core_layout", "init_layout"):
            at = address + types.member("module", f"{layout}.base").offset
            text_size = address + types.member("module", f"{layout}.text_size").offset
            found.append(Region(memory.word(at), memory.u32(text_size)))
    return [r for r in found if r.start and 0 < r.size <= MAX_SIZE]


def module_list(kernel: Kernel) -> list[Module]:
    """Return the modules of the kernel's list, newest first, half-formed ones left out."""
    head, bound, lost = kernel.symbol("modules"), kernel.bind(MODULE), kernel.problems.broken("modules", "module list")
    found = []
    walk = for_each_list(kernel.memory, head, bound.offset("link"), lost, MAX_MODULES)
    for row in bound.rows(walk, lost):
        if row.state == UNFORMED:
            continue
        try:
            found.append(Module(kernel, row))
        except OopscopeError as e:
            lost(e)
    return found


class ModuleMap:
    """Modules by address."""

    def __init__(self, modules: list[Module], known: bool = True) -> None:
        """Take the modules; known=False where they cannot be read, so that an address may well be in one."""
        spans = sorted(((r.start, r.start + r.size, m) for m in modules for r in m.regions), key=itemgetter(0, 1))
        self.known = known
        self._starts = [s[0] for s in spans]
        self._spans = spans

    def at(self, address: int) -> Module | None:
        """Return the module whose memory an address lies in."""
        i = bisect_right(self._starts, address) - 1
        return self._spans[i][2] if i >= 0 and address < self._spans[i][1] else None


def module_map(kernel: Kernel) -> ModuleMap:
    """Return the modules by address; an empty map where the list cannot be read."""
    try:
        return ModuleMap(kernel.cached(module_list))
    except OopscopeError as e:
        kernel.problems.lost("modules", "module list")(e)
        return ModuleMap([], not isinstance(e, NoTypes))


def name_in_module(kernel: Kernel, address: int) -> Name | None:
    """Return what an address is called within a module; the module alone where no symbol of it lies before."""
    module = kernel.cached(module_map).at(address)
    if module is None:
        return None
    found = module.symbols.name_at(address) if module.symbols else None
    if found is None:
        return None
    return Name(found[0], found[1], module.name)


def kernel_orc(kernel: Kernel) -> Orc | None:
    """Return the kernel's own ORC tables; None for a kernel without."""
    return kernel.cached(_kernel_orc)


def _kernel_orc(kernel: Kernel) -> Orc | None:
    names = ("__start_orc_unwind_ip", "__stop_orc_unwind_ip", "__start_orc_unwind")
    start, stop, entries = (kernel.find_symbol(n) for n in names)
    if start is None or stop is None or entries is None:
        return None
    try:
        header = kernel.find_symbol("__start_orc_header")
        return Orc(kernel.memory.read, start, stop, entries, header=header, form=kernel.arch.orc)
    except OopscopeError as e:
        kernel.problems.lost("stacks", "ORC tables")(e)
        return None


def text_range(kernel: Kernel) -> tuple[tuple[int, int], ...]:
    """Return the ranges of the kernel's own code: its text, and that of its initialisation.

    Where nothing names the text's end, read-only data up to the table of exports is taken for code too.
    """
    pairs = (("_stext", "_etext"), ("_sinittext", "_einittext"))
    heads = (("_text", "_stext"), ("_start", "_stext"))  # of head.S, where CPUs begin: on some machines before the text
    found = [(kernel.find_symbol(a), kernel.find_symbol(b), MAX_SIZE) for a, b in pairs]
    if found[0][1] is None:
        found[0] = (found[0][0], kernel.find_symbol("__start___ksymtab"), MAX_SIZE)
    found += [(kernel.find_symbol(a), kernel.find_symbol(b), MAX_HEAD) for a, b in heads]
    return tuple((a, b) for a, b, most in found if a and b and a < b <= a + most)


def in_text(kernel: Kernel, address: int) -> bool:
    """Tell whether an address may be code: in the kernel's text, or anywhere in a module."""
    if any(a <= address < b for a, b in kernel.cached(text_range)):
        return True
    modules = kernel.cached(module_map)
    return modules.at(address) is not None if modules.known else address in kernel.machine.modules(kernel)


def orc_for(kernel: Kernel, address: int) -> Orc | None:
    """Return the ORC tables that describe an address."""
    if any(a <= address < b for a, b in kernel.cached(text_range)):
        return kernel_orc(kernel)
    module = kernel.cached(module_map).at(address)
    return module.orc if module else None
