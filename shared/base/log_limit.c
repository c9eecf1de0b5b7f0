#include "shared/base/log_limit.h"

/* FNV-1a; event names are ours, so nobody can choose them to collide. Never 0. */
static uint64_t
hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325;

	for (const char *c = name; *c != '\0'; c++)
		h = (h ^ (unsigned char)*c) * 0x100000001b3;
	return h == 0 ? 1 : h;
}

static struct log_kind *
kind_of(struct log_limit *limit, const char *event)
{
	uint64_t name = hash(event);

	for (uint64_t i = 0; i < LOG_KINDS; i++) {
		struct log_kind *kind = &limit->kinds[(name + i) % LOG_KINDS];
		uint64_t found = atomic_load(&kind->name);

		/* A lost race leaves the winner's name in found. */
		if (found == name ||
		        (found == 0 && (atomic_compare_exchange_strong(&kind->name, &found, name) ||
		                               found == name)))
			return kind;
	}
	return &limit->kinds[LOG_KINDS];
}

bool
log_limit_pass(struct log_limit *limit, const char *event, int64_t mono_us, uint64_t *suppressed)
{
	struct log_kind *kind = kind_of(limit, event);
	uint64_t second = (uint64_t)(mono_us / 1000000);
	uint64_t spent = atomic_load(&kind->spent), now;

	do {
		/* A thread may be a second late; it does not reopen the second that is over. */
		now = spent >> 8 < second ? second << 8 : spent;
		if ((now & 0xff) >= LOG_PER_SECOND) {
			atomic_fetch_add(&kind->suppressed, 1);
			return false;
		}
	} while (!atomic_compare_exchange_weak(&kind->spent, &spent, now + 1));
	*suppressed = atomic_exchange(&kind->suppressed, 0);
	return true;
}
