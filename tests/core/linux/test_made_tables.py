"""Tables of what no stored dump has, on structs made by the types of stored kernels: RPC, NFS, audit, MCE, xfs."""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from builders.altered import Altered, stored
from oopscope.boot.attach import attach
from oopscope.dumps import Dump, open_container
from oopscope.errors import Implausible, NoSymbol
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import reader
from oopscope.linux import audit, edac, machine_check, mount_options, net_driver, nfs, optional_module, printk_safe, rpc
from oopscope.linux.mount_options import Own
from oopscope.linux.task import task_structs
from oopscope.sources.file import BytesSource
from oopscope.structs.layout import Types
from oopscope.subsystems import table
from stored import STORE, put_together

SIZE = 4096
NAMESPACE = 4026531840


@cache
def hung() -> Dump:
    """Open a guest that hangs in NFS, which has the types of its modules."""
    data = put_together(STORE / "hangs" / "6.1-nfs.patch", STORE)
    dump = open_container([BytesSource(data, "6.1-nfs")])
    assert dump is not None
    return dump


class Made:
    """A page of memory with structs of our own, in place of one that a task's struct begins in."""

    def __init__(self, dump: Dump) -> None:
        self.dump, self.kernel = dump, attach(dump, print)
        self.types: Types = self.kernel.types
        self.page, self.next = bytearray(SIZE), 64
        self.start = max(address & -SIZE for address in task_structs(self.kernel))

    def text(self, text: bytes) -> int:
        """Put a string somewhere."""
        return self._put(text + b"\0")

    def put(self, struct: str, **members: int) -> int:
        """Put a struct somewhere, with members by their paths, `__` for a dot; return its address."""
        at = self._put(bytes(self.types.sizeof(struct)))
        self.set(struct, at, **members)
        return at

    def set(self, struct: str, at: int, **members: int) -> None:
        """Set members of a struct."""
        for name, value in members.items():
            member = self.types.member(struct, name.replace("__", "."))
            self.word(at + member.offset, value, member.size)

    def word(self, at: int, value: int, size: int = 8) -> None:
        """Set a number."""
        at -= self.start
        self.page[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")

    def ring(self, head: int, *nodes: int) -> None:
        """Link a list both ways."""
        ends = (head, *nodes, head)
        for one, other in pairwise(ends):
            self.word(one, other)
            self.word(other + 8, one)

    def _put(self, data: bytes) -> int:
        at = self.next
        self.page[at : at + len(data)] = data
        self.next += -(-len(data) // 16) * 16
        assert self.next <= SIZE
        return self.start + at

    def opened(self) -> Kernel:
        """Return the kernel of the dump with the page in it."""
        return attach(
            Altered(self.dump, pages={self.kernel.memory.translate(self.start) >> 12: bytes(self.page)}), print
        )


def place(made: Made, struct: str, member: str, at: int) -> int:
    return at + made.types.member(struct, member).offset


def test_a_place_in_namespaces_that_cannot_be_does_not_mean_no_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(stored("6.1-null.kdump"))
    number, none = (made.put("list_head", next=value) for value in (1 << 20, 0))
    kernel = made.opened()
    monkeypatch.setattr(rpc, "symbol_of", lambda *_: number)
    with pytest.raises(Implausible, match="sunrpc_net_id is 1048576"):
        list(rpc.pernet(kernel, "sunrpc", "sunrpc_net_id"))
    monkeypatch.setattr(rpc, "symbol_of", lambda *_: none)
    assert list(rpc.pernet(kernel, "sunrpc", "sunrpc_net_id")) == []


def called(monkeypatch: pytest.MonkeyPatch, **wrong: int) -> Kernel:
    """Make a client of RPC with a call that was sent three times, and a server of NFS."""
    made = Made(hung())
    made.types = optional_module.types_of(made.kernel, "sunrpc", "sunrpc_net")
    net = made.put("list_head")
    program = made.put("rpc_program", name=made.text(b"nfs"), number=100003)
    transport = made.put("rpc_xprt", prot=wrong.get("protocol", 6), state=0b10010, servername=made.text(b"filer"),
                         num_reqs=2, stat__sends=7, stat__recvs=6, stat__connect_count=1)  # fmt: skip
    client = made.put("rpc_clnt", cl_xprt=transport, cl_prog=wrong.get("number", 100003), cl_vers=3,
                      cl_program=program)  # fmt: skip
    made.ring(net, place(made, "rpc_clnt", "cl_clients", client))
    procedure = made.put("rpc_procinfo", p_name=made.text(b"GETATTR"))
    call = made.put("rpc_task", tk_client=wrong.get("client", client), tk_runstate=0b10010, tk_owner=77,
                    tk_flags=0x800, tk_status=-11, tk_msg__rpc_proc=procedure)  # fmt: skip
    request = made.put("rpc_rqst", rq_task=wrong.get("task", call), rq_ntrans=3)
    made.set("rpc_task", call, tk_rqstp=request)
    made.ring(place(made, "rpc_clnt", "cl_tasks", client), place(made, "rpc_task", "tk_task", call))
    made.types = optional_module.types_of(made.kernel, "nfs", "nfs_net")
    servers = made.put("list_head")
    server = made.put("nfs_client", cl_hostname=made.text(b"filer"), cl_rpcclient=wrong.get("rpc", client),
                      rpc_ops=made.text(b"\4\0\0\0\0"), cl_minorversion=1, cl_state=0b101,
                      cl_cons_state=wrong.get("state", 0))  # fmt: skip
    made.ring(servers, place(made, "nfs_client", "cl_share_link", server))
    made.ring(place(made, "nfs_client", "cl_superblocks", server), made.put("list_head"))
    heads = {"sunrpc": net, "nfs": servers}

    def pernet(kernel: Kernel, module: str, symbol: str) -> Iterator[tuple[int, int]]:
        struct, member = {"sunrpc": ("sunrpc_net", "all_clients"), "nfs": ("nfs_net", "nfs_client_list")}[module]
        at = optional_module.types_of(kernel, module, struct).member(struct, member).offset
        yield NAMESPACE, heads[module] - at

    monkeypatch.setattr(rpc, "pernet", pernet)
    monkeypatch.setattr(nfs, "pernet", pernet)
    return made.opened()


def test_clients_and_calls_of_rpc(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = called(monkeypatch)
    (client,) = rpc.rpc_clients(kernel)
    assert client[:10] == ("filer", "nfs", 3, "tcp", ("connected", "bound"), 1, 2, 7, 6, 1)
    (call,) = rpc.rpc_calls(kernel)
    assert call[:5] == ("filer", "nfs", "GETATTR", 77, ("queued", "awaits its answer"))
    assert (call.sent, call.status, call.flags, call.client) == (3, -11, ("sent",), client.address)
    assert [one.protocol for one in rpc.rpc_clients(called(monkeypatch, protocol=0))] == ["local"]  # rpcbind's socket
    (server,) = nfs.nfs_clients(kernel)
    assert server[:5] == ("filer", "4.1", "ready", 1, ("manager runs", "lease expired"))
    assert (server.calls, server.namespace) == (1, NAMESPACE)


def test_what_names_another_is_none_of_rpc(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = called(monkeypatch, number=7)
    assert rpc.rpc_clients(kernel) == []
    assert rpc.rpc_calls(kernel) == []
    assert any("another's program" in problem.message for problem in kernel.problems)
    kernel = called(monkeypatch, client=8)
    assert [one.calls for one in rpc.rpc_clients(kernel)] == [0] and rpc.rpc_calls(kernel) == []
    assert [one.sent for one in rpc.rpc_calls(called(monkeypatch, task=8))] == [None]
    assert nfs.nfs_clients(called(monkeypatch, rpc=0)) == []
    assert [one.state for one in nfs.nfs_clients(called(monkeypatch, rpc=0, state=-13))] == ["error -13"]


def test_no_rpc_where_no_module_of_it_is_loaded() -> None:
    kernel = attach(stored("6.1-null.kdump"), print)
    for key in ("rpcclients", "rpccalls", "nfsclients"):
        rows = list(table(key).rows(kernel))
        assert rows == [] and table(key).counted(kernel, 0).complete is True


def test_records_of_audit_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(stored("6.1-null.kdump"))
    head = made.put("sk_buff_head", qlen=3)
    texts = (b"audit(1.5:7): op=lab", b"audit(1.5:8): op=lab", b"no record")
    records = []
    for number, text in enumerate(texts):
        data = made.text((32).to_bytes(4, "little") + (1300 + number).to_bytes(2, "little") + bytes(10) + text)
        records.append(made.put("sk_buff", data=data, len=16 + len(text)))
    made.ring(head, *records)
    kernel = made.opened()
    monkeypatch.setattr(audit, "_lengths", lambda _kernel: iter([(head, "held for a daemon", 3)]))
    found = audit.audit_records(kernel)
    assert [row[:3] for row in found] == [
        ("held for a daemon", "SYSCALL", "audit(1.5:7): op=lab"),
        ("held for a daemon", "1301", "audit(1.5:8): op=lab"),
    ]
    counted = table("auditrecords").counted(kernel, len(found))
    assert (counted.of, counted.complete) == (3, False)


@pytest.mark.parametrize("name, path", [("7.2-sysrq", "err__m__"), ("6.12-sysrq", "mce__")])
def test_machine_checks_that_were_not_handed_on(name: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(stored(f"{name}.kdump"))

    def record(status: int, cpu: int) -> int:
        members = {"status": status, "addr": 0x62000000, "bank": 4, "extcpu": cpu}
        return made.put("mce_evt_llist", **{path + name: value for name, value in members.items()})

    first, last = record(1 << 63 | 1 << 61 | 1 << 58 | 0x151, 1), record(1 << 63 | 0x135, 0)
    other = record(0x135, 0)  # one that is not valid
    head = made.put("llist_head", first=first)
    made.word(first, last)
    made.word(last, other)
    kernel = made.opened()
    monkeypatch.setattr(kernel, "find_symbol", lambda symbol, find=kernel.find_symbol: (
        head if symbol == "mce_event_llist" else find(symbol)))  # fmt: skip
    found = machine_check.machine_checks(kernel)
    assert [(row.cpu, row.bank, row.kind, row.code, row.at) for row in found] == [
        (1, 4, ("uncorrected",), 0x151, 0x62000000),
        (0, 4, ("corrected",), 0x135, None),
    ]
    assert any("machine check is none" in problem.message for problem in kernel.problems)


def test_options_of_xfs(monkeypatch: pytest.MonkeyPatch) -> None:
    row = mount_options.Xfs(1 << 52 | 1 << 50 | 1 << 56, 1 << 2, 20, 4, 65536, 0, 0, 16, 32, 3, 0x1 | 0x2 | 0x8)
    bound: Any = SimpleNamespace(row=lambda _at: row)
    monkeypatch.setattr(mount_options, "XFS", SimpleNamespace(bind=lambda *_: bound))
    kernel: Any = SimpleNamespace(memory=None, endian="<")
    says, _, _ = mount_options.KNOWN["xfs"]
    text = "wsync,inode32,allocsize=1024k,logbufs=4,logbsize=64k,sunit=128,swidth=256,usrquota,pqnoenforce"
    assert says(kernel, kernel, 1) == Own("shut down", text)
    row = row._replace(allocsize_log=0xFFFFFFFF)
    with pytest.raises(Implausible):
        says(kernel, kernel, 1)


def test_types_of_audit_are_those_of_its_header() -> None:
    known = {number: audit.TYPES[number] for number in range(1406, 1418) if number in audit.TYPES}
    assert known == {1406: "MAC_UNLBL_ALLOW", 1409: "MAC_MAP_ADD", 1416: "MAC_UNLBL_STCADD"}


def test_how_audit_is_set() -> None:
    """On a kernel whose pages of it are there and one that lacks a part: what is lost is not known."""
    whole = dict(audit.audit_facts(attach(stored("7.2-sysrq.kdump"), print)))
    assert list(whole) == ["audit", "audit failure", "audit lost", "audit backlog limit", "audit rate limit",
                           "audit backlog"]  # fmt: skip
    made = Made(stored("6.1-null.kdump"))
    at = made.kernel.symbol("audit_failure")
    page = bytearray(SIZE)
    page[at % SIZE : at % SIZE + 4] = (2).to_bytes(4, "little")
    kernel = attach(Altered(made.dump, pages={made.kernel.memory.translate(at) >> 12: bytes(page)}), print)
    told = dict(audit.audit_facts(kernel))
    assert told["audit failure"] == "panic"
    assert not kernel.problems


def test_what_a_vlan_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(stored("6.1-null.kdump"))
    device = made.put("net_device")
    private = made.put("vlan_dev_priv")
    assert 0 <= private - net_driver._private(made.kernel, device) < 32
    private = net_driver._private(made.kernel, device)
    cpus = [made.put("vlan_pcpu_stats", rx_packets=3, rx_bytes=100, tx_packets=2, tx_bytes=70, tx_dropped=1)
            for _ in range(2)]  # fmt: skip
    made.set("vlan_dev_priv", private, vlan_pcpu_stats=cpus[0])
    kernel = made.opened()
    monkeypatch.setattr(net_driver, "per_cpu_offsets", lambda _kernel: [0, cpus[1] - cpus[0]])
    counts = net_driver.of_driver(kernel, "vlan_dev_get_stats64", device)
    assert counts == (6, 200, 0, 4, 140, None, 2, 0)


def test_what_a_veth_received_is_what_its_peer_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own struct is its module's, which no stored kernel has the types of; so they are told."""
    page: dict[int, int] = {}
    places = {"veth_priv.peer": 0, "veth_priv.rq": 8, "veth_priv.dropped.counter": 16, "net_device.lstats": 32,
              "net_device.real_num_rx_queues": 40, "veth_rq.stats.vs.xdp_packets": 0, "veth_rq.stats.vs.xdp_bytes": 8,
              "veth_rq.stats.vs.rx_drops": 16, "pcpu_lstats.packets": 0, "pcpu_lstats.bytes": 8}  # fmt: skip
    types: Any = SimpleNamespace(
        has=lambda _name: True, has_member=lambda *_: True, sizeof=lambda _name: 24,
        member=lambda struct, path: SimpleNamespace(
            offset=0x100 if path == "priv" else places[f"{struct}.{path}"], size=8),
    )  # fmt: skip
    memory: Any = SimpleNamespace(
        word=lambda at: page.get(at, 0) & 0xFFFFFFFF,  # of a 32-bit machine, whose counters have 64
        read=lambda at, size: page.get(at, 0).to_bytes(8, "little")[:size],
        top=1 << 64,
    )
    kernel: Any = SimpleNamespace(types=types, memory=memory, arch=SimpleNamespace(byteorder="little"),
                                  cached=lambda _read: [0])  # fmt: skip
    one, other = 0x1000, 0x2000
    for device, peer, sent in ((one, other, 5), (other, one, 9)):
        page.update({device + 0x100: peer, device + 0x108: 0x8000, device + 0x110: 4 | 1 << 33,
                     device + 32: device + 0x800, device + 40: 1,
                     device + 0x800: sent, device + 0x808: sent * 60})  # fmt: skip
    page.update({0x8000: 1, 0x8008: 40, 0x8010: 2})
    assert net_driver.of_driver(kernel, "veth_get_stats64", one) == (10, 580, 2, 5, 300, None, 4 | 1 << 33, None)
    page[other + 0x100] = 0x3000
    with pytest.raises(Implausible):
        net_driver.of_driver(kernel, "veth_get_stats64", one)


def test_memory_modules_and_the_errors_that_were_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """By members as Debian's 6.12 has them, for no stored kernel has EDAC."""
    controllers = [edac.Controller(0x1000, 0, 0x10, 0x2000, 3, 2, 0, 0)]
    modules = {
        0x3000: edac.ModuleStruct(b"DIMM_A", 0x1000, 0, 17, 1 << 14, 7, 0, 0, 1),
        0x3100: edac.ModuleStruct(b"DIMM_B", 0x1000, 1, 17, 0, 0, 0, 0, 0),  # an empty slot
        0x3200: edac.ModuleStruct(b"DIMM_C", 0x9000, 2, 17, 1 << 14, 0, 0, 0, 0),
    }
    rows: Any = SimpleNamespace(rows=lambda *_: iter(controllers), offset=lambda _name: 0)
    monkeypatch.setattr(edac, "CONTROLLER", SimpleNamespace(bind=lambda *_: rows))
    monkeypatch.setattr(edac, "DIMM", SimpleNamespace(bind=lambda *_: SimpleNamespace(row=modules.__getitem__)))
    monkeypatch.setattr(edac, "is_there", lambda *_: True)
    monkeypatch.setattr(edac, "symbol_of", lambda *_: 0)
    types: Any = SimpleNamespace(enum=lambda _name: {"MEM_DDR4": 17})
    monkeypatch.setattr(edac, "types_of", lambda *_: types)
    kernel = attach(stored("6.12-sysrq.kdump"), print)
    memory: Any = SimpleNamespace(words=lambda *_: tuple(modules), text=lambda *_: "LAB-9000", page_size=4096)
    monkeypatch.setattr(kernel, "memory", memory)
    found = edac.memory_modules(kernel)
    assert found == [
        ("mc0", "LAB-9000", "DIMM_A", 7, 0, 1 << 26, "DDR4", 0, 1, 0x3000),
        ("mc0", "LAB-9000", None, 2, 0, None, None, None, None, 0x1000),
    ]
    assert [one.message for one in kernel.problems] == ["what should be a memory module is of another controller"]


def test_messages_that_never_reached_the_log() -> None:
    """What was said in an NMI by a kernel of 5.10; a length that is no length is none."""
    dump = stored("5.10-sysrq.kdump")
    kernel = attach(dump, print)
    text, pages = b"\x014Uhhuh. NMI received\n\x014Do you have\n", dict[int, bytearray]()
    for cpu, length in ((0, len(text)), (1, 1 << 20)):
        at = kernel.per_cpu("nmi_print_seq", cpu)
        member = kernel.types.member("printk_safe_seq_buf", "buffer")
        for address, data in (
            (at, length.to_bytes(4, "little") + (3).to_bytes(4, "little")),
            (at + member.offset, text),
        ):
            place = kernel.memory.translate(address)
            page = pages.setdefault(place >> 12, bytearray(SIZE))
            page[place % SIZE : place % SIZE + len(data)] = data
    for cpu in (0, 1):  # of the other buffer nothing is used
        pages.setdefault(kernel.memory.translate(kernel.per_cpu("safe_print_seq", cpu)) >> 12, bytearray(SIZE))
    opened = attach(Altered(dump, pages={number: bytes(page) for number, page in pages.items()}), print)
    found = printk_safe.safe_messages(opened)
    assert [row[:4] for row in found] == [(0, "NMI", "Uhhuh. NMI received", 3), (0, "NMI", "Do you have", 3)]
    assert [one.message for one in opened.problems] == ["a buffer of CPU 1 holds more than it can"]


def test_no_message_is_put_aside_by_newer_kernels() -> None:
    kernel = attach(stored("6.1-null.kdump"), print)
    assert printk_safe.safe_messages(kernel) == []
    assert table("safemessages").counted(kernel, 0).complete is True


def test_options_of_nfs() -> None:
    """A tick is 4 ms there; what is not set is not told."""
    made = Made(stored("6.1-null.kdump"))
    server = made.put("nfs_client", rpc_ops=made.text(b"\4\0\0\0\0"), cl_minorversion=2)
    timeout = made.put("rpc_timeout", to_initval=15000, to_retries=2)
    calls = made.put("rpc_clnt", cl_timeout=timeout,
                     cl_auth=made.put("rpc_auth", au_flavor=390004))  # fmt: skip
    transport = made.text((6).to_bytes(4, "little"))  # of struct rpc_xprt only prot is asked for
    made.set("rpc_clnt", calls, cl_xprt=transport - made.types.member("rpc_xprt", "prot").offset)
    info = made.put("nfs_server", nfs_client=server, client=calls, flags=0x1 | 0x200, rsize=65536, wsize=4096,
                    namelen=255, port=2049)  # fmt: skip
    says, struct, _ = mount_options.KNOWN["nfs4"]
    kernel = made.opened()
    assert kernel.types.has(struct)
    told = "vers=4.2,rsize=65536,wsize=4096,namlen=255,soft,nolock,proto=tcp,port=2049,timeo=600,retrans=2,sec=krb5i"
    assert says(kernel, kernel.types, info) == Own("", told)


def test_what_may_be_built_in_is_not_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that names no data may have anything built in; one that does has what it names, and its modules."""

    class Named:
        unnamed, problems = False, ()

        def symbol(self, name: str) -> int:
            raise NoSymbol(name, unnamed=self.unnamed)

    kernel: Any = Named()
    monkeypatch.setattr(optional_module, "module_list", lambda _kernel: [])
    assert not optional_module.is_there(kernel, "edac_core", "mc_devices")
    assert reader(machine_check.machine_checks)(kernel) == []
    kernel.unnamed = True
    assert optional_module.is_there(kernel, "edac_core", "mc_devices")
    with pytest.raises(NoSymbol):
        reader(machine_check.machine_checks)(kernel)
