"""The table `hooks`: what was hung into the kernel."""

from oopscope.linux.hooks import hooks
from oopscope.subsystems import Column, Table

TABLE = Table(
    "hooks",
    "Hooks",
    (
        Column(
            "kind",
            "Kind",
            help="live patch: a function is replaced; kprobe: stopped at; ftrace: traced; notifier: called at an "
            "event.",
        ),
        Column("where", "Where", help="The function that it stands in or replaces, or the event."),
        Column("function", "Calls", "symbol", "The function that is called.", "symbol"),
        Column("state", "State", help="enabled, patched, optimized ...; of a notifier the chain that it hangs in."),
        Column("module", "Module", help="Whose function that is; nothing for the kernel's own.", names="module"),
        Column("priority", "Priority", "int", "Of a notifier: the highest is called first.", brief=False),
        Column("address", "Struct", "address", "Its notifier_block, kprobe, ftrace_ops or klp_func.", brief=False),
    ),
    hooks,
    "system",
    ("address",),
    asked=True,
    when_opened=True,
)
