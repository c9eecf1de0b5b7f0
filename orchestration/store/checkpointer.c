#include "orchestration/store/checkpointer.h"

#include <pthread.h>
#include <stdlib.h>

struct checkpointer {
	const struct backend_ops *ops;
	struct backend *db;
	struct pulse *pulse;
	pthread_mutex_t lock;
	pthread_cond_t wanted;
	pthread_t thread;
	bool started, asked, stopping;
};

bool
checkpointer_new(const struct store_settings *s, const struct backend_ops *ops, struct pulse *pulse,
        OWNED struct checkpointer **out, struct err *e)
{
	AUTO(checkpointer) struct checkpointer *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a store");
	c->ops = ops;
	c->pulse = pulse;
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_cond_init(&c->wanted, NULL);
	if (!ops->open(s, BACKEND_CHECKPOINTER, &c->db, e))
		return false;
	*out = TAKE(c);
	return true;
}

/* Waits for the next request; false: stop. */
static bool
wait(struct checkpointer *c)
{
	bool going;

	(void)pthread_mutex_lock(&c->lock);
	while (!c->asked && !c->stopping)
		(void)pthread_cond_wait(&c->wanted, &c->lock);
	going = !c->stopping;
	c->asked = false;
	(void)pthread_mutex_unlock(&c->lock);
	return going;
}

static void *
serve(void *arg)
{
	struct checkpointer *c = arg;

	(void)pthread_setname_np(pthread_self(), "store-wal");
	while (wait(c)) {
		struct err e = {0};

		if (c->ops->checkpoint(c->db, &e))
			continue;
		pulse_fail(c->pulse, &e);
		if (c->ops->is_fatal(c->db))
			atomic_store(&c->pulse->fatal, true);
	}
	return NULL;
}

bool
checkpointer_start(struct checkpointer *c, struct err *e)
{
	if (pthread_create(&c->thread, NULL, serve, c) != 0)
		return err_set(e, ERR_IO, "no thread for checkpoints");
	c->started = true;
	return true;
}

void
checkpointer_wake(struct checkpointer *c)
{
	(void)pthread_mutex_lock(&c->lock);
	c->asked = true;
	(void)pthread_cond_signal(&c->wanted);
	(void)pthread_mutex_unlock(&c->lock);
}

void
checkpointer_free(struct checkpointer *c)
{
	if (c == NULL)
		return;
	(void)pthread_mutex_lock(&c->lock);
	c->stopping = true;
	(void)pthread_cond_signal(&c->wanted);
	(void)pthread_mutex_unlock(&c->lock);
	if (c->started)
		(void)pthread_join(c->thread, NULL);
	if (c->db != NULL)
		c->ops->close(c->db);
	(void)pthread_cond_destroy(&c->wanted);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}
