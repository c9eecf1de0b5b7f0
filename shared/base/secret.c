#include "shared/base/secret.h"

#include <stdint.h>
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

/* Hides how difference came about, so that no compiler leaves the loop at the first one. */
static uint64_t
unknown(uint64_t difference)
{
	__asm__ volatile("" : "+r"(difference));
	return difference;
}

/* Eight bytes at a time: each request with a cached token passes here with all of it. */
bool
secret_equal(const void *a, const void *b, size_t len)
{
	const unsigned char *left = a, *right = b;
	uint64_t difference = 0;
	size_t i = 0;

	for (; len - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t x, y;

		memcpy(&x, left + i, sizeof(x));
		memcpy(&y, right + i, sizeof(y));
		difference = unknown(difference | (x ^ y));
	}
	for (; i < len; i++)
		difference = unknown(difference | (uint64_t)(left[i] ^ right[i]));
	return difference == 0;
}

void
secret_wipe(void *bytes, size_t len)
{
	explicit_bzero(bytes, len);
}
