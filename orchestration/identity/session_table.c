#include "orchestration/identity/session_table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/secret.h"

enum { BUCKETS = 4096 };

struct session {
	struct session *next;
	uint64_t used; /* the table's tick when it was last put or found */
	unsigned char digest[32];
	struct session_facts facts;
};

struct session_table {
	pthread_mutex_t lock;
	size_t count, max;
	uint64_t tick;
	struct session *buckets[BUCKETS];
};

bool
session_table_new(size_t max, OWNED struct session_table **out, struct err *e)
{
	struct session_table *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the session table");
	s->max = max;
	(void)pthread_mutex_init(&s->lock, NULL);
	*out = s;
	return true;
}

void
session_table_free(struct session_table *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (s->buckets[i] != NULL) {
			struct session *gone = s->buckets[i];

			s->buckets[i] = gone->next;
			free(gone);
		}
	}
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

/* A digest is uniform already, and nobody chooses it: its first bytes spread well. */
static struct session **
bucket(struct session_table *s, const unsigned char digest[32])
{
	return &s->buckets[((unsigned)digest[0] << 8 | digest[1]) % BUCKETS];
}

static void
drop(struct session_table *s, struct session **at)
{
	struct session *gone = *at;

	*at = gone->next;
	s->count--;
	free(gone);
}

static void
forget(struct session_table *s, const char *worker)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct session **at = &s->buckets[i];

		while (*at != NULL)
			if (strcmp((*at)->facts.worker, worker) == 0)
				drop(s, at);
			else
				at = &(*at)->next;
	}
}

/* The one that polled least recently goes. The store ends sessions that are not seen for long, so
 * in a table larger than the store's limit this is one of those. */
static void
make_room(struct session_table *s)
{
	struct session **oldest = NULL;

	if (s->count < s->max)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct session **at = &s->buckets[i]; *at != NULL; at = &(*at)->next)
			if (oldest == NULL || (*at)->used < (*oldest)->used)
				oldest = at;
	drop(s, oldest);
}

bool
session_table_put(struct session_table *s, const unsigned char digest[32],
        const struct session_facts *facts, struct err *e)
{
	struct session *fresh = calloc(1, sizeof(*fresh)), **at = bucket(s, digest);

	if (fresh == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a session");
	memcpy(fresh->digest, digest, sizeof(fresh->digest));
	fresh->facts = *facts;
	(void)pthread_mutex_lock(&s->lock);
	forget(s, facts->worker);
	make_room(s);
	fresh->used = ++s->tick;
	fresh->next = *at;
	*at = fresh;
	s->count++;
	(void)pthread_mutex_unlock(&s->lock);
	return true;
}

enum verdict
session_table_find(const unsigned char digest[32], struct session_facts *facts, void *arg)
{
	struct session_table *s = arg;
	enum verdict verdict = VERDICT_DENY_SESSION;

	(void)pthread_mutex_lock(&s->lock);
	for (struct session *at = *bucket(s, digest); at != NULL; at = at->next) {
		if (secret_equal(at->digest, digest, sizeof(at->digest))) {
			at->used = ++s->tick;
			*facts = at->facts;
			verdict = VERDICT_GRANT;
			break;
		}
	}
	(void)pthread_mutex_unlock(&s->lock);
	return verdict;
}
