"""Logs of which only a part is left, or that somebody's tools changed: what is left is told, and nothing else."""

from pathlib import Path

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.triage import verdict
from oopscope.triage.finding import Verdict

TRACE = """Call Trace:
 [<ffffffffc0334010>] store_put+0x10/0x40 [stored]
 [<ffffffffc0334108>] store_sync+0x8/0x20 [stored]
 [<ffffffff8109a019>] kthread+0xd9/0xf0
 [<ffffffff815ca995>] ret_from_fork+0x25/0x30"""
OLD_END = (
    "RIP  [<ffffffffc0334063>] store_get+0x63/0x80 [stored]\n RSP <ffffc90040cafdf8>\nCR2: {}\n---[ end trace 36 ]---"
)
NAMELESS = """Call trace:
 0xffffffc00818ff8c
 0xffffffc000c81e2c [stored@000000006b7888f1+0x12000]
 0xffffffc0086f4048
Code: b9402aa2 f9405ea3 8b0202c0 dac00c00 (f8626ac2)
---[ end trace 5e8eb2b2f2a4dfb1 ]---
Kernel panic - not syncing: Oops: Fatal exception
SMP: stopping secondary CPUs"""
MIPS = """CPU 1 Unable to handle kernel paging request at virtual address 00000018, epc == 8ed80668, ra == 8ed03454
Oops[#1]:
CPU: 1 PID: 3306 Comm: storaged Not tainted 4.14.87 #0
$ 0   : 00000000 00000001 ffffffff fffffffe
epc   : 8ed80668 store_put+0x6c/0x88 [stored]
ra    : 8ed03454 store_sync+0x7c/0x94 [stored]
BadVA : 00000018"""
POWER = """Oops: Machine check, sig: 7 [#1]
LE SMP NR_CPUS=2048 NUMA
CPU: 0 PID: 0 Comm: swapper Tainted: G   M            4.16.0 #205
NIP [c000000000b3e7ac] store_put+0x10/0x40"""
BUG = """------------[ cut here ]------------
kernel BUG at fs/store.c:745!
invalid opcode: 0000 [#1] SMP
CPU: 78 PID: 4346 Comm: storaged Not tainted 6.8.0 #60
RIP: 0010:store_put+0x10/0x40 [stored]"""


def judged(tmp_path: Path, text: str, stamp: str = "[  100.000001] ") -> Verdict:
    """Judge a log of these lines, each with the same words before it."""
    path = tmp_path / "dmesg.txt"
    path.write_text("".join(f"{stamp}{line}\n" for line in text.split("\n")))
    return verdict(open_kernel([path]))


@pytest.mark.parametrize(
    ("address", "cause"),
    [("000000000001e2cb", "bad-page-fault"), ("0000000000000034", "null-pointer-dereference")],
)
def test_the_end_of_a_page_faults_oops_says_it_again(address: str, cause: str, tmp_path: Path) -> None:
    found = judged(tmp_path, f"{TRACE}\nCode: 00 00\n{OLD_END.format(address)}\nKernel panic")
    assert (found.cause, found.symbol, found.confidence) == (cause, "store_get+0x63", "likely")


def test_a_panic_leads_back_to_what_is_left_of_its_oops(tmp_path: Path) -> None:
    found = judged(tmp_path, NAMELESS)
    assert (found.cause, found.module) == ("unknown", "stored")
    assert "module stored" in found.summary


def test_a_report_without_its_beginning_says_where_it_stood(tmp_path: Path) -> None:
    found = judged(tmp_path, f"Pid: 491, comm: storaged Not tainted 2.6.32 #1\nRIP: 0010:[<ffffffff8124e424>]  "
                             f"[<ffffffff8124e424>] store_get+0x94/0xa0\n{TRACE}")  # fmt: skip
    assert (found.cause, found.symbol) == ("unknown", "store_get+0x94")


@pytest.mark.parametrize(
    ("text", "cause", "symbol"),
    [(MIPS, "null-pointer-dereference", "store_put+0x6c"), (POWER, "machine-check", "store_put+0x10")],
)
def test_machines_of_other_words(text: str, cause: str, symbol: str, tmp_path: Path) -> None:
    found = judged(tmp_path, text)
    assert (found.cause, found.symbol) == (cause, symbol)


@pytest.mark.parametrize(
    "stamp",
    ["kernel: ", "июл 27 14:08:04 laptop kernel: ", "juil. 27 14:08:04 laptop kernel: ", "[  240.] ",
     "[guest0/uart0] [    1.859726] "],
)  # fmt: skip
def test_forms_that_people_paste(stamp: str, tmp_path: Path) -> None:
    found = judged(tmp_path, BUG, stamp)
    assert (found.cause, found.symbol) == ("kernel-bug", "store_put+0x10")


def test_what_a_program_says_of_leaks_is_no_death(tmp_path: Path) -> None:
    text = f"BUG: memory leak\nunreferenced object 0xffff888109000000 (size 240):\n{TRACE}"
    assert judged(tmp_path, text).cause == "unknown"


def test_a_checkers_null_pointer_that_faults_as_another(tmp_path: Path) -> None:
    text = f"""==================================================================
BUG: KASAN: null-ptr-deref in store_get+0x63/0x80 [stored]
Read of size 8 at addr 0000000000000010 by task storaged/321
CPU: 1 PID: 321 Comm: storaged Not tainted 5.0.0 #1
{TRACE}
==================================================================
general protection fault: 0000 [#1] SMP KASAN NOPTI
CPU: 1 PID: 321 Comm: storaged Tainted: G    B 5.0.0 #1
RIP: 0010:store_get+0x63/0x80 [stored]
{TRACE}
---[ end trace 36 ]---"""
    assert judged(tmp_path, text).cause == "null-pointer-dereference"
    other = text.replace("null-ptr-deref in store_get", "out-of-bounds in store_set").replace("PID: 321", "PID: 2", 1)
    assert judged(tmp_path, other).confidence != "certain"


def test_a_double_fault_after_another_fault_is_not_the_cause(tmp_path: Path) -> None:
    text = f"""BUG: unable to handle kernel paging request at 000000fe840fc4b9
Oops: 0000 [#1] PREEMPT SMP
PANIC: double fault, error_code: 0x0
CPU: 1 PID: 321 Comm: storaged Not tainted 4.15.0 #1
RIP: 0010:store_get+0x63/0x80 [stored]
{TRACE}
Kernel panic - not syncing: Machine halted."""
    found = judged(tmp_path, text)
    assert (found.cause, found.confidence) == ("bad-page-fault", "likely")


@pytest.mark.parametrize(
    "said",
    [
        "VERIFY3(store_end(a) >= end) failed (1 >= 2)\nPANIC at store.c:503:store_put()\nShowing stack for process 321",
        "VERIFY(0) failed\nSPLError: 321:0:(store.c:330:store_put()) SPL PANIC\nSPL: Showing stack for process 321",
        "SPLError: 321:0:(store.c:464:store_put()) VERIFY3(a == b) failed (0 == 4)\n"
        "SPLError: 321:0:(store.c:464:store_put()) SPL PANIC",
    ],
)
def test_an_assertion_that_only_stops_its_thread(said: str, tmp_path: Path) -> None:
    who = "CPU: 1 PID: 321 Comm: storaged Tainted: P O 6.12.53 #1"
    found = judged(
        tmp_path, f"{said}\n{who}\n{TRACE.replace('store_put', 'spl_panic').replace('store_sync', 'store_put')}"
    )
    assert (found.cause, found.symbol, found.confidence) == ("assertion-failed", "store_put+0x8", "likely")


def test_a_line_number_before_each_line(tmp_path: Path) -> None:
    assert judged(tmp_path, BUG, "11745 [46223316.649832] ").cause == "kernel-bug"


def test_an_arm64_oops_without_its_beginning_is_a_bad_pointer(tmp_path: Path) -> None:
    text = """Internal error: Oops: 0000000096000005 [#2] PREEMPT SMP
CPU: 3 UID: 0 PID: 2266 Comm: storaged Tainted: G      D            6.12.20 #1
pstate: 80400009 (Nzcv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : store_put+0xd8/0x240
lr : store_sync+0xf4/0x6a8"""
    found = judged(tmp_path, text)
    assert (found.cause, found.symbol, found.confidence) == ("bad-page-fault", "store_put+0xd8", "possible")
    assert "whose address the log does not tell" in found.summary
    assert judged(tmp_path, text.replace("Oops:", "Oops - BUG:")).cause != "bad-page-fault"


ARM64 = """{fault}
CPU: 2 UID: 0 PID: 321 Comm: storaged Tainted: G           O       6.12.20 #1
pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : store_put+0x18/0x40 [stored]
Call trace:
 store_put+0x18/0x40 [stored] (P)
 store_sync+0x24/0x60 [stored]
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Oops: Fatal exception"""
S390 = """{fault}
CPU: 0 UID: 0 PID: 321 Comm: storaged Not tainted 6.12.20 #1
Krnl PSW : 0704c00180000000 000003ff7fd8c0aa (store_put+0x1a/0x40 [stored])
Call Trace:
 [<000003ff7fd8c0aa>] store_put+0x1a/0x40 [stored]
Kernel panic - not syncing: Fatal exception: panic_on_oops"""
PPC = """{fault}
CPU: 0 UID: 0 PID: 321 Comm: storaged Not tainted 6.12.20 #1
NIP:  c00800000a5c0034 LR: c00800000a5c0084 CTR: c00800000a5c0020
NIP [c00800000a5c0034] store_put+0x14/0x40 [stored]
Call Trace:
[c000000006e3bc90] [c00800000a5c0084] store_sync+0x24/0x60 [stored]
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Fatal exception"""
OUTSIDE = "Unable to handle kernel access to user memory outside uaccess routines at virtual address 0000aaaad0c00000"
FREED = "Unable to handle kernel paging request at virtual address 006b6b6b6b6b6b73"
NO_EXEC = """kernel tried to execute exec-protected page (c000000006e3bc90) - exploit attempt? (uid: 0)
BUG: Unable to handle kernel instruction fetch
Faulting instruction address: 0xc000000006e3bc90
Oops: Kernel access of bad area, sig: 11 [#1]"""


@pytest.mark.parametrize(
    ("text", "fault", "cause", "said"),
    [
        (ARM64, f"{OUTSIDE}\nInternal error: Oops: 9600000f [#1] SMP", "bad-page-fault", "belongs to a program"),
        (ARM64, f"{FREED}\nInternal error: Oops: 96000004 [#1] SMP", "use-after-free", "had been freed"),
        (S390, "addressing exception: 0005 ilc:3 [#1] SMP", "bad-page-fault", "whose address the log does not tell"),
        (S390, "illegal operation: 0001 ilc:1 [#1] SMP", "invalid-opcode", "invalid instruction"),
        (S390, "fixpoint divide exception: 0009 ilc:2 [#1] SMP", "divide-error", "divided by zero"),
        (PPC, "Oops: Exception in kernel mode, sig: 4 [#1]", "invalid-opcode", "invalid instruction"),
        (PPC, NO_EXEC, "bad-page-fault", "0xc000000006e3bc90, which is data"),
        (
            PPC,
            "BUG: Unable to handle kernel instruction fetch\nOops: Kernel access of bad area, sig: 11 [#1]",
            "bad-page-fault",
            "the wild pointer 0xc00800000a5c0034",
        ),
    ],
)
def test_a_machines_own_words_tell_the_kind(text: str, fault: str, cause: str, said: str, tmp_path: Path) -> None:
    found = judged(tmp_path, text.format(fault=fault))
    assert (found.cause, found.module) == (cause, "stored")
    assert said in found.summary


ERROR = """BUG: unable to handle page fault for address: {address}
#PF: supervisor read access in kernel mode
#PF: error_code(0x0000) - not-present page
Oops: 0000 [#1] SMP NOPTI
CPU: 5 PID: 998 Comm: storaged Not tainted 5.14.0 #1
RIP: 0010:store_put+0x18/0x40 [stored]
RAX: {rax} RBX: ffff88800a4c1000 RCX: 0000000000000000
Call Trace:
 store_sync+0x24/0x60 [stored]
---[ end trace 0000000000000000 ]---"""


@pytest.mark.parametrize(
    ("address", "rax", "said"),
    [
        ("fffffffffffffff2", "ffffffffffffffea", "the error code -EINVAL (-22) as a pointer"),
        ("ffffffffffffffea", "ffffffffffffffea", "the error code -EINVAL (-22) as a pointer"),
        ("fffffffffffffff0", "0000000000000000", "a member before a NULL one"),
        ("ffffffffc0a01000", "ffffffffffffffea", "the wild pointer"),
    ],
)
def test_an_error_code_that_was_taken_for_a_pointer(address: str, rax: str, said: str, tmp_path: Path) -> None:
    found = judged(tmp_path, ERROR.format(address=address, rax=rax))
    assert found.cause == "bad-page-fault"
    assert said in found.summary
    assert ("IS_ERR" in found.next_steps[0]) == ("wild" not in said)


def test_a_guessed_entry_further_out_is_not_what_was_warned_of(tmp_path: Path) -> None:
    text = """WARNING: CPU: 1 PID: 649 at lib/debugobjects.c:291 debug_print_object+0x16a/0x220
Kernel panic - not syncing: panic_on_warn set ...
CPU: 1 PID: 649 Comm: storaged Not tainted 4.14.0 #1
Call Trace:
 dump_stack+0x1b2/0x281
 panic+0x22a/0x4be
 __warn.cold.6+0x34/0x4f
 do_invalid_op+0x1b/0x20
 invalid_op+0x1b/0x40
RIP: 0010:debug_print_object+0x16a/0x220
 debug_check_no_obj_freed+0x65d/0xf1a
 store_put+0x4a/0x70 [stored]
 do_syscall_64+0x297/0x760
 ? async_page_fault+0x6c/0x90
 entry_SYSCALL_64_after_hwframe+0x3d/0xa2"""
    assert judged(tmp_path, text).symbol == "store_put+0x4a"


def test_the_place_behind_the_end_mark_is_what_is_left_of_an_oops(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        "---[ end trace 0000000000000000 ]---\nRIP: 0010:store_put+0x10/0x40 [stored]\nRAX: 0000000000000000\n"
        "Kernel panic - not syncing: Fatal exception in interrupt",
    )
    assert (found.symbol, found.module) == ("store_put+0x10", "stored")
    assert "store_put+0x10" in found.summary


def test_a_page_fault_whose_address_is_lost(tmp_path: Path) -> None:
    text = (
        "#PF: error_code(0x0000) - not-present page\nOops: 0000 [#1] SMP PTI\n"
        "CPU: 0 PID: 321 Comm: storaged Not tainted 5.6.0 #295\nRIP: 0010:store_put+0xc/0x30 [stored]\n"
        f"RAX: 0000000000000073 RBX: ffffffffc0a4f1d0 RCX: 0000000000000000\n{TRACE}"
    )
    found = judged(tmp_path, text)
    assert (found.cause, found.symbol, found.confidence) == ("bad-page-fault", "store_put+0xc", "possible")


POWER_PAGE = """Faulting instruction address: 0xc000000000e81168
Oops: Kernel access of bad area, sig: 11 [#1]
LE PAGE_SIZE=64K MMU=Hash SMP NR_CPUS=2048 NUMA pSeries
CPU: 0 PID: 321 Comm: storaged Not tainted 5.3.0-18-generic #19-Ubuntu
NIP:  c000000000e81168 LR: c00000000054f240 CTR: 0000000000000000
CFAR: 0000701f9806f638 DAR: {} DSISR: 40000000 IRQMASK: 0
NIP [c000000000e81168] store_put+0x48/0x300"""
POWER_BUG = """Oops: Exception in kernel mode, sig: 5 [#1]
NIP [c0000000007b1be0] store_put+0xa0/0x280
LR [c0000000007b1bd0] store_sync+0x90/0x280
Call Trace:
[c0000004f491ba10] [c0000000007b1bd0] store_sync+0x90/0x280 (unreliable)
[c0000004f491ba70] [c0000000007b260c] store_all+0x13c/0x180"""
POWER_STACK = """Bad kernel stack pointer 7fffb949e670 at c000000000071e7c
Oops: Bad kernel stack pointer, sig: 6 [#1]
LE PAGE_SIZE=64K MMU=Radix SMP NR_CPUS=2048 NUMA PowerNV
CPU: 118 PID: 321 Comm: storaged Not tainted 5.1.0 #1
NIP:  c000000000071e7c LR: 0000000024c8028d CTR: 000000001b01d9b1
NIP [c000000000071e7c] store_put+0x100/0x2b0"""
UD2 = """---[ end trace b1cb18ab2d1741bd ]---
RIP: 0010:store_put+0x10/0x40 [stored]
Code: 41 0f 95 c2 45 39 d9 41 0f 95 c1 45 84 ca 74 05 45 85 e4 78 0a 44 89 c2 e9 10 ff ff ff <0f> 0b 01 d2 45 89
RSP: 0018:ffffc90000118e88 EFLAGS: 00010283
Kernel panic - not syncing: Fatal exception in interrupt"""
ARM64 = """CPU: 5 PID: 321 Comm: storaged Not tainted 6.0.15 #1
pstate: 00400005 (nzcv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : store_put+0x50/0xa0
lr : store_put+0x4c/0xa0
Call trace:
 store_put+0x50/0xa0
 store_sync+0x1e4/0x32c
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Oops: Fatal exception"""


@pytest.mark.parametrize(
    ("text", "cause", "symbol"),
    [
        (POWER_PAGE.format("0000000001744098"), "bad-page-fault", "store_put+0x48"),
        (POWER_PAGE.format("0000000000000098"), "null-pointer-dereference", "store_put+0x48"),
        (POWER_BUG, "kernel-bug", "store_put+0xa0"),
        (POWER_STACK, "trap", "store_put+0x100"),
        (UD2, "kernel-bug", "store_put+0x10"),
        (UD2.replace("<0f> 0b", "<48> 8b"), "unknown", "store_put+0x10"),
        (ARM64, "bad-page-fault", "store_put+0x50"),
    ],
    ids=["power-page", "power-null", "power-bug", "power-stack", "ud2", "no-ud2", "arm64"],
)
def test_an_oops_that_lost_its_first_words(text: str, cause: str, symbol: str, tmp_path: Path) -> None:
    found = judged(tmp_path, text)
    assert (found.cause, found.symbol) == (cause, symbol)
    assert cause in ("bad-page-fault", "null-pointer-dereference", "trap") or found.confidence != "certain"


def test_a_bus_error_that_arm_has_no_name_for(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        "Internal error: : 1211 [#1] SMP ARM\nCPU: 0 PID: 581 Comm: storaged Tainted: G N 6.0.0 #1\n"
        "PC is at store_put+0x3c/0x1c0\nLR is at store_sync+0x14/0xa0\n"
        " store_put from store_sync+0x24/0x7c",
    )
    assert (found.cause, found.symbol) == ("serror", "store_put+0x3c")


def test_a_hard_lockup_that_names_its_place_in_its_own_line(tmp_path: Path) -> None:
    lines = [f"watchdog: CPU {n} self-detected hard LOCKUP @ store_put+0x154/0x2d0" for n in (3, 4)]
    found = judged(tmp_path, "\n".join(lines))
    assert (found.cause, found.symbol) == ("hard-lockup", "store_put+0x154")


GPF = """general protection fault: 0000 [#1] PREEMPT SMP PTI
CPU: 7 PID: 321 Comm: storaged Not tainted 5.2.0 #1
RIP: 0010:store_put+0x16/0x50 [stored]
Code: c0 75 05 eb 1a 48 89 d0 <48> 8b 50 08 48 85 d2 75 f4
RSP: 0018:ffffc9000054f850 EFLAGS: 00010002
RAX: {} RBX: 0000000000100000 RCX: {}
RDX: 0000000000000001 RSI: 0000000000000000 RDI: ffff88806504dfc0
CR2: 000055e125021b78 CR3: 000000011277e004 CR4: 00000000003606e0"""


@pytest.mark.parametrize(
    ("rax", "rcx", "cause"),
    [
        ("6b6b6b6b6b6b6b6b", "0000000000000000", "use-after-free"),
        ("2e6f732e7a626994", "dead000000000100", "general-protection-fault"),  # what list_del() is about to write
    ],
)
def test_the_register_that_the_instruction_used(rax: str, rcx: str, cause: str, tmp_path: Path) -> None:
    assert judged(tmp_path, f"{GPF.format(rax, rcx)}\n{TRACE}").cause == cause


def test_a_warnings_place_where_its_words_are_lost(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        "pc : store_put+0x160/0x16c\nlr : store_put+0x160/0x16c\nCall trace:\n store_put+0x160/0x16c\n"
        " store_sync+0x168/0x738\nKernel panic - not syncing: kernel: panic_on_warn set",
    )
    assert (found.cause, found.symbol) == ("kernel-warning", "store_put+0x160")


def test_a_quoted_line_is_no_first_oops_of_a_chain(tmp_path: Path) -> None:
    quoted = "KASAN: maybe wild-memory-access in range [0xbbbbbbbbbbbbbbb8-0xbbbbbbbbbbbbbbbf]"
    other = "BUG: KASAN: use-after-free in store_get+0x755/0x8f0"
    text = GPF.format("2e6f732e7a626994", "0000000000000000")
    found = judged(tmp_path, f"{quoted}\n{other}\n{text}\n{TRACE}\nKernel panic - not syncing: Fatal exception")
    assert found.symbol == "store_put+0x16"


def test_a_register_that_holds_list_poison_by_chance(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        "Internal error: Oops: 0000000096000006 [#1] PREEMPT SMP\npc : [0xffffffe51d249484] store_put+0x70/0x98\n"
        "lr : [0xffffffe51d24adbc] store_sync+0x520/0x6d4\nx29: ffffffc08cc132a0 x26: dead000000000100",
    )
    assert (found.cause, found.symbol) == ("bad-page-fault", "store_put+0x70")


def test_memory_that_was_found_bad_shortly_before_makes_an_oops_less_sure(tmp_path: Path) -> None:
    bad = "BUG: Bad page state in process other  pfn:1220c8\nCPU: 3 PID: 99 Comm: other Not tainted 5.16.0 #1"
    oops = GPF.format("2e6f732e7a626994", "0000000000000000")
    assert judged(tmp_path, f"{oops}\n{TRACE}").confidence == "likely"  # the log ends within it
    end = f"{TRACE}\n---[ end trace 1 ]---"
    assert judged(tmp_path, f"{oops}\n{end}").confidence == "certain"
    assert judged(tmp_path, f"{bad}\n{oops}\n{end}").confidence == "likely"


MIPS = """Unhandled kernel unaligned access[#1]:
CPU: 0 UID: 0 PID: 321 Comm: storaged Not tainted 6.12.1 #1
epc   : 80197a34 {place}
ra    : 80197990 {place}
Status: 1100fc03\tKERNEL EXL IE
Cause : 00800010 (ExcCode 04)
BadVA : 61726f77
Call Trace:
[<80197a34>] {place}
[<8018f0c0>] store_put+0x3c/0x130 [stored]
[<8018f1c0>] store_sync+0x24/0x60 [stored]
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Fatal exception"""


@pytest.mark.parametrize(
    ("place", "cause", "symbol"),
    [("kmem_cache_alloc+0xe4/0x1b8", "slab-corruption", "store_put+0x3c"),
     ("store_get+0xe4/0x1b8", "trap", "store_get+0xe4")],
)  # fmt: skip
def test_a_free_list_that_leads_to_an_odd_address(place: str, cause: str, symbol: str, tmp_path: Path) -> None:
    found = judged(tmp_path, MIPS.format(place=place))
    assert (found.cause, found.symbol) == (cause, symbol)


def test_an_access_that_is_not_aligned_of_a_machines_own_words(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        "Oops - load address misaligned [#1]\nCPU: 0 UID: 0 PID: 321 Comm: storaged Not tainted 6.12.1 #1\n"
        "epc : store_put+0xa4/0x300\n ra : store_sync+0xe0/0x134\n"
        "epc : ffffffff8051eff8 ra : ffffffff8051eee8 sp : ff2000000022b730\n"
        "status: 0000000200000120 badaddr: ff2000000022b7a1 cause: 0000000000000004\n"
        "[<ffffffff8051eff8>] store_put+0xa4/0x300\n---[ end trace 0000000000000000 ]---",
    )
    assert (found.cause, found.symbol) == ("trap", "store_put+0xa4")
    assert "not aligned" in found.summary
