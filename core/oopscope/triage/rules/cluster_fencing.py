"""A cluster's software stopped the node to protect shared data (fencing)."""

import re

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

MODULES = {
    "gab",
    "llt",
    "vxfen",
    "amf",
    "ocfs2",
    "o2cb",
    "ocfs2_nodemanager",
    "ocfs2_stack_o2cb",
    "oracleacfs",
    "oracleoks",
}
SAID = r"^GAB: |^vxfen|^LLT |ocfs2 is very sorry to be fencing|[Cc]ssd|[Ff]encing this"


def check(death: Death) -> Verdict | None:
    """Fire where a cluster's module called panic(), or panic()'s words are a cluster's."""
    caller = death.caller_of(("panic", "vpanic"))
    by_module = caller is not None and caller.module in MODULES
    if death.panic_line is None or not (by_module or re.search(SAID, death.panic_message or "")):
        return None
    return death.verdict(
        "manual",
        "cluster-fencing",
        "Fenced by the cluster",
        f"The cluster's software stopped this node: {death.panic_message}.",
        "certain" if by_module else "likely",
        [death.from_log(death.lines[death.panic_line])],
        ("Read the cluster's own log on the surviving nodes: why was this node given up?",),
        culprit=caller,
    )
