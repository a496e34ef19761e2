"""A cluster's software stopped this node on purpose: GAB, LLT, ocfs2, Oracle's cssd, SBD, Pacemaker."""

import re

from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

MODULES = {
    *(
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
    ),
    *("dlm", "mmfs26", "mmfslinux", "tracedev"),
}
SAID = lazy_re(r"GAB: |vxfen|LLT |.*ocfs2 is very sorry to be fencing|.*[Cc]ssd|.*[Ff]encing this")
# Programs that fence their own node by SysRq or reboot.
FENCERS = lazy_re(
    r"sbd(?::.*)?|(?:ocssd|cssdagent|cssdmonitor|ocssd\.bin|oprocd)\S*|pacemaker\S*|stonithd|fence_\w+|"
    r"watchdog-mux|corosync|pve-ha-\w+|o2hbmonitor|hangcheck\S*|kdumpfence\w*|wd_keepalive"
)


def check(death: Death) -> Verdict | None:
    """Fire where a cluster's module called panic(), its words are a cluster's, or its program did."""
    caller = death.caller_of(("panic", "vpanic"))
    by_module = caller is not None and caller.module in MODULES
    asked = death.on_stack("sysrq_handle_crash") or re.match(r"sysrq triggered crash", death.panic_message or "")
    by_program = bool(asked) and FENCERS.fullmatch(death.whom[2] or "") is not None
    if death.cause is None or not (by_module or by_program or SAID.match(death.panic_message or "")):
        return None
    line = death.lines[(death.panic or death.cause).row]
    if by_program:
        story = f"{death.who}, the cluster's fencing, crashed this node on purpose by SysRq"
    else:
        story = f"The cluster's software stopped this node: {(death.panic_message or '').rstrip('.')}"
    return death.verdict(
        "manual",
        "cluster-fencing",
        "Fenced by the cluster",
        f"{story}.",
        "certain" if by_module else "likely",
        [death.from_log(line)],
        ("Read the cluster's own log on the surviving nodes: why was this node given up?",),
        culprit=caller if by_module else None,
    )
