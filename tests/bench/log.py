"""How long a long log takes to be judged, and how much memory: python tests/bench/log.py [LINES]

Makes a log of a stored dump's, with that many lines of a machine's life before its death, warnings among them; the
bound is 2 s and 150 MB for 200,000 lines.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DUMPS = Path(__file__).parents[1] / "dumps"
WARNING = """------------[ cut here ]------------
WARNING: CPU: 0 PID: 12 at drivers/net/x.c:{n} x_poll+0x21/0x40 [x]
CPU: 0 PID: 12 Comm: kworker/0:1 Not tainted 6.1.0 #1
RIP: 0010:x_poll+0x21/0x40 [x]
Call Trace:
 <TASK>
 net_rx_action+0x142/0x390
 __do_softirq+0x10c/0x300
 </TASK>
---[ end trace 0000000000000000 ]---"""


def lines(count: int) -> Iterator[Any]:
    """Yield so many lines of life."""
    at = 0
    while at < count:
        if at % 500 == 0:
            for text in WARNING.format(n=at).split("\n"):
                yield f"[{at / 1000:12.6f}] {text}\n"
                at += 1
        else:
            yield f"[{at / 1000:12.6f}] usb {at % 7}-1: new high-speed USB device number {at % 127} using xhci_hcd\n"
            at += 1


def main() -> None:
    """Judge the log in a process of its own, and tell its time and memory."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.NamedTemporaryFile("w", suffix=".log") as file:
        file.writelines(lines(count))
        death = (DUMPS / "6.1-null.dmesg.txt").read_text().splitlines()[-45:]
        file.writelines(f"[{count / 1000 + 1:12.6f}] {line.split('] ', 1)[1]}\n" for line in death)
        file.flush()
        since = time.perf_counter()
        command = [sys.executable, "-m", "oopscope_tui", "report", file.name, "--sections", "verdict"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        took = time.perf_counter() - since
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"{count} lines: {took:.2f} s, {used.ru_utime:.2f} s of CPU, {used.ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
