/*
 * Version 7 (RFC 9562 section 5.7): 48 bits of milliseconds, a 12-bit counter (section 6.2,
 * method 1) and 62 random bits. The counter starts anywhere in its lower half when a
 * millisecond begins; when it runs over, or the clock goes back, the id borrows from the
 * next millisecond, so ids of one source rise strictly whatever the clock does.
 */
#include "shared/base/uuid.h"

#include <string.h>

#include "shared/base/hex.h"
#include "shared/base/rand.h"

enum { COUNTER_MAX = 0xfff, COUNTER_START = 0x7ff, RANDOM_PER_ID = 10 };

static void
draw(struct uuid_source *source, unsigned char *out, size_t len)
{
	if (source->left < len) {
		rand_bytes(source->pool, sizeof(source->pool));
		source->left = sizeof(source->pool);
	}
	source->left = (uint16_t)(source->left - len);
	memcpy(out, source->pool + source->left, len);
}

static void
mark(struct uuid *id, unsigned version)
{
	id->bytes[6] = (unsigned char)((id->bytes[6] & 0x0f) | version << 4);
	id->bytes[8] = (unsigned char)((id->bytes[8] & 0x3f) | 0x80);
}

struct uuid
uuid_v7(struct uuid_source *source, int64_t wall_us)
{
	int64_t ms = wall_us / 1000;
	unsigned char random[RANDOM_PER_ID];
	struct uuid id;

	draw(source, random, sizeof(random));
	if (ms > source->last_ms) {
		source->last_ms = ms;
		source->counter = (uint16_t)((random[8] << 8 | random[9]) & COUNTER_START);
	} else if (source->counter < COUNTER_MAX) {
		source->counter++;
	} else {
		source->last_ms++;
		source->counter = 0;
	}
	for (int i = 0; i < 6; i++)
		id.bytes[i] = (unsigned char)(source->last_ms >> (40 - 8 * i));
	id.bytes[6] = (unsigned char)(source->counter >> 8);
	id.bytes[7] = (unsigned char)source->counter;
	memcpy(id.bytes + 8, random, 8);
	mark(&id, 7);
	return id;
}

struct uuid
uuid_v4(void)
{
	struct uuid id;

	rand_bytes(id.bytes, sizeof(id.bytes));
	mark(&id, 4);
	return id;
}

static bool
dash_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool
uuid_parse(const char *text, size_t len, struct uuid *out)
{
	struct uuid id;
	size_t n = 0;

	if (len != UUID_TEXT - 1)
		return false;
	for (size_t i = 0; i < len; i += dash_at(i) ? 1 : 2) {
		int high = hex_digit(text[i]), low;

		if (dash_at(i)) {
			if (text[i] != '-')
				return false;
			continue;
		}
		low = hex_digit(text[i + 1]);
		if (high < 0 || low < 0)
			return false;
		id.bytes[n++] = (unsigned char)(high << 4 | low);
	}
	*out = id;
	return true;
}

void
uuid_text(const struct uuid *id, char out[UUID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	enum { DASH_BEFORE = 1 << 4 | 1 << 6 | 1 << 8 | 1 << 10 }; /* these bytes */
	char *at = out;

	for (size_t i = 0; i < sizeof(id->bytes); i++) {
		if ((DASH_BEFORE >> i & 1) != 0)
			*at++ = '-';
		*at++ = digits[id->bytes[i] >> 4];
		*at++ = digits[id->bytes[i] & 0x0f];
	}
	*at = '\0';
}
