"""A redacted report tells of no host, address, person or program's words, and all else as before."""

import json

import pytest

from cases import case_of
from oopscope.report import html, markdown, text
from oopscope.report.redact import PROGRAM, Redaction, parameters, redact

HOME = "/" + "home"  # a path of nobody's


@pytest.mark.parametrize(
    ("told", "hidden"),
    [
        ("db7.example.com said no; so did db7", "host-1 said no; so did host-1"),
        ("martian source 10.1.2.3 from 10.1.2.4, on eth0; 10.1.2.3", "martian source ip-1 from ip-2, on eth0; ip-1"),
        ("eth0: 52:54:00:12:34:56 up", "eth0: mac-1 up"),
        ("from fe80::1ff:fe23:4567:890a", "from ip-1"),
        ("lo 127.0.0.1 and 0.0.0.0 and ::1", "lo 127.0.0.1 and 0.0.0.0 and ::1"),
        (f"a name in {HOME}/alice/x and /run/user/1000", f"a name in {HOME}/user-1/x and /run/user/user-2"),
        ("vers=3.0,username=alice,domain=CORP,rw", "vers=3.0,username=value-1,domain=value-2,rw"),
        ("usb 1-1: SerialNumber: 4C530001", "usb 1-1: SerialNumber: serial-1"),
        ("mail bob@example.org now", "mail mail-1 now"),
        ("RIP: 0010:do_one_initcall+0x59/0x220, 0000:00:1f.2, 12:34:56", None),
        ("Code: 08 89 e8 5b 5d c3 66 2e 0f 1f 84 00 at 6.1.0-50, ::", None),
    ],
)  # fmt: skip
def test_texts(told: str, hidden: str | None) -> None:
    assert Redaction(("db7.example.com",)).text(told) == (told if hidden is None else hidden)


def test_records() -> None:
    hide = Redaction(())
    assert hide.log("customer ACME failed", 1) == PROGRAM
    assert hide.log("systemd[1]: Started secret.service", None) == PROGRAM
    assert hide.log("Kernel command line: root=UUID=77 quiet key=secret", 0) == (
        "Kernel command line: root=... quiet key=..."
    )
    assert "alice" not in hide.log('audit: type=1112 audit(1.2:3): acct="alice" exe="/bin/su"', 0)
    assert hide.log("BUG: kernel NULL pointer dereference, address: 0000000000000003", 0).endswith("0000000003")


def test_a_command_line_keeps_the_names_of_its_parameters() -> None:
    assert (
        parameters('BOOT_IMAGE=/x ro "dyndbg=file a +p" quiet -- --token abc') == 'BOOT_IMAGE=... ro "dyndbg=... quiet'
    )


def test_mounts() -> None:
    report = {"mounts": [{"source": "nas.corp:/vol/x", "target": "/mnt"}, {"source": "//fs1/share", "target": "/s"}]}
    found = redact(report, [])["mounts"]
    assert [row["source"] for row in found] == ["host-1:/vol/x", "//host-2/share"]


def test_a_whole_report_in_every_form() -> None:
    case = case_of("6.1-null")
    name = case.report["system"]["nodename"]
    report = redact(
        {**case.report, "log": [{"ns": 0, "level": 6, "facility": 1, "text": "lab: about to crash"}]}, [name]
    )
    assert report["dump"]["redacted"] is True
    assert name in json.dumps(case.report) and name not in json.dumps(report)
    assert case.report["dump"]["path"] not in json.dumps(report)
    for form in (text, markdown, html):
        shown = form.render(report)
        assert name not in shown and "about to crash" not in shown
    for key in ("cpus", "slabs", "modules", "zones"):
        assert report[key] == case.report[key]


def test_records_of_audit_and_servers() -> None:
    report = {
        "auditrecords": [{"queue": "to be sent", "text": "audit(1.5:7): op=login acct=alice", "address": "0x1"}],
        "rpcclients": [{"server": "filer", "program": "nfs"}, {"server": "10.0.0.7"}, {"server": "/run/rpcbind.sock"}],
        "nfsclients": [{"server": "filer", "version": "3"}, {"server": None}],
    }
    found = redact(report, [])
    assert found["auditrecords"] == [{"queue": "to be sent", "text": f"audit(1.5:7): {PROGRAM}", "address": "0x1"}]
    assert [row["server"] for row in found["rpcclients"]] == ["host-1", "ip-1", "/run/rpcbind.sock"]
    assert [row["server"] for row in found["nfsclients"]] == ["host-1", None]
