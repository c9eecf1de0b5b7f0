/*
 * A real disk that is easily full: a tmpfs of 8 MiB in a mount namespace of this process's own, so
 * nothing of it is seen outside or stays behind. Programs started after it was mounted see it.
 */
#ifndef TESTS_STORAGE_SMALL_DISK_H
#define TESTS_STORAGE_SMALL_DISK_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/attr.h"

enum { SMALL_DISK_BYTES = 8 * 1024 * 1024 };

struct small_disk {
	char path[64];
};

/* False: this machine does not let us; one line on stdout says why. */
MUST_CHECK bool small_disk_mount(struct small_disk *d);
void small_disk_unmount(struct small_disk *d);

/* Makes it larger. */
MUST_CHECK bool small_disk_grow(const struct small_disk *d, size_t bytes);
/* Puts a file on it that leaves so many bytes; and takes that file away. */
MUST_CHECK bool small_disk_fill(const struct small_disk *d, size_t leave);
void small_disk_free(const struct small_disk *d);

size_t small_disk_left(const struct small_disk *d);

#endif
