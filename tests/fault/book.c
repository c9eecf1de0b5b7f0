#include "tests/fault/book.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/daemon.h"

enum { BOOK_FIRST = 1024 };

static const char *const steps[][BOOK_STEPS] = {
        {"start", "left", "right", "join"},
        {"one",   "two",  "three", "four"},
};

int
book_step(const char *name)
{
	for (size_t t = 0; t < COUNT(steps); t++)
		for (int i = 0; i < BOOK_STEPS; i++)
			if (strcmp(steps[t][i], name) == 0)
				return i;
	return -1;
}

static int
compare(const void *left, const void *right)
{
	const struct execution *a = left, *b = right;
	int order = strcmp(a->task, b->task);

	if (order == 0)
		order = a->step - b->step;
	return order != 0 ? order : a->attempt - b->attempt;
}

static bool
append(struct book *b, const struct execution *x)
{
	/* Powers of two, from BOOK_FIRST on. */
	if (b->count == 0 || (b->count >= BOOK_FIRST && (b->count & (b->count - 1)) == 0)) {
		size_t room = b->count == 0 ? BOOK_FIRST : 2 * b->count;
		struct execution *grown = realloc(b->items, room * sizeof(*grown));

		if (grown == NULL)
			return false;
		b->items = grown;
	}
	b->items[b->count++] = *x;
	return true;
}

static bool
read_line(const char *line, struct execution *x)
{
	char what[8], step[16], proof[17];
	int64_t at;
	int end = 0;

	*x = (struct execution){.step = -1};
	if (sscanf(line, "%7s %36s %15s %d %" SCNd64 " %16s%n", what, x->task, step, &x->attempt,
	            &at, proof, &end) != 6 ||
	        line[end] != '\0')
		return false;
	x->step = book_step(step);
	(void)snprintf(x->proof, sizeof(x->proof), "%s", proof);
	x->begins = strcmp(what, "begin") == 0;
	x->ends = strcmp(what, "end") == 0;
	x->cancels = strcmp(what, "cancel") == 0;
	x->fails = strcmp(what, "fail") == 0;
	x->begin_us = x->begins != 0 ? at : 0;
	x->end_us = x->ends != 0 ? at : 0;
	x->cancel_us = x->cancels != 0 ? at : 0;
	return x->step >= 0 && x->begins + x->ends + x->cancels + x->fails == 1;
}

/* Lines of one attempt become one execution. The proof is that of its end, if it has one. */
static void
join(struct execution *into, const struct execution *x)
{
	if (into->begin_us == 0 || (x->begins != 0 && x->begin_us < into->begin_us))
		into->begin_us = x->begin_us;
	if (x->ends != 0)
		memcpy(into->proof, x->proof, sizeof(into->proof));
	into->begins += x->begins;
	into->ends += x->ends;
	into->cancels += x->cancels;
	into->fails += x->fails;
	into->end_us += x->end_us;
	into->cancel_us += x->cancel_us;
}

static void
fold(struct book *b)
{
	size_t kept = 0;

	if (b->count > 0)
		qsort(b->items, b->count, sizeof(*b->items), compare);
	for (size_t i = 0; i < b->count; i++) {
		if (kept > 0 && compare(&b->items[kept - 1], &b->items[i]) == 0)
			join(&b->items[kept - 1], &b->items[i]);
		else
			b->items[kept++] = b->items[i];
	}
	b->count = kept;
}

bool
book_read(const char *dir, const char *name, struct book *out)
{
	char *text = daemon_read(dir, name);
	struct book b = {.items = NULL};
	bool whole = text != NULL;

	for (char *line = text, *end; whole && *line != '\0'; line = whole ? end + 1 : line) {
		struct execution x;

		end = strchr(line, '\n');
		whole = end != NULL;
		if (whole) { /* cut off: sscanf() would measure all the rest each time */
			*end = '\0';
			whole = read_line(line, &x) && append(&b, &x);
		}
		if (!whole)
			(void)fprintf(stderr, "no line of a book: %.100s\n", line);
	}
	free(text);
	fold(&b);
	*out = b;
	if (!whole)
		book_free(out);
	return whole;
}

void
book_free(struct book *b)
{
	free(b->items);
	*b = (struct book){0};
}

const struct execution *
book_find(const struct book *b, const char *task, int step, size_t *count)
{
	size_t low = 0, high = b->count;
	struct execution key = {.step = step};

	(void)snprintf(key.task, sizeof(key.task), "%s", task);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&b->items[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*count = 0;
	while (low + *count < b->count && b->items[low + *count].step == step &&
	        strcmp(b->items[low + *count].task, task) == 0)
		++*count;
	return *count > 0 ? &b->items[low] : NULL;
}
