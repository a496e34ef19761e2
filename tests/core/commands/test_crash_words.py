"""The lines that crash's users type: each is understood or told what is nearest, never taken for something else."""

from typing import Any

import pytest

from cases import case_of
from oopscope.commands.command import CardOf, EachTask, Say, TableOf
from oopscope.commands.register import request
from oopscope.errors import OopscopeError
from oopscope.report.answer import cards_of, each, rows_of
from oopscope.report.card import card_data, card_text
from oopscope.subsystems.cards import card

LINES = """
bt | bt -a | bt -c 1 | bt 1 | bt -f | bt -F | bt -l | bt -r | bt -s | bt -t | bt -e | bt -g 1 | bt -n idle | bt
systemd | ps | ps -m | ps -k | ps -u | ps -p 1 | ps -c 1 | ps -t 1 | ps -a 1 | ps -g 1 | ps -r 1 | ps -s | ps -S |
ps -A | ps -G | ps -y FIFO | ps 1 | ps -l | ps -x | log | log -T | log -t | log -m | log -c | log -d | log -a | log
-s | kmem -i | kmem -s | kmem -s dentry | kmem -S | kmem -S dentry | kmem -z | kmem -f | kmem -v | kmem -n | kmem -V
| kmem -p | kmem -o | kmem -h | kmem -g | kmem ffffffff81000000 | sys | sys config | sys -i | sys -t | sys -c | mach
| mach -m | mach -c | mod | mod -t | mod -s x | mount | mount -f | mount / | dev | dev -d | dev -p | dev -i | irq |
irq -s | irq -a | irq -b | irq -u | timer | timer -r | runq | runq -m | runq -t | runq -g | runq -c 0 | runq -d |
runq -T | net | net -s | net -a | net -n | files | files 1 | files -R /dev | vm | vm 1 | vm -p 1 | vm -m 1 | vm -v 1
| vm -R | task | task 1 | task -R state | task -R pid,comm | sig | sig 1 | sig -l | sig -g 1 | swap | ipcs | ipcs -M
| p jiffies | p runqueues:1 | p init_task | p -x jiffies | p linux_banner | p 1+1 | p init_task.comm | p -d
panic_cpu | struct task_struct | struct task_struct.pid,comm init_task | struct page | struct list_head -o | struct
task_struct init_task | union thread_union | * task_struct init_task | whatis task_struct | whatis schedule | whatis
jiffies | rd init_task | rd -x init_task 4 | rd -8 init_task 8 | rd -32 init_task 8 | rd -16 init_task 8 | rd -d
init_task 4 | rd -a linux_banner 60 | rd -s init_task 4 | rd -p 0 4 | rd -e ffffffff81000000 init_task | dis
schedule | dis -r schedule+10 | dis -l schedule | dis -s schedule | dis schedule 5 | dis -f schedule+10 | dis -u 0 |
sym schedule | sym -l | sym -q sched | sym -m labcrash | sym -p schedule | sym -n schedule | list init_task.tasks |
list -H init_task | list -s task_struct.comm -h init_task | list task_struct.tasks -h init_task | tree -t rb
vmap_area_root | tree -t xa x | search deadbeef | search -k 1 | vtop init_task | vtop ffff888000000000 | ptov 1000 |
pte 1000 | btop 1000 | ptob 1 | foreach bt | foreach UN bt | foreach kernel bt | foreach user files | foreach RU ps
| foreach systemd vm | foreach bash task | foreach 1 sig | foreach UN bt -l | foreach task -R pid | set | set 1 |
set -c 1 | set -p | set -v | help | help bt | waitq x | fuser /dev/null | last | ipcs -s | bpf -p | alias | eval 1+1
| repeat bt | ascii 41 | gdb p 1 | wr x | extend | sbitmapq x | exit | q | list task_struct.tasks -H init_task.tasks
-s task_struct.comm | list module.list -H modules -s module.name | tree -r vmap_area.rb_node vmap_area_root | search
init_task | search -c "Linux version" | task -R pid,comm 1 | struct task_struct -l tasks ffffffffaf41b2c8 | rd -a
linux_banner | rd -p 1000 4 | sym -q printk_ringbuffer | bt -f 1 | mount /proc | dis schedule 3 | p jiffies_64 | bt
-as | bt -asx | bt -c 0 | bt -c 0,1 | bt -c 0-1 | bt -FF | bt -FFs | bt -fsx 1 | bt -x | bt -d | bt -sx | bt -p | bt
-o | bt -E | bt -v | bt -r 1 | bt 1 2 | bt -I ffffffff81000000 -S ffff888000000000 | bt -R schedule | bt kthreadd |
bt swapper/0 | ps -C 0 | ps -m systemd | ps -mu | ps -k -m | ps 1 2 | ps init | ps /^kw/ | ps -p | ps -c | ps -t |
ps -a | ps -r | ps -n | ps -H | ps -GS | ps -y 0 | ps -A -m | ps -l 1 | log -Tm | log -R | dmesg | dmesg -T | kmem
-s kmalloc-64 | kmem -s -I dentry | kmem -s list | kmem -S kmalloc-64 | kmem -r | kmem -F | kmem -m lru,private |
kmem -l a | kmem -C | kmem -x | kmem init_task | sys -c open | sys CONFIG_SMP | sys -panic | mach -o | mod -r | mod
-S | mod -s ext4 | mod -d ext4 | mod -g | lsmod | mount -i | mount -n 1 | mount ext4 | mount -x | dev -D | dev -v 12
| irq -c 0 | irq -sc 0,1 | irq -d | irq 9 | irq 1 4 | timer -C 0 | timer -rC 0 | runq -c 0,1 | net -S | net -s 1 |
net -n 1 | net -N 0100007f | net -xs 1 | files -R /dev/null | files -c 1 | files -n init | files -p ffff888000000000
| files -d ffff888000000000 | vm -x 1 | vm -M ffff888 1 | vm -R libc 1 | vm -f 875 | task -R comm 1 | task -R
comm,pid 1 | task -R mm.pgd 1 | task -x | sig -s 4 | ipcs -smq | bpf | bpf -m | px jiffies | pd jiffies | p/x
jiffies | p &init_task | p *init_task.real_parent | p runqueues | p runqueues:a | p runqueues:all | p runqueues:0,1
| p per_cpu(runqueues, 1).curr.comm | p modules | p saved_command_line | p sizeof(struct task_struct) | p (struct
task_struct *)init_task | p ((struct task_struct *)&init_task)->comm | p &((struct task_struct *)0)->comm | p
init_task->comm | p tainted_mask | p panic_on_oops | p hung_task_timeout | p sysctl_hung_task_timeout_secs | p
0x10*2 | p init_uts_ns.name.release | struct task_struct -o | struct -o task_struct | struct -o task_struct.comm |
struct task_struct.comm,pid init_task | struct task_struct.mm -x init_task | struct -x list_head init_task | struct
rq runqueues:0 | struct rq.curr runqueues:a | struct rq.nr_running runqueues:0,1 | struct task_struct init_task 2 |
struct list_head 1 | struct -p task_struct.mm init_task | struct nosuch | union nosuch | * task_struct.comm
init_task | whatis struct task_struct | whatis -o task_struct | whatis init_task | whatis vfs_read | whatis -r 64 |
whatis -m mm_struct | rd jiffies | rd init_task 16 | rd -x init_task | rd -8 linux_banner 32 | rd -S init_task 8 |
rd -SS init_task 8 | rd -p 1000 | rd -u 400000 | rd -e ffffffff82000000 init_task | rd -32 init_task 4 | rd -N
linux_banner 4 | rd init_task -e ffff | dis -r schedule+16 | dis -rl schedule+16 | dis -f schedule+16 | dis -x
schedule 4 | dis -b 2 schedule | dis schedule 4 | dis -u 400000 | dis nosuch | sym -q schedu | sym -m ext4 | sym -M
| sym ffffffff81000000 | sym nosuch | list task_struct.tasks -H init_task.tasks | list task_struct.tasks -h
init_task -s task_struct.comm,pid | list -H modules module.list -s module.name | list modules | list -o
task_struct.tasks -h init_task | list -s module.name -H modules -o module.list | list module.list -H modules -s
module.name,state | list -h init_task -o 8 | list -r modules | list -l module.list -H modules | list
super_block.s_list -H super_blocks -s super_block.s_id | list block_device.bd_list | list ffffffff81000000 | list 8
init_task | tree -t rbtree -r vmap_area.rb_node vmap_area_root | tree -t xarray -r address_space.i_pages x | tree -t
maple x | tree -r vmap_area.rb_node vmap_area_root -s vmap_area.va_start,va_end | tree -ls vmap_area.va_start
vmap_area_root | search -k init_task | search -c init | search -u deadbeef | search -s _text -e _end deadbeef |
search -x 3 init_task | search -p deadbeef | search -m ffff deadbeef | search -w deadbeef | search -h deadbeef |
search -t init_task | vtop -u 400000 | vtop -c 1 400000 | vtop -k init_task | ptov 0:0 | btop 512a000 | ptob 512a |
pte 8000000000000063 | foreach UN bt -s | foreach RU bt | foreach user bt | foreach active bt | foreach gleader ps |
foreach files | foreach files -R /dev | foreach ps -m | foreach net -s | foreach vm | foreach kworker bt | foreach 1
2 bt | foreach sig | foreach task -R comm | foreach set | foreach IN bt | foreach UN | foreach vtop init_task | for
UN bt | waitq log_wait | waitq ffff888000000000 | fuser / | set -c 0 | set scroll off | set hex | set radix 16 | hex
| dec | sf | eval 1 + 2 | eval -b 0xff | eval 5k | eval (1<<32) | ascii | repeat -1 bt | extend x.so | gdb bt | gdb
p jiffies | g p jiffies | wr jiffies 1 | sbitmapq ffff888000000000 | rustfilt _R | h
""".replace("\n", " ").split(" | ")


@pytest.mark.parametrize("line", [line.strip() for line in LINES])
def test_each_line_asks_for_something_or_says_what_is_nearest(line: str) -> None:
    asked = request(line)
    assert asked is not None
    if isinstance(asked, Say):
        assert len(asked.text) > 15 and "\n" not in asked.text


# Lines that a table of ours answers.
TABLE_OF_LINE = {
    "kmem -s": "slabs", "kmem -z": "zones", "kmem -v": "vmallocs", "kmem -V": "vmstat", "kmem -f": "freelists",
    "kmem -n": "nodes", "kmem -h": "hugepages", "swap": "swaps", "timer": "timers", "net": "interfaces",
    "net -s": "sockets", "dev -d": "disks", "irq": "interrupts", "runq": "runqueues", "mod": "modules",
    "dev -p": "pci", "net -a": "neighbours", "ipcs": "ipc", "ipcs -m": "ipc", "bpf": "bpf", "bpf -p 7": "bpf",
    "bpf -m": "bpfmaps", "bpf -M": "bpfmaps", "route": "routes", "sys -i": "facts", "timer -r": "timers",
    "irq -a": "interrupts", "mount": "mounts",
}  # fmt: skip


@pytest.mark.parametrize(("line", "key"), TABLE_OF_LINE.items())
def test_what_a_table_has_is_not_said_to_be_missing(line: str, key: str) -> None:
    asked = request(line)
    assert isinstance(asked, TableOf) and asked.table == key


# What comes of a line: a text that must stand in the answer.
ANSWERS = {
    "ps -r 1": "open files",
    "sig 1": "Signals",
    "sig -g 1": "Signals",
    "sys -i": "QEMU",
    "ps 1": "init",
    "ps -S": "I ",
    "mount /proc": "proc",
    "irq": "",
    "list task_struct.tasks -H init_task.tasks -s task_struct.comm": "kthreadd",
    "list module.list -H modules -s module.name": "labcrash",
    "task -R pid,comm 1": '"init"',
    "struct task_struct.pid,comm init_task": '"swapper/0"',
    "vtop init_task": "yes",
    "ptob 10": "0x10000",
    "rd -a linux_banner": "Linux version",
    "rd -8 linux_banner 16": "4c 69 6e 75 78",
    "rd -32 linux_banner 4": "756e694c",
    "rd -d init_task 2": "",
    "sym -n schedule": "schedule",
    "sym -m labcrash": "labcrash_init",
    "bt -f 1": "do_wait",
    "bt -f": "lab_read_balance",  # of the task that the verdict names
    "dis schedule 3": "schedule",
    "vm -m 1": "mm_struct",
    "p runqueues": "runqueues of CPU 1",
    "search init_task": "Found",
    "search -c swapper/0": "Found",
}


@pytest.mark.parametrize(("line", "holds"), ANSWERS.items())
def test_what_comes_of_it(line: str, holds: Any) -> None:
    kernel, asked = case_of("6.1-null").kernel, request(line)
    if isinstance(asked, TableOf):
        try:
            text = str(rows_of(kernel, asked).rows)
        except OopscopeError as error:
            text = str(error)
    else:
        assert isinstance(asked, CardOf | EachTask)
        text = "".join(card_text(one) for one in cards_of(kernel, asked))
    assert holds in text


def test_a_member_gives_the_struct_around_it() -> None:
    kernel = case_of("6.1-null").kernel
    inner = kernel.symbol("init_task") + kernel.types.member("task_struct", "tasks").offset
    asked = request(f"struct task_struct -l tasks {inner:x}")
    (found,) = cards_of(kernel, asked)
    assert card_data(found)["struct"]["address"] == f"{kernel.symbol('init_task'):#x}"


def test_code_up_to_an_address_and_from_it_on() -> None:
    kernel = case_of("6.1-null").kernel
    whole = card_data(card(kernel, "code", "schedule"))["instructions"]
    middle = whole[4]["address"]
    before = card_data(card(kernel, "code", f"{middle}/to"))["instructions"]
    after = card_data(card(kernel, "code", f"{middle}/from"))["instructions"]
    assert [one["address"] for one in before] == [one["address"] for one in whole[:5]]
    assert [one["address"] for one in after] == [one["address"] for one in whole[4:]]
    assert len(card_data(card(kernel, "code", f"{middle}/3"))["instructions"]) == 3


@pytest.mark.parametrize(("kind", "key"), [
    ("translation", "p:zz"), ("translation", "p:" + "f" * 40), ("translation", "v:no_such_symbol"),
    ("search", "no_such"),
    ("symbols", "q:no such name"), ("symbols", "m:nobody"), ("memory", "init_task/4/x"), ("memory", "init_task/0/8"),
    ("stack", "nobody"), ("struct", "task_struct.pid,nothing@init_task"), ("struct", "task_struct@(1"),
])  # fmt: skip
def test_what_is_none_is_said(kind: str, key: str) -> None:
    with pytest.raises(OopscopeError) as caught:
        card(case_of("6.1-null").kernel, kind, key)
    assert str(caught.value)


def test_several_tasks_as_one_card_for_the_screen() -> None:
    kernel = case_of("6.1-deadlock").kernel
    found = each(kernel, "state:D|stack")
    assert [one.title.partition(" · ")[0] for one in found.sections] == [
        "lab-teller-ab (PID 238)",
        "lab-teller-ba (PID 239)",
    ]
    assert each(kernel, "state:Z|stack").sections[0].why == "no task is state:Z"
