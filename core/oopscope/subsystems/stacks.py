"""The table `stacks`: every task's stack, identical ones once, with who has it and for how long."""

from oopscope.stacks.groups import all_groups
from oopscope.subsystems import Column, Table

TABLE = Table(
    "stacks",
    "Stacks",
    (
        Column("tasks", "Tasks", "int", "How many tasks have this stack."),
        Column("states", "State", help="Their states, with how many are in each where there are several."),
        Column("longest_seconds", "Longest", "seconds", "For how long the one that ran last the longest ago has not."),
        Column("pid", "PID", "int", "That one.", "task"),
        Column("who", "Who", help="Their names; those that differ in a number are one: `2,400 of w-*`."),
        Column(
            "modules", "Modules", "list", "The modules that have frames in it.", "module", look="filter: modules:zfs"
        ),
        Column("frames", "Stack", "frames", "The functions, innermost first."),
    ),
    all_groups,
    "tasks",
    ("pid", "who"),  # the idle tasks of all CPUs have PID 0
    asked=True,
)
