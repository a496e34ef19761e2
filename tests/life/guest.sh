# A life for tasks, files, locks, watches, routes, PCI, SCSI, dm, page cache, IPC, BPF, hooks; and the guest's own account.
chmod 755 /; mkdir -p /data /etc /dev/mqueue /cg /small; echo root:x:0:0::/:/bin/sh > /etc/passwd
# Ten thousand names of trace events stay in memory: "notrace" on the command line leaves them out.
grep -q notrace /proc/cmdline || mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
mount -t mqueue mq /dev/mqueue; mount -t cgroup2 cg /cg; mount -t tmpfs -o size=512k,mode=700,nr_inodes=100 small /small
echo +memory +pids +cpu > /cg/cgroup.subtree_control; mkdir -p /cg/shop.slice; echo +memory +pids > /cg/shop.slice/cgroup.subtree_control
mkdir -p /cg/shop.slice/cart; echo 33554432 > /cg/shop.slice/memory.max; echo 4194304 > /cg/shop.slice/memory.low
echo 55 > /cg/shop.slice/pids.max; echo "50000 100000" > /cg/shop.slice/cpu.max
mount -t ext4 -o errors=remount-ro,commit=30,noauto_da_alloc /dev/vda /data
dd if=/dev/urandom of=/data/file1 bs=64k count=16 2>/dev/null; dd if=/dev/urandom of=/data/half bs=64k count=16 2>/dev/null
dd if=/dev/zero of=/tmp/shared bs=1k count=2500 2>/dev/null
ip addr add 10.9.8.7/24 dev eth0; ip link set eth0 up; ip route add default via 10.9.8.1
/more neigh 10.9.8.1 02:00:00:00:00:01 eth0; /more neigh 10.9.8.66 02:00:00:00:00:66 eth0
ip route add 172.16.0.0/12 via 10.9.8.66 metric 50; ip route add unreachable 192.168.77.0/24
ip route add blackhole 192.168.78.0/24; ip route add 10.200.0.0/16 dev eth0 src 10.9.8.7 table 100
ip -6 addr add fd00:1::7/64 dev eth0; ip -6 route add default via fd00:1::1 dev eth0
ip -6 route add fd00:2::/48 via fd00:1::66 dev eth0 metric 77; /more neigh fd00:1::1 02:00:00:00:06:01 eth0
ip link add veth0 type veth; ip link add link eth0 name eth0.5 type vlan id 5; ip link add link eth0 name mac0 type macvlan
for d in veth0 veth1 eth0.5 mac0; do ip link set $d up; done; ip addr add 10.55.0.1/24 dev veth0; ip addr add 10.56.0.1/24 dev eth0.5
ping -c 2 -W 1 10.55.0.9 >/dev/null 2>&1; ping -c 2 -W 1 10.56.0.9 >/dev/null 2>&1
mkdir -p /over /tmp/up /tmp/work; mount -t overlay -o lowerdir=/lib,upperdir=/tmp/up,workdir=/tmp/work over /over
insmod /lib/modules/lablp.ko; insmod /lib/modules/lablife.ko hoard=20000 label=cart sizes=7,8
echo 'p:labp vfs_read' > /sys/kernel/tracing/kprobe_events && echo 1 > /sys/kernel/tracing/events/kprobes/labp/enable
echo 'do_sys_open*' > /sys/kernel/tracing/set_ftrace_filter; echo function > /sys/kernel/tracing/current_tracer
dd if=/dev/zero of=/dev/sda bs=4k count=9 2>/dev/null; dd if=/dev/nvme0n1 of=/dev/null bs=4k count=5 2>/dev/null
mkdir -p /xfs; mount -t xfs -o logbufs=4,logbsize=64k,allocsize=1m,swalloc,wsync,uquota,pquota /dev/vdc /xfs
(cd /xfs; dd if=/dev/zero of=some bs=64k count=3 2>/dev/null)
echo "lab: throttle now"; sleep 1  # QEMU lets a hundred bytes a second pass of this disk from here on
dd if=/dev/vdb of=/dev/null bs=64k iflag=direct 2>/dev/null & dd if=/dev/vdb of=/dev/null bs=32k skip=4 iflag=direct 2>/dev/null &
for w in ipc bpf user signals traced sched ns polls watches uring locks backlog tun dm fuse deadline fifo rr idle audit nfs; do
  MARK=of-$w SECOND=two /more $w first "second word" & sleep 0.3
done
/more semwait & sh -c 'echo $$ > /cg/shop.slice/cart/cgroup.procs; sleep 7001 | MARK=io /more io' &
sh -c 'exec 5>/data/out 6</data/half; dd bs=1k count=3 <&6 >&5 2>/dev/null; sleep 7002' &
ping -c 1 -W 1 10.9.8.99 >/dev/null 2>&1 &
sleep 2
t() { echo "=== TRUTH $1"; shift; "$@" 2>/dev/null; }
t neigh ip neigh; t neigh6 ip -6 neigh; t iproute6 ip -6 route show table all; t iproute4 ip -4 route show table all
echo "=== TRUTH pci"; for d in /sys/bus/pci/devices/*; do
  echo "${d##*/} $(cat $d/vendor) $(cat $d/device) $(cat $d/class) $(cat $d/subsystem_vendor) $(cat $d/subsystem_device) $(cat $d/irq) $(cat $d/enable) $(readlink $d/driver | sed 's/.*\///') $(cat $d/numa_node) $(cat $d/power_state 2>/dev/null)"
  sed "s/^/  /" $d/resource
done
echo "=== TRUTH mq"; for q in /dev/mqueue/*; do echo "mq ${q##*/} $(cat $q)"; done
echo "=== TRUTH klp"; for d in /sys/kernel/livepatch/*; do echo "${d##*/} $(cat $d/enabled) $(cat $d/transition)"; done
t ps ps -o pid,ppid,stat,comm,args
t audit /more auditstatus; t rpc cat /sys/kernel/debug/sunrpc/rpc_clnt/*/tasks; t xprts cat /sys/kernel/debug/sunrpc/rpc_xprt/*/info
/more files /proc/fs/nfsfs/servers /sys/kernel/debug/block/vdb/hctx0/busy /sys/kernel/debug/block/vdb/hctx1/busy
/more account; sync; echo 3 > /proc/sys/vm/drop_caches; sleep 1; cat /data/file1 > /dev/null
dd if=/data/half of=/dev/null bs=64k count=4 2>/dev/null; dd if=/dev/zero of=/data/dirty bs=64k count=5 2>/dev/null
ls /nowhere /data/nothing 2>/dev/null
/more files /proc/net/route /proc/net/fib_trie /proc/net/ipv6_route /proc/net/arp /proc/net/tcp /proc/net/dev /proc/sysvipc/shm \
  /proc/sysvipc/sem /proc/sysvipc/msg /proc/slabinfo /proc/consoles \
  /sys/kernel/debug/kprobes/list /sys/kernel/tracing/enabled_functions /proc/cmdline /proc/locks /proc/modules \
  /proc/pressure/cpu /proc/pressure/io /proc/pressure/memory /proc/diskstats /proc/mounts /proc/self/mountinfo /proc/meminfo /proc/vmstat /proc/zoneinfo \
  /proc/buddyinfo /proc/pagetypeinfo /proc/swaps /proc/vmallocinfo /proc/stat /proc/interrupts /proc/softirqs /proc/timer_list \
  /proc/net/tcp6 /proc/net/udp /proc/net/udp6 /proc/net/unix /proc/net/raw /proc/net/raw6 /proc/net/netlink /proc/net/packet \
  /proc/net/if_inet6 /proc/loadavg /proc/version /proc/partitions
t cached /more cached /data/file1 /data/half /data/dirty /tmp/shared /more /bin/busybox /lib/modules/ext4.ko
t dentry-state cat /proc/sys/fs/dentry-state
echo "=== TRUTH bpfnames"; grep bpf_prog /proc/kallsyms | sed 's/^/@bpf /'
echo "=== TRUTH end"
echo "lab: scenario ready" > /dev/kmsg
sleep 1; echo c > /proc/sysrq-trigger
