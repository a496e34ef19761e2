"""oopscope: read a Linux kernel crash dump with nothing but the dump itself.

`k = oopscope.open("vmcore")` opens one; README's section "Python API" shows the rest. What is public is in `__all__`,
and imported when it is first asked for: importing this package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oopscope.api import OpenDump as OpenDump
    from oopscope.api import open as open
    from oopscope.errors import Absent as Absent
    from oopscope.errors import FormatError as FormatError
    from oopscope.errors import Implausible as Implausible
    from oopscope.errors import MissingPage as MissingPage
    from oopscope.errors import NotADump as NotADump
    from oopscope.errors import OopscopeError as OopscopeError
    from oopscope.errors import ReadError as ReadError
    from oopscope.errors import Unsupported as Unsupported

__version__ = "0.1.0"

# Where each public name is. Strings, so that nothing is imported until it is asked for.
_PLACES = {
    "open": "oopscope.api",
    "OpenDump": "oopscope.api",
    "OopscopeError": "oopscope.errors",
    "FormatError": "oopscope.errors",
    "NotADump": "oopscope.errors",
    "Unsupported": "oopscope.errors",
    "ReadError": "oopscope.errors",
    "MissingPage": "oopscope.errors",
    "Absent": "oopscope.errors",
    "Implausible": "oopscope.errors",
}
__all__ = [
    "Absent",
    "FormatError",
    "Implausible",
    "MissingPage",
    "NotADump",
    "OopscopeError",
    "OpenDump",
    "ReadError",
    "Unsupported",
    "__version__",
    "open",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for; AttributeError for any other."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_PLACES[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
