#include "shared/security/secret_token.h"

#include <string.h>

#include "shared/base/b64url.h"
#include "shared/base/rand.h"
#include "shared/base/secret.h"

enum { RANDOM_BYTES = 32, PREFIX = 3 };

static const char *const prefixes[] = {
        [SECRET_TOKEN_API_KEY] = "tk_", [SECRET_TOKEN_SESSION] = "ts_"};

void
secret_token_make(enum secret_token_kind kind, char out[SECRET_TOKEN_SIZE])
{
	unsigned char random[RANDOM_BYTES];

	rand_bytes(random, sizeof(random));
	memcpy(out, prefixes[kind], PREFIX);
	(void)b64url_encode(random, sizeof(random), out + PREFIX);
	out[SECRET_TOKEN_LEN] = '\0';
	secret_wipe(random, sizeof(random));
}

bool
secret_token_looks_like(enum secret_token_kind kind, const char *text, size_t len)
{
	unsigned char bytes[B64URL_DECODED(SECRET_TOKEN_LEN - PREFIX)];
	size_t bytes_len = 0;
	bool looks;

	if (len != SECRET_TOKEN_LEN || memcmp(text, prefixes[kind], PREFIX) != 0)
		return false;
	looks = b64url_decode(text + PREFIX, len - PREFIX, bytes, &bytes_len);
	secret_wipe(bytes, sizeof(bytes));
	return looks && bytes_len == RANDOM_BYTES;
}
