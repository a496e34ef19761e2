"""What the words of the machine's own kernel say of a fatal oops, beyond the words that all machines share.

The words are a table of each machine (machine/NAME/wordings): a rule asks for a kind of fault.
"""

import re

from oopscope.machine import MACHINES, wordings
from oopscope.machine.common.wordings import FaultKind, Wordings
from oopscope.triage.ending import Ending, Line


def fault_of(ending: Ending, *kinds: FaultKind) -> "tuple[Line, re.Match[str]] | None":
    """Return the line that says that a fault was of one of some kinds; None for another, and for an unknown machine."""
    words = _words_of(ending)
    for fault in words.faults if words is not None else ():
        if fault.kind in kinds and (found := ending.in_oops(fault.pattern)):
            return found
    return None


def address_of(ending: Ending) -> int | None:
    """Return the address that the oops says could not be used; None where it names none."""
    words, oops = _words_of(ending), ending.oops
    if words is None or oops is None:
        return None
    lines = (words.fault_address_in(text) for text in oops.lines)
    return next((address for address in lines if address is not None), None)


def _words_of(ending: Ending) -> Wordings | None:
    name, module = ending.kernel.machine_name, ending.kernel.arch.module
    if name is None:  # a log that no word of tells the machine
        return None
    keys = [line.key for line in MACHINES if line.key == name]
    keys += [line.key for line in MACHINES if module.startswith(f"{line.folder}.")]
    return wordings(keys[0]) if keys else None
