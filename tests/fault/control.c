#include "tests/fault/control.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shared/base/clock.h"

/* The file is this process's own memory, which goes with it; daemons find it below /proc. */
struct preload_control *
control_open(void)
{
	const char *name = getenv("FAULT_PRELOAD");
	char library[PATH_MAX], path[64];
	int fd = memfd_create("fault-control", MFD_CLOEXEC);
	void *at = MAP_FAILED;

	if (name == NULL || realpath(name, library) == NULL) {
		(void)fputs("no FAULT_PRELOAD\n", stderr);
		return NULL;
	}
	(void)snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)getpid(), fd);
	if (fd >= 0 && ftruncate(fd, sizeof(struct preload_control)) == 0)
		at = mmap(NULL, sizeof(struct preload_control), PROT_READ | PROT_WRITE, MAP_SHARED,
		        fd, 0);
	if (at == MAP_FAILED || setenv("LD_PRELOAD", library, 1) != 0 ||
	        setenv(PRELOAD_CONTROL, path, 1) != 0) {
		perror("the daemons' control file");
		return NULL;
	}
	return at;
}

void
control_arm(struct preload_control *c, int row)
{
	atomic_store(&c->hits, 0);
	atomic_store(&c->reached, 0);
	atomic_store(&c->armed, row + 1);
}

void
control_disarm(struct preload_control *c)
{
	atomic_store(&c->armed, 0);
}

void
control_move(struct preload_control *c, int64_t offset_s)
{
	atomic_store(&c->wall_offset_us, offset_s * 1000000);
	atomic_store(&c->frozen_us, 0);
}

void
control_freeze(struct preload_control *c)
{
	atomic_store(&c->frozen_us, clock_wall_us() + atomic_load(&c->wall_offset_us));
}
