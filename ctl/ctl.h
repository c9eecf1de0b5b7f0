/*
 * One run of tasker-ctl: what it was asked, the world it runs in, and how it talks.
 *
 * Answers go to out, everything else to err. Commands reach the process's streams, environment and
 * terminal only through here, so that tests can stand in for all of them.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdio.h>

#include "ctl/args.h"
#include "ctl/endpoint.h"
#include "ctl/table.h"
#include "shared/fetch/fetch.h"

struct ctl_world {
	FILE *in, *out, *err;
	const char *const *env; /* like environ */
	bool out_tty, err_tty;
	size_t rows; /* of the terminal; 0: not known */
	void (*pause)(int milliseconds);
	int64_t (*mono_us)(void);
};

struct ctl {
	const struct ctl_world *world;
	struct args args;
	bool json, verbose;
	int timeout_ms;                              /* --timeout; 0: not given */
	struct fetch *fetches[ENDPOINTS];            /* made when first needed */
	char base_urls[ENDPOINTS][ENDPOINT_URL_MAX]; /* "" until then */
};

/* Runs a command line and says how it ended. argv may be put in another order. */
enum exit_status ctl_run(const struct ctl_world *world, int argc, char **argv);

/* A variable of the environment; NULL where it is missing or empty. */
BORROWED const char *ctl_env(const struct ctl *ctl, const char *name);

/* "error: ..." and "hint: ..." on err, made harmless. ctl_fail returns status. */
enum exit_status ctl_fail(struct ctl *ctl, enum exit_status status, const char *fmt, ...)
        PRINTF(3, 4);
void ctl_hint(struct ctl *ctl, const char *fmt, ...) PRINTF(2, 3);
/* A remark on err, without a word in front. */
void ctl_note(struct ctl *ctl, const char *fmt, ...) PRINTF(2, 3);

/* May tables be coloured (a terminal, and NO_COLOR is not set)? How they should look there. */
struct table_look ctl_look(const struct ctl *ctl);

/* Prints the table on out and frees it; tables remember their faults until now. */
enum exit_status ctl_print(struct ctl *ctl, OWNED struct table *table);

#endif
