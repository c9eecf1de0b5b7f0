/*
 * What workers say and hear (design 7, 15): register once, then poll.
 *
 * A poll with results answers after their commit with whatever is ready. Without results and
 * without anything ready it parks until a step becomes ready for its session, an attempt it holds
 * is cancelled, wait_ms ends, the session polls again, its client is gone, or the store drains.
 * The same poll id again gives the same steps again, so a lost answer loses nothing.
 */
#ifndef ORCHESTRATION_STORE_STORE_POLL_H
#define ORCHESTRATION_STORE_STORE_POLL_H

#include "orchestration/engine/step_rules.h"
#include "orchestration/store/store_view.h"
#include "shared/security/secret_token.h"

enum {
	STORE_POLL_RESULTS_MAX = 256, /* more in one poll: INVALID */
	STORE_POLL_HELD_MAX = 1024,
	STORE_POLL_STEPS_MAX = 256, /* handed out at once, whatever `free` says */
};

struct worker_register_in {
	const char *worker, *boot; /* the worker's id; a UUID text that changes with its process */
	int slots;
	int64_t expires_at_s, issued_at_s; /* of the credential it came with; kept for SESSION_LIST,
	                                      0: none */
	const char *const *namespaces,
	        *const *handlers; /* NULL-terminated; handlers exact or "a.*" */
};

struct worker_register_out {
	int64_t session;
	unsigned char digest[32];       /* what to find the session by */
	char secret[SECRET_TOKEN_SIZE]; /* told once, here */
	int64_t lease_ms, beat_ms;
	int64_t replaced; /* the session this one ends (another boot of the worker); 0: none */
};

struct attempt_ref {
	struct uuid step;
	int attempt;
};

struct poll_result {
	struct attempt_ref ref;
	enum step_outcome outcome;  /* OK, ERROR, CANCELLED or RELEASED */
	struct store_json result;   /* of OK: original tokens; NULL counts as null */
	const char *code, *message; /* of ERROR; NULL: "" */
	bool retryable;
	int64_t retry_after_ms; /* < 0: none */
	struct store_json log;  /* plain text */
};

struct poll_in {
	int64_t session;
	struct uuid id;
	int free; /* steps it can take */
	int64_t wait_ms;
	const struct attempt_ref *held;
	size_t held_count;
	const struct poll_result *results;
	size_t result_count;
};

struct poll_status {
	struct attempt_ref ref;
	enum report_verdict verdict; /* store_report_name() for the wire */
};

struct poll_step {
	struct attempt_ref ref;
	struct store_json frame; /* engine/frame.h */
};

struct poll_out {
	struct poll_status *results; /* one for each reported result, in its order */
	size_t result_count;
	struct poll_step *steps;
	size_t step_count;
	struct attempt_ref *cancel, *lost; /* stop these; lost: they are not yours any more */
	size_t cancel_count, lost_count;
};

/* "accepted", "duplicate" or "stale". */
const char *store_report_name(enum report_verdict v);

#endif
