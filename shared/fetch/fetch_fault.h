/* What libcurl says about a failure → what we tell the user: what, where, and what to do. */
#ifndef SHARED_FETCH_FETCH_FAULT_H
#define SHARED_FETCH_FETCH_FAULT_H

#include <curl/curl.h>

#include "shared/fetch/fetch.h"

struct fetch_fault {
	CURLcode code;
	const char *origin; /* http://127.0.0.1:8080 */
	const char *peer;   /* who should be there */
	const char *detail; /* libcurl's or the system's words; may be "" */
	bool connected;
	int connect_timeout_ms, timeout_ms;
	size_t response_max;
};

/* Sets e and returns false. */
MUST_CHECK bool fetch_fault(const struct fetch_fault *fault, struct err *e);

#endif
