#include "tests/storage/disk.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/storage/folder.h"

enum { SECTOR_SIZE = 4096 /* what SQLite's own VFS says */ };

/* SQLite's view: an open file. */
struct handle {
	sqlite3_file base;
	struct node *node;
	struct latch_holder holder;
	bool syncs_folder, goes_with_close;
};

static struct {
	pthread_mutex_t lock;
	sqlite3_vfs vfs, *system;
	struct folder folder;
	struct disk_plan plan;
	struct disk_tally tally;
	struct dice dice;
	unsigned long counted; /* calls that the plan's fault counts */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const struct {
	const char *name;
	int code;
} calls[DISK_CALLS] = {
#define CALL(name, code) {#name, code},
#include "tests/storage/disk_call.def"
#undef CALL
};

static void
enter(void)
{
	(void)pthread_mutex_lock(&disk.lock);
}

/* Every way out passes here: it gives the result on. */
static int
leave(int rc)
{
	(void)pthread_mutex_unlock(&disk.lock);
	return rc;
}

/* ---- what is to fail ---- */

/* What the plan makes of this call: SQLITE_OK, or how it fails. */
static int
fate(enum disk_call call)
{
	const struct disk_fault *f = &disk.plan.fault;

	if (disk.tally.dead)
		return SQLITE_IOERR;
	if (++disk.tally.calls == disk.plan.death_at) {
		disk.tally.dead = true;
		return SQLITE_IOERR;
	}
	if ((f->calls & DISK_BIT(call)) == 0 || ++disk.counted < f->first ||
	        disk.counted - f->first >= f->count)
		return SQLITE_OK;
	disk.tally.faults++;
	return f->code != 0 ? f->code : calls[call].code;
}

/* ---- an open file ---- */

static int
handle_close(sqlite3_file *file)
{
	struct handle *h = (struct handle *)file;

	enter();
	latch_leave(&h->node->latch, &h->holder);
	h->node->opens--;
	if (h->goes_with_close)
		h->node->linked = h->node->kept_link = false;
	folder_sweep(&disk.folder);
	return leave(SQLITE_OK);
}

static int
handle_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
	const struct handle *h = (const struct handle *)file;
	size_t got;
	int rc;

	enter();
	rc = fate(DISK_READ);
	if (rc != SQLITE_OK)
		return leave(rc);
	got = medium_read(&h->node->medium, out, (size_t)len, (size_t)at);
	memset((char *)out + got, 0, (size_t)len - got);
	return leave(got == (size_t)len ? SQLITE_OK : SQLITE_IOERR_SHORT_READ);
}

static int
handle_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	struct handle *h = (struct handle *)file;
	bool was_dead;
	int rc;

	enter();
	was_dead = disk.tally.dead;
	rc = fate(DISK_WRITE);
	if (rc != SQLITE_OK && !was_dead) /* a part of it got there */
		len = (int)dice_below(&disk.dice, (uint64_t)len + 1);
	if (!was_dead && len > 0 && !medium_write(&h->node->medium, data, (size_t)len, (size_t)at))
		rc = SQLITE_FULL;
	return leave(rc);
}

static int
handle_truncate(sqlite3_file *file, sqlite3_int64 len)
{
	struct handle *h = (struct handle *)file;
	int rc;

	enter();
	rc = fate(DISK_TRUNCATE);
	if (rc == SQLITE_OK)
		medium_truncate(&h->node->medium, (size_t)len);
	return leave(rc);
}

static int
handle_sync(sqlite3_file *file, int flags)
{
	struct handle *h = (struct handle *)file;
	int rc;

	(void)flags;
	enter();
	rc = fate(DISK_SYNC);
	if (disk.tally.dead || (rc == SQLITE_OK && disk.plan.sync_lies))
		return leave(rc);
	if (rc != SQLITE_OK) {
		disk.tally.failed_syncs++;
		medium_sync_fails(&h->node->medium, &disk.dice);
		return leave(rc);
	}
	medium_sync(&h->node->medium);
	if (h->syncs_folder)
		folder_sync(&disk.folder);
	h->syncs_folder = false;
	return leave(SQLITE_OK);
}

static int
handle_size(sqlite3_file *file, sqlite3_int64 *out)
{
	const struct handle *h = (const struct handle *)file;
	int rc;

	enter();
	rc = fate(DISK_SIZE);
	*out = (sqlite3_int64)h->node->medium.now.len;
	return leave(rc);
}

static int
handle_lock(sqlite3_file *file, int level)
{
	struct handle *h = (struct handle *)file;
	int rc;

	enter();
	rc = fate(DISK_LOCK);
	if (rc == SQLITE_OK)
		rc = latch_lock(&h->node->latch, &h->holder, level);
	return leave(rc);
}

static int
handle_unlock(sqlite3_file *file, int level)
{
	enter();
	latch_unlock(&((struct handle *)file)->holder, level);
	return leave(SQLITE_OK);
}

static int
handle_is_reserved(sqlite3_file *file, int *out)
{
	enter();
	*out = latch_is_reserved(&((const struct handle *)file)->node->latch);
	return leave(SQLITE_OK);
}

static int
handle_control(sqlite3_file *file, int what, void *arg)
{
	(void)file;
	(void)what;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int
handle_sector_size(sqlite3_file *file)
{
	(void)file;
	return SECTOR_SIZE;
}

static int
handle_characteristics(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int
handle_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
	struct handle *h = (struct handle *)file;
	int rc;

	enter();
	rc = fate(DISK_SHM_MAP);
	if (rc == SQLITE_OK)
		rc = latch_map(&h->node->latch, &h->holder, region, size, extend != 0, out);
	return leave(rc);
}

/* Giving up a latch cannot fail: SQLite could do nothing about it. */
static int
handle_shm_lock(sqlite3_file *file, int first, int count, int flags)
{
	struct handle *h = (struct handle *)file;
	int rc = SQLITE_OK;

	enter();
	if ((flags & SQLITE_SHM_LOCK) != 0)
		rc = fate(DISK_SHM_LOCK);
	if (rc == SQLITE_OK)
		rc = latch_shm(&h->node->latch, &h->holder, first, count, flags);
	return leave(rc);
}

static void
handle_shm_barrier(sqlite3_file *file)
{
	(void)file;
	enter();
	(void)leave(SQLITE_OK);
}

static int
handle_shm_unmap(sqlite3_file *file, int remove)
{
	struct handle *h = (struct handle *)file;

	(void)remove;
	enter();
	latch_unmap(&h->node->latch, &h->holder);
	return leave(SQLITE_OK);
}

static const sqlite3_io_methods methods = {
        .iVersion = 2,
        .xClose = handle_close,
        .xRead = handle_read,
        .xWrite = handle_write,
        .xTruncate = handle_truncate,
        .xSync = handle_sync,
        .xFileSize = handle_size,
        .xLock = handle_lock,
        .xUnlock = handle_unlock,
        .xCheckReservedLock = handle_is_reserved,
        .xFileControl = handle_control,
        .xSectorSize = handle_sector_size,
        .xDeviceCharacteristics = handle_characteristics,
        .xShmMap = handle_shm_map,
        .xShmLock = handle_shm_lock,
        .xShmBarrier = handle_shm_barrier,
        .xShmUnmap = handle_shm_unmap,
};

/* ---- the VFS ---- */

/* The store makes an empty database file itself before SQLite opens it, so one is always there. */
static int
disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	const bool makes = (flags & (SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB)) != 0;
	struct handle *h = (struct handle *)file;
	struct node *n;
	int rc;

	(void)vfs;
	*h = (struct handle){.base.pMethods = NULL};
	enter();
	rc = fate(DISK_OPEN);
	if (rc != SQLITE_OK)
		return leave(disk.tally.dead ? SQLITE_CANTOPEN : rc);
	n = name != NULL ? folder_find(&disk.folder, name) : NULL;
	if (n == NULL && !makes)
		return leave(SQLITE_CANTOPEN);
	if (n == NULL)
		n = folder_make(&disk.folder, name != NULL ? name : "");
	*h = (struct handle){.base.pMethods = &methods,
	        .node = n,
	        .syncs_folder = (flags & SQLITE_OPEN_CREATE) != 0 &&
	                        (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0,
	        .goes_with_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0};
	n->opens++;
	latch_join(&n->latch, &h->holder);
	if (out != NULL)
		*out = flags;
	return leave(SQLITE_OK);
}

static int
disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	struct node *n;
	int rc;

	(void)vfs;
	enter();
	rc = fate(DISK_DELETE);
	if (rc != SQLITE_OK)
		return leave(rc);
	n = folder_find(&disk.folder, name);
	if (n == NULL)
		return leave(SQLITE_IOERR_DELETE_NOENT);
	n->linked = false;
	if (sync != 0 && !disk.plan.sync_lies)
		folder_sync(&disk.folder);
	folder_sweep(&disk.folder);
	return leave(SQLITE_OK);
}

static int
disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	const struct node *n;
	int rc;

	(void)vfs;
	enter();
	rc = fate(DISK_ACCESS);
	n = folder_find(&disk.folder, name);
	*out = n != NULL && (flags != SQLITE_ACCESS_EXISTS || n->medium.now.len > 0);
	return leave(rc);
}

static int
disk_full_name(sqlite3_vfs *vfs, const char *name, int max, char *out)
{
	(void)vfs;
	if (strlen(name) >= (size_t)max)
		return SQLITE_CANTOPEN;
	memcpy(out, name, strlen(name) + 1);
	return SQLITE_OK;
}

static int
disk_random(sqlite3_vfs *vfs, int len, char *out)
{
	(void)vfs;
	enter();
	for (int i = 0; i < len; i++)
		out[i] = (char)(dice_roll(&disk.dice) & 0x7f);
	return leave(len);
}

static int
disk_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return disk.system->xSleep(disk.system, us);
}

static int
disk_time(sqlite3_vfs *vfs, double *out)
{
	(void)vfs;
	return disk.system->xCurrentTime(disk.system, out);
}

static int
disk_last_error(sqlite3_vfs *vfs, int len, char *out)
{
	(void)vfs;
	(void)len;
	(void)out;
	return 0;
}

void
disk_mount(void)
{
	if (disk.system != NULL)
		return;
	disk.system = sqlite3_vfs_find(NULL);
	disk.vfs = (sqlite3_vfs){.iVersion = 1,
	        .szOsFile = sizeof(struct handle),
	        .mxPathname = FOLDER_NAME - 1,
	        .zName = "disk",
	        .xOpen = disk_open,
	        .xDelete = disk_delete,
	        .xAccess = disk_access,
	        .xFullPathname = disk_full_name,
	        .xRandomness = disk_random,
	        .xSleep = disk_sleep,
	        .xCurrentTime = disk_time,
	        .xGetLastError = disk_last_error};
	if (disk.system == NULL || sqlite3_vfs_register(&disk.vfs, 1) != SQLITE_OK)
		abort();
}

/* ---- what tests do to it ---- */

static void
must_be_closed(void)
{
	const char *name = folder_open_name(&disk.folder);

	if (name == NULL)
		return;
	(void)fprintf(stderr, "%s is still open\n", name);
	abort();
}

static void
calm(void)
{
	disk.plan = (struct disk_plan){.seed = disk.plan.seed};
	disk.tally = (struct disk_tally){.dead = false};
	disk.counted = 0;
}

void
disk_format(void)
{
	enter();
	must_be_closed();
	folder_clear(&disk.folder);
	calm();
	(void)leave(SQLITE_OK);
}

void
disk_plan(const struct disk_plan *plan)
{
	enter();
	calm();
	disk.plan = *plan;
	disk.dice = (struct dice){plan->seed};
	(void)leave(SQLITE_OK);
}

struct disk_tally
disk_tally(void)
{
	struct disk_tally tally;

	enter();
	tally = disk.tally;
	(void)leave(SQLITE_OK);
	return tally;
}

void
disk_die(void)
{
	enter();
	disk.tally.dead = true;
	(void)leave(SQLITE_OK);
}

void
disk_restart(void)
{
	enter();
	must_be_closed();
	calm();
	(void)leave(SQLITE_OK);
}

void
disk_power_cut(enum medium_loss loss)
{
	enter();
	must_be_closed();
	folder_cut(&disk.folder, loss, &disk.dice);
	calm();
	(void)leave(SQLITE_OK);
}

OWNED void *
disk_take(const char *name, size_t *len)
{
	struct node *n;
	void *out = NULL;

	enter();
	n = folder_find(&disk.folder, name);
	*len = n != NULL ? n->medium.now.len : 0;
	if (n != NULL)
		out = calloc(1, *len + 1);
	if (out != NULL)
		(void)medium_read(&n->medium, out, *len, 0);
	(void)leave(SQLITE_OK);
	return out;
}

void
disk_put(const char *name, const void *data, size_t len)
{
	struct node *n;

	enter();
	n = folder_find(&disk.folder, name);
	if (n == NULL)
		n = folder_make(&disk.folder, name);
	medium_truncate(&n->medium, 0);
	if (len > 0 && !medium_write(&n->medium, data, len, 0))
		abort();
	medium_sync(&n->medium);
	n->kept_link = true;
	(void)leave(SQLITE_OK);
}

const char *
disk_call_name(enum disk_call call)
{
	return calls[call].name;
}
