/* sees: http */
/* Z8: data, end and verdict do not depend on the split, and no more comes out than was allowed. */
#include <string.h>

#include "shared/http/chunked.h"
#include "tests/fuzz/fuzz.h"

enum { BODY_MAX = 1024 };

struct outcome {
	struct chunked_result r;
	size_t total; /* bytes used */
	struct buf out;
};

static struct outcome
decode(const char *bytes, size_t split, size_t len)
{
	struct outcome o = {.out = BUF(BODY_MAX)};
	struct chunked d = CHUNKED(BODY_MAX);

	o.r = chunked_decode(&d, bytes, split, &o.out);
	o.total = o.r.consumed;
	if (o.r.verdict == CHUNKED_MORE) {
		CLAIM(o.r.consumed == split);
		o.r = chunked_decode(&d, bytes + split, len - split, &o.out);
		o.total += o.r.consumed;
	}
	CLAIM(o.out.len <= BODY_MAX && o.total <= len);
	return o;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct outcome whole = decode(bytes, size, size);

	for (size_t split = 0; split < size; split += 1 + size / 64) {
		struct outcome o = decode(bytes, split, size);

		CLAIM(o.r.verdict == whole.r.verdict && o.r.reason == whole.r.reason);
		CLAIM(o.total == whole.total && o.out.len == whole.out.len);
		CLAIM(o.out.len == 0 || memcmp(o.out.data, whole.out.data, o.out.len) == 0);
		buf_free(&o.out);
	}
	if (whole.r.verdict == CHUNKED_DONE) /* the end is where it is, whatever follows */
		CLAIM(whole.total >= 5 && memcmp(bytes + whole.total - 4, "\r\n\r\n", 4) == 0);
	buf_free(&whole.out);
	return 0;
}
