#include "shared/security/security_live.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct security_live {
	pthread_mutex_t lock; /* of service; generation changes only under it */
	struct security_service *service;
	atomic_ullong generation;
	security_unknown_key_fn unknown_key;
	void *unknown_key_arg;
};

bool
security_live_new(struct security_service *first, OWNED struct security_live **out, struct err *e)
{
	struct security_live *l = calloc(1, sizeof(*l));

	if (l == NULL || pthread_mutex_init(&l->lock, NULL) != 0) {
		free(l);
		return err_set(e, ERR_NOMEM, "out of memory for the live security service");
	}
	l->service = first;
	atomic_init(&l->generation, 1);
	*out = l;
	return true;
}

void
security_live_free(struct security_live *l)
{
	if (l == NULL)
		return;
	security_service_free(l->service);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

uint64_t
security_live_generation(const struct security_live *l)
{
	return atomic_load_explicit(&l->generation, memory_order_acquire);
}

struct security_service *
security_live_get(struct security_live *l, uint64_t *generation)
{
	struct security_service *s;

	(void)pthread_mutex_lock(&l->lock);
	s = security_service_ref(l->service);
	*generation = security_live_generation(l);
	(void)pthread_mutex_unlock(&l->lock);
	return s;
}

/* Under the lock; what it returns is to be freed outside. */
static struct security_service *
publish(struct security_live *l, struct security_service *next)
{
	struct security_service *last = l->service;

	l->service = next;
	atomic_fetch_add_explicit(&l->generation, 1, memory_order_release);
	return last;
}

/* What a reload publishes knows nothing of revocations: those in force go with it. */
bool
security_live_replace(struct security_live *l, struct security_service *next, struct err *e)
{
	struct security_service *with = NULL, *last = NULL;
	struct revocations *revocations;

	(void)pthread_mutex_lock(&l->lock);
	revocations = security_service_revocations(l->service);
	if (revocations == NULL)
		last = publish(l, next);
	else if (security_service_with_revocations(next, revocations, &with, e))
		last = publish(l, with);
	(void)pthread_mutex_unlock(&l->lock);
	if (with != NULL)
		security_service_free(next);
	security_service_free(last);
	return last != NULL;
}

bool
security_live_revoke(struct security_live *l, struct revocations *revocations, struct err *e)
{
	struct security_service *next = NULL, *last = NULL;

	(void)pthread_mutex_lock(&l->lock);
	if (security_service_with_revocations(l->service, revocations, &next, e))
		last = publish(l, next);
	(void)pthread_mutex_unlock(&l->lock);
	security_service_free(last);
	return last != NULL;
}

bool
security_live_set_user_keys(
        struct security_live *l, uint64_t rules, struct key_set *keys, struct err *e)
{
	struct security_service *next = NULL, *last = NULL;

	(void)pthread_mutex_lock(&l->lock);
	if (security_service_rules(l->service) != rules)
		(void)err_set(e, ERR_CONFLICT, "the configuration has changed meanwhile");
	else if (security_service_with_user_keys(l->service, keys, &next, e))
		last = publish(l, next);
	(void)pthread_mutex_unlock(&l->lock);
	security_service_free(last);
	return next != NULL;
}

void
security_live_on_unknown_key(struct security_live *l, security_unknown_key_fn fn, void *arg)
{
	l->unknown_key = fn;
	l->unknown_key_arg = arg;
}

void
security_live_unknown_key(const struct security_live *l, const char *kid)
{
	if (l->unknown_key != NULL)
		l->unknown_key(kid, l->unknown_key_arg);
}
