"""The facade: one dead kernel's memory, symbols, types and registers, passed to everything that reads it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from oopscope.arch import Arch
from oopscope.dumps import Dump, Facts
from oopscope.errors import Implausible, NoSymbol, NoTypes, OopscopeError
from oopscope.kernel.once import reader
from oopscope.kernel.problems import Problems
from oopscope.memory.virtual import Memory
from oopscope.symbols.blob import Endian
from oopscope.symbols.cache import IndexCache
from oopscope.symbols.named import Named
from oopscope.symbols.vmcoreinfo import VmcoreInfo

if TYPE_CHECKING:
    from oopscope.kernel.machine import Machine
    from oopscope.structs.layout import Types
    from oopscope.structs.plan import Bound, Plan, Row
    from oopscope.structs.view import View
    from oopscope.symbols.kallsyms import Kallsyms

T = TypeVar("T")
MAX_CPUS = 8192


class Name(NamedTuple):
    """What an address is called: the symbol at or before it, how far into it, and whose."""

    symbol: str
    offset: int
    module: str | None

    def __str__(self) -> str:
        return f"{self.symbol}+{self.offset:#x}" + (f" [{self.module}]" if self.module else "")


def machine_of(arch: Arch) -> "Machine":
    """Return what a kernel of an architecture is: the module that `arch` names stands above this one, and is loaded."""
    found: Machine = import_module(arch.module).MACHINE
    return found


class Lookup(Protocol):
    """A table of symbols beside kallsyms."""

    what: str  # where they are from

    def lookup(self, name: str) -> int | None:
        """Return a symbol's address; None for none."""
        ...


class Kernel:
    """One dead kernel. Made by `oopscope.boot.attach.open_kernel`."""

    def __init__(
        self, dump: Dump, arch: Arch, info: VmcoreInfo, memory: Memory, cache: IndexCache | None = None
    ) -> None:
        self.dump, self.arch, self.info, self.memory = dump, arch, info, memory
        self._index = cache or IndexCache(None, None)
        self.problems = Problems()
        self.path = ""
        # How an address outside the kernel itself is named; boot puts the modules here, which build on this class.
        self.name_in_module: Callable[[Kernel, int], Name | None] = lambda _kernel, _address: None
        self.types_from: Callable[[], Types] | None = None  # a file that a user gave, instead of the kernel's own BTF
        # The log that was saved beside the dump, and from which file the log was read where the dump's own is lost.
        self.log_beside: Callable[[], tuple[str, Sequence[Any]]] | None = None
        self.log_from: str | None = None
        self.on_progress: Callable[[str], None] = lambda _text: None  # is told how far a long search is
        self.on_remember: Callable[[], None] = lambda: None  # what keeps such types for the next run
        self.more_symbols: Callable[[Kernel], list[Lookup]] = lambda _kernel: []  # tables beyond kallsyms, by boot
        self._bound: dict[int, Bound[Any]] = {}
        self._cached: dict[Callable[[Kernel], Any], Any] = {}
        self._addresses: dict[str, int | None] = {}
        self._not_found: dict[str, OopscopeError] = {}  # tables that are not to be had, and why
        self._names: dict[int, Name | None] = {}
        self.endian: Endian = "<" if arch.byteorder == "little" else ">"

    @cached_property
    def machine(self) -> "Machine":
        """What a kernel of this machine is."""
        return machine_of(self.arch)

    @cached_property
    def symbols(self) -> "Kallsyms":
        """The kernel's own symbol table; found where VMCOREINFO names it, by a scan of the image where it does not."""
        from oopscope.symbols.kallsyms import open_kallsyms

        def find() -> "Kallsyms":
            known = self._index.symbols(self.memory.read, self.info.symbol("_stext"))
            with self.memory.physical.searching():
                return known or open_kallsyms(self.memory.read, self.info, self.arch.bits, self.endian)

        return self._once("kallsyms", find)

    @cached_property
    def types(self) -> "Types":
        """The kernel's own types (BTF), opened when the first is asked for."""
        from oopscope.structs.layout import Types
        from oopscope.symbols.btf import Btf

        if self.types_from is not None:
            return self.types_from()

        def open_btf() -> Btf:
            place = self.cached(btf_place)
            if place is None:
                raise NoTypes
            return self._index.open_btf(self.memory.read, *place, self.memory.word_size)

        def open_once() -> Btf:
            return self._once("BTF", open_btf)

        types = Types(open_once)
        known = self._index.types(self.memory.read, self.info.symbol("_stext"))
        if known:
            try:
                types.preload(known)
            except (ValueError, TypeError, KeyError, AttributeError):
                return Types(open_once)
        return types

    def _once(self, table: str, find: Callable[[], T]) -> T:
        """Return what find() gives; where it failed before, fail likewise without the long search."""
        if table in self._not_found:
            raise self._not_found[table]
        try:
            return find()
        except OopscopeError as e:
            self._not_found[table] = e
            raise

    def know_missing(self, table: str, why: OopscopeError) -> None:
        """Take it that a table is not to be had, as another reader of the same dump found."""
        self._not_found[table] = why

    def remember(self) -> None:
        """Keep what was found out of this kernel's tables in the index cache; to be called when all is shown."""
        self.on_remember()
        found = self.__dict__  # what the cached properties hold, without making them
        types: Types | None = found.get("types") if self.types_from is None else None
        self._index.save(
            self.memory.read,
            self.info.symbol("_stext"),
            found.get("symbols"),
            types.opened if types else None,
            types.export() if types and types.changed else None,
        )

    def find_symbol(self, name: str) -> int | None:
        """Return a symbol's address, or None if this kernel has no such symbol."""
        if name not in self._addresses:
            address = self.info.symbol(name) if name in _EXPORTED else None
            self._addresses[name] = self._look_up(name) if address is None else address
        return self._addresses[name]

    def _look_up(self, name: str) -> int | None:
        """Ask kallsyms, then the further tables; raise what kallsyms raised where there are no others."""
        try:
            address = self.symbols.lookup(name)
        except OopscopeError:
            if not self.other_symbols:
                raise
            address = None
        if address is not None:
            return address
        found = (table.lookup(name) for table in self.other_symbols)
        return next((at for at in found if at is not None), None)

    @cached_property
    def other_symbols(self) -> "list[Lookup]":
        """The tables that are asked for what kallsyms does not name, in their order; each is opened when asked."""
        self.__dict__["other_symbols"] = []  # they look up symbols themselves while they are made
        return self.more_symbols(self)

    def symbol(self, *names: str) -> int:
        """Return the address of the first of some names that this kernel has; NoSymbol for none."""
        for name in names:
            address = self.find_symbol(name)
            if address is not None:
                return address
        raise NoSymbol(" or ".join(names), unnamed=not self.names_data)

    @property
    def names_data(self) -> bool:
        """Whether a table names the kernel's variables: kallsyms with CONFIG_KALLSYMS_ALL, or one from a file."""
        others = self.other_symbols
        return not others or any(isinstance(table, Named) for table in others)

    def name_of(self, address: int) -> Name | None:
        """Return what an address is called, in the kernel or in a module; None where no symbol covers it."""
        if address not in self._names:
            found = self._name_at(address)
            if found is not None:
                name: Name | None = Name(found[0], found[1], None)
            else:
                name = self.name_in_module(self, address)
            self._names[address] = name
        return self._names[address]

    def _name_at(self, address: int) -> tuple[str, int] | None:
        """Ask kallsyms; where there is none, a table that has names by address; a kernel without any names nothing."""
        try:
            return self.symbols.name_at(address)
        except OopscopeError as e:
            named = [table for table in self.other_symbols if isinstance(table, Named)]
            if named:
                return named[0].name_at(address)
            if not isinstance(e, Implausible):
                raise
            self.problems.add("stacks", f"functions have no names (--symbols or --vmlinux can add them): {e}")
            return None

    def bind(self, plan: "Plan[Row]") -> "Bound[Row]":
        """Bind a plan to this kernel's types, once."""
        bound = self._bound.get(id(plan))
        if bound is None:
            bound = self._bound[id(plan)] = plan.bind(self.types, self.memory, self.endian)
        return bound

    def view(self, name: str, address: int | None = None) -> "View":
        """Return a struct to be looked at by hand: its members by name, and in lines; NoType or NoMember."""
        from oopscope.structs.view import view

        return view(self.types, self.memory, name, address)

    def know(self, read: Callable[["Kernel"], T], found: T) -> None:
        """Take for read(self) what was found elsewhere."""
        self._cached[read] = found

    def cached(self, read: Callable[["Kernel"], T]) -> T:
        """Return read(self), computed once: subsystems build on each other through this."""
        if read not in self._cached:
            self._cached[read] = reader(read)(self)
        found: T = self._cached[read]
        return found

    def forget(self, read: Callable[["Kernel"], Any]) -> None:
        """Forget what read(self) found: it takes room, and is computed anew where it is asked for again."""
        self._cached.pop(read, None)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Look at something that no section needs: what is missing for it is no problem of theirs.

        Where something was missing, what was cached meanwhile is forgotten, so that who needs it meets the problem.
        """
        count, known = len(self.problems), set(self._cached)
        try:
            yield
        finally:
            if self.problems.forget_after(count):
                for read in set(self._cached) - known:
                    del self._cached[read]

    def per_cpu(self, symbol: int | str, cpu: int) -> int:
        """Return the address of a CPU's copy of a per-CPU variable, given its symbol or that symbol's address."""
        address = self.symbol(symbol) if isinstance(symbol, str) else symbol
        offsets = self.cached(per_cpu_offsets)
        if not 0 <= cpu < len(offsets):
            raise Implausible(f"CPU {cpu} of {len(offsets)} possible ones has no per-CPU area")
        return (address + offsets[cpu]) % self.memory.top

    @property
    def machine_known(self) -> bool:
        """Whether `arch` and `machine` are those of the machine that died, and no stand-in for one not known here."""
        return True

    @property
    def machine_name(self) -> str | None:
        """The architecture's name; None where a log does not tell it."""
        return self.arch.name

    @property
    def facts(self) -> Facts:
        """What the container says of itself, asked once."""
        return self.cached(_facts)


# Symbols that VMCOREINFO names itself: no table is searched for them.
_EXPORTED = {"init_uts_ns", "_stext", "swapper_pg_dir", "prb", "node_online_map", "log_buf", "clear_seq"}


def btf_place(kernel: Kernel) -> tuple[int, int] | None:
    """Return where the kernel's BTF is: by its symbols, else (no CONFIG_KALLSYMS_ALL) by a search of the image."""
    start, stop = kernel.find_symbol("__start_BTF"), kernel.find_symbol("__stop_BTF")
    if start and stop:
        return start, stop
    return kernel.cached(_btf_by_search)  # once: who looks for those symbols may have asked for the types


def _btf_by_search(kernel: Kernel) -> tuple[int, int] | None:
    from oopscope.symbols.btf import find_btf

    stext = kernel.info.symbol("_stext")
    with kernel.memory.physical.searching():
        return find_btf(kernel.memory.read, stext, kernel.info.symbol("init_uts_ns")) if stext else None


def _facts(kernel: Kernel) -> Facts:
    return kernel.dump.facts()


def per_cpu_offsets(kernel: Kernel) -> list[int]:
    """Return what is added to a per-CPU symbol's address for each possible CPU; [0] on a uniprocessor kernel.

    NoSymbol for a multiprocessor one without a symbol for the table: at the symbol's own address is only a template.
    """
    table = kernel.find_symbol("__per_cpu_offset")
    if table is None:
        if kernel.cached(is_multiprocessor):
            raise NoSymbol("__per_cpu_offset")
        return [0]
    count = max(cpu_mask(kernel, "__cpu_possible_mask", "cpu_possible_mask"), default=0) + 1
    return list(kernel.memory.words(table, count))


def is_multiprocessor(kernel: Kernel) -> bool:
    """Tell whether a kernel was built for several CPUs (CONFIG_SMP): its task_struct says on which CPU it is."""
    try:
        return kernel.types.has_member("task_struct", "on_cpu")
    except OopscopeError:
        return kernel.find_symbol("smp_call_function_single") is not None


def cpu_mask(kernel: Kernel, name: str, pointer: str) -> list[int]:
    """Return the CPUs of a mask: a struct cpumask (4.5), or a pointer to one."""
    address = kernel.find_symbol(name)
    if address is None:
        address = kernel.memory.word(kernel.symbol(pointer))
    ids = kernel.find_symbol("nr_cpu_ids")
    count = min(kernel.memory.u32(ids), MAX_CPUS) if ids else 64
    size = kernel.memory.word_size
    words = kernel.memory.words(address, -(-max(count, 1) // (8 * size)))
    return [cpu for cpu in range(count) if words[cpu // (8 * size)] >> cpu % (8 * size) & 1]


def present_cpus(kernel: Kernel) -> list[int]:
    """Return the CPUs that are plugged in; as many as have notes where no symbol names the mask."""
    try:
        return cpu_mask(kernel, "__cpu_present_mask", "cpu_present_mask")
    except NoSymbol:
        return kernel.cached(_cpus_by_notes)


def _cpus_by_notes(kernel: Kernel) -> list[int]:
    """Without CONFIG_KALLSYMS_ALL the kernel names no data; the dump has a note for each CPU."""
    notes = sum(note.name == "CORE" and note.type == 1 for note in kernel.dump.notes())
    kernel.problems.add("cpus", "this kernel's symbols do not name its data: CPUs are counted by the dump's notes")
    return list(range(max(1, min(notes, MAX_CPUS))))


ONLINE_MASKS = ("__cpu_online_mask", "cpu_online_mask")


def online_cpus(kernel: Kernel) -> list[int]:
    """Return the CPUs that were online; a CPU that panic() stopped may have left the mask."""
    try:
        return cpu_mask(kernel, *ONLINE_MASKS)
    except NoSymbol:
        return kernel.cached(_cpus_by_notes)
