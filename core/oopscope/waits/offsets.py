"""Where members lie in the structs that waits are read by, whether the kernel's own types know them or a module's."""

from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.module_types import module_types
from oopscope.structs.layout import Types


def _known(kernel: Kernel) -> dict[tuple[str, str, str], int | None]:
    return {}


def _shapes(kernel: Kernel) -> dict[tuple[object, ...], tuple[int, ...] | None]:
    return {}


def _types(kernel: Kernel) -> dict[str, Types | None]:
    return {}


def lowest(kernel: Kernel) -> int:
    """Return the lowest address that can be the kernel's: not all machines have it in the upper half."""
    return kernel.machine.kernel_from(kernel)


def offset(kernel: Kernel, struct: str, *paths: str, module: str = "") -> int | None:
    """Return the offset of the first of some members that a struct has; None where it has none, or there is none."""
    known = kernel.cached(_known)
    for path in paths:
        key = struct, path, module
        if key not in known:
            known[key] = _offset(kernel, struct, path, module)
        if known[key] is not None:
            return known[key]
    return None


def offsets(kernel: Kernel, struct: str, *paths: str | tuple[str, ...], module: str = "") -> tuple[int, ...] | None:
    """Return the offsets of several members, each by one or more names; None where one of them is missing."""
    known, key = kernel.cached(_shapes), (struct, paths, module)
    if key not in known:
        found = [offset(kernel, struct, *((p,) if isinstance(p, str) else p), module=module) for p in paths]
        known[key] = None if None in found else tuple(at for at in found if at is not None)
    return known[key]


def _offset(kernel: Kernel, struct: str, path: str, module: str) -> int | None:
    for types in (kernel.types, _of_module(kernel, module) if module else None):
        try:
            if types is not None:
                return types.member(struct, path).offset
        except Absent:
            continue
    return None


def size(kernel: Kernel, struct: str, module: str = "") -> int | None:
    """Return the size of a struct in bytes; None where there is none."""
    for types in (kernel.types, _of_module(kernel, module) if module else None):
        try:
            if types is not None:
                return types.sizeof(struct)
        except Absent:
            continue
    return None


def _of_module(kernel: Kernel, module: str) -> Types | None:
    known = kernel.cached(_types)
    if module not in known:
        try:
            known[module] = module_types(kernel, module)
        except OopscopeError:
            known[module] = None
    return known[module]
