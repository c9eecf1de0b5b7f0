#include "worker/link_call.h"

#include <stdio.h>

#include "worker/link_wire.h"

enum { URL_MAX = 2048 + 64, CONNECT_MS = 5000, RETRY_AFTER_MAX_S = 60, QUOTED = 300 };

static const struct {
	int status;
	enum link_answer_kind kind;
} kinds[] = {
        {0,   LINK_WOKEN       },
        {200, LINK_OK          },
        {400, LINK_REFUSED     },
        {401, LINK_UNAUTHORIZED},
        {403, LINK_UNAUTHORIZED},
        {411, LINK_REFUSED     },
        {413, LINK_REFUSED     },
        {415, LINK_REFUSED     },
        {422, LINK_REFUSED     },
};

enum link_answer_kind
link_call_send(struct fetch *f, const struct link_call *c, struct link_reply *out)
{
	char url[URL_MAX];
	const struct fetch_header header = {.name = "Authorization", .value = c->authorization};
	const struct fetch_request request = {.method = "POST",
	        .url = url,
	        .headers = &header,
	        .header_count = c->authorization != NULL ? 1 : 0,
	        .body = c->body->data,
	        .body_len = c->body->len,
	        .connect_timeout_ms = CONNECT_MS,
	        .timeout_ms = c->timeout_us > 0 ? (int)(c->timeout_us / 1000) + 1 : 1,
	        .response_max = c->reply_bytes,
	        .wakeable = c->wakeable};
	struct fetch_response *r = &out->response;
	char said[QUOTED];
	struct err e = {0};

	*out = (struct link_reply){.response.retry_after_s = -1};
	(void)snprintf(url, sizeof(url), "%s%s", c->url, c->path);
	if (!fetch_send(f, &request, r, &e)) {
		(void)snprintf(out->why, sizeof(out->why), "%s", e.text);
		out->too_long = e.code == ERR_LIMIT;
		return LINK_NO_ANSWER;
	}
	if (r->retry_after_s > 0)
		out->retry_after_us =
		        1000000LL * (r->retry_after_s < RETRY_AFTER_MAX_S ? r->retry_after_s
		                                                          : RETRY_AFTER_MAX_S);
	if (r->status != 200) {
		link_refusal_read(
		        r->body.data != NULL ? r->body.data : "", r->body.len, said, sizeof(said));
		(void)snprintf(out->why, sizeof(out->why), "status %d: %s", r->status, said);
	}
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (kinds[i].status == r->status)
			return kinds[i].kind;
	return LINK_NO_ANSWER;
}

void
link_reply_free(struct link_reply *r)
{
	fetch_response_free(&r->response);
}
