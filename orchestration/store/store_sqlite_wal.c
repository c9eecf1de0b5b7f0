/*
 * A write-ahead log that a program left behind, made to last before anything is built on it.
 *
 * When an fsync fails, the kernel marks the pages that it could not write as clean: programs go on
 * reading what is not on the disk, and later fsyncs succeed without writing it. A daemon that ended
 * because of that (ST5), started again, would recover the log from the kernel's cache, append
 * answered work to it, and lose that work when a power cut shows the hole before it: recovery ends
 * at the first frame that is missing.
 *
 * So the log's bytes are written once more as they are read, which makes their pages dirty again,
 * and synced. A checkpoint would not do: cut off half-way, it leaves the log's beginning to be
 * recovered over pages that are newer.
 */
#include <stdlib.h>
#include <string.h>

#include "orchestration/store/store_sqlite.h"

enum { PATH_BYTES = 4096, CHUNK = 64 * 1024 };

static const char suffix[] = "-wal";

static int
write_again(sqlite3_file *file)
{
	char *chunk = malloc(CHUNK);
	sqlite3_int64 size = 0;
	int rc = chunk != NULL ? file->pMethods->xFileSize(file, &size) : SQLITE_NOMEM;

	for (sqlite3_int64 at = 0; rc == SQLITE_OK && at < size; at += CHUNK) {
		const int len = size - at < CHUNK ? (int)(size - at) : CHUNK;

		rc = file->pMethods->xRead(file, chunk, len, at);
		if (rc == SQLITE_OK)
			rc = file->pMethods->xWrite(file, chunk, len, at);
	}
	if (rc == SQLITE_OK)
		rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
	free(chunk);
	return rc;
}

static int
open_and_write_again(sqlite3_vfs *vfs, const char *name)
{
	sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
	int rc = SQLITE_NOMEM;

	if (file != NULL)
		rc = vfs->xOpen(vfs, name, file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, NULL);
	if (rc == SQLITE_OK)
		rc = write_again(file);
	if (file != NULL && file->pMethods != NULL)
		(void)file->pMethods->xClose(file);
	free(file);
	return rc;
}

bool
sqlite_wal_settle(struct backend *b, const char *path, struct err *e)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	char name[PATH_BYTES] = {0}; /* zeros after its end: SQLite looks for parameters there */
	int there = 0, rc;

	if (vfs == NULL)
		return err_set(e, ERR_INTERNAL, "SQLite has no file system");
	/* As SQLite does: the log is beside the file itself, not beside a link to it. */
	rc = vfs->xFullPathname(vfs, path, PATH_BYTES - (int)sizeof(suffix) - 2, name);
	if ((rc & 0xff) != SQLITE_OK)
		return sqlite_fail(b, rc, path, e);
	memcpy(name + strlen(name), suffix, sizeof(suffix));
	rc = vfs->xAccess(vfs, name, SQLITE_ACCESS_EXISTS, &there);
	if (rc == SQLITE_OK && there == 0)
		return true;
	if (rc == SQLITE_OK)
		rc = open_and_write_again(vfs, name);
	return rc == SQLITE_OK ? true : sqlite_fail(b, rc, name, e);
}
