/* Requests to a whole daemon, each repeated with its nth allocation or call failing (F5, CR9). */
#ifndef TESTS_TORTURE_REQUESTS_H
#define TESTS_TORTURE_REQUESTS_H

#include "tests/torture/daemon_thread.h"

/* Who asks. */
enum bearer {
	NOBODY,
	RIGHT,     /* a user's token with every permission */
	WEAK,      /* a user's token with templates:read alone */
	SPOILED,   /* RIGHT with one bit of the signature changed */
	STRANGER,  /* signed by a key that is none of ours */
	HMAC,      /* HS256 with the public PEM as its secret */
	EXPIRED,   /* once right */
	KEY,       /* an API key with every permission */
	WEAK_KEY,  /* one with templates:read alone */
	WRONG_KEY, /* none of ours */
	SYSTEM,    /* a worker's token */
	SESSION,   /* what the daemon gave that worker */
	BAD_SESSION,
	BEARERS
};

struct request_case {
	const char *name; /* of the test's output */
	const char *method, *path;
	enum bearer bearer;
	/* NULL: none. "%u" becomes a number that is new each time, "%b" a boot id of its own. */
	const char *body;
	int status; /* undisturbed */
};

/* The binary's own: what to configure, and what to ask. */
extern const struct request_case request_cases[];
extern const size_t request_case_count;
extern const enum config_role request_role;
/* Goes on in [web.auth]; "%s" becomes the folder. */
extern const char request_settings[];
/* When the daemon runs, before the first case. */
void requests_begin(const struct daemon_thread *d);
/* Registered worker's session, found in requests_begin(); "" where there are none. */
extern char request_session[128];
/* At the end: is what was acknowledged there? created are the bodies' count of 201. */
void requests_end(const struct daemon_thread *d, unsigned created);

#define REQUEST_RIGHT_KEY "tk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define REQUEST_WEAK_KEY "tk_IB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgE"

/* The field lines of a bearer; static. */
const char *request_fields(enum bearer bearer);

#endif
