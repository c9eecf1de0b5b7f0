#include "worker/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char scheme[] = "Bearer ", blanks[] = " \t\r\n";

bool
credential_exists(const struct credential *c)
{
	return c->path != NULL && c->path[0] != '\0';
}

bool
credential_is_new(const struct credential *c)
{
	struct stat st;

	return credential_exists(c) && stat(c->path, &st) == 0 &&
	       (st.st_mtim.tv_sec != c->read_time.tv_sec ||
	               st.st_mtim.tv_nsec != c->read_time.tv_nsec);
}

bool
credential_read(struct credential *c, char out[CREDENTIAL_TEXT], struct err *e)
{
	char *token = out + strlen(scheme);
	const int fd = open(c->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;
	size_t len;

	if (fd < 0)
		return err_set(e, ERR_IO, "link.token_path %s: %s", c->path, strerror(errno));
	memcpy(out, scheme, sizeof(scheme));
	n = fstat(fd, &st) == 0 ? read(fd, token, CREDENTIAL_MAX) : -1;
	(void)close(fd);
	if (n < 0)
		return err_set(e, ERR_IO, "link.token_path %s cannot be read", c->path);
	token[n] = '\0';
	len = strcspn(token, blanks);
	if (len == 0 || len + strspn(token + len, blanks) != (size_t)n)
		return err_set(e, ERR_FORMAT, "link.token_path %s holds no single token", c->path);
	token[len] = '\0';
	c->read_time = st.st_mtim;
	return true;
}
