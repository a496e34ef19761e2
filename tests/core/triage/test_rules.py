"""Every rule fires on its own death and is silent on a near miss; in their order they give the right verdict."""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import oopscope.triage.rules
from core.triage.deaths import ALSO as FIRST_ALSO
from core.triage.deaths import DEATHS as FIRST
from core.triage.deaths import FAULT, NULL, PAGE, oops
from core.triage.deaths import OTHERS as FIRST_OTHERS
from core.triage.fakes import FakeKernel, death, stack, task
from core.triage.more_deaths import MORE, MORE_ALSO, MORE_OTHERS
from oopscope.boot.attach import open_kernel
from oopscope.triage import judge, verdict
from oopscope.triage.finding import Verdict
from oopscope.triage.rules import RULES

DEATHS = {**FIRST, **MORE}
ALSO = {rule: FIRST_ALSO.get(rule, set()) | MORE_ALSO.get(rule, set()) for rule in DEATHS}
OTHERS = [*FIRST_OTHERS, *MORE_OTHERS]
CATEGORIES = {
    "software": {
        *("null-pointer-dereference", "bad-page-fault", "general-protection-fault", "kernel-bug", "invalid-opcode"),
        *("divide-error", "stack-overflow", "list-corruption", "use-after-free", "double-free", "slab-corruption"),
        *("refcount-error", "scheduling-while-atomic", "panic-in-interrupt", "init-killed", "root-not-mounted"),
        *("panic-called", "stack-corruption", "kernel-warning", "double-fault", "trap", "control-flow-violation"),
        *("out-of-bounds", "invalid-free", "page-corruption", "undefined-behaviour", "uninitialized-memory"),
        *("data-race", "assertion-failed", "audit-failure"),
    },
    "storage": {"storage-error", "filesystem-error", "io-stall"},
    "hang": {"workqueue-lockup", "soft-lockup", "hard-lockup", "hung-task", "rcu-stall", "deadlock"},
    "memory": {"out-of-memory"},
    "hardware": {
        *("machine-check", "nmi-io-check", "nmi-memory-error", "edac-uncorrectable", "pcie-fatal", "ghes-fatal"),
        *("serror", "machine-check-timeout"),
    },
    "firmware": {"firmware-bug"},
    "manual": {"sysrq-crash", "unknown-nmi", "watchdog-timer", "cluster-fencing", "external-dump"},
    "unknown": {"unknown"},
}
OUTSIDE = ("running_machine", "external_dump", "hardware_survived")  # nothing panicked: no CPU's or task's fault


def check(rule: str, found: Any) -> Any:
    return import_module(f"oopscope.triage.rules.{rule}").check(found)


def test_every_file_is_in_the_table_and_has_deaths() -> None:
    folder = Path(oopscope.triage.rules.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}
    assert files == set(RULES)
    assert len(RULES) == len(set(RULES))
    assert set(DEATHS) == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_what_it_knows(rule: str) -> None:
    module = import_module(f"oopscope.triage.rules.{rule}")
    assert module.__doc__
    assert module.check.__doc__
    assert ast.parse(Path(module.__file__).read_text())


@pytest.mark.parametrize("rule", RULES)
def test_fires(rule: str) -> None:
    made = DEATHS[rule]
    found = check(rule, made.fires)
    assert isinstance(found, Verdict)
    assert found.cause == made.cause
    assert found.cause in CATEGORIES[found.category]
    assert found.title
    assert found.summary.endswith(".")
    assert made.says in found.summary
    assert found.confidence in ("certain", "likely") or rule in ("lock_order", "hardware_survived")  # what can be
    assert found.next_steps
    assert found.signature.startswith(f"{found.cause}:")
    assert (found.evidence and found.evidence[0].source.kind == "log") or rule in OUTSIDE
    if made.symbol:
        assert found.symbol == made.symbol
    if rule in OUTSIDE:
        assert (found.cpu, found.pid) == (None, None)
    elif rule in ("hung_task", "deadlock", "io_stall"):
        assert (found.pid, found.comm) == (41, "flush-8:0")
    elif rule == "rcu_stall":  # the CPU that held RCU up, not the one that noticed
        assert (found.pid, found.comm) == (500, "spinner")
    else:
        assert (found.pid, found.comm) == (321, "storaged")
    assert list(made.fires.kernel.problems) == []


def test_is_silent() -> None:
    assert {rule: found for rule in RULES if (found := check(rule, DEATHS[rule].silent)) is not None} == {}


@pytest.mark.parametrize("rule", RULES)
def test_is_the_verdict(rule: str) -> None:
    """Asked in their order, the first rule that knows is the right one."""
    assert judge(DEATHS[rule].fires.kernel).cause == DEATHS[rule].cause
    assert judge(DEATHS[rule].silent.kernel).cause != DEATHS[rule].cause or rule in ("cluster_fencing",)


@pytest.mark.parametrize("rule", RULES)
def test_of_all_rules_only_its_own_fires(rule: str) -> None:
    """And the plainer ones that are true as well: those stand behind it."""
    fired = {r for r in RULES if check(r, DEATHS[rule].fires) is not None}
    assert fired - {rule} <= ALSO.get(rule, set()) | {"panic_called"}
    assert min(RULES.index(r) for r in fired) == RULES.index(rule)


@pytest.mark.parametrize("cause, found", OTHERS, ids=[f"{i}-{cause}" for i, (cause, _) in enumerate(OTHERS)])
def test_other_words(cause: str, found: Any) -> None:
    assert judge(found.kernel).cause == cause
    assert list(found.kernel.problems) == []


@pytest.mark.parametrize(
    "log", ["", "Kernel panic - not syncing: ", "\x1b[31m" + "A" * 5000, "Oops: 0000 [#1]"], ids=range(4)
)
def test_survives_a_log_that_says_nothing(log: str) -> None:
    for frames in ((), ("0x41414141",), ("panic+0x1",), ("asm_exc_page_fault+0x1 <exception>",)):
        for made in (death(log, frames), death(log, frames, panicked=None)):
            for rule in RULES:
                check(rule, made)


def test_a_rule_that_fails_is_a_problem_and_the_next_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_death: Any) -> None:
        raise ZeroDivisionError("a fault of the rule's own")

    monkeypatch.setattr(import_module("oopscope.triage.rules.soft_lockup"), "check", broken)
    kernel = DEATHS["sysrq_crash"].fires.kernel
    kernel = FakeKernel([r.text for r in DEATHS["sysrq_crash"].fires.records], [DEATHS["sysrq_crash"].fires.cpu])
    assert judge(kernel).cause == "sysrq-crash"
    assert [p.message for p in kernel.problems] == ["rule soft_lockup: ZeroDivisionError: a fault of the rule's own"]


def test_who_ran_when_a_keyboard_asked_for_the_crash_has_no_part_in_it() -> None:
    asked = tuple(f"{name}+0x10 <irq>" for name in ("panic", "sysrq_handle_crash", "__handle_sysrq", "atkbd_interrupt"))
    found = judge(death("Kernel panic - not syncing: sysrq triggered crash", asked).kernel)
    assert found.cause == "sysrq-crash"
    assert found.summary.startswith("Somebody crashed the machine on purpose, by SysRq-c from a keyboard or console,")


def test_who_sleeps_since_when_is_not_known_is_no_sign_of_health() -> None:
    """A kernel that keeps no such time: its blocked tasks may be so since hours."""
    asleep = task(20, "rsync", "D", since_last_run_seconds=None)
    found = judge(death("systemd: started", ("cpu_idle+0x1",), tasks_=[asleep], panicked=None).kernel)
    assert found.cause == "external-dump"
    assert "one task is in uninterruptible sleep, since when is not known" in found.summary


def test_a_message_that_is_a_sentence_ends_once() -> None:
    text = "IO-APIC + timer doesn't work!  Boot with apic=debug and send a report."
    found = judge(death(f"Kernel panic - not syncing: {text}", ("setup_IO_APIC+0x7d0",)).kernel)
    assert (found.cause, found.summary[-9:]) == ("firmware-bug", "a report.")


def test_the_unknown_verdict_quotes_the_message() -> None:
    found = judge(death("Kernel panic - not syncing: Something that no rule knows", ("0x4141",)).kernel)
    assert (found.cause, found.category, found.confidence) == ("unknown", "unknown", "possible")
    assert "Something that no rule knows" in found.summary
    assert found.panic_message == "Something that no rule knows"


@pytest.mark.parametrize("rule", ["null_pointer", "bad_page_fault", "general_protection", "kernel_bug", "divide_error"])
def test_the_message_of_an_oops_is_what_happened(rule: str) -> None:
    """Not panic()'s own `Fatal exception`, which says nothing."""
    message = check(rule, DEATHS[rule].fires).panic_message
    assert "Fatal exception" not in message
    assert message.startswith(("BUG: ", "kernel BUG", "Oops: "))


def test_an_older_oops_gives_no_message_to_a_later_panic() -> None:
    oops_then_hardware = next(d for cause, d in OTHERS if cause == "ghes-fatal")
    assert judge(oops_then_hardware.kernel).panic_message == "Fatal hardware error!"


@pytest.mark.parametrize(
    "said, pc, says",
    [
        (NULL.replace("read access", "instruction fetch"), "0x0", "called a function through a NULL pointer"),
        (PAGE.replace("write access", "instruction fetch"), "0xffffc90001234008", "called a function through the wild"),
    ],
)
def test_a_call_through_a_bad_pointer_blames_the_caller(said: Any, pc: str, says: str) -> None:
    """The pc that faulted is no code; who called it is the one to look at."""
    log = f"{said}\nRIP: 0010:{pc}\nKernel panic - not syncing: Fatal exception"
    found = judge(death(log, ("asm_exc_page_fault+0x22 <exception>", pc, *FAULT)).kernel)
    assert says in found.summary
    assert (found.symbol, found.module) == ("store_put+0x21", "stored")


class TestSignature:
    """The same for the same bug on another machine: no address, offset, suffix or name of a host is in it."""

    def signature(self, *frames: Any, what: str = "Oops: divide error: 0000 [#1] SMP") -> Any:
        return judge(oops(what, frames).kernel).signature

    def test_without_offsets_and_suffixes(self) -> None:
        first = self.signature("f.isra.0+0x1 [m]", "g+0x2", "h.cold+0x3")
        assert first == self.signature("f+0x99 [m]", "g.constprop.0+0x4", "h.part.0.cold+0x7")
        assert first.startswith("divide-error:f:")

    def test_of_another_bug_is_another(self) -> None:
        first = self.signature("f+0x1 [m]", "g+0x2", "h+0x3")
        assert first != self.signature("f+0x1 [n]", "g+0x2", "h+0x3")
        assert first != self.signature("f+0x1 [m]", "g+0x2", "h+0x3", what="Oops: invalid opcode: 0000 [#1] SMP")

    def test_takes_no_caller(self) -> None:
        """How much of a stack is left, and who took it, must not matter."""
        first = self.signature("f+0x1", "g+0x2", "h+0x3", "i+0x4", "deep+0x5")
        assert first == self.signature("f+0x1", "? guess+0x7", "other+0x5")


def test_evidence_points_at_its_line_and_frame() -> None:
    found = check("soft_lockup", DEATHS["soft_lockup"].fires)
    kinds = [e.source.kind for e in found.evidence]
    assert kinds == ["log", "frame"]
    records = DEATHS["soft_lockup"].fires.records
    assert "soft lockup - CPU#0" in records[int(found.evidence[0].source.key)].text
    frames = {f.address for f in stack(*(["panic+0x118"] + ["x+0x1"] * 9))}
    assert found.evidence[1].source.address in frames


@pytest.mark.parametrize(("dying", "sure"), [(("vpanic", "panic"), "certain"), (("panic", "panic"), "likely")])
def test_one_panic_of_two_functions_is_no_second_one(dying: tuple[str, ...], sure: str) -> None:
    """Since 6.16 panic() calls vpanic(); a panic while dying of another leaves two of one of them."""
    entry = (*(f"{name}+0x100" for name in dying), "oops_end+0x1e", "exc_page_fault+0x75 <exception>")
    found = judge(oops(NULL, (*entry, *FAULT)).kernel)
    assert (found.cause, found.confidence) == ("null-pointer-dereference", sure)


@pytest.mark.parametrize(
    ("access", "cause"), [("read access", "list-corruption"), ("instruction fetch", "null-pointer-dereference")]
)
def test_a_function_that_was_called_is_no_nodes_link(access: str, cause: str) -> None:
    node, other = 0xFFFF888012345000, 0xFFFF888012346000
    said = NULL.replace("read access", access).replace("0000000000000018", "0000000000000008")
    words = {node: 0, node + 8: other, other: node}
    fault = oops(said, after=f"RAX: {node:016x} RBX: 0000000000000000 RCX: 0000000000000003", words=words)
    assert judge(fault.kernel).cause == cause


GONE = PAGE.replace("ffffc90001234008", "ffffffffc04263c8") + "\n{}"
LINKED = "Modules linked in: stored [last unloaded: qaleave(OE)]"


TAINTED = "qaleave: loading out-of-tree module taints kernel."


@pytest.mark.parametrize(
    ("linked", "says"),
    [
        (LINKED, "likely in qaleave, which was unloaded"),
        ("Modules linked in: stored", "likely in qaleave, which is not loaded any more"),  # its init function failed
        ("Modules linked in: stored qaleave(OE)", "not mapped,"),
    ],
)
def test_a_pointer_into_a_module_that_is_gone_names_it(linked: str, says: str, tmp_path: Path) -> None:
    log = tmp_path / "dmesg.txt"
    lines = "\n".join([TAINTED, *oops(GONE.format(linked)).log.lines.texts])
    log.write_text("".join(f"[   12.{at:06}] {line}\n" for at, line in enumerate(lines.split("\n"))))
    found = verdict(open_kernel([log]))
    assert found.cause == "bad-page-fault"
    assert says in found.summary


def test_a_fault_where_kfree_looks_a_page_up_is_an_invalid_free() -> None:
    found = judge(oops(PAGE, ("kfree+0x69", *FAULT)).kernel)
    assert (found.cause, found.confidence, found.symbol) == ("invalid-free", "likely", "store_put+0x21")


DOUBLE = "traps: PANIC: double fault, error_code: 0x0\ndouble fault: 0000 [#1] PREEMPT SMP NOPTI"
ON_ITS_STACK = ("delay_tsc+0x33 <exception>", "panic+0x2e9 <exception>", "oops_end.cold+0xc <exception>",
                "exc_double_fault+0xe8 <exception>", "asm_exc_double_fault+0x1f <exception>")  # fmt: skip


def test_where_no_stack_is_left_behind_the_exception_the_oops_tells_where() -> None:
    made = oops(DOUBLE)
    log = "\n".join(made.log.lines.texts)
    found = judge(death(log, ON_ITS_STACK).kernel)
    assert (found.cause, found.symbol) == ("double-fault", "store_put+0x21")


WILD = PAGE.replace("write access", "instruction fetch").replace("0002", "0010")


def test_what_the_log_tells_of_a_stack_stands_before_guesses_behind_a_place_without_a_name() -> None:
    """As of an ARM CPU that an interrupt took right then: its vector is no function, and its stack can be guessed."""
    log = "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n"
    log += "CPU: 0 UID: 0 PID: 1 Comm: swapper/0 Not tainted 6.12.0 #1\nCall trace:\n"
    log += " dump_stack_lvl+0x54/0x68\n panic+0x114/0x37c\n mount_root_generic+0x200/0x2b4\n kernel_init+0x24/0x140\n"
    log += "---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0) ]---"
    guesses = ("0xffff0018", "? left_over+0x48", "? panic+0x364", "? mount_root_generic+0x200")
    found = judge(death(log, guesses).kernel)
    assert (found.cause, found.symbol) == ("root-not-mounted", "mount_root_generic+0x200")
    assert [f.symbol for f in death(log, guesses).frames][-1] == "kernel_init"


def test_of_a_wild_call_the_first_guess_is_the_caller_where_all_are(tmp_path: Path) -> None:
    """The kernel cannot unwind from where no code is: all that it prints is a guess."""
    text = (
        f"{WILD}\nCPU: 1 PID: 115 Comm: sh Not tainted 6.1.0 #1\nRIP: 0010:0xffffc90001234008\nCall Trace:\n <TASK>\n"
    )
    text += " ? store_put+0x94/0xe0 [stored]\n ? vfs_write+0x235/0x3f0\n </TASK>\n---[ end trace 0000000000000000 ]---"
    log = tmp_path / "dmesg.txt"
    log.write_text("".join(f"[   12.{at:06}] {line}\n" for at, line in enumerate(text.split("\n"))))
    found = verdict(open_kernel([log]))
    assert (found.cause, found.symbol, found.confidence) == ("bad-page-fault", "store_put+0x94", "likely")
    assert "0xffffc90001234008, where nothing is mapped" in found.summary
