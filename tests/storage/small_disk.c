#include "tests/storage/small_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FILL_TRIES = 20 };

static bool
mount_sized(const struct small_disk *d, size_t bytes, unsigned long flags)
{
	char options[64];

	(void)snprintf(options, sizeof(options), "size=%zu,mode=0700", bytes);
	return mount("tmpfs", d->path, "tmpfs", flags | MS_NOSUID | MS_NODEV, options) == 0;
}

bool
small_disk_mount(struct small_disk *d)
{
	(void)snprintf(d->path, sizeof(d->path), "/tmp/tasker-disk-XXXXXX");
	if (mkdtemp(d->path) == NULL)
		return false;
	if (unshare(CLONE_NEWNS) == 0 &&
	        mount(NULL, "/", NULL, (unsigned long)MS_REC | MS_PRIVATE, NULL) == 0 &&
	        mount_sized(d, SMALL_DISK_BYTES, 0))
		return true;
	(void)printf("skipped: no small disk, a mount namespace needs root: %s\n", strerror(errno));
	(void)rmdir(d->path);
	return false;
}

void
small_disk_unmount(struct small_disk *d)
{
	(void)umount2(d->path, MNT_DETACH);
	(void)rmdir(d->path);
}

bool
small_disk_grow(const struct small_disk *d, size_t bytes)
{
	return mount_sized(d, bytes, MS_REMOUNT);
}

size_t
small_disk_left(const struct small_disk *d)
{
	struct statvfs s;

	return statvfs(d->path, &s) == 0 ? (size_t)s.f_bavail * s.f_bsize : 0;
}

static void
ballast_name(const struct small_disk *d, char out[96])
{
	(void)snprintf(out, 96, "%s/ballast", d->path);
}

/* Whoever works on the disk may take room meanwhile: then it is tried again with what is left. */
bool
small_disk_fill(const struct small_disk *d, size_t leave)
{
	char name[96];
	bool filled = false;
	int fd;

	ballast_name(d, name);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	for (int i = 0; fd >= 0 && !filled && i < FILL_TRIES; i++) {
		const size_t left = small_disk_left(d);

		filled = left <= leave || posix_fallocate(fd, 0, (off_t)(left - leave)) == 0;
	}
	if (fd >= 0)
		(void)close(fd);
	return filled;
}

void
small_disk_free(const struct small_disk *d)
{
	char name[96];

	ballast_name(d, name);
	(void)unlink(name);
}
