/*
 * A whole daemon of this project on a thread of the test's process: real configuration, loops,
 * store or runner, on loopback. Which of the two it is, is what the binary links.
 */
#ifndef TESTS_TORTURE_DAEMON_THREAD_H
#define TESTS_TORTURE_DAEMON_THREAD_H

#include "shared/config/config.h"
#include "shared/daemon/daemon_start.h"
#include "tests/lib/token_maker.h"

struct daemon_thread {
	char folder[64], path[128]; /* of its configuration */
	struct config_source source;
	struct config *config;
	int port;
	int exit_code; /* after it ended */
	unsigned long thread;
};

/* What app.h of either daemon promises. */
int app_run(const struct daemon_start *start);

/* A folder with users.pem, workers.pem (ES256, TOKEN_KEY_P256), worker.token and daemon.toml; the
 * process is prepared and logs to nowhere. toml's "%s" is the folder. */
void daemon_thread_prepare(
        struct daemon_thread *d, enum config_role role, enum token_key users, const char *toml);
/* Writes its configuration anew, as above; SIGHUP brings it. */
void daemon_thread_configure(const struct daemon_thread *d, const char *toml);
/* Runs it to readiness, and to its end. Ready means that the port file is there; false: it ended
 * before, exit_code says how. */
bool daemon_thread_start(struct daemon_thread *d);
void daemon_thread_stop(struct daemon_thread *d);
/* Frees and removes everything. */
void daemon_thread_clear(struct daemon_thread *d);

#endif
