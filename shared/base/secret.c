#include "shared/base/secret.h"

#include <stdlib.h>
#include <string.h>

struct secret {
	size_t len;
	unsigned char bytes[];
};

bool
secret_new(const void *bytes, size_t len, OWNED struct secret **out, struct err *e)
{
	struct secret *s;

	if (len > SECRET_MAX)
		return err_set(e, ERR_LIMIT, "a secret of %zu bytes; at most %d", len, SECRET_MAX);
	s = malloc(sizeof(*s) + len);
	if (s == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a secret");
	s->len = len;
	if (len > 0)
		memcpy(s->bytes, bytes, len);
	*out = s;
	return true;
}

void
secret_free(struct secret *s)
{
	if (s == NULL)
		return;
	secret_wipe(s, sizeof(*s) + s->len);
	free(s);
}

const unsigned char *
secret_bytes(const struct secret *s)
{
	return s->bytes;
}

size_t
secret_len(const struct secret *s)
{
	return s->len;
}

bool
secret_equal(const void *a, const void *b, size_t len)
{
	/* volatile keeps the compiler from leaving the loop at the first difference */
	const volatile unsigned char *left = a;
	const volatile unsigned char *right = b;
	unsigned char difference = 0;

	for (size_t i = 0; i < len; i++)
		difference |= (unsigned char)(left[i] ^ right[i]);
	return difference == 0;
}

void
secret_wipe(void *bytes, size_t len)
{
	explicit_bzero(bytes, len);
}
