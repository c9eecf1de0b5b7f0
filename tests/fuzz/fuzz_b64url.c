/* sees: base */
/* Z1: text is refused or is exactly what encoding its bytes gives. */
#include <string.h>

#include "shared/base/b64url.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *bytes = malloc(B64URL_DECODED(size));
	char *text = malloc(B64URL_ENCODED(size) + B64URL_ENCODED(2));
	size_t len = 0, back;

	CLAIM(bytes != NULL && text != NULL);
	if (b64url_decode((const char *)data, size, bytes, &len)) {
		CLAIM(b64url_encode(bytes, len, text) == size);
		CLAIM(memcmp(text, data, size) == 0);
	}
	len = b64url_encode(data, size, text);
	CLAIM(len == B64URL_ENCODED(size));
	free(bytes);
	bytes = malloc(B64URL_DECODED(len));
	CLAIM(bytes != NULL && b64url_decode(text, len, bytes, &back));
	CLAIM(back == size && memcmp(bytes, data, size) == 0);
	free(bytes);
	free(text);
	return 0;
}
