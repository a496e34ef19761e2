/* Many threads that sleep in five ways: PROCESSES processes of THREADS threads each, for figures at scale.
 *
 * cc -O1 -static -o sleepers sleepers.c -lpthread; ./sleepers [PROCESSES [THREADS]]
 * It prints "sleepers: ready" when all of them are there, and stays.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int pipe_of[2], word;

static void *sleeper(void *number)
{
	long n = (long)number;
	char name[16], byte;
	struct timespec long_time = { 100000, 0 };
	struct pollfd ends = { .fd = pipe_of[0], .events = POLLIN };

	snprintf(name, sizeof name, "sleeper-%ld", n % 5);
	prctl(PR_SET_NAME, name);
	switch (n % 5) {
	case 0: nanosleep(&long_time, NULL); break;
	case 1: read(pipe_of[0], &byte, 1); break;
	case 2: syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0); break;
	case 3: poll(&ends, 1, -1); break;
	case 4: for (;;) pause();
	}
	return NULL;
}

int main(int count, char **words)
{
	int processes = count > 1 ? atoi(words[1]) : 20, threads = count > 2 ? atoi(words[2]) : 600;
	pthread_attr_t small;
	pthread_t thread;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN);
	for (int p = 0; p < processes; p++) {
		if (fork())
			continue;
		if (pipe(pipe_of))
			return 1;
		for (long n = 1; n < threads; n++)
			if (pthread_create(&thread, &small, sleeper, (void *)n))
				return 1;
		for (;;)
			pause();
	}
	sleep(5);
	puts("sleepers: ready");
	fflush(stdout);
	for (;;)
		pause();
}
