/*
 * The fields on which the framing rests: Host, Content-Length, Transfer-Encoding, Connection,
 * Expect.
 *
 * The narrow reading everywhere: exactly one length of plain digits, or exactly "chunked", never
 * both, never in HTTP/1.0, never on a method whose body nobody would read (HP1, HP2, HP5, HP9,
 * HP15).
 */
#ifndef SHARED_HTTP_FRAMING_H
#define SHARED_HTTP_FRAMING_H

#include "shared/http/head.h"

struct framing {
	struct http_head *head; /* its method and version are known */
	bool close, keep_alive; /* said by Connection */
};

/* Judges one field as it comes; raw is its value with the blanks around it. */
struct head_result framing_field(
        struct framing *f, const struct http_field *field, struct span raw);

/* Judges what only the whole head tells, and settles what follows the reply. */
struct head_result framing_whole(const struct framing *f);

#endif
