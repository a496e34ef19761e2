/* What the guest of guest.sh does before it dies, one word a thing, and how it tells of itself without starting programs.
 *
 * Build: gcc -O1 -static -pthread -o more guest.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/dm-ioctl.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/rtnetlink.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *said(const char *what, long result)
{
	if (result < 0)
		perror(what);
	return what;
}

/* How it tells: files as they are, each line led by a word, with nothing started for it. */

static void tell(const char *led, const char *path, int zero)
{
	static char b[1 << 20];
	int f = open(path, O_RDONLY | O_NONBLOCK);
	ssize_t n, total = 0;
	char *at = b, *end;

	if (f < 0)
		return;
	while (total < (ssize_t)sizeof b - 1 && (n = read(f, b + total, sizeof b - 1 - total)) > 0)
		total += n;
	close(f);
	if (zero)
		for (n = 0; n < total; n++)
			if (!b[n])
				b[n] = '|';
	for (b[total] = 0; *at; at = end + 1) {
		end = strchr(at, '\n');
		printf("%s%.*s\n", led, (int)(end ? end - at : (long)strlen(at)), at);
		if (!end)
			break;
	}
	if (zero && !total)
		printf("%s\n", led);
}

static void links(const char *word, const char *folder, int info)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	char path[600], to[600], led[300];

	while (d && (e = readdir(d))) {
		ssize_t n;

		if (*e->d_name == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		n = readlink(path, to, sizeof to - 1);
		if (n < 0)
			continue;
		to[n] = 0;
		printf("@%s %s %s\n", word, e->d_name, to);
		if (info) {
			snprintf(path, sizeof path, "%sinfo/%s", folder, e->d_name);
			snprintf(led, sizeof led, "@fdinfo %s ", e->d_name);
			tell(led, path, 0);
		}
	}
	if (d)
		closedir(d);
}

static void task(const char *pid)
{
	static const char *files[] = { "stat", "io", "limits", "environ", "cmdline", "loginuid", "sessionid", "timerslack_ns",
		"oom_score_adj", "schedstat", "cgroup", "syscall", "coredump_filter", "wchan", "smaps_rollup", 0 };
	char path[300], led[64], to[300];

	snprintf(path, sizeof path, "/proc/%s/exe", pid);
	if (readlink(path, to, sizeof to) < 0 || atoi(pid) == getpid())
		return;
	printf("=== TRUTH task %s\n", pid);
	snprintf(path, sizeof path, "/proc/%s/status", pid);
	tell("", path, 0);
	for (const char **f = files; *f; f++) {
		snprintf(path, sizeof path, "/proc/%s/%s", pid, *f);
		snprintf(led, sizeof led, "@%s ", *f);
		tell(led, path, !strcmp(*f, "environ") || !strcmp(*f, "cmdline"));
	}
	snprintf(path, sizeof path, "/proc/%s/ns", pid);
	links("ns", path, 0);
	snprintf(path, sizeof path, "/proc/%s/fd", pid);
	links("fd", path, 1);
	printf("@ioprio %ld\n", syscall(SYS_ioprio_get, 1, atoi(pid)));
}

static void tree(const char *folder, size_t from, const char *only)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	char path[600], led[640];
	struct stat s;

	while (d && (e = readdir(d))) {
		if (*e->d_name == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		if (lstat(path, &s) || S_ISLNK(s.st_mode))
			continue;
		if (S_ISDIR(s.st_mode))
			tree(path, from, only);
		else if ((s.st_mode & 0444) && (!only || strstr(only, e->d_name))) {
			snprintf(led, sizeof led, "%s = ", path + from);
			tell(led, path, 0);
		}
	}
	if (d)
		closedir(d);
}

static void account(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	while ((e = readdir(d)))
		if (atoi(e->d_name))
			task(e->d_name);
	closedir(d);
	printf("=== TRUTH sysctl\n");
	tree("/proc/sys", 10, 0);
	printf("=== TRUTH cgroups\n");
	tree("/cg", 4, "memory.current memory.max memory.min memory.low memory.high memory.swap.max pids.max pids.current cpu.max cpu.weight io.pressure memory.pressure cpu.pressure cgroup.freeze");
	printf("=== TRUTH blockqueues\n");
	tree("/sys/block", 11, "inflight scheduler size stat dm/name dm/suspended name suspended");
	printf("=== TRUTH devices\n");
	tree("/sys/devices", 13, "tx_timeout operstate carrier_changes iorequest_cnt iodone_cnt ioerr_cnt queue_depth timeout state device_busy device_blocked eh_timeout model vendor rev limit inflight cntlid serial firmware_rev nsid features status address scheduler uuid name suspended size hw_sector_size logical_block_size removable ro");
}

static void files(int c, char **v)
{
	for (int i = 2; i < c; i++) {
		printf("=== TRUTH %s\n", v[i]);
		tell("", v[i], 0);
	}
}

static int cached(int c, char **v)
{
	for (int i = 2; i < c; i++) {
		struct stat s;
		size_t n, k = 0;
		int f = open(v[i], O_RDONLY);
		unsigned char *u;
		void *p;

		if (f < 0 || fstat(f, &s) || !s.st_size)
			continue;
		p = mmap(0, s.st_size, PROT_READ, MAP_SHARED, f, 0);
		n = (s.st_size + 4095) / 4096;
		u = malloc(n);
		mincore(p, s.st_size, u);
		for (size_t j = 0; j < n; j++)
			k += u[j] & 1;
		printf("%s %zu %lld %llu\n", v[i], k, (long long)s.st_size, (unsigned long long)s.st_ino);
		munmap(p, s.st_size);
		close(f);
	}
	return 0;
}

/* What it does, one function a word. */

static void handler(int n)
{
	(void)n;
}

static void ipc(void)
{
	int a = shmget(4711, 65536, IPC_CREAT | 0600), b = shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0640);
	int s = semget(815, 3, IPC_CREAT | 0666), m = msgget(42, IPC_CREAT | 0622);
	struct mq_attr q = { .mq_maxmsg = 7, .mq_msgsize = 100 };
	struct sembuf o = { 0, -1, SEM_UNDO };
	struct { long t; char b[64]; } g = { 1, "hello" };
	char *p = shmat(a, 0, 0);
	mqd_t d;

	*p = 1;
	shmat(b, 0, 0);
	shmctl(b, IPC_RMID, 0);
	semctl(s, 1, SETVAL, 5);
	msgsnd(m, &g, 10, 0);
	msgsnd(m, &g, 20, 0);
	d = mq_open("/lab", O_CREAT | O_RDWR, 0600, &q);
	mq_send(d, "twelve bytes", 12, 0);
	mq_send(d, "abc", 3, 5);
	semop(s, &o, 1);
}

static void semwait(void)
{
	int s = semget(815, 0, 0);
	struct sembuf o = { 2, -1, 0 };

	semop(s, &o, 1);
}

static long bpf(int cmd, union bpf_attr *a)
{
	return syscall(SYS_bpf, cmd, a, sizeof *a);
}

static int map(int type, const char *name, int key, int value, int most)
{
	union bpf_attr a;
	int f;

	memset(&a, 0, sizeof a);
	a.map_type = type;
	a.key_size = key;
	a.value_size = value;
	a.max_entries = most;
	strcpy(a.map_name, name);
	f = bpf(BPF_MAP_CREATE, &a);
	said(name, f);
	return f;
}

static int load(const char *name, struct bpf_insn *i, int n, int type)
{
	union bpf_attr a;
	int f;

	memset(&a, 0, sizeof a);
	a.prog_type = type;
	a.insns = (uint64_t)i;
	a.insn_cnt = n;
	a.license = (uint64_t)"GPL";
	strcpy(a.prog_name, name);
	f = bpf(BPF_PROG_LOAD, &a);
	said(name, f);
	return f;
}

static void programs(void)
{
	int h = map(BPF_MAP_TYPE_HASH, "lab_hash", 4, 8, 100), r = map(BPF_MAP_TYPE_ARRAY, "lab_array", 4, 16, 10);
	struct bpf_insn one[] = { { BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0 }, { BPF_JMP | BPF_EXIT, 0, 0, 0, 0 } };
	struct bpf_insn two[] = {
		{ BPF_LD | BPF_DW | BPF_IMM, 1, 1, 0, h }, { 0, 0, 0, 0, 0 },
		{ BPF_LD | BPF_DW | BPF_IMM, 2, 1, 0, r }, { 0, 0, 0, 0, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1 }, { BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};
	int f, s;

	map(BPF_MAP_TYPE_RINGBUF, "lab_ring", 0, 0, 4096);
	for (uint32_t i = 0; i < 7; i++) {
		uint64_t x = i * i;
		union bpf_attr a;

		memset(&a, 0, sizeof a);
		a.map_fd = h;
		a.key = (uint64_t)&i;
		a.value = (uint64_t)&x;
		bpf(BPF_MAP_UPDATE_ELEM, &a);
	}
	f = load("lab_filter", one, 2, BPF_PROG_TYPE_SOCKET_FILTER);
	load("lab_kprobe", two, 6, BPF_PROG_TYPE_KPROBE);
	load("lab_xdp", one, 2, BPF_PROG_TYPE_XDP);
	s = socket(AF_UNIX, SOCK_DGRAM, 0);
	setsockopt(s, SOL_SOCKET, 50, &f, 4);
	for (int i = 3; i < 20; i++) {
		char path[40], led[20];

		snprintf(path, sizeof path, "/proc/self/fdinfo/%d", i);
		snprintf(led, sizeof led, "fd %d ", i);
		printf("=== TRUTH bpf %d\n", i);
		tell(led, path, 0);
	}
	fflush(stdout);
}

static void user(const char *name)
{
	gid_t g[] = { 7, 8, 4000 };
	struct rlimit l = { 111, 222 };

	setgroups(3, g);
	said("setresgid", setresgid(2001, 2002, 2003));
	prctl(PR_SET_KEEPCAPS, 1);
	said("setresuid", setresuid(1001, 1002, 1003));
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_TIMERSLACK, 123456);
	umask(027);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_PDEATHSIG, SIGUSR2);
	setrlimit(RLIMIT_NOFILE, &l);
	l.rlim_cur = 1 << 20;
	l.rlim_max = RLIM_INFINITY;
	setrlimit(RLIMIT_CORE, &l);
	l.rlim_cur = 77;
	l.rlim_max = 88;
	setrlimit(RLIMIT_NPROC, &l);
	said("chdir", chdir("/data"));
}

static void signals(void)
{
	struct sigaction s = { .sa_handler = handler, .sa_flags = SA_RESTART };
	struct itimerval t = { .it_interval = { 7, 0 }, .it_value = { 4000, 0 } };
	union sigval u = { 5 };
	sigset_t b;

	sigaction(SIGHUP, &s, 0);
	sigaction(SIGUSR1, &s, 0);
	sigaction(SIGRTMIN + 3, &s, 0);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&b);
	sigaddset(&b, SIGUSR1);
	sigaddset(&b, SIGRTMIN + 3);
	sigaddset(&b, SIGALRM);
	sigprocmask(SIG_BLOCK, &b, 0);
	kill(getpid(), SIGUSR1);
	sigqueue(getpid(), SIGRTMIN + 3, u);
	sigqueue(getpid(), SIGRTMIN + 3, u);
	syscall(SYS_tgkill, getpid(), getpid(), SIGALRM);
	setitimer(ITIMER_REAL, &t, 0);
}

static void traced(void)
{
	pid_t p = fork();

	if (!p) {
		prctl(PR_SET_NAME, "more-tracee");
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		pause();
	}
	waitpid(p, 0, WUNTRACED);
}

static void *thread(void *a)
{
	prctl(PR_SET_NAME, "more-thread");
	pause();
	return a;
}

static void sched(void)
{
	struct sched_param p = { 0 };
	pthread_t t;
	cpu_set_t s;

	CPU_ZERO(&s);
	CPU_SET(1, &s);
	sched_setaffinity(0, sizeof s, &s);
	syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 3);
	setpriority(PRIO_PROCESS, 0, 7);
	sched_setscheduler(0, SCHED_BATCH, &p);
	pthread_create(&t, 0, thread, 0);
	pthread_create(&t, 0, thread, 0);
}

static void deadline(void)
{
	struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t prio; uint64_t runtime, deadline, period; } a = {
		sizeof a, 6, 0, 0, 0, 10000000, 80000000, 100000000 };

	said("deadline", syscall(SYS_sched_setattr, 0, &a, 0));
}

static void realtime(int policy, int priority)
{
	struct sched_param p = { .sched_priority = priority };

	said("realtime", sched_setscheduler(0, policy, &p));
}

static void fifo(void)
{
	realtime(SCHED_FIFO, 30);
}

static void rr(void)
{
	realtime(SCHED_RR, 20);
}

static void idle(void)
{
	realtime(SCHED_IDLE, 0);
}

/* Audit: records that nobody reads, and on request what auditctl -s would say. */

static int audit_send(int type, const void *data, size_t size)
{
	struct { struct nlmsghdr h; char b[256]; } m;
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);

	memset(&m, 0, sizeof m);
	m.h.nlmsg_len = NLMSG_LENGTH(size);
	m.h.nlmsg_type = type;
	m.h.nlmsg_flags = NLM_F_REQUEST;
	memcpy(m.b, data, size);
	said("audit", send(s, &m, m.h.nlmsg_len, 0));
	return s;
}

static void audit(void)
{
	for (int i = 0; i < 80; i++) {
		char b[64];
		int n = snprintf(b, sizeof b, "op=lab number=%d", i);

		close(audit_send(AUDIT_FIRST_USER_MSG + 5, b, n + 1));
		usleep(5000);
	}
}

static void audit_status(void)
{
	struct { struct nlmsghdr h; struct audit_status s; char b[256]; } m;
	int s = audit_send(AUDIT_GET, "", 0);

	memset(&m, 0, sizeof m);
	while (recv(s, &m, sizeof m, 0) > 0 && m.h.nlmsg_type != AUDIT_GET)
		;
	printf("enabled %u\nfailure %u\npid %u\nrate_limit %u\nbacklog_limit %u\nlost %u\nbacklog %u\nbacklog_wait_time %u\n",
		m.s.enabled, m.s.failure, m.s.pid, m.s.rate_limit, m.s.backlog_limit, m.s.lost, m.s.backlog, m.s.backlog_wait_time);
}

/* A server of NFS 3 and its mount daemon, which answers what a mount asks and no more: who looks into it waits. */

static uint32_t *put(uint32_t *to, int count, const uint32_t *values)
{
	while (count--)
		*to++ = htonl(*values++);
	return to;
}

static int nfs_answer(uint32_t program, uint32_t call, uint32_t *to)
{
	static const uint32_t mounted[] = { 0, 8, 1, 2, 1, 1 }, information[] = { 0, 0, 65536, 65536, 4096, 65536, 65536,
		4096, 4096, 0, 1 << 30, 0, 1, 0x1b }, attributes[] = { 0, 2, 0755, 2, 0, 0, 0, 4096, 0, 4096, 0, 0, 0, 7, 0, 2,
		1, 0, 1, 0, 1, 0 }, paths[] = { 0, 0, 255, 255, 1, 1, 0, 1 };
	uint32_t *at = to;

	if (!call)
		return 0;
	if (program == 100005 && call == 1)
		at = put(at, 6, mounted);
	else if (program == 100003 && call == 19)
		at = put(at, 14, information);
	else if (program == 100003 && call == 1)
		at = put(at, 22, attributes);
	else if (program == 100003 && call == 20)
		at = put(at, 8, paths);
	else
		return -1;
	return at - to;
}

static void nfs_serve(int s)
{
	uint32_t in[1024], out[64];

	for (;;) {
		size_t size, got = 0;
		int n;

		if (recv(s, in, 4, MSG_WAITALL) != 4)
			return;
		size = ntohl(in[0]) & 0x7fffffff;
		while (got < size && got < sizeof in && (n = recv(s, (char *)in + got, size - got, 0)) > 0)
			got += n;
		memset(out, 0, sizeof out);
		n = nfs_answer(ntohl(in[3]), ntohl(in[5]), out + 7);
		if (n < 0)
			continue;
		out[0] = htonl(0x80000000 | (24 + 4 * n));
		out[1] = in[0];
		out[2] = htonl(1);
		said("answer", send(s, out, 28 + 4 * n, 0));
	}
}

static void nfs(void)
{
	struct sockaddr_in a = { AF_INET, htons(2049), { htonl(INADDR_LOOPBACK) }, { 0 } };
	int l = socket(AF_INET, SOCK_STREAM, 0), s;

	said("bind", bind(l, (void *)&a, sizeof a));
	listen(l, 5);
	if (!fork())
		for (;;) {
			s = accept(l, 0, 0);
			if (!fork())
				nfs_serve(s);
		}
	mkdir("/nfs", 0755);
	said("nfs", mount("127.0.0.1:/lab", "/nfs", "nfs", 0, "vers=3,addr=127.0.0.1,mountaddr=127.0.0.1,mountport=2049,port=2049,proto=tcp,mountproto=tcp,mountvers=3,nolock,timeo=600,retrans=20"));
	if (!fork()) {
		prctl(PR_SET_NAME, "more-nfswait");
		said("nfs", chdir("/nfs"));
		opendir("none");
	}
}

static void ns(void)
{
	said("unshare", unshare(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWCGROUP));
	said("hostname", sethostname("inner", 5));
	if (!fork()) {
		prctl(PR_SET_NAME, "more-inner");
		shmget(99, 4096, IPC_CREAT | 0600);
		pause();
	}
}

static void io(void)
{
	char *b = calloc(1, 300000);
	int f = open("/data/io", O_CREAT | O_RDWR, 0644), d;

	said("write", write(f, b, 300000));
	fsync(f);
	lseek(f, 4096, 0);
	said("read", read(f, b, 1000));
	d = open("/data/io", O_RDWR | O_APPEND | O_CLOEXEC);
	lseek(d, 77, 0);
	for (volatile long i = 0; i < 30000000; i++)
		;
	said("read", read(0, b, 1));
}

static void polls(void)
{
	int e = epoll_create1(EPOLL_CLOEXEC), x = eventfd(3, 0), t = timerfd_create(CLOCK_MONOTONIC, 0), p[2];
	struct itimerspec i = { .it_value = { 5000, 0 }, .it_interval = { 9, 0 } };
	struct epoll_event v = { EPOLLIN, { .u64 = 0x1234 } }, o[4];

	said("pipe", pipe(p));
	timerfd_settime(t, 0, &i, 0);
	epoll_ctl(e, EPOLL_CTL_ADD, t, &v);
	v.events = EPOLLIN | EPOLLONESHOT;
	epoll_ctl(e, EPOLL_CTL_ADD, p[0], &v);
	v.events = EPOLLIN | EPOLLET;
	v.data.u64 = 0x55aa;
	epoll_ctl(e, EPOLL_CTL_ADD, x, &v);
	epoll_wait(e, o, 4, 0);
	epoll_wait(e, o, 4, -1);
}

static void watches(void)
{
	int i = inotify_init1(0), n = inotify_init1(0), f;

	said("inotify", inotify_add_watch(i, "/data", IN_CREATE | IN_DELETE));
	said("inotify", inotify_add_watch(i, "/data/file1", IN_MODIFY | IN_CLOSE_WRITE));
	said("inotify", inotify_add_watch(n, "/tmp", IN_CREATE));
	close(open("/tmp/new-file", O_CREAT | O_RDWR, 0600));
	f = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
	said("fanotify", f);
	said("mark", fanotify_mark(f, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, AT_FDCWD, "/data"));
	said("mark", fanotify_mark(f, FAN_MARK_ADD, FAN_CLOSE_WRITE, AT_FDCWD, "/data/half"));
}

static void uring(void)
{
	struct io_uring_params p = { 0 };
	int f = syscall(SYS_io_uring_setup, 8, &p), pipes[2], files[2];
	char *ring, *buffer = calloc(1, 4096);
	struct io_uring_sqe *s;
	struct iovec v = { buffer, 4096 };

	said("io_uring", f);
	if (f < 0)
		return;
	said("pipe", pipe(pipes));
	ring = mmap(0, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, f, IORING_OFF_SQ_RING);
	s = mmap(0, p.sq_entries * sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED, f, IORING_OFF_SQES);
	files[0] = pipes[0];
	files[1] = pipes[1];
	said("files", syscall(SYS_io_uring_register, f, IORING_REGISTER_FILES, files, 2));
	said("buffers", syscall(SYS_io_uring_register, f, IORING_REGISTER_BUFFERS, &v, 1));
	memset(s, 0, 3 * sizeof *s);
	s[0].opcode = IORING_OP_POLL_ADD;
	s[0].fd = pipes[0];
	s[0].poll_events = POLLIN;
	s[0].user_data = 7;
	s[1].opcode = IORING_OP_READ;
	s[1].fd = pipes[0];
	s[1].addr = (uint64_t)buffer;
	s[1].len = 100;
	s[1].user_data = 8;
	s[2].opcode = IORING_OP_NOP;
	for (int i = 0; i < 3; i++)
		((unsigned *)(ring + p.sq_off.array))[i] = i;
	__atomic_store_n((unsigned *)(ring + p.sq_off.tail), 3, __ATOMIC_RELEASE);
	said("enter", syscall(SYS_io_uring_enter, f, 3, 0, 0, 0, 0));
}

static void locks(void)
{
	struct flock w = { .l_type = F_WRLCK, .l_start = 10, .l_len = 20 }, r = { .l_type = F_RDLCK, .l_start = 100, .l_len = 0 };
	int f = open("/data/file1", O_RDWR), g = open("/data/half", O_RDONLY), h = open("/tmp/shared", O_RDWR);
	int l = open("/data/leased", O_CREAT | O_RDWR, 0600);

	said("posix", fcntl(f, F_SETLK, &w));
	said("posix", fcntl(f, F_SETLK, &r));
	said("flock", flock(g, LOCK_EX));
	said("ofd", fcntl(h, F_OFD_SETLK, &w));
	said("lease", fcntl(l, F_SETLEASE, F_WRLCK));
	if (!fork()) {
		prctl(PR_SET_NAME, "more-lockwait");
		f = open("/data/file1", O_RDWR);
		w.l_start = 15;
		fcntl(f, F_SETLKW, &w);
	}
	if (!fork()) {
		prctl(PR_SET_NAME, "more-flockwait");
		flock(open("/data/half", O_RDONLY), LOCK_EX);
	}
}

static void backlog(void)
{
	struct sockaddr_in s = { AF_INET, htons(9999), { htonl(0x7f000001) }, { 0 } };
	int f = socket(AF_INET, SOCK_STREAM, 0);

	bind(f, (void *)&s, sizeof s);
	listen(f, 2);
	for (int i = 0; i < 4; i++) {
		int k = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		connect(k, (void *)&s, sizeof s);
		usleep(30000);
		if (write(k, "unread", 6) < 0)
			continue;
	}
}

static void tun(void)
{
	struct ifreq r = { .ifr_name = "tun7" };
	int f = open("/dev/net/tun", O_RDWR), s = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in a = { AF_INET, htons(53), { htonl(0x0a4d0002) }, { 0 } };

	r.ifr_flags = IFF_TUN | IFF_NO_PI;
	said("tun", ioctl(f, TUNSETIFF, &r));
	ioctl(f, TUNSETPERSIST, 1);
	((struct sockaddr_in *)&r.ifr_addr)->sin_family = AF_INET;
	((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr = htonl(0x0a4d0001);
	ioctl(s, SIOCSIFADDR, &r);
	((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr = htonl(0xffffff00);
	ioctl(s, SIOCSIFNETMASK, &r);
	r.ifr_flags = IFF_UP;
	said("up", ioctl(s, SIOCSIFFLAGS, &r));
	for (int i = 0; i < 700; i++)
		sendto(s, "packet", 6, MSG_DONTWAIT, (void *)&a, sizeof a);
}

/* A neighbour that stays: neigh ADDRESS HARDWARE-ADDRESS DEVICE, by the protocol, as busybox has no word for it. */
static void neigh(char **v)
{
	struct { struct nlmsghdr h; struct ndmsg n; char b[128]; } m;
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), six = !!strchr(v[2], ':');
	struct rtattr *a = (void *)m.b;
	unsigned char *l;

	memset(&m, 0, sizeof m);
	m.h.nlmsg_type = RTM_NEWNEIGH;
	m.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;
	m.n.ndm_family = six ? AF_INET6 : AF_INET;
	m.n.ndm_ifindex = if_nametoindex(v[4]);
	m.n.ndm_state = 0x80;
	a->rta_type = NDA_DST;
	a->rta_len = RTA_LENGTH(six ? 16 : 4);
	said("address", inet_pton(m.n.ndm_family, v[2], RTA_DATA(a)) - 1);
	a = (void *)((char *)a + RTA_ALIGN(a->rta_len));
	a->rta_type = NDA_LLADDR;
	a->rta_len = RTA_LENGTH(6);
	l = RTA_DATA(a);
	sscanf(v[3], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", l, l + 1, l + 2, l + 3, l + 4, l + 5);
	m.h.nlmsg_len = (char *)a + RTA_ALIGN(a->rta_len) - (char *)&m;
	said("neighbour", send(s, &m, m.h.nlmsg_len, 0));
}

/* A file system of a server that never answers. */
static void fuse(void)
{
	int f = open("/dev/fuse", O_RDWR);
	char b[100];

	mkdir("/fuse", 0755);
	snprintf(b, sizeof b, "fd=%d,rootmode=40000,user_id=7,group_id=8,allow_other,max_read=8192", f);
	said("fuse", mount("labfuse", "/fuse", "fuse", MS_NOSUID | MS_NODEV, b));
}

static long dm_ioctl(int f, unsigned long cmd, const char *name, unsigned flags, const char *target, const char *args, unsigned long sectors)
{
	static char b[4096];
	struct dm_ioctl *d = (void *)b;
	struct dm_target_spec *t = (void *)(b + sizeof *d);

	memset(b, 0, sizeof b);
	d->version[0] = 4;
	d->data_size = sizeof b;
	d->data_start = sizeof *d;
	d->flags = flags;
	strcpy(d->name, name);
	if (cmd == DM_DEV_CREATE)
		snprintf(d->uuid, sizeof d->uuid, "LAB-%s", name);
	if (target) {
		d->target_count = 1;
		t->length = sectors;
		strcpy(t->target_type, target);
		strcpy((char *)(t + 1), args);
	}
	return ioctl(f, cmd, b);
}

static void dm(void)
{
	int f = open("/dev/mapper/control", O_RDWR);

	if (f < 0) {
		mkdir("/dev/mapper", 0755);
		mknod("/dev/mapper/control", S_IFCHR | 0600, makedev(10, 236));
		f = open("/dev/mapper/control", O_RDWR);
	}
	said("create", dm_ioctl(f, DM_DEV_CREATE, "labdm", 0, 0, 0, 0));
	said("load", dm_ioctl(f, DM_TABLE_LOAD, "labdm", 0, "linear", "/dev/nvme0n1 40960", 16384));
	said("resume", dm_ioctl(f, DM_DEV_SUSPEND, "labdm", 0, 0, 0, 0));
	said("create", dm_ioctl(f, DM_DEV_CREATE, "labstop", 0, 0, 0, 0));
}

int main(int c, char **v)
{
	static const struct { const char *word; void (*does)(void); } words[] = {
		{ "ipc", ipc }, { "semwait", semwait }, { "bpf", programs }, { "signals", signals }, { "traced", traced },
		{ "sched", sched }, { "ns", ns }, { "io", io }, { "polls", polls }, { "watches", watches }, { "uring", uring },
		{ "locks", locks }, { "backlog", backlog }, { "tun", tun }, { "dm", dm }, { "fuse", fuse },
		{ "deadline", deadline }, { "fifo", fifo }, { "rr", rr }, { "idle", idle }, { "audit", audit },
		{ "nfs", nfs },
	};
	char name[16];

	setvbuf(stdout, 0, _IOFBF, 1 << 16);
	if (!strcmp(v[1], "cached"))
		return cached(c, v);
	if (!strcmp(v[1], "auditstatus"))
		return audit_status(), 0;
	if (!strcmp(v[1], "account"))
		return account(), 0;
	if (!strcmp(v[1], "files"))
		return files(c, v), 0;
	if (!strcmp(v[1], "neigh"))
		return neigh(v), 0;
	snprintf(name, sizeof name, "more-%s", v[1]);
	prctl(PR_SET_NAME, name);
	if (!strcmp(v[1], "user"))
		user(name);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(v[1], words[i].word))
			words[i].does();
	for (;;)
		pause();
}
