"""Parameters of modules and of what is built in, with their values; versions of modules and what they need.

Follows include/linux/{module.h,moduleparam.h} and kernel/params.c. Which kind a parameter is say its operations; of
one with operations of its own the value is not known here.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.module import module_list
from oopscope.structs.plan import Plan

MAX_PARAMETERS = 65_536
MAX_NAME, MAX_VALUE, MAX_ELEMENTS = 128, 1024, 64
# The operations of the kernel's own kinds: bytes, signed, and how it is written.
NUMBERS: dict[str, tuple[int, bool, Callable[[int], str]]] = {
    "param_ops_byte": (1, False, str), "param_ops_short": (2, True, str), "param_ops_ushort": (2, False, str),
    "param_ops_int": (4, True, str), "param_ops_uint": (4, False, str), "param_ops_long": (8, True, str),
    "param_ops_ulong": (8, False, str), "param_ops_ullong": (8, False, str), "param_ops_hexint": (4, False, hex),
    "param_ops_bool": (1, False, lambda value: "Y" if value else "N"),
    "param_ops_bool_enable_only": (1, False, lambda value: "Y" if value else "N"),
    "param_ops_bint": (4, True, lambda value: "Y" if value else "N"),
    "param_ops_invbool": (1, False, lambda value: "N" if value else "Y"),
}  # fmt: skip


class ParamStruct(NamedTuple):
    """struct kernel_param."""

    name: int
    mod: int
    ops: int
    perm: int
    arg: int


class ModuleParams(NamedTuple):
    """struct module, as far as its parameters go."""

    address: int
    kp: int
    num_kp: int
    version: int
    srcversion: int


class ArrayParam(NamedTuple):
    """struct kparam_array."""

    max: int
    elemsize: int
    num: int
    ops: int
    elem: int


class StringParam(NamedTuple):
    """struct kparam_string."""

    maxlen: int
    string: int


PARAM = Plan("kernel_param", ParamStruct)
MODULE = Plan("module", ModuleParams)
ARRAY = Plan("kparam_array", ArrayParam)
STRING = Plan("kparam_string", StringParam)


class Parameter(NamedTuple):
    """A parameter; value is None where its kind is a module's own, it went with the boot, or it cannot be read."""

    module: str
    name: str
    value: str | None
    kind: str
    perm: str  # of /sys/module/MODULE/parameters/NAME, in octal; 0: not there
    address: int


class _Reader:
    """The parameters of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory, self.param = kernel, kernel.memory, kernel.bind(PARAM)
        begin, end = kernel.find_symbol("__init_begin"), kernel.find_symbol("__init_end")
        self.freed = range(begin or 0, end or 0)  # what only booting needed: its memory was given to others

    def of(self, first: int, count: int, module: str | None) -> Iterator[Parameter]:
        """Yield the parameters of an array of struct kernel_param; those of what is built in carry its name."""
        for number in range(min(count, MAX_PARAMETERS)):
            address = first + number * self.param.size
            row = self.param.row(address)
            name = self.text(row.name, MAX_NAME)
            owner = module
            if owner is None:
                owner, _, name = name.partition(".") if "." in name else ("kernel", "", name)
            ops = self.kernel.name_of(row.ops) if row.ops else None
            kind = ops.symbol if ops and not ops.offset else "?"
            try:
                value = self._value(kind, row.arg)
            except OopscopeError as e:
                self.kernel.problems.lost("parameters", f"{owner}.{name}")(e)
                value = None
            short = kind.removeprefix("param_ops_").removesuffix("_ops").removeprefix("param_")
            yield Parameter(owner, name, value, short, f"{row.perm:o}", address)

    def text(self, address: int, most: int) -> str:
        """Return a string; an empty one for no address."""
        return self.memory.text(address, most) if address else ""

    def _value(self, kind: str, arg: int) -> str | None:
        if not arg or arg in self.freed:
            return None
        if kind in NUMBERS:
            size, signed, write = NUMBERS[kind]
            size = self.memory.word_size if kind in ("param_ops_long", "param_ops_ulong") else size
            return write(int.from_bytes(self.memory.read(arg, size), self.kernel.arch.byteorder, signed=signed))
        if kind == "param_ops_charp":
            pointer = self.memory.word(arg)
            return self.text(pointer, MAX_VALUE) if pointer else "(null)"
        if kind == "param_ops_string":
            return self.text(self.kernel.bind(STRING).row(arg).string, MAX_VALUE)
        if kind == "param_array_ops":
            return self._array(arg)
        return None

    def _array(self, arg: int) -> str | None:
        row = self.kernel.bind(ARRAY).row(arg)
        count = self.memory.u32(row.num) if row.num else row.max
        name = self.kernel.name_of(row.ops) if row.ops else None
        if name is None or count > row.max:
            return None
        found = [self._value(name.symbol, row.elem + n * row.elemsize) for n in range(min(count, MAX_ELEMENTS))]
        return None if None in found else ",".join(value or "" for value in found)


@once
def parameters(kernel: Kernel) -> list[Parameter]:
    """Return the parameters of the modules, then those of what is built in."""
    reader, found, bound = _Reader(kernel), list[Parameter](), kernel.bind(MODULE)
    for module in kernel.cached(module_list):
        try:
            row = bound.row(module.row.address)
            found += reader.of(row.kp, row.num_kp, module.name) if row.kp else ()
        except OopscopeError as e:
            kernel.problems.lost("parameters", module.name)(e)
    start, stop = kernel.find_symbol("__start___param"), kernel.find_symbol("__stop___param")
    if start and stop and start < stop:
        try:
            found += reader.of(start, (stop - start) // reader.param.size, None)
        except OopscopeError as e:
            kernel.problems.lost("parameters", "what is built in")(e)
    return found


class ModuleInfo(NamedTuple):
    """A loaded module: where it is from and what it needs."""

    name: str
    version: str | None
    srcversion: str | None
    needs: tuple[str, ...]
    parameters: int
    build_id: str | None
    address: int


class Uses(NamedTuple):
    """struct module_use."""

    target: int


USES = Plan("module_use", Uses)
MAX_USES = 4096


@once
def module_infos(kernel: Kernel) -> list[ModuleInfo]:
    """Return the modules with their versions and dependencies, newest first."""
    reader, bound, loaded = _Reader(kernel), kernel.bind(MODULE), kernel.cached(module_list)
    names, types = {module.row.address: module.name for module in loaded}, kernel.types
    head, link = types.member("module", "target_list").offset, types.member("module_use", "target_list").offset
    uses, build = kernel.bind(USES), types.has_member("module", "build_id")
    found = []
    for module in loaded:
        lost, at = kernel.problems.lost("modinfo", module.name), module.row.address
        try:
            row = bound.row(at)
            walk = uses.rows(for_each_list(kernel.memory, at + head, link, lost, MAX_USES), lost)
            needs = tuple(names.get(one.target, f"{one.target:#x}") for one in walk)
            version, source = reader.text(row.version, MAX_NAME), reader.text(row.srcversion, MAX_NAME)
            raw = kernel.memory.read(at + types.member("module", "build_id").offset, 20) if build else b""
        except OopscopeError as e:
            lost(e)
            continue
        identity = raw.hex() if raw.strip(b"\0") else None
        found.append(ModuleInfo(module.name, version or None, source or None, needs, row.num_kp, identity, at))
    return found
