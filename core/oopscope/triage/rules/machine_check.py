"""A machine check: the processor itself reported a hardware error. Follows arch/x86/kernel/cpu/mce/core.c."""

from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict
from oopscope.triage.mce_status import BANK, decoded

SAID = lazy_re(
    r".*[Mm]achine check|Unable to continue|.*Processor context corrupt|CPU context corrupt|.*MCE|"
    r"Non-resumable error|Irrecoverable \w+ error"  # sparc64
)
OLD_BANK = lazy_re(r"Bank (?P<bank>\d+): (?P<status>[0-9a-f]{16})(?: at (?P<address>[0-9a-f]+))?")
POWER = lazy_re(r"^(?:Oops: )?Machine check(?: \d+)?, sig: ")  # powerpc dies of it as of an oops
MCE = lazy_re(r"MCE: CPU\d+: .*|Machine check in kernel mode.*")
ADDRESS = lazy_re(r"(?:mce: )?\[Hardware Error\]: .*\bADDR (?P<address>[0-9a-f]+)")
REASON = lazy_re(r"(?:mce: )?\[Hardware Error\]: Machine check: (?P<why>.*)")
TIMEOUT = lazy_re(r"Timeout")


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words, with what a bank of the processor told; a mere timeout is another rule's."""
    bank = death.lately(BANK)
    if death.in_oops(POWER):
        return _of_power(death)
    if death.panic is None or not SAID.match(death.panic_message or ""):
        return None
    if "Unable to continue" in (death.panic_message or "") and bank is None:
        return None
    if TIMEOUT.match(death.panic_message or "") and bank is None:
        return None
    evidence = [death.from_log(death.lines[death.panic.row])]
    where = ""
    if bank:
        evidence.append(death.from_log(bank[0]))
        m = bank[1]
        number, status = m["bank"] or m["bank2"], m["status"] or m["status2"]
        old = death.lately(OLD_BANK) if number is None else None
        if old:
            evidence.append(death.from_log(old[0]))
            number, status = old[1]["bank"], old[1]["status"]
        words = decoded(int(status, 16)) if status and number else ""
        where = f" (CPU {m['cpu'] or m['cpu2']}{f', bank {number}' if number else ''}, status {status})"
        where = f"{f': {words}' if words else ''}{where}"
    for found in (death.lately(ADDRESS), death.lately(REASON)):
        if found and bank:
            evidence.append(death.from_log(found[0]))
    return death.verdict(
        "hardware",
        "machine-check",
        "Machine check",
        f"The processor reported a hardware error that it could not correct{where}.",
        "certain" if bank else "likely",
        evidence,
        ("Decode the bank's status with rasdaemon or mcelog; look in the management controller's event log.",),
        blame=False,  # what the CPU ran is chance
    )


def _of_power(death: Death) -> Verdict:
    """Judge powerpc's oops of a machine check, with what the processor told of it. arch/powerpc/kernel/mce.c."""
    told = death.lately(MCE)
    evidence = [death.from_log(told[0])] if told else []
    evidence.append(death.from_log(death.lines[death.oops_line or 0]))
    words = f": {told[0].text.strip()}" if told else ""
    return death.verdict(
        "hardware",
        "machine-check",
        "Machine check",
        f"The processor reported a machine check in {death.where}{words}.",
        "likely",
        evidence,
        ("Read the MCE lines; a driver that reads a device that is gone makes them too.",),
    )
