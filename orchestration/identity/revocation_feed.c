#include "orchestration/identity/revocation_feed.h"

#include <pthread.h>
#include <stdlib.h>

struct revocation_feed {
	pthread_mutex_t lock; /* held while publishing, so that versions only rise */
	struct security_live *live;
	uint64_t version; /* in force */
};

bool
revocation_feed_new(struct security_live *live, OWNED struct revocation_feed **out, struct err *e)
{
	struct revocation_feed *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for revocations");
	f->live = live;
	(void)pthread_mutex_init(&f->lock, NULL);
	*out = f;
	return true;
}

void
revocation_feed_free(struct revocation_feed *f)
{
	if (f == NULL)
		return;
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

static bool
set_of(const struct page_out *all, OWNED struct revocations **out, struct err *e)
{
	struct revocation *list = calloc(all->count + 1, sizeof(*list));
	bool made;

	if (list == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for revocations");
	for (size_t i = 0; i < all->count; i++)
		list[i] = all->revocations[i].what;
	made = revocations_new(list, all->count, out, e);
	free(list);
	return made;
}

bool
revocation_feed_put(
        struct revocation_feed *f, uint64_t version, const struct page_out *all, struct err *e)
{
	AUTO(revocations) struct revocations *set = NULL;
	bool fine = true;

	if (!set_of(all, &set, e))
		return false;
	(void)pthread_mutex_lock(&f->lock);
	if (version >= f->version) {
		fine = security_live_revoke(f->live, set, e);
		if (fine)
			f->version = version;
	}
	(void)pthread_mutex_unlock(&f->lock);
	return fine;
}
