/*
 * The pair under test: both daemons in one temporary folder, authentication on, SQLite, the demo's
 * templates, an API key, and tokens of every kind, right and wrong.
 */
#ifndef TESTS_E2E_PAIR_H
#define TESTS_E2E_PAIR_H

#include "tests/lib/daemon.h"
#include "tests/lib/token_maker.h"
#include "tests/lib/wire.h"

#define PAIR_API_KEY "tk_e2e-0123456789abcdefghijklmnopqrstuvwxyzABCD"
#define PAIR_ALL "tasks:* steps:* dlq:* templates:* system:* worker:* workers:* audit:*"

struct pair {
	char dir[64];
	struct daemon orchestration, worker;
};

struct pair_settings {
	const char *store;         /* TOML appended to the table [store] of orchestration.toml */
	const char *orchestration; /* TOML appended to orchestration.toml; NULL for nothing */
	const char *worker;        /* the same for worker.toml */
	const char *handlers;      /* [[handlers]] instead of the demo's; NULL for the demo's */
	/* Folder of certificates_usual(), without end: both speak TLS, and the worker trusts "ca".
	 */
	const char *certificates;
	bool without_worker;
	bool config_endpoint; /* GET /config on both */
};

/* Makes the folder and starts; false with the logs on stderr. */
bool pair_start(struct pair *p, const struct pair_settings *settings);
void pair_stop(struct pair *p); /* both by SIGTERM; removes the folder */

struct pair_claims {
	enum token_key key; /* RSA: the users' own; see pair.c for the worker's */
	const char *issuer, *audience, *subject; /* NULL: the right ones, subject "tester" */
	const char *permissions;                 /* space separated; NULL: none */
	const char *tenant;                      /* NULL: no claim */
	int age_s; /* how long ago it was issued; it lives for an hour */
};

/* "Authorization: Bearer …\r\n", owned. */
OWNED char *pair_bearer(const struct pair_claims *claims);
/* A worker's system credential in that form. */
OWNED char *pair_system(const char *worker, const char *namespaces);
/* A user who may do everything, in tenant "acme". */
OWNED char *pair_admin(void);

/* Lines of a configuration: speaks TLS with <name>.pem and <name>.key of that folder; static. */
const char *pair_tls(const char *certificates, const char *name);

/* Waits until the template is registered (by the worker), 10 s. */
bool pair_template(const struct pair *p, const char *path);

/* Creates a task of that template with a context of its own; its id, owned; NULL if not 201. */
OWNED char *pair_task(const struct pair *p, const char *headers, const char *ns, const char *name);
/* Waits until the task is in that status, within_ms; false with what it was on stderr. */
bool pair_task_is(const struct pair *p, const char *id, const char *status, int within_ms);

/* The text of a member "name":"…" in a body, owned; NULL if there is none. */
OWNED char *pair_member(const char *body, const char *name);

#endif
