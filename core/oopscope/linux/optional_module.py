"""What is a module on some kernels and built in on others: whether it is there, where its symbols are, its types."""

from oopscope.errors import Absent, NoSymbol, NoType
from oopscope.kernel.kernel import Kernel
from oopscope.linux.module import module_list
from oopscope.linux.module_types import module_types
from oopscope.structs.layout import Types


def symbol_of(kernel: Kernel, module: str, symbol: str) -> int:
    """Return the address of a symbol of a module, which may be built in; NoSymbol for none."""
    at = kernel.find_symbol(symbol)
    if at is None:
        owner = next((one for one in module_list(kernel) if one.name == module), None)
        at = owner.symbols.lookup(symbol) if owner and owner.symbols else None
    return kernel.symbol(symbol) if at is None else at


def is_there(kernel: Kernel, module: str, symbol: str) -> bool:
    """Tell whether a module is loaded, or built in; true also where its list, or what is built in, is not known."""
    try:
        kernel.symbol(symbol)
    except NoSymbol as e:
        if not e.unnamed and all(one.name != module for one in module_list(kernel)):
            return any(problem.section == "modules" for problem in kernel.problems)
    return True


def types_of(kernel: Kernel, module: str, struct: str) -> Types:
    """Return the types that a module's structs are among; Absent where this kernel does not keep them."""
    if kernel.types.has(struct):
        return kernel.types
    try:
        return module_types(kernel, module)
    except NoType:
        raise Absent(f"the types of module {module} are not in this kernel") from None
