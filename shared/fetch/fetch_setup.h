/* A request → options of a libcurl handle: the rules that hold for every request are here. */
#ifndef SHARED_FETCH_FETCH_SETUP_H
#define SHARED_FETCH_FETCH_SETUP_H

#include <curl/curl.h>

#include "shared/fetch/fetch.h"

struct fetch_setup {
	CURL *easy; /* fresh, or reset */
	const struct fetch_request *request;
	const char *ca_path; /* NULL: the system's */
	bool env_proxy;
	struct curl_slist *headers; /* ours until fetch_setup_free() */
	CURLcode code;              /* the first thing that went wrong */
};

/* Refuses what would break out of its line of the head, or is no method. */
MUST_CHECK bool fetch_setup_check(const struct fetch_request *request, struct err *e);

/* Sets everything but the callbacks. The handle points into the request and the headers then. */
CURLcode fetch_setup_apply(struct fetch_setup *s);

/* Wipes and frees the headers; reset the handle first. */
void fetch_setup_free(struct fetch_setup *s);

#endif
