/*
 * How often one kind of line may be written (LM9): LOG_PER_SECOND lines a second for each
 * event name. A table of atomics that all threads share; nothing in it waits.
 */
#ifndef SHARED_BASE_LOG_LIMIT_H
#define SHARED_BASE_LOG_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Names beyond LOG_KINDS share one allowance. */
enum { LOG_PER_SECOND = 10, LOG_KINDS = 128 };

struct log_kind {
	_Atomic uint64_t name;       /* hash of the event name; 0: a free slot */
	_Atomic uint64_t spent;      /* second << 8 | lines written in it */
	_Atomic uint64_t suppressed; /* lines left out since the last written one */
};

/* Ready when zero-initialised. */
struct log_limit {
	struct log_kind kinds[LOG_KINDS + 1];
};

/*
 * May a line of that event be written at mono_us? If so *suppressed says how many were left
 * out before it; otherwise this one is counted among them.
 */
bool log_limit_pass(
        struct log_limit *limit, const char *event, int64_t mono_us, uint64_t *suppressed);

#endif
