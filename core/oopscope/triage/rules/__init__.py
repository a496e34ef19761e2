"""The rules, one a file, in the order in which they are asked.

First whether it runs, then what panic() itself says (its words are fixed in the kernel's source), then what a fatal
oops says, the deeper cause before the plainer one, last what is left. A rule is `check(death) -> Verdict | None`; it
fires only on what is true of a death, and answers None on any other. A plainer rule may be true as well (a corrupted
list shows as a NULL pointer): it stands behind the deeper one. To add one: a file here and a line in RULES.
"""

RULES: tuple[str, ...] = (
    "running_machine",
    "root_not_mounted",
    "init_killed",
    "out_of_memory",
    "deadlock",
    "hung_task",
    "soft_lockup",
    "hard_lockup",
    "rcu_stall",
    "sysrq_crash",
    "machine_check",
    "edac_uncorrectable",
    "pcie_fatal",
    "ghes_fatal",
    "nmi_io_check",
    "nmi_memory_error",
    "watchdog_timer",
    "unknown_nmi",
    "cluster_fencing",
    "firmware_bug",
    "stack_overflow",
    "stack_corruption",
    "use_after_free",
    "double_free",
    "slab_corruption",
    "list_corruption",
    "refcount_error",
    "scheduling_while_atomic",
    "panic_in_interrupt",
    "null_pointer",
    "general_protection",
    "bad_page_fault",
    "kernel_bug",
    "invalid_opcode",
    "divide_error",
    "panic_called",
    "external_dump",
)
