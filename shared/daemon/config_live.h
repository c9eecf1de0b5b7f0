/*
 * The configuration in force: read again on SIGHUP, whole, and swapped only when all of it is good.
 *
 * What a daemon reads of keys that are fixed at start it reads from the configuration it started
 * with, which lives to its end. What a reload may change is asked of this one, under its lock.
 */
#ifndef SHARED_DAEMON_CONFIG_LIVE_H
#define SHARED_DAEMON_CONFIG_LIVE_H

#include "shared/config/config.h"

struct config_live;

/* Both are borrowed and outlive it. source NULL: nothing can be read again. */
MUST_CHECK bool config_live_new(const struct config *first, const struct config_source *source,
        OWNED struct config_live **out, struct err *e);
void config_live_free(struct config_live *l); /* NULL is fine */

/* The configuration in force, from any thread, until the unlocking, which is to be soon. */
BORROWED const struct config *config_live_lock(struct config_live *l);
void config_live_unlock(struct config_live *l);

/*
 * Reads the files, the environment and the command line's --set again. A fault is the first thing
 * that is wrong, notes->problems has all; a key that needs a restart is one (ERR_CONFLICT). Blocks
 * on files; one thread at a time.
 */
MUST_CHECK bool config_live_read(struct config_live *l, struct config_notes *notes,
        OWNED struct config **out, struct err *e);
/* Puts next in force; owns it from now on. */
void config_live_swap(struct config_live *l, struct config *next);

AUTO_DEFINE(config_live, struct config_live, config_live_free)

#endif
