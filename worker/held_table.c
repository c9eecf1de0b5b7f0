#include "worker/held_table.h"

#include <stdlib.h>
#include <string.h>

bool
held_table_init(struct held_table *t, size_t cap, struct err *e)
{
	t->items = calloc(cap, sizeof(*t->items));
	if (t->items == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the steps at work");
	t->count = 0;
	t->cap = cap;
	return true;
}

void
held_table_free(struct held_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		step_report_free(t->items[i].report);
	free(t->items);
	*t = (struct held_table){0};
}

struct held *
held_table_find(const struct held_table *t, const char *step, int64_t attempt)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->items[i].attempt == attempt && strcmp(t->items[i].step, step) == 0)
			return &t->items[i];
	return NULL;
}

bool
held_table_add(struct held_table *t, const char *step, int64_t attempt)
{
	struct held *h = &t->items[t->count];

	if (t->count == t->cap)
		return false;
	*h = (struct held){.attempt = attempt};
	(void)strncpy(h->step, step, sizeof(h->step) - 1);
	t->count++;
	return true;
}

void
held_table_remove(struct held_table *t, struct held *h)
{
	const size_t after = (size_t)(t->items + t->count - h) - 1;

	step_report_free(h->report);
	memmove(h, h + 1, after * sizeof(*h)); /* their order is the order they are sent in */
	t->count--;
}

size_t
held_table_running(const struct held_table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++)
		n += t->items[i].report == NULL;
	return n;
}

void
held_table_acknowledge(struct held_table *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->count; i++) {
		if (t->items[i].sending)
			step_report_free(t->items[i].report);
		else
			t->items[kept++] = t->items[i];
	}
	t->count = kept;
}

void
held_table_unsend(struct held_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		t->items[i].sending = false;
}

size_t
held_table_reduce(struct held_table *t, const char *why)
{
	size_t kept = 0, dropped = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct held h = t->items[i];

		if (h.sending && h.reduced) {
			step_report_free(h.report);
			dropped++;
			continue;
		}
		if (h.sending) {
			step_report_error(h.report, "RESULT_REFUSED", false,
			        "the orchestration refused the result: %s", why);
			buf_free(&h.report->log);
			h.reduced = true;
			h.sending = false;
		}
		t->items[kept++] = h;
	}
	t->count = kept;
	return dropped;
}
