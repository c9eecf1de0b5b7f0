/*
 * A daemon under test: started in a temporary folder with a configuration of the test's, on a free
 * port, stopped by pid. The programs are those in the folder that TASKER_BIN names, run behind the
 * words of TASKER_WRAPPER if it is set, but for the one that TASKER_UNWRAPPED names. What is
 * reported about one below the folder TASKER_REPORTS (tests/sane.sh) is on stderr once it ended.
 * All times are scaled by patience.h.
 */
#ifndef TESTS_LIB_DAEMON_H
#define TESTS_LIB_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

#include "shared/base/attr.h"

struct daemon {
	pid_t pid;
	int port;
	char dir[64];  /* shared by the daemons of one test */
	char role[32]; /* "orchestration" or "worker" */
};

/* A new folder below TMPDIR; and its removal with all that is in it. */
bool daemon_dir(char out[64]);
void daemon_dir_remove(const char *dir);

/* Writes text to dir/name. */
bool daemon_file(const char *dir, const char *name, const char *text);
/* The content of dir/name, owned; NULL if there is none. */
OWNED char *daemon_read(const char *dir, const char *name);

/*
 * Runs tasker-<role> --config <dir>/<role>.toml --port-file <dir>/<role>.port with its stderr in
 * <dir>/<role>.log (appended) and the folder as working directory; waits until it listens (10 s).
 * toml NULL keeps the file that is there. False: it ended or did not get ready; the log says why.
 */
bool daemon_start(struct daemon *d, const char *dir, const char *role, const char *toml);

int daemon_stop(
        struct daemon *d, int timeout_ms); /* SIGTERM; exit status, -1 if it had to be killed */
void daemon_kill(struct daemon *d);        /* SIGKILL, reaped */

/* Runs a program of TASKER_BIN to its end in dir; stdout and stderr go to dir/<name>.out and .err.
 * args end with NULL. Its exit status, or -1 after three minutes. */
int daemon_run(const char *dir, const char *program, const char *name, const char *const *args);

#endif
