/* The first line of a head: method, target, version (HP10 to HP12). */
#ifndef SHARED_HTTP_REQUEST_LINE_H
#define SHARED_HTTP_REQUEST_LINE_H

#include "shared/http/head.h"

/* Judges the line, which has no CRLF any more, and sets what it says in out. */
struct head_result request_line_judge(struct span line, struct http_head *out);

/* May a request of that method have a body (HP5)? */
bool method_takes_body(enum method m);

#endif
