"""What the machine is and how it was set up, and parameters of modules, against what the guest said."""

import re

from cases import case_of
from core.linux.account import account
from oopscope.linux.facts import machine_facts
from oopscope.linux.parameters import module_infos, parameters

LIFE = "6.1-life"
PARAMETER = re.compile(r"(\S+?)/parameters/(\S+) ?(.*)")


def facts() -> dict[str, str | None]:
    return {row.name: row.value for row in machine_facts(case_of(LIFE).kernel)}


def test_settings_are_those_of_sysctl() -> None:
    found = facts()
    told = [line.split(None, 1) for line in account(LIFE)["sysctlmore"]]
    values = {words[0].replace("/", "."): words[1].strip() for words in told if len(words) > 1}
    mine = {name: value for name, value in found.items() if name.startswith(("kernel.", "vm."))}
    assert len(mine) > 18
    for name in set(mine) & set(values):
        assert mine[name] == values[name], name
    assert mine["kernel.panic_on_oops"] == "0" and mine["kernel.hung_task_timeout_secs"] == "120"


def test_firmware_clock_and_kdump() -> None:
    found = facts()
    told = dict(line.split(" ", 1) for part in ("dmi", "microcode") for line in account(LIFE)[part] if " " in line)
    assert found["system vendor"] == told["sys_vendor"] == "QEMU"
    assert found["product"] == told["product_name"]
    assert (found["BIOS version"], found["BIOS date"]) == (told["bios_version"], told["bios_date"])
    assert [found["clocksource"]] == account(LIFE)["clocksource"]
    assert (found["crashkernel asked"], found["crashkernel reserved"]) == ("64M", "64 MiB")
    assert int(account(LIFE)["crash_size"][0]) == 64 << 20
    assert found["crash kernel loaded"] is not None and found["crash kernel loaded"].startswith("no")


def test_the_cpu_and_what_was_done_about_its_bugs() -> None:
    found = facts()
    assert found["model"] == "QEMU TCG CPU version 2.5+ (family 15, model 107, stepping 1)"
    assert (found["vendor"], found["microcode"]) == ("AuthenticAMD", "0x1000065")
    assert found["bugs"] == "fxsave_leak sysret_ss_attrs null_seg swapgs_fence amd_e400 spectre_v1 spectre_v2"
    (told,) = [line for line in account(LIFE)["vulnerabilities"] if line.startswith("spectre_v2:")]
    assert found["mitigation of spectre_v2"] and found["mitigation of spectre_v2"] in told


def test_every_parameter_of_sys_module() -> None:
    rows = {(row.module, row.name): row for row in parameters(case_of(LIFE).kernel)}
    told = [found.groups() for line in account(LIFE)["params"] if (found := PARAMETER.match(line))]
    assert len(told) > 150
    for module, name, value in told:
        row = rows[module, name]
        if row.value is not None and name != "rcu_cpu_stall_suppress":  # which panic() itself sets
            assert row.value.strip() == value.strip(), (module, name)
    kinds = {name: (rows["lablife", name].kind, rows["lablife", name].value) for name in ("label", "loud", "sizes")}
    assert kinds == {"label": ("charp", "cart"), "loud": ("bool", "Y"), "sizes": ("array", "7,8")}


def test_versions_and_dependants_of_modules() -> None:
    rows = {row.name: row for row in module_infos(case_of(LIFE).kernel)}
    for line in account(LIFE)["modules"]:
        name, _size, _count, users = line.split()[:4]
        for user in (user for user in users.split(",") if user in rows):
            assert name in rows[user].needs
    assert rows["lablife"].version == "1.2.3"
    assert any("lablife 1.2.3 " + str(rows["lablife"].srcversion) in line for line in account(LIFE)["moduleparams"])


def test_what_was_only_for_booting_is_gone_and_no_problem() -> None:
    """Its memory was freed; in a dump without free pages it is not there, in one with them it is somebody else's."""
    kernel = case_of("6.1-null").kernel
    (row,) = (row for row in parameters(kernel) if row.name == "ima_appraise")
    assert (row.value, row.perm) == (None, "0")
    assert not [problem for problem in kernel.problems if problem.section == "parameters"]
