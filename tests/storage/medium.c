#include "tests/storage/medium.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A test's own disk has no way to say that there is no memory. */
static void *
must(void *memory)
{
	if (memory == NULL) {
		(void)fputs("out of memory for a simulated disk\n", stderr);
		abort();
	}
	return memory;
}

static void
bytes_resize(struct bytes *b, size_t len)
{
	if (len > b->cap) {
		b->cap = len < 4096 ? 8192 : 2 * len;
		b->data = must(realloc(b->data, b->cap));
	}
	if (len > b->len)
		memset(b->data + b->len, 0, len - b->len);
	b->len = len;
}

static void
bytes_put(struct bytes *b, const void *data, size_t len, size_t at)
{
	if (at + len > b->len)
		bytes_resize(b, at + len);
	memcpy(b->data + at, data, len);
}

static void
bytes_copy(struct bytes *to, const struct bytes *from)
{
	bytes_resize(to, from->len);
	if (from->len > 0)
		memcpy(to->data, from->data, from->len);
}

static void
forget(struct medium *m)
{
	struct medium_change *next;

	for (struct medium_change *c = m->first; c != NULL; c = next) {
		next = c->next;
		free(c->data);
		free(c);
	}
	m->first = m->last = NULL;
}

void
medium_free(struct medium *m)
{
	forget(m);
	free(m->now.data);
	free(m->kept.data);
	*m = (struct medium){.first = NULL};
}

size_t
medium_read(const struct medium *m, void *out, size_t len, size_t at)
{
	const size_t there = at < m->now.len ? m->now.len - at : 0;

	if (len > there)
		len = there;
	if (len > 0)
		memcpy(out, m->now.data + at, len);
	return len;
}

static void
wait_for_sync(struct medium *m, const void *data, size_t len, size_t at)
{
	struct medium_change *c = must(calloc(1, sizeof(*c)));

	*c = (struct medium_change){.at = at, .len = len};
	if (data != NULL) {
		c->data = must(malloc(len + 1));
		memcpy(c->data, data, len);
	}
	if (m->last != NULL)
		m->last->next = c;
	else
		m->first = c;
	m->last = c;
}

bool
medium_write(struct medium *m, const void *data, size_t len, size_t at)
{
	if (at > MEDIUM_MAX || len > MEDIUM_MAX - at)
		return false;
	bytes_put(&m->now, data, len, at);
	wait_for_sync(m, data, len, at);
	return true;
}

void
medium_truncate(struct medium *m, size_t len)
{
	bytes_resize(&m->now, len);
	wait_for_sync(m, NULL, 0, len);
}

static void
keep(struct bytes *b, const struct medium_change *c)
{
	if (c->data != NULL)
		bytes_put(b, c->data, c->len, c->at);
	else
		bytes_resize(b, c->at);
}

void
medium_sync(struct medium *m)
{
	for (const struct medium_change *c = m->first; c != NULL; c = c->next)
		keep(&m->kept, c);
	forget(m);
}

/* Each sector of the file that the write touches is kept or lost by itself. */
static void
keep_sectors(struct bytes *b, const struct medium_change *c, struct dice *d)
{
	for (size_t from = 0, len; from < c->len; from += len) {
		len = MEDIUM_SECTOR - (c->at + from) % MEDIUM_SECTOR;
		if (len > c->len - from)
			len = c->len - from;
		if (dice_one_in(d, 2))
			bytes_put(b, c->data + from, len, c->at + from);
	}
}

/* What waits, in an order of the dice; the array is the caller's. */
static const struct medium_change **
shuffled(const struct medium *m, size_t *count, struct dice *d)
{
	const struct medium_change **all;
	size_t n = 0;

	for (const struct medium_change *c = m->first; c != NULL; c = c->next)
		n++;
	all = must(calloc(n + 1, sizeof(*all)));
	*count = n;
	n = 0;
	for (const struct medium_change *c = m->first; c != NULL; c = c->next)
		all[n++] = c;
	for (size_t i = n; i > 1; i--) {
		const size_t other = dice_below(d, i);
		const struct medium_change *swapped = all[i - 1];

		all[i - 1] = all[other];
		all[other] = swapped;
	}
	return all;
}

static void
keep_some(struct medium *m, enum medium_loss loss, struct dice *d)
{
	size_t count;
	const struct medium_change **all = shuffled(m, &count, d);

	for (size_t i = 0; i < count; i++)
		if (loss == MEDIUM_TEARS && all[i]->data != NULL)
			keep_sectors(&m->kept, all[i], d);
		else if (dice_one_in(d, 2))
			keep(&m->kept, all[i]);
	free(all);
	forget(m);
}

static void
lose(struct medium *m, enum medium_loss loss, struct dice *d)
{
	if (loss == MEDIUM_KEEPS)
		medium_sync(m);
	else if (loss == MEDIUM_LOSES)
		forget(m);
	else
		keep_some(m, loss, d);
}

void
medium_sync_fails(struct medium *m, struct dice *d)
{
	lose(m, (enum medium_loss)dice_below(d, MEDIUM_LOSSES), d);
}

void
medium_cut(struct medium *m, enum medium_loss loss, struct dice *d)
{
	lose(m, loss, d);
	bytes_copy(&m->now, &m->kept);
}
