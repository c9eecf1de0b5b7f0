#include "orchestration/identity/sessions.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/secret.h"

enum { BUCKETS = 4096 };

struct session {
	struct session *next;
	unsigned char digest[32];
	struct session_facts facts;
};

struct sessions {
	pthread_mutex_t lock;
	size_t count, max;
	struct session *buckets[BUCKETS];
};

bool
sessions_new(size_t max, OWNED struct sessions **out, struct err *e)
{
	struct sessions *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the session table");
	s->max = max;
	(void)pthread_mutex_init(&s->lock, NULL);
	*out = s;
	return true;
}

void
sessions_free(struct sessions *s)
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
bucket(struct sessions *s, const unsigned char digest[32])
{
	return &s->buckets[((unsigned)digest[0] << 8 | digest[1]) % BUCKETS];
}

static void
forget(struct sessions *s, const char *worker)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct session **at = &s->buckets[i];

		while (*at != NULL) {
			struct session *here = *at;

			if (strcmp(here->facts.worker, worker) != 0) {
				at = &here->next;
				continue;
			}
			*at = here->next;
			s->count--;
			free(here);
		}
	}
}

bool
sessions_put(struct sessions *s, const unsigned char digest[32], const char *id, const char *worker,
        int64_t expires_at_s, struct err *e)
{
	struct session *fresh = calloc(1, sizeof(*fresh));
	bool room;

	if (fresh == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a session");
	memcpy(fresh->digest, digest, sizeof(fresh->digest));
	(void)snprintf(fresh->facts.id, sizeof(fresh->facts.id), "%s", id);
	(void)snprintf(fresh->facts.worker, sizeof(fresh->facts.worker), "%s", worker);
	fresh->facts.expires_at_s = expires_at_s;
	(void)pthread_mutex_lock(&s->lock);
	forget(s, worker);
	room = s->count < s->max;
	if (room) {
		struct session **at = bucket(s, digest);

		fresh->next = *at;
		*at = fresh;
		s->count++;
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (room)
		return true;
	free(fresh);
	return err_set(e, ERR_LIMIT, "there are %zu worker sessions already", s->max);
}

enum verdict
sessions_find(const unsigned char digest[32], struct session_facts *facts, void *arg)
{
	struct sessions *s = arg;
	enum verdict verdict = VERDICT_DENY_SESSION;

	(void)pthread_mutex_lock(&s->lock);
	for (const struct session *at = *bucket(s, digest); at != NULL; at = at->next) {
		if (secret_equal(at->digest, digest, sizeof(at->digest))) {
			*facts = at->facts;
			verdict = VERDICT_GRANT;
			break;
		}
	}
	(void)pthread_mutex_unlock(&s->lock);
	return verdict;
}
