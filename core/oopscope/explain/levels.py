"""The log's levels, as the kernel's printk writes them."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "0": Text("Emergency: the system is unusable. panic() speaks here."),
    "1": Text("Alert: something must be done at once. An oops begins here (page faults)."),
    "2": Text("Critical: a critical condition, mostly of hardware."),
    "3": Text("Error: an operation failed. Many drivers use it for what is merely unusual."),
    "4": Text("Warning: not wrong in itself. WARN() speaks here; so do most lines of a stack in an oops."),
    "5": Text("Notice: normal, but worth a note."),
    "6": Text("Info: what happens anyway: devices found, modules loaded."),
    "7": Text("Debug: hidden from the console unless asked for."),
}
