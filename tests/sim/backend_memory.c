#include "tests/sim/backend_memory.h"

#include <stdlib.h>

static bool
open_memory(const struct store_settings *s, enum backend_role role, OWNED struct backend **out,
        struct err *e)
{
	struct backend *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a connection");
	*b = (struct backend){
	        .m = s->medium, .role = role, .fault = s->fault, .fault_arg = s->fault_arg};
	*out = b;
	return true;
}

static void
close_memory(struct backend *b)
{
	if (b != NULL && b->role == BACKEND_WRITER)
		memory_crash(b->m);
	free(b);
}

bool
memory_may_write(struct backend *b, const char *statement, struct err *e)
{
	if (b->role != BACKEND_WRITER)
		return err_set(e, ERR_INTERNAL, "%s: a reader writes", statement);
	if (b->fault != NULL && b->fault(b->fault_arg, statement))
		return err_set(e, ERR_IO, "%s: the disk is full", statement);
	return true;
}

static bool
begin(struct backend *b, struct err *e)
{
	(void)e;
	if (b->role == BACKEND_WRITER)
		memory_begin(b->m);
	return true;
}

static bool
commit(struct backend *b, struct err *e)
{
	if (!memory_may_write(b, "COMMIT", e))
		return false;
	switch (memory_next_fsync(b->m)) {
	case FSYNC_WORKS:
		memory_commit(b->m);
		return true;
	case FSYNC_KEEPS:
		memory_commit(b->m);
		break;
	case FSYNC_LOSES:
		break;
	}
	b->fatal = true;
	return err_set(e, ERR_IO, "COMMIT: the disk does not confirm");
}

static bool
has_changes(const struct backend *b)
{
	return memory_has_changes(b->m);
}

static void
rollback(struct backend *b)
{
	if (b->role == BACKEND_WRITER)
		memory_rollback(b->m);
}

static bool
is_fatal(const struct backend *b)
{
	return b->fatal;
}

static bool
is_overdue(const struct backend *b, bool *urgent)
{
	(void)b;
	*urgent = false;
	return false;
}

static bool
checkpoint(struct backend *b, struct err *e)
{
	(void)b;
	(void)e;
	return true;
}

static void
limit_time(struct backend *b, int64_t until_us)
{
	(void)b;
	(void)until_us;
}

/* There is nothing offline about a disk that dies with its process. */
void
backend_memory(struct backend_ops *out)
{
	*out = (struct backend_ops){
	        .scheme = "memory:",
	        .open = open_memory,
	        .close = close_memory,
	        .begin = begin,
	        .commit = commit,
	        .has_changes = has_changes,
	        .rollback = rollback,
	        .is_fatal = is_fatal,
	        .is_overdue = is_overdue,
	        .checkpoint = checkpoint,
	        .limit_time = limit_time,
	};
	memory_task_ops(out);
	memory_step_ops(out);
	memory_rest_ops(out);
}
