"""A bad pointer that lies where modules are loaded, and in none that is there: of a module that is gone.

The oops itself names the module that was unloaded last (kernel/module/main.c, print_modules). One whose init function
failed is not named there, but it tainted the kernel and is not loaded. A timer, a work item or a callback that it left
behind is met later, by whoever runs such things.
"""

from oopscope.errors import OopscopeError
from oopscope.lazy_re import lazy_re
from oopscope.linux.module_list import all_modules
from oopscope.triage.death import Death, Line
from oopscope.triage.finding import Evidence

_LAST = lazy_re(r"Modules linked in:.*\[last unloaded: (?P<name>[\w-]+)")
_TAINTS = lazy_re(r"(?P<name>[\w-]+): (?:loading out-of-tree module|module verification failed|module license )")


def gone_module(death: Death, address: int | None) -> tuple[str, list[Evidence]]:
    """Return as a clause, with its evidence, whose the address likely was; nothing where it is not so."""
    said = death.in_oops(_LAST)
    name, went, line = (said[1]["name"], "was unloaded last", said[0]) if said else _failed(death)
    if line is None or address is None or not _where_none_is(death, address):
        return "", []
    text = f"{address:#x} lies where modules are loaded, and in none of them; {name} {went}"
    clause = f" (it lies where modules are loaded, likely in {name}, which {went} and left something behind)"
    return clause, [death.from_log(line, text)]


def _failed(death: Death) -> tuple[str, str, Line | None]:
    """Return the last module that tainted the kernel and is not in the oops's list: its init function failed."""
    oops = death.oops
    listed = {one.name for one in oops.modules} if oops is not None and oops.modules is not None else None
    for row in range(oops.row - 1, -1, -1) if oops is not None and listed is not None else ():
        found = _TAINTS.match(death.log.lines.texts[row])
        if found and row not in death.log.foreign:
            name, line = found["name"], death.lines[row]
            return (name, "is not loaded any more", line) if name not in (listed or ()) else ("", "", None)
    return "", "", None


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
