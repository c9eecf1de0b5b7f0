/*
 * A disk for SQLite that fails as a seed wants: a VFS, the process's default one from disk_mount()
 * on, whose files are in memory (medium.h) and die with it.
 *
 * A plan says what happens: at a certain call the machine dies, from then on every call fails and
 * nothing changes any more; or certain calls fail, once, a few times or for good. A write that
 * fails, or during which the machine dies, has been done in part. After a death the store is
 * closed, as if its process had ended, and the disk comes back by disk_restart() (the process died,
 * the kernel's cache lives) or disk_power_cut().
 *
 * Names are kept like the bytes: a new file, or a removal, lasts once its folder was synced, which
 * SQLite's own VFS does with the first sync of a new journal or write-ahead log.
 *
 * There is one in a process; its functions may be called from any thread.
 */
#ifndef TESTS_STORAGE_DISK_H
#define TESTS_STORAGE_DISK_H

#include <limits.h>

#include "tests/storage/medium.h"

enum disk_call {
#define CALL(name, code) DISK_##name,
#include "tests/storage/disk_call.def"
#undef CALL
	DISK_CALLS
};

#define DISK_BIT(call) (1U << (call))
#define DISK_ANY ((1U << DISK_CALLS) - 1U)

struct disk_fault {
	unsigned calls;      /* DISK_BIT()s: which calls are counted; 0: nothing fails */
	unsigned long first; /* the number, from 1, of the first of them that fails ... */
	unsigned long count; /* ... and how many do; ULONG_MAX: for good */
	int code;            /* SQLITE_...; 0: what disk_call.def says */
};

struct disk_plan {
	uint64_t seed;          /* of what is kept and lost */
	unsigned long death_at; /* the machine dies during that call, from 1; 0: never */
	struct disk_fault fault;
	bool sync_lies; /* it says yes and does nothing */
};

struct disk_tally {
	unsigned long calls, faults, failed_syncs; /* since the plan; as it is now */
	bool dead;
};

void disk_mount(void);
/* Empty, and without a plan. Nothing may be open: here and below, that ends the process. */
void disk_format(void);

void disk_plan(const struct disk_plan *plan); /* counts from here */
struct disk_tally disk_tally(void);
void disk_die(void); /* now */

void disk_restart(void);
void disk_power_cut(enum medium_loss loss);

/* The bytes of a file, a copy that is the caller's, and how many; NULL: there is none. */
OWNED void *disk_take(const char *name, size_t *len);
/* Makes or replaces one, synced. */
void disk_put(const char *name, const void *data, size_t len);

const char *disk_call_name(enum disk_call call);

#endif
