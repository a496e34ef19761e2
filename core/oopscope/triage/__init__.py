"""Why the machine died: the rules are asked in turn, and the first that knows answers."""

from importlib import import_module

from oopscope.kernel.kernel import Kernel
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict
from oopscope.triage.rules import RULES


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
            return verdict
    return death.verdict(
        "unknown",
        "unknown",
        "Cause unknown",
        f"The kernel panicked: {death.message}." if death.message else "Nothing in the dump says why the machine died.",
        "possible",
        next_steps=("Read the end of the log, then the panicking CPU's stack.",),
    )


def verdict(kernel: Kernel) -> Verdict:
    """Return the verdict, reached once."""
    return kernel.cached(judge)
