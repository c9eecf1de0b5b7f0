#include "tests/sim/memory.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_FIRST = 64, CHUNK_BYTES = 16384, LOG_FIRST = 4096 };

struct table {
	char *rows;
	size_t count, cap, count_before; /* before: when the transaction began */
};

struct chunk {
	struct chunk *next;
	size_t used, size;
	char bytes[];
};

/* What follows an old row in the log. */
struct mark {
	enum memory_table table;
	size_t index;
};

struct memory {
	struct table tables[MEMORY_TABLES];
	struct chunk *texts;
	struct buf log;
	bool open, changed, undoable; /* undoable: the log still holds the last transaction */
	enum memory_fsync fsync;
	enum memory_flaw flaw;
	unsigned asked;
};

static const size_t sizes[MEMORY_TABLES] = {
        [TENANTS] = sizeof(struct memory_name),
        [OWNERS] = sizeof(struct memory_name),
        [TASKS] = sizeof(struct memory_task),
        [STEPS] = sizeof(struct memory_step),
        [EVENTS] = sizeof(struct memory_event),
        [TEMPLATES] = sizeof(struct memory_template),
        [ROUTES] = sizeof(struct memory_route),
        [SESSIONS] = sizeof(struct memory_session),
        [REVOCATIONS] = sizeof(struct memory_revocation),
        [TOTALS] = sizeof(struct totals),
};

static void *
must(void *p)
{
	if (p == NULL)
		__builtin_trap();
	return p;
}

OWNED struct memory *
memory_new(enum memory_flaw flaw)
{
	struct memory *m = must(calloc(1, sizeof(*m)));

	m->log = BUF(MIB(64));
	m->flaw = flaw;
	(void)memory_add(m, TOTALS);
	m->changed = false;
	return m;
}

void
memory_free(struct memory *m)
{
	struct chunk *next;

	if (m == NULL)
		return;
	for (size_t i = 0; i < MEMORY_TABLES; i++)
		free(m->tables[i].rows);
	for (struct chunk *c = m->texts; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	buf_free(&m->log);
	free(m);
}

size_t
memory_count(const struct memory *m, enum memory_table t)
{
	return m->tables[t].count;
}

const void *
memory_row(const struct memory *m, enum memory_table t, size_t i)
{
	if (i >= m->tables[t].count)
		__builtin_trap();
	return m->tables[t].rows + i * sizes[t];
}

void *
memory_touch(struct memory *m, enum memory_table t, size_t i)
{
	struct mark mark = {t, i};
	char *row = m->tables[t].rows + i * sizes[t];

	if (i >= m->tables[t].count)
		__builtin_trap();
	m->changed = true;
	buf_add(&m->log, row, sizes[t]);
	buf_add(&m->log, &mark, sizeof(mark));
	if (m->log.failed)
		__builtin_trap();
	return row;
}

void *
memory_add(struct memory *m, enum memory_table t)
{
	struct table *table = &m->tables[t];
	void *row;

	if (table->count == table->cap) {
		table->cap = table->cap > 0 ? table->cap * 2 : ROWS_FIRST;
		table->rows = must(realloc(table->rows, table->cap * sizes[t]));
	}
	m->changed = true;
	row = table->rows + table->count++ * sizes[t];
	memset(row, 0, sizes[t]);
	return row;
}

const char *
memory_text(struct memory *m, const char *text, size_t len)
{
	struct chunk *c = m->texts;
	char *at;

	if (c == NULL || c->size - c->used < len + 1) {
		size_t size = len + 1 > CHUNK_BYTES ? len + 1 : CHUNK_BYTES;

		c = must(malloc(sizeof(*c) + size));
		*c = (struct chunk){.next = m->texts, .size = size};
		m->texts = c;
	}
	at = c->bytes + c->used;
	c->used += len + 1;
	memcpy(at, text, len);
	at[len] = '\0';
	return at;
}

void
memory_begin(struct memory *m)
{
	if (m->open)
		__builtin_trap();
	for (size_t i = 0; i < MEMORY_TABLES; i++)
		m->tables[i].count_before = m->tables[i].count;
	buf_clear(&m->log);
	m->changed = m->undoable = false;
	m->open = true;
}

bool
memory_has_changes(const struct memory *m)
{
	return m->open && m->changed;
}

/* The newest old row first, since a row may have been changed twice. */
static void
take_back(struct memory *m)
{
	struct mark mark;

	while (m->log.len > 0) {
		m->log.len -= sizeof(mark);
		memcpy(&mark, m->log.data + m->log.len, sizeof(mark));
		m->log.len -= sizes[mark.table];
		memcpy(m->tables[mark.table].rows + mark.index * sizes[mark.table],
		        m->log.data + m->log.len, sizes[mark.table]);
	}
	for (size_t i = 0; i < MEMORY_TABLES; i++)
		m->tables[i].count = m->tables[i].count_before;
}

void
memory_commit(struct memory *m)
{
	m->open = m->changed = false;
	m->undoable = true;
}

void
memory_rollback(struct memory *m)
{
	if (m->open && m->flaw != MEMORY_KEEPS_ROLLBACKS)
		take_back(m);
	m->open = m->changed = false;
}

void
memory_crash(struct memory *m)
{
	bool forgets = m->flaw == MEMORY_FORGETS_COMMITS && m->undoable;

	if (m->open || forgets)
		take_back(m);
	m->open = m->changed = m->undoable = false;
	m->fsync = FSYNC_WORKS;
}

void
memory_fail_fsync(struct memory *m, bool kept)
{
	m->fsync = kept ? FSYNC_KEEPS : FSYNC_LOSES;
}

enum memory_fsync
memory_next_fsync(struct memory *m)
{
	enum memory_fsync next = m->fsync;

	m->fsync = FSYNC_WORKS;
	return next;
}

bool
memory_errs(struct memory *m, enum memory_flaw flaw, unsigned period)
{
	return m->flaw == flaw && ++m->asked % period == 0;
}
