/* A crowd for figures at scale: sockets, mappings and files of one program. Threads are sleepers.c's business.
 *
 * cc -O1 -static -o crowd crowd.c; ./crowd [SOCKETS [MAPPINGS [FILES]]]
 * It prints "crowd: ready" with what it got, and stays. As root: it raises its own limits.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void raise_limit(const char *path, const char *value)
{
	FILE *file = fopen(path, "w");

	if (file) {
		fputs(value, file);
		fclose(file);
	}
}

int main(int argc, char **argv)
{
	long sockets = argc > 1 ? atol(argv[1]) : 100000, mappings = argc > 2 ? atol(argv[2]) : 200000;
	long files = argc > 3 ? atol(argv[3]) : 100000, made[3] = { 0, 0, 0 }, n;
	struct rlimit most = { 1000000, 1000000 };
	char name[64];
	int pair[2];

	raise_limit("/proc/sys/fs/file-max", "4000000");
	raise_limit("/proc/sys/vm/max_map_count", "1000000");
	setrlimit(RLIMIT_NOFILE, &most);
	for (n = 0; n + 1 < sockets; n += 2) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
			break;
		made[0] += 2;
	}
	for (n = 0; n < mappings; n++) { /* neighbours that differ are not joined */
		if (mmap(NULL, 4096, n & 1 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		    MAP_FAILED)
			break;
		made[1]++;
	}
	mkdir("crowd-files", 0700);
	for (n = 0; n < files; n++) { /* closed again: the dentry stays */
		int file;

		snprintf(name, sizeof name, "crowd-files/%ld", n);
		file = open(name, O_CREAT | O_WRONLY, 0600);
		if (file < 0)
			break;
		close(file);
		made[2]++;
	}
	printf("crowd: ready: %ld sockets, %ld mappings, %ld files\n", made[0], made[1], made[2]);
	fflush(stdout);
	for (;;)
		pause();
}
