"""The stacks of the tasks that wait without end, for a report that would not have every task's."""

from typing import Any

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.report.facts import blocked
from oopscope.report.values import frame, value
from oopscope.stacks.tasks import stack

MAX = 256  # stacks; of the tasks that wait longest


def add_stacks(kernel: Kernel, report: dict[str, Any]) -> None:
    """Give the blocked tasks of a report their frames, where they have none yet."""
    tasks: list[dict[str, Any]] = report.get("tasks") or []
    for task in blocked(tasks)[:MAX]:
        if "frames" in task:
            continue
        try:
            task["frames"] = [frame(f) for f in stack(kernel, int(task["address"], 16))]
        except OopscopeError as e:
            kernel.problems.lost("tasks", f"stack of {task['pid']}")(e)
    report["problems"] = [
        {"section": p.section, "message": p.message, "address": value(p.address, "address")} for p in kernel.problems
    ]
