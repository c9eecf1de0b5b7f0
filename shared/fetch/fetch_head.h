/* The few header fields of an answer that callers look at. */
#ifndef SHARED_FETCH_FETCH_HEAD_H
#define SHARED_FETCH_FETCH_HEAD_H

#include "shared/fetch/fetch.h"

/*
 * Takes one line of a head as libcurl hands it over, with its line end. A status line forgets the
 * fields before it, so those of an interim answer (RFC 9110 section 15.2) are not taken for the
 * final one's. The first field of a name counts.
 */
void fetch_head_line(struct fetch_response *r, const char *line, size_t len);

#endif
