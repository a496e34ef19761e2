"""The table `cpus`: what each CPU ran, with its stack and registers."""

from oopscope.kernel.kernel import present_cpus
from oopscope.stacks.cpus import all_cpus
from oopscope.subsystems import COMM, CPU, PID, Column, Offer, Table

TABLE = Table(
    "cpus",
    "CPUs",
    (
        CPU,
        Column("online", "Online", "bool", "Whether the CPU was in use."),
        Column(
            "state",
            "State",
            "state",
            "What it did at the end: panic, running (kernel code), idle, user.",
            topic="cpu-state",
        ),
        PID,
        COMM,
        Column("task", "Task", "address", "The task_struct of the task that ran on it.", "struct task_struct"),
        Column(
            "frames",
            "Stack",
            "frames",
            "Its stack, innermost first; boundaries between stacks (NMI, interrupt, exception) are named.",
        ),
        Column(
            "registers",
            "Registers",
            "registers",
            "Its registers: as the dump's notes hold them, or as the exception saved them.",
        ),
    ),
    all_cpus,
    "cpus",
    of=lambda kernel: len(present_cpus(kernel)),
    thing="cpu",
    offer=Offer(lambda cpu: f"cpu {cpu.cpu}", "cpu", ("state", "comm")),
    commands=("bt -c {cpu}", "task {pid}", "runq -c {cpu}", "irq -s"),
)
