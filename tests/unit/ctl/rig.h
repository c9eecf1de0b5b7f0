/*
 * A run of tasker-ctl inside the test: its own environment, stdin, clock and terminal, and what it
 * printed. A scratch folder and a fake daemon stand beside it.
 */
#ifndef TESTS_UNIT_CTL_RIG_H
#define TESTS_UNIT_CTL_RIG_H

#include "ctl/ctl.h"
#include "tests/unit/fetch/peer.h"

enum { RIG_ARGS_MAX = 24, RIG_ENV_MAX = 12, RIG_PATH = 256 };

/* Zero-initialised it is a pipe without environment and input. */
struct rig {
	const char *env[RIG_ENV_MAX + 1];
	const char *input;
	bool tty; /* both streams */
	size_t rows;
	/* After rig_run(): */
	enum exit_status status;
	char *out, *err;
};

/* "auth", "show-permissions", NULL: without the program's name. Frees what an earlier run printed.
 */
void rig_run(struct rig *r, ...) __attribute__((sentinel));
void rig_end(struct rig *r);

/* How long all runs have paused, by their own clock; what to do at the next pause, once. */
int64_t rig_paused_ms(void);
void rig_at_pause(void (*hook)(void));

/* A folder of this test's own, gone with rig_folder_end(); a path in it (until the next call but
 * three). */
void rig_folder_begin(void);
void rig_folder_end(void);
BORROWED const char *rig_path(const char *name);
void rig_write(const char *name, const char *text);
OWNED char *rig_read(const char *name);

/* "NAME=http://127.0.0.1:port" of a peer, for env; lives until the next call but three. */
BORROWED const char *rig_url(const char *variable, const struct peer *p);

/* "HTTP/1.1 200 OK" with this JSON; lives until the next call but seven. */
BORROWED const char *rig_answer(int status, const char *json);

/* Does text hold part? Fails the test if not, showing both. */
void rig_has(const char *text, const char *part);
void rig_lacks(const char *text, const char *part);

#endif
