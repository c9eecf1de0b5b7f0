/*
 * One event, one line, typed fields. Values are escaped here and nowhere else,
 * so that no request can forge a line; there is no field for a secret.
 *
 * Before log_start() lines go out at once; after it a writer thread writes them, from
 * one bounded ring per calling thread. A full ring or a stuck sink drops lines and
 * counts them: logging never blocks a request (CF9). The sink is the one global.
 */
#ifndef SHARED_BASE_LOG_H
#define SHARED_BASE_LOG_H

#include <stdint.h>
#include <stdio.h>

#include "shared/base/attr.h"
#include "shared/base/err.h"

enum log_level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR };
enum log_format { LOG_AUTO, LOG_TEXT, LOG_JSON }; /* AUTO: text on a terminal, JSON elsewhere */

struct log_field {
	const char *name;
	const char *text; /* NULL: the number counts */
	int64_t number;
};

#define TEXT_F(n, t) ((struct log_field){.name = (n), .text = (t) != NULL ? (t) : ""})
#define INT_F(n, i) ((struct log_field){.name = (n), .number = (int64_t)(i)})

/* LOG(WARN, "auth.denied", TEXT_F("route", path), INT_F("status", 403)); */
#define LOG(level, ...) LOG__(LEVEL_##level, __VA_ARGS__, INT_F(NULL, 0))
#define LOG__(level, event, ...)                                                                   \
	log_write((level), (event), (const struct log_field[]){__VA_ARGS__})

/*
 * What LOG() calls; fields end with one without a name. Of each event name at most
 * LOG_PER_SECOND lines a second are written at WARN and above (LM9); the next one says how
 * many were "suppressed". SIGPIPE must be ignored where the sink may be a closed pipe.
 */
void log_write(enum log_level level, const char *event, const struct log_field *fields);
/* Would a line of that level be written? */
bool log_wants(enum log_level level);

/* Where lines go from now on; fd is not closed. component ("orchestration") is in each line. */
void log_open(int fd, enum log_format format, enum log_level least, const char *component);
/* Lines below least are not written from now on. */
void log_level_set(enum log_level least);
/* "debug", "info", "warn", "error"; out is set on success only. */
bool log_level_parse(const char *text, enum log_level *out);

/* Starts and ends the writer thread; stop writes out what is queued, for at most a second. */
MUST_CHECK bool log_start(struct err *e);
void log_stop(void);
/* Lines lost since the start of the process: full rings, a stuck or broken sink, no memory. */
uint64_t log_dropped(void);

#endif
