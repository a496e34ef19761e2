"""The ways in which a dead or hanging machine's memory is captured: what each gives, and what it lacks."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "kdump": Text(
        "The machine's own crash kernel copies memory after a panic. The usual way: complete registers of every CPU, "
        "pages filtered by the dump level.",
        "It needs crashkernel= at boot and the kdump service. It can fail where the crash kernel lacks memory, or a "
        "driver for the disk.",
        "`oopscope doctor` on the machine; a test by `echo c > /proc/sysrq-trigger`, which crashes it.",
    ),
    "fadump": Text("POWER's firmware keeps memory over a reset, and the next boot writes it out: no second kernel."),
    "virsh dump": Text(
        "`virsh dump --memory-only GUEST FILE` writes a guest's memory from outside, also of one that hangs. Without "
        "--memory-only it is a migration stream, which opens too.",
        "The guest knows nothing of it: there is no panic message where it did not panic.",
    ),
    "dump-guest-memory": Text("The same by QEMU's monitor: `dump-guest-memory -z FILE`; with registers of every CPU."),
    "gcore": Text("A core of the QEMU process holds its guest's memory; it opens, without the CPUs' registers."),
    "VMware": Text("A suspended machine or a snapshot: .vmss or .vmsn with its .vmem beside it."),
    "Xen": Text("`xl dump-core GUEST FILE` writes a guest's memory."),
    "LiME": Text("A module that writes RAM of a running machine; what moved meanwhile may not fit together."),
    "AVML": Text("A program that writes RAM of a running machine from /proc/kcore or /dev/crash, compressed."),
    "/proc/kcore": Text("A running machine's own memory: `sudo oopscope /proc/kcore` shows it LIVE."),
    "pstore": Text(
        "A little of the log kept over a reset, in firmware or reserved RAM: /sys/fs/pstore, /var/lib/systemd/pstore. "
        "Where no dump could be written it may be all there is.",
    ),
    "netconsole": Text("The kernel sends its log over the network to another host while it dies."),
    "serial console": Text("The kernel's log on a serial line, often kept by the BMC or the hypervisor."),
    "SysRq-c": Text("Crashing by hand, to get a dump of a machine that hangs: Alt-SysRq-c, or over IPMI."),
    "NMI button": Text(
        "A button, `ipmitool chassis power diag`, `virsh inject-nmi`: with unknown_nmi_panic it panics."
    ),
}
