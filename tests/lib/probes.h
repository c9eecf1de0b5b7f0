/* The raw requests of tests/data/http_probes.def, for whoever speaks to a parser or a server. */
#ifndef TESTS_LIB_PROBES_H
#define TESTS_LIB_PROBES_H

#include "shared/base/buf.h"

enum { PROBE_BYTES_MAX = 65536 };

struct probe {
	const char *id;   /* "HP3" */
	const char *name; /* "chunk size with 0x" */
	int status;       /* refused with it; 0: accepted */
	const char *before, *unit, *after;
	size_t before_len, unit_len, times, after_len;
};

extern const struct probe probes[];
extern const size_t probe_count;

/* Appends the bytes of a probe; give a buffer of PROBE_BYTES_MAX. */
void probe_bytes(const struct probe *p, struct buf *out);

#endif
