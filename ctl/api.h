/*
 * Asking a daemon: address, credential, one request, and an answer that is JSON or an error told to
 * the user.
 */
#ifndef CTL_API_H
#define CTL_API_H

#include "ctl/ctl.h"

enum { API_TIMEOUT_MS = 30000, API_CONNECT_MS = 10000 };

/* An answer; zero-initialise, free at the end, use again in between. */
struct api_answer {
	int status; /* 0: there was none */
	int retry_after_s;
	struct fetch_response response;
	struct json *doc;        /* of response.body; NULL: it is none */
	enum exit_status ending; /* what it means that there was none */
	struct err fault;        /* and why */
};

struct api_request {
	enum endpoint endpoint;
	const char *method;
	const struct buf *path; /* api_path, and a query */
	const struct buf *body; /* JSON, or NULL */
	int timeout_ms;         /* 0: --timeout, else API_TIMEOUT_MS */
};

/*
 * Sends it. OK: the daemon gave some status, and doc is set if the body is JSON. Else there was no
 * answer, or it could not be sent: fault says why. Tells the user nothing.
 */
enum exit_status api_send(
        struct ctl *ctl, const struct api_request *request, struct api_answer *out);

/* Tells the user what is wrong with such an answer, and gives the exit status it means. Of 2xx with
 * JSON, or 204, which is nothing to tell: OK. */
enum exit_status api_judge(
        struct ctl *ctl, const struct api_request *request, const struct api_answer *answer);

/* Both: OK has a 2xx and a doc, or 204 and none; everything else has been told. */
enum exit_status api_ask(
        struct ctl *ctl, const struct api_request *request, struct api_answer *out);
/* The same for a request without a body. */
enum exit_status api_call(struct ctl *ctl, enum endpoint endpoint, const char *method,
        const struct buf *path, struct api_answer *out);

/* The answer's JSON on one line on out: what --output json prints. */
enum exit_status api_print(struct ctl *ctl, const struct api_answer *answer);

/* What a list in the answer looks like: a line an element, a column each of its members. */
struct api_list {
	const char *member; /* the list */
	const struct table_column *columns;
	const char *const *names; /* of the elements' members, as many as columns */
	size_t count;
};
/* Prints it as a table, or the answer as it is with --json. */
enum exit_status api_print_list(
        struct ctl *ctl, const struct api_answer *answer, const struct api_list *list);

void api_answer_free(struct api_answer *a); /* empty again */

/* Append to a path: text as it is; "/" and a segment; "?" or "&", name and value. The latter two
 * percent-encode what they are given (RFC 3986 2.1). */
void api_path(struct buf *path, const char *text);
void api_segment(struct buf *path, const char *segment);
void api_query(struct buf *path, const char *name, const char *value);

static inline void
auto_api_answer_(struct api_answer *a)
{
	api_answer_free(a);
}

#endif
