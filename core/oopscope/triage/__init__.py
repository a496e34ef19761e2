"""Why the machine died: the rules are asked in turn, and the first that knows answers."""

from importlib import import_module

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.system import the_system
from oopscope.triage import beheaded
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict
from oopscope.triage.known import known_bugs, matching
from oopscope.triage.rules import RULES
from oopscope.triage.suffering import suffering, worst
from oopscope.triage.telling import told

NEEDED = ("log", "cpus", "tasks", "locks")  # what a verdict stands on


def judge(kernel: Kernel) -> Verdict:
    """Ask the rules, in the table's order; a rule that fails is a problem, and the next one is asked."""
    death = Death(kernel)
    for name in RULES:
        try:
            verdict: Verdict | None = import_module(f"oopscope.triage.rules.{name}").check(death)
        except Exception as e:  # noqa: BLE001 - the boundary of a rule: what went wrong is shown, the rest goes on
            kernel.problems.add("verdict", f"rule {name}: {type(e).__name__}: {e}")
            continue
        if verdict is not None:
            return _told(death, verdict)
    return _unknown(death)


def _told(death: Death, verdict: Verdict) -> Verdict:
    try:
        return told(death, verdict)
    except OopscopeError:  # what the stack needs for it is not to be had
        return verdict
    except Exception as e:  # noqa: BLE001 - the verdict stands without the rest of its sentence
        death.kernel.problems.add("verdict", f"the fault: {type(e).__name__}: {e}")
        return verdict


def _unknown(death: Death) -> Verdict:
    """Say what is known where no rule knows: the panic message, or why there is none."""
    told_by_stack = beheaded.of_stack(death) if not death.message else None
    if told_by_stack is not None:
        return told_by_stack
    rest = beheaded.place(death)
    if death.message:
        where = f", in {death.where}" if death.cause is not death.panic and death.culprit is not None else ""
        summary, step = (
            f"The kernel panicked{where}: {death.message}.",
            "Read the end of the log, then the panicking CPU's stack.",
        )
    elif rest is not None:
        summary = f"The log lacks the beginning of a report of {rest}, so nothing says what it was."
        step = "Look for the beginning of the log: the console's, netconsole's, or the next part of pstore's."
        return death.verdict(
            "unknown", "unknown", "Cause unknown", summary, "possible", next_steps=(step,), culprit=rest
        )
    elif death.records and death.only_log:
        found = suffering(death)
        told = f"; it tells of this: {worst(found)}" if found else ""
        summary = f"The log tells of no death{told}."
        step = "If the machine died, the end of its log is missing: look for the console's, netconsole's or pstore's."
    elif not death.records:
        summary = "The kernel log is not in the dump, so nothing says why the machine died."
        step = "Look for vmcore-dmesg.txt beside the dump; see under problems what could not be read, and why."
    else:
        summary = "Nothing in the dump says why the machine died."
        step = "Read the end of the log, then each CPU's stack and the blocked tasks."
    return death.verdict("unknown", "unknown", "Cause unknown", summary, "possible", next_steps=(step,))


def weighed(kernel: Kernel, found: Verdict) -> Verdict:
    """Say on what a verdict does not stand because the dump is cut off or damaged; then nothing is certain.

    What is missing weakens an answer: another rule might have spoken, or the same one with more.
    """
    kernel.facts.look_again()  # the file may have become shorter since it was opened
    if kernel.facts.complete:
        return found
    lost = tuple(key for key in NEEDED if any(problem.section == key for problem in kernel.problems))
    confidence = "likely" if lost and found.confidence == "certain" else found.confidence
    return found._replace(confidence=confidence, lacks=lost)


@once
def verdict(kernel: Kernel) -> Verdict:
    """Judge, and add the known bugs that fit; what is wrong with their file is a problem of its own."""
    found = weighed(kernel, judge(kernel))
    bugs = known_bugs()
    for text in bugs.problems:
        kernel.problems.add("known", text)
    if not bugs.bugs:
        return found
    return found._replace(known=matching(bugs, found, the_system(kernel).release))
