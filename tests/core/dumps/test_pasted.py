"""What mails and pastes do to a log's lines is undone: shifts, quotes, lines wrapped with and without times."""

from pathlib import Path
from textwrap import wrap

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.dumps.log.pasted import breaks, unshifted
from oopscope.linux.printk import log
from oopscope.triage import verdict

OOPS = """BUG: unable to handle page fault for address: ffffa1b2c3d4e5f6
#PF: supervisor read access in kernel mode
#PF: error_code(0x0000) - not-present page
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 3 UID: 0 PID: 321 Comm: storaged Not tainted 6.12.1-arch1 #1
RIP: 0010:store_put+0x21/0x40 [stored]
CR2: ffffa1b2c3d4e5f6
Call Trace:
 store_sync+0x8/0x20 [stored]
 kthread+0xe6/0x110
---[ end trace 0000000000000000 ]---"""
WRAPPED = """BUG: unable to handle page fault for address:
ffffa1b2c3d4e5f6
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 3 UID: 0 PID: 321 Comm: storaged Not
tainted 6.12.1-arch1 #1
RIP: 0010:store_put+0x21/0x40 [stored]
CR2: ffffa1b2c3d4e5f6
Call Trace:
 store_sync+0x8/0x20 [stored]
---[ end trace 0000000000000000 ]---"""


def texts(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "log.txt"
    path.write_text(text)
    return [record.text for record in log(open_kernel([path]))]


@pytest.mark.parametrize("shift", [" ", "    ", "> ", ">> ", "> > ", "|  ", ">   "])
@pytest.mark.parametrize("last", ["", "and this is what I saw\n"])
def test_a_shifted_paste_is_judged_as_the_log(shift: str, last: str, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("".join(f"{shift}{line}\n" for line in OOPS.split("\n")) + last)
    found = verdict(open_kernel([path]))
    assert (found.cause, found.symbol, found.confidence) == ("bad-page-fault", "store_put+0x21", "certain")


def test_lines_that_were_wrapped_and_bear_no_times(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(WRAPPED)
    found = verdict(open_kernel([path]))
    assert (found.cause, found.symbol, found.pid) == ("bad-page-fault", "store_put+0x21", 321)
    assert "0xffffa1b2c3d4e5f6" in found.summary


def test_a_record_of_several_lines_is_not_taken_for_a_wrapped_one(tmp_path: Path) -> None:
    head = "".join(f"[{n:5d}.000000] usb 1-1: new high-speed USB device number {n} using xhci_hcd\n" for n in range(9))
    found = texts(tmp_path, f"{head}[    9.000000] store: state of all the queues that are there:\nq0: 1\nq1: 2\n")
    assert found[-1] == "store: state of all the queues that are there:\nq0: 1\nq1: 2"


def test_a_wrapped_line_is_one_again(tmp_path: Path) -> None:
    text = (
        "[    1.000000] EXT4-fs (sda1): mounted filesystem with ordered data mode.\nQuota mode: none.\n"
        "[    2.000000] Kernel panic - not syncing: VFS: Unable to mount root fs on\nunknown-block(8,1)\n"
        "[    3.000000] Rebooting in 10 seconds..\n"
    )
    assert texts(tmp_path, text)[1] == "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(8,1)"


def test_a_break_is_where_the_next_word_did_not_fit() -> None:
    lines = ["[ 1.0] " + "word " * 12, "[ 2.0] short", "longerword and more", "[ 3.0] " + "word " * 11, "averylongword"]
    assert breaks(lines, [2, 4]) == {4}


def test_what_is_not_shifted_stays() -> None:
    text = "Call Trace:\n <TASK>\n store_put+0x1/0x2\n"
    assert unshifted(text) == text


@pytest.mark.parametrize(
    ("line", "caller"),
    [("[   13.380405][  4] store: up", "C4"), ("[   13.380405] 003: store: up", "C3"),
     ("[   13.380405] 003:  store_put+0x1/0x2", "C3"),
     ("[   13.380405] [0000000000000000] pgd=0", None)],
)  # fmt: skip
def test_a_cpu_for_a_caller(line: str, caller: str | None, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(f"{line}\n{line}\n[   14.000000] Oops: 0000 [#1] SMP\n")
    assert log(open_kernel([path]))[0].caller == caller


@pytest.mark.parametrize(
    "text",
    ["store_put+0x21/0x40 [stored]\nstore_sync+0x8/0x20\nkthread+0xe6/0x110\n",
     "[<ffffffff80089562>] store_put+0x32/0x40\n[<ffffffff8008eac8>] sync+0x40/0x6e\n[<ffffffff8055ae8a>] go+0x1/0x2\n",
     "watchdog: CPU 3 self-detected hard LOCKUP @ store_put+0x154/0x2d0\n",
     "[  +0,000003]  ? store_put+0x2db/0x700\n[  +0,000002]  kthread+0x1/0x2\n"],
)  # fmt: skip
def test_pieces_of_logs_are_logs(text: str, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(text)
    assert open_kernel([path]).facts.format == "log"


@pytest.mark.parametrize(
    "before",
    [
        *("[   13.073692] kernel: ", "2025-01-21T12:07:18.015541+01:00 $HOST kernel: "),
        *("Sep 28 14:48:15 <host> kernel: ", "00:09:50,669 ALERT kernel:", "[6:  kworker/u40:2: 7357] "),
        *("Nov  5 05:48:20  kernel: ", "2025-05-12T22:29:52.686659+02:00 a-host kernel: [    C6] "),
        *("[*     ] A start job is running for /sysroot (1min 22s / 2min 25s)[   84.295876] ", "a-host kernel: "),
        *("2024-04-01T22:23:45.000000+00:00 node kernel - - - ", "<4> [302.391799] "),
    ],
)
def test_what_other_tools_put_before_a_line(before: str, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("".join(f"{before}{line.strip()}\n" for line in OOPS.split("\n")))
    found = verdict(open_kernel([path]))
    assert (found.cause, found.symbol) == ("bad-page-fault", "store_put+0x21")


def test_a_time_that_was_broken_in_two(tmp_path: Path) -> None:
    host = "2023-12-15T23:58:15.975267-06:00 a-machine-with-a-long-name kernel:"
    path = tmp_path / "log.txt"
    path.write_text("".join(f"{host} [\n 1058.{832908 + n}] {line}\n" for n, line in enumerate(OOPS.split("\n"))))
    found = verdict(open_kernel([path]))
    assert (found.cause, found.symbol) == ("bad-page-fault", "store_put+0x21")


def test_what_syslogd_writes_to_terminals(tmp_path: Path) -> None:
    head = "Message from syslogd@a-host at Jan 21 17:09:43 ..."
    path = tmp_path / "log.txt"
    path.write_text("".join(f"  {head}\n   kernel:{line.strip()}\n\n" for line in OOPS.split("\n")))
    kernel = open_kernel([path])
    assert all(record.facility in (None, 0) for record in log(kernel))
    found = verdict(kernel)
    assert (found.cause, found.symbol) == ("bad-page-fault", "store_put+0x21")


def test_a_shells_prompt_before_the_first_line(tmp_path: Path) -> None:
    lines = [f"[  38.{179000 + at}] {line}" for at, line in enumerate(OOPS.split("\n"))]
    path = tmp_path / "log.txt"
    path.write_text("[root@a-board store]# " + "\n".join(lines))
    assert log(open_kernel([path]))[0].text.startswith("BUG: unable")


@pytest.mark.parametrize("task", ["init: ", "kworker/u9:1: ", ""])
def test_a_panic_behind_its_tasks_name(task: str, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(
        f"[   41.1] {task}store: bad\n"
        f"[   41.223789] {task}Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n"
    )
    assert verdict(open_kernel([path])).cause == "init-killed"


def test_blanks_that_do_not_break(tmp_path: Path) -> None:
    lines = "\n".join(f"[  38.{179000 + at}] {line}" for at, line in enumerate(OOPS.split("\n")))
    path = tmp_path / "log.txt"
    path.write_text(lines.replace("  ", "\xa0 ").replace("] ", "]\xa0"))
    found = verdict(open_kernel([path]))
    assert (found.cause, found.symbol, found.pid) == ("bad-page-fault", "store_put+0x21", 321)


def test_a_frame_of_which_a_mailer_broke_off_all_words(tmp_path: Path) -> None:
    before = "2023-12-15T23:58:15.975267-06:00 a-machine kernel: "
    frame = "store_sync_all_that_is_in_the_store+0x8/0x20"
    whole = OOPS.replace("store_sync+0x8/0x20 [stored]", frame).split("\n")
    wrapped = "\n".join(piece for line in whole for piece in wrap(f"{before}{line}", 88, break_on_hyphens=False))
    assert f"kernel:\n{frame}" in wrapped
    assert f" {frame}" in texts(tmp_path, wrapped)


def test_a_place_whose_function_a_mailer_broke_off(tmp_path: Path) -> None:
    function = "store_put_all_that_is_in_it+0x24/0x80 [stored]"
    lines = (
        "[   15.639835] BUG: Kernel NULL pointer dereference on read at 0x000003d8",
        "[   15.639845] Oops: Kernel access of bad area, sig: 11 [#1]",
        f"[   15.639999] NIP [c0080000215b01dc] {function}",
        "[   15.640020] Call Trace:",
    )
    wrapped = "\n".join(piece for line in lines for piece in wrap(line, 72))
    assert f"]\n{function}" in wrapped
    assert f"NIP [c0080000215b01dc] {function}" in texts(tmp_path, wrapped)


def test_one_long_line_tells_nothing_of_the_width(tmp_path: Path) -> None:
    lines = [f"[   15.{n:06d}] store: one of the many things that are told of here, {n}" for n in range(400, 440)]
    oops = "[   16.000000] Internal error: synchronous external abort: 0000000096000210 [#1] SMP"
    wrapped = [piece for line in [*lines, oops] for piece in wrap(line, 62)]
    wrapped.insert(4, "[   15.000401] store: this one says much more, and is as long as it is: 4711")
    wrapped.insert(5, "what a program wrote")
    assert oops.partition("] ")[2] in texts(tmp_path, "\n".join(wrapped))


def test_a_line_of_which_all_words_stand_on_the_next(tmp_path: Path) -> None:
    lines = [f"Mai 29 11:53:{at}  kernel: store: one, and {at}" for at in range(10, 24)]
    text = "\n".join(
        [*lines, "Mai 29 11:53:24  kernel: ", " INFO: task storaged:321 blocked for more than 505 seconds."]
    )
    assert texts(tmp_path, text)[-1].strip() == "INFO: task storaged:321 blocked for more than 505 seconds."
