#include "shared/daemon/config_live.h"

#include <pthread.h>
#include <stdlib.h>

struct config_live {
	const struct config_source *source;
	pthread_mutex_t lock; /* of what follows */
	const struct config *now;
	struct config *own; /* now, unless it is the first */
};

bool
config_live_new(const struct config *first, const struct config_source *source,
        OWNED struct config_live **out, struct err *e)
{
	struct config_live *l = calloc(1, sizeof(*l));

	if (l == NULL || pthread_mutex_init(&l->lock, NULL) != 0) {
		free(l);
		return err_set(e, ERR_NOMEM, "out of memory for the live configuration");
	}
	l->source = source;
	l->now = first;
	*out = l;
	return true;
}

void
config_live_free(struct config_live *l)
{
	if (l == NULL)
		return;
	(void)pthread_mutex_destroy(&l->lock);
	config_free(l->own);
	free(l);
}

const struct config *
config_live_lock(struct config_live *l)
{
	(void)pthread_mutex_lock(&l->lock);
	return l->now;
}

void
config_live_unlock(struct config_live *l)
{
	(void)pthread_mutex_unlock(&l->lock);
}

bool
config_live_read(
        struct config_live *l, struct config_notes *notes, OWNED struct config **out, struct err *e)
{
	AUTO(config) struct config *next = NULL;

	if (l->source == NULL)
		return err_set(e, ERR_MISSING, "nobody said where the configuration is");
	if (!config_load(l->source, notes, &next, e) ||
	        !config_reload_ok(l->now, next, &notes->problems, e))
		return false;
	*out = TAKE(next);
	return true;
}

void
config_live_swap(struct config_live *l, struct config *next)
{
	struct config *last;

	(void)pthread_mutex_lock(&l->lock);
	last = l->own;
	l->now = l->own = next;
	(void)pthread_mutex_unlock(&l->lock);
	config_free(last);
}
