#include "shared/config/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/secret.h"

static bool
io_error(const char *path, struct err *e)
{
	enum err_code code = errno == ENOENT || errno == ENOTDIR ? ERR_MISSING
	                     : errno == EACCES || errno == EPERM ? ERR_DENIED
	                                                         : ERR_IO;

	return err_set(e, code, "%s: %s", path, strerror(errno));
}

/* Reads at most size bytes until the end; the number read, or -1. */
static ssize_t
read_all(int fd, char *text, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static bool
read_open(int fd, const char *path, size_t max, struct config_file *out, struct err *e)
{
	struct config_file file = {0};
	struct stat st;
	ssize_t len;

	if (fstat(fd, &st) != 0)
		return io_error(path, e);
	file.mode = st.st_mode;
	file.owner = st.st_uid;
	file.text = malloc(max + 1); /* one more, to see that there is more */
	if (file.text == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for %s", path);
	len = read_all(fd, file.text, max + 1);
	file.len = len < 0 ? 0 : (size_t)len;
	if (len >= 0 && file.len <= max) {
		*out = file;
		return true;
	}
	(void)(len < 0 ? io_error(path, e)
	               : err_set(e, ERR_LIMIT, "%s: more than %zu bytes", path, max));
	config_file_clear(&file);
	return false;
}

bool
config_file_read(const char *path, size_t max, OWNED struct config_file *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool ok;

	if (fd < 0)
		return io_error(path, e);
	ok = read_open(fd, path, max, out, e);
	(void)close(fd);
	return ok;
}

void
config_file_clear(struct config_file *file)
{
	if (file->text != NULL)
		secret_wipe(file->text, file->len);
	free(file->text);
	*file = (struct config_file){0};
}

void
config_file_judge(const char *path, const struct config_file *file, bool holds_secret, bool strict,
        struct config_notes *notes)
{
	struct config_lines *serious = strict ? &notes->problems : &notes->warnings;

	if (!S_ISREG(file->mode))
		return;
	if ((file->mode & S_IWOTH) != 0)
		config_lines_add(serious, "%s: anybody may change it (chmod o-w)", path);
	else if ((file->mode & S_IWGRP) != 0)
		config_lines_add(&notes->warnings, "%s: its group may change it (chmod g-w)", path);
	if (holds_secret && (file->mode & S_IROTH) != 0)
		config_lines_add(
		        serious, "%s: it holds a secret and anybody may read it (chmod o-r)", path);
	if (file->owner != 0 && file->owner != geteuid())
		config_lines_add(&notes->warnings, "%s: it belongs to another user (uid %u)", path,
		        (unsigned)file->owner);
}

void
config_file_check(const char *path, bool holds_secret, bool strict, struct config_notes *notes)
{
	struct config_file file = {0};
	struct stat st;

	if (stat(path, &st) != 0)
		return;
	file.mode = st.st_mode;
	file.owner = st.st_uid;
	config_file_judge(path, &file, holds_secret, strict, notes);
}
