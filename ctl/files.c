#include "ctl/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/rand.h"

enum { PATH_TEXT_MAX = 4096 };

bool
files_read_stream(FILE *in, struct buf *out, struct err *e)
{
	char chunk[4096];
	size_t n;

	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0) {
		if (n > out->max - out->len)
			return err_set(e, ERR_LIMIT, "longer than %zu bytes", out->max);
		buf_add(out, chunk, n);
	}
	if (ferror(in))
		return err_set(e, ERR_IO, "%s", strerror(errno));
	return buf_ok(out) || err_set(e, ERR_NOMEM, "out of memory");
}

bool
files_read(const char *path, struct buf *out, struct err *e)
{
	FILE *in = fopen(path, "re");
	bool ok;

	if (in == NULL)
		return err_set(
		        e, errno == ENOENT ? ERR_MISSING : ERR_IO, "%s: %s", path, strerror(errno));
	ok = files_read_stream(in, out, e);
	(void)fclose(in);
	return ok || err_while(e, "%s", path);
}

static bool
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* A whole file under a name nobody else has. The mode holds whatever the umask is. */
static bool
write_fresh(const char *path, const struct files_content *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok;

	if (fd < 0)
		return false;
	ok = write_all(fd, content->bytes, content->len) && fchmod(fd, content->mode) == 0 &&
	     fsync(fd) == 0;
	return close(fd) == 0 && ok;
}

bool
files_write(const char *path, const struct files_content *content, struct err *e)
{
	char fresh[PATH_TEXT_MAX];
	int n = snprintf(fresh, sizeof(fresh), "%s.%08x.new", path, (unsigned)(uint32_t)rand_u64());
	bool ok;
	int why;

	if (n < 0 || n >= PATH_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "a path of more than %d bytes", PATH_TEXT_MAX - 16);
	ok = write_fresh(fresh, content);
	if (ok) /* link() never replaces, rename() always does */
		ok = content->replace ? rename(fresh, path) == 0 : link(fresh, path) == 0;
	why = errno;
	if (!ok || !content->replace)
		(void)unlink(fresh);
	if (ok)
		return true;
	if (why == EEXIST)
		return err_set(e, ERR_CONFLICT, "%s exists already", path);
	return err_set(e, why == EACCES || why == EPERM ? ERR_DENIED : ERR_IO,
	        "cannot write %s: %s", path, strerror(why));
}
