/*
 * Files a configuration is made of, and whether others can read or change them (CF4).
 */
#ifndef SHARED_CONFIG_CONFIG_FILE_H
#define SHARED_CONFIG_CONFIG_FILE_H

#include <sys/types.h>

#include "shared/base/err.h"
#include "shared/config/config_notes.h"

struct config_file {
	char *text; /* not terminated */
	size_t len;
	mode_t mode;
	uid_t owner;
};

/* ERR_MISSING: there is none. ERR_LIMIT: more than max bytes. ERR_IO, ERR_DENIED: unreadable. */
MUST_CHECK bool config_file_read(
        const char *path, size_t max, OWNED struct config_file *out, struct err *e);
void config_file_clear(struct config_file *file); /* wiped, then freed */

/*
 * Notes what is wrong with a regular file of that mode and owner. A problem when strict (that is,
 * authentication is on) and either anybody may write it or it holds a secret that anybody may read;
 * otherwise a warning. Also warned of: a group that may write it, an owner who is neither root nor
 * we ourselves.
 */
void config_file_judge(const char *path, const struct config_file *file, bool holds_secret,
        bool strict, struct config_notes *notes);
/* The same for a path; a missing file is not judged. */
void config_file_check(
        const char *path, bool holds_secret, bool strict, struct config_notes *notes);

#endif
