/*
 * A gate with a real server, a real security service and routes of the tests' own, driven on the
 * test's thread: rig_ask() sends bytes and turns the loop until the answer is whole. So a test may
 * let any allocation fail and look at everything without a lock.
 */
#ifndef TESTS_UNIT_GATE_RIG_H
#define TESTS_UNIT_GATE_RIG_H

#include "shared/gate/gate.h"
#include "tests/unit/unit.h"

/* API keys of the rig: RIGHT_KEY may do everything a user can, LOW_KEY read templates alone. */
#define RIGHT_KEY "tk_k4Zq0vB7mXnT2sWc9LhR5yUeJ1oGfPdA8iN3xVbQ6tE"
#define LOW_KEY "tk_Zw8Ra3Lx6Cv1Nq9Mb4Ks7Jd2Hf5Gt0Py-Ue_Io8Tr3W"
#define BAD_KEY "tk_aaaabbbbccccddddeeeeffff0000111122223333444"
#define SESSION_SECRET "ts_Qm5Xz8Wc1Vb4Nl7Kj0Hg3Fd6Sa9Po2Iu-Yt_Re5Wq1E"

extern const struct route rig_routes[];
extern const size_t rig_route_count;

struct rig_settings {
	bool auth_off, hide_config, no_metrics;
	bool tokens; /* users may bring tokens signed by TOKEN_KEY_RSA */
	bool lax;    /* they may list permissions nobody knows */
	bool hushed; /* which then are not logged */
	struct cors cors;
	struct rate rates[RATE__COUNT];
};

struct rig {
	char *pem; /* of the users' tokens: TOKEN_KEY_RSA */
	struct security_live *live;
	struct authenticator *authenticator;
	struct metrics *metrics;
	struct gate_metrics *gate_metrics;
	struct rate_limits *limits;
	struct gate *gate;
	struct loop *loop;
	struct http_server *server;
	struct http_endpoint *endpoint;
	struct rig_settings settings;

	/* what the handlers saw */
	unsigned handled; /* calls of any handler */
	bool foreign_grant_opens;
	struct request *parked;
	unsigned gone;
	int64_t number; /* {"n": …} of the last body */
};

struct answer {
	int status; /* 0: the connection ended without one */
	bool continued, closed;
	size_t extra;    /* bytes after the answer */
	char head[4096]; /* status line and fields, NUL-terminated */
	char body[65536];
};

/* False with *e while allocations fail; everything opened so far is for rig_close(). */
MUST_CHECK bool rig_try(struct rig *r, const struct rig_settings *settings, struct err *e);
void rig_open(struct rig *r, const struct rig_settings *settings); /* fails the test */
void rig_close(struct rig *r);

int rig_connect(struct rig *r); /* a socket the caller closes */
void rig_send(int fd, const char *bytes, size_t len);
void rig_turn(struct rig *r); /* the loop, once, without waiting */
/* Waits at most 5 s for one whole answer (also to HEAD, when told). */
void rig_receive(struct rig *r, int fd, bool head, struct answer *out);
/* All in one, on a connection of its own; text is the whole request. */
void rig_ask(struct rig *r, const char *text, struct answer *out);
/* fields is "" or whole lines "X-API-Key: …\r\n"; body NULL for none, else JSON with its length. */
void rig_request(struct rig *r, const char *method, const char *path, const char *fields,
        const char *body, struct answer *out);

/* From now on the log goes to memory; and what it holds. */
void rig_capture_log(void);
const char *rig_logged(void);

/* Has the answer's head this line (without CRLF)? And the value of a field, copied; "" if absent.
 */
bool answer_has(const struct answer *a, const char *line);
const char *answer_field(const struct answer *a, const char *name);

#endif
