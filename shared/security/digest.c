/* EVP with the method fetched once: an implicit fetch costs more than hashing a token. */
#include "shared/security/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct digest {
	EVP_MD *method;
	EVP_MD_CTX *context;
	bool open, failed; /* open: initialised and waiting for more */
};

bool
digest_new(OWNED struct digest **out, struct err *e)
{
	AUTO(digest) struct digest *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a digest");
	d->method = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	d->context = EVP_MD_CTX_new();
	if (d->method == NULL || d->context == NULL)
		return err_set(e, ERR_CRYPTO, "OpenSSL offers no SHA-256");
	*out = TAKE(d);
	return true;
}

void
digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->context);
	EVP_MD_free(d->method);
	free(d);
}

static void
ensure_open(struct digest *d)
{
	if (!d->open && !d->failed)
		d->failed = EVP_DigestInit_ex2(d->context, d->method, NULL) != 1;
	d->open = true;
}

void
digest_add(struct digest *d, const void *bytes, size_t len)
{
	ensure_open(d);
	if (!d->failed)
		d->failed = EVP_DigestUpdate(d->context, bytes, len) != 1;
}

bool
digest_finish(struct digest *d, unsigned char out[DIGEST_BYTES])
{
	unsigned char made[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool ok;

	ensure_open(d);
	ok = !d->failed && EVP_DigestFinal_ex(d->context, made, &len) == 1 && len == DIGEST_BYTES;
	d->open = d->failed = false;
	if (ok)
		memcpy(out, made, DIGEST_BYTES);
	return ok;
}

bool
digest_of(const void *bytes, size_t len, unsigned char out[DIGEST_BYTES])
{
	AUTO(digest) struct digest *d = NULL;
	struct err ignored;

	if (!digest_new(&d, &ignored))
		return false;
	digest_add(d, bytes, len);
	return digest_finish(d, out);
}

void
digest_hex(const unsigned char digest[DIGEST_BYTES], char out[DIGEST_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 15];
	}
	out[DIGEST_HEX - 1] = '\0';
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
digest_from_hex(const char *hex, size_t len, unsigned char out[DIGEST_BYTES])
{
	unsigned char made[DIGEST_BYTES];

	if (len != (size_t)DIGEST_HEX - 1)
		return false;
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		made[i] = (unsigned char)(high << 4 | low);
	}
	memcpy(out, made, DIGEST_BYTES);
	return true;
}
