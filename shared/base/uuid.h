/* UUIDs: version 7 (RFC 9562) for ids, in creation order within one source. */
#ifndef SHARED_BASE_UUID_H
#define SHARED_BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/attr.h"

enum { UUID_TEXT = 37 }; /* 36 characters and a NUL */

struct uuid {
	unsigned char bytes[16];
};

/* One per thread; zero-initialised. Keeps ids of one source strictly rising. */
struct uuid_source {
	int64_t last_ms;
	uint16_t counter;
	uint16_t left; /* unused bytes of pool: one system call serves 64 ids */
	unsigned char pool[640];
};

/* The next id of source, above all its earlier ones even if the clock went back. */
struct uuid uuid_v7(struct uuid_source *source, int64_t wall_us);
/* 122 random bits; for names that must not tell when they were made. */
struct uuid uuid_v4(void);

/* Takes 8-4-4-4-12 hexadecimal digits of either case and nothing else; out is set on success only.
 */
bool uuid_parse(const char *text, size_t len, struct uuid *out);
/* The canonical lower-case form, and a NUL. */
void uuid_text(const struct uuid *id, char out[UUID_TEXT]);

#endif
