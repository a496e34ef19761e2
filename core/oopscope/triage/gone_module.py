"""A bad pointer that lies where modules are loaded, and in none that is there: of a module that is gone.

The oops itself names the module that was unloaded last (kernel/module/main.c, print_modules). A timer, a work item or
a callback that it left behind is met later, by whoever runs such things.
"""

from oopscope.errors import OopscopeError
from oopscope.lazy_re import lazy_re
from oopscope.linux.module_list import all_modules
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence

_LAST = lazy_re(r"Modules linked in:.*\[last unloaded: (?P<name>[\w-]+)")


def gone_module(death: Death, address: int | None) -> tuple[str, list[Evidence]]:
    """Return as a clause, with its evidence, whose the address likely was; nothing where it is not so."""
    said = death.in_oops(_LAST)
    if address is None or said is None or not _where_none_is(death, address):
        return "", []
    name = said[1]["name"]
    text = f"{address:#x} lies where modules are loaded, and in none of them; {name} was unloaded last"
    clause = f" (it lies where modules are loaded, likely in {name}, which was unloaded and left something behind)"
    return clause, [death.from_log(said[0], text)]


def _where_none_is(death: Death, address: int) -> bool:
    kernel = death.kernel
    if not kernel.machine_known or address not in kernel.machine.modules(kernel):
        return False
    if death.only_log:
        return True
    try:
        image = range(kernel.symbol("_text", "_stext"), kernel.symbol("_end"))
        loaded = all_modules(kernel)
    except OopscopeError:
        return False
    return address not in image and not any(
        m.address <= address < m.address + (m.size_bytes or 0) for m in loaded if m.address
    )
