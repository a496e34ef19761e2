"""The verdict on every real dump: cause, category, culprit, whose CPU and task; and no rule fires on another's dump."""

from importlib import import_module
from typing import NamedTuple

from cases import NAMES, Case
from core.triage.deaths import ALSO
from oopscope.triage.death import Death
from oopscope.triage.rules import RULES
from truth import plain


class Expected(NamedTuple):
    """What happened to the guest, as its dying log has it."""

    rule: str
    cause: str
    category: str
    function: str  # whom the verdict must blame
    module: str | None
    comm: str
    says: str  # words of the summary


FAULTY = "lab_read_balance"
EXPECTED = {
    "null": Expected(
        "null_pointer", "null-pointer-dereference", "software", FAULTY, "labcrash", "insmod", "0x28 bytes into a NULL"
    ),
    "paging": Expected(
        "bad_page_fault", "bad-page-fault", "software", FAULTY, "labcrash", "insmod", "0xffffea00deadb028"
    ),
    "gpf": Expected(
        *("general_protection", "general-protection-fault", "software", FAULTY, "labcrash", "insmod"),
        "0xdead4ead00000028",
    ),
    "bug": Expected("kernel_bug", "kernel-bug", "software", "labcrash_init", "labcrash", "insmod", "labcrash.c:123"),
    "div0": Expected("divide_error", "divide-error", "software", "labcrash_init", "labcrash", "insmod", "by zero"),
    "panic": Expected(
        "panic_called", "panic-called", "software", "labcrash_init", "labcrash", "insmod", "of module labcrash called"
    ),
    "overflow": Expected(
        "stack_overflow", "stack-overflow", "software", "lab_recurse", "labcrash", "insmod", "lab_recurse calls itself"
    ),
    "list": Expected(
        "list_corruption", "list-corruption", "software", "labcrash_init", "labcrash", "insmod", "labcrash_init"
    ),
    "doublefree": Expected(
        "double_free", "double-free", "software", "labcrash_init", "labcrash", "insmod", "was free already"
    ),
    "irq": Expected(
        "panic_in_interrupt", "panic-in-interrupt", "software", FAULTY, "labcrash", "swapper/0", "only interrupted"
    ),
    "deadlock": Expected(
        *("deadlock", "deadlock", "hang", "lab_transfer", "labcrash", "lab-teller-ab"),
        "lab-teller-ab (PID 238) waits for the mutex lab_b+0x8 [labcrash], lab-teller-ba (PID 239) waits",
    ),
    "softlockup": Expected(
        "soft_lockup", "soft-lockup", "hang", "lab_spin_forever", "labcrash", "lab-spinner", "stuck for 11 s"
    ),
    "oom": Expected("out_of_memory", "out-of-memory", "memory", "shmem_alloc_folio", None, "dd", "dd asked for memory"),
    "nmi": Expected("unknown_nmi", "unknown-nmi", "manual", "pv_native_safe_halt", None, "swapper/0", "NMI"),
    "sysrq": Expected("sysrq_crash", "sysrq-crash", "manual", "sysrq_handle_crash", None, "init", "on purpose"),
}


def expected(case: Case) -> Expected:
    return EXPECTED[case.name.partition("-")[2]]


def test_every_death_is_among_the_dumps() -> None:
    assert {name.partition("-")[2] for name in NAMES} == set(EXPECTED)


def test_verdict(case: Case) -> None:
    want, verdict, cpu = expected(case), case.report["verdict"], case.report["cpus"][0]
    assert (verdict["cause"], verdict["category"]) == (want.cause, want.category)
    assert (plain(verdict["symbol"].split("+")[0]), verdict["module"]) == (want.function, want.module)
    assert verdict["comm"] == want.comm
    assert case.tasks[verdict["pid"]]["comm"] == want.comm if verdict["pid"] else want.comm.startswith("swapper/")
    assert verdict["cpu"] == cpu["cpu"] == [t.cpu for t in case.truth.traces if t.cpu is not None][-1]
    assert verdict["confidence"] == "certain"
    assert want.says in verdict["summary"]
    assert verdict["signature"].startswith(f"{want.cause}:{want.function}:")


def test_evidence_is_in_the_dump(case: Case) -> None:
    """Every piece is a line of the log, a frame, a register or a task that is really there."""
    verdict, log = case.report["verdict"], case.report["log"]
    assert 1 <= len(verdict["evidence"]) <= 12
    frames = {f["address"] for c in case.report["cpus"] for f in c["frames"]}
    frames |= {f["address"] for t in case.report["tasks"] for f in t["frames"]}
    for piece in verdict["evidence"]:
        source = piece["source"]
        if source["kind"] == "log":
            assert piece["text"] in log[int(source["key"])]["text"]
        elif source["kind"] == "frame":
            assert source["address"] in frames
        elif source["kind"] == "task":
            assert case.tasks[int(source["key"])]["address"] == source["address"]
        elif source["kind"] != "table":
            assert source["kind"] == "register"
            assert case.report["cpus"][0]["registers"][source["key"]] == source["address"]
    assert {p["source"]["kind"] for p in verdict["evidence"]} & {"log"}


def test_panic_message(case: Case) -> None:
    message = case.report["verdict"]["panic_message"]
    assert any(line.endswith(message) for line in case.truth.text)
    assert "Fatal exception" not in message


def test_the_same_death_has_one_signature_on_one_kernel() -> None:
    """And the machine's names and addresses are not in it: three kernels' SysRq-c differ only in callers' names."""
    from cases import case_of

    sysrq = {name: case_of(name).report["verdict"]["signature"] for name in NAMES if name.endswith("-sysrq")}
    assert len(sysrq) == 3
    assert len(set(sysrq.values())) == 1
    others = [case_of(name).report["verdict"]["signature"] for name in NAMES if not name.endswith("-sysrq")]
    assert len(set(others)) == len(others)


def test_no_rule_fires_on_anothers_dump(case: Case) -> None:
    """But plainer ones that are true of it too, which stand behind its own in the table."""
    own, death = expected(case).rule, Death(case.kernel)
    found = {rule: import_module(f"oopscope.triage.rules.{rule}").check(death) for rule in RULES}
    fired = [rule for rule in RULES if found[rule] is not None]
    assert fired[0] == own
    assert found[own].cause == expected(case).cause
    assert set(fired) - {own} <= ALSO.get(own, set()) | {"panic_called"}
    assert ("panic_called" in fired) == any("Kernel panic - not syncing" in line for line in case.truth.text)
