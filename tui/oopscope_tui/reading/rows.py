"""The types of what panes show, as core makes them. Imported for type checkers alone: panes must not wait for core."""

from oopscope.dumps import Facts as Facts
from oopscope.fleet.listing import DumpFile as DumpFile
from oopscope.inspect.code import CodeFound as CodeFound
from oopscope.inspect.code import Register as Register
from oopscope.inspect.coverage import Held as Held
from oopscope.inspect.struct import Row as Member
from oopscope.inspect.struct import StructFound as StructFound
from oopscope.inspect.words import Piece as Piece
from oopscope.inspect.words import Stretches as Stretches
from oopscope.inspect.words import Word as Word
from oopscope.kernel.frame import Frame as Frame
from oopscope.kernel.problems import Problem as Problem
from oopscope.klog.lines import LogRow as LogRow
from oopscope.linux.meminfo import Counter as Counter
from oopscope.linux.module_list import Row as Module
from oopscope.linux.printk import Record as Record
from oopscope.linux.slab import Slab as Slab
from oopscope.linux.system import Fact as Fact
from oopscope.linux.zone import Zone as Zone
from oopscope.memory.coverage import Cell as Cell
from oopscope.stacks.cpus import Cpu as Cpu
from oopscope.stacks.tasks import Task as Task
from oopscope.triage.finding import Evidence as Evidence
from oopscope.triage.finding import Verdict as Verdict
from oopscope.waits.rows import WaitRow as WaitRow
from oopscope.waits.wait import Wait as Wait

__all__ = [
    "Cell", "CodeFound", "Counter", "Cpu", "DumpFile", "Evidence", "Fact", "Facts", "Frame", "Held", "LogRow", "Member",
    "Module", "Piece", "Problem", "Record", "Register", "Slab", "Stretches", "StructFound", "Task", "Verdict", "Wait",
    "WaitRow", "Word", "Zone",
]  # fmt: skip
