#include "worker/runner/crew.h"

#include <stdlib.h>

#include "shared/base/log.h"

struct member {
	struct crew *crew;
	size_t number;
	struct handler_process *process; /* NULL: waits for its restart */
	struct loop_timer *restart;
	bool settled;
};

struct crew {
	struct workshop *shop;
	const struct handler_settings *handler;
	struct crew_ears ears;
	bool ending;
	struct member *members;
	size_t count;
};

static void begin(struct member *m);

static void
on_ready(struct handler_process *p, const struct frame *f, void *arg)
{
	struct member *m = arg;

	(void)p;
	m->settled = true;
	m->crew->ears.ready(f, m->crew->ears.arg);
}

static void
on_room(struct handler_process *p, void *arg)
{
	const struct member *m = arg;

	(void)p;
	m->crew->ears.room(m->crew->ears.arg);
}

static void
later(struct member *m, bool failed, bool worked)
{
	const int64_t wait = m->crew->ears.gone(failed, worked, m->crew->ears.arg);

	if (!m->crew->ending)
		loop_timer_set(m->restart, wait);
}

static void
on_gone(struct handler_process *p, bool failed, void *arg)
{
	struct member *m = arg;

	m->settled = true;
	m->process = NULL;
	later(m, failed, handler_process_worked(p));
}

static void
begin(struct member *m)
{
	const struct handler_process_ears ears = {
	        .ready = on_ready, .room = on_room, .gone = on_gone, .arg = m};
	struct err e;

	if (handler_process_new(m->crew->shop, m->crew->handler, m->number, &ears, &m->process, &e))
		return;
	LOG(ERROR, "handler.not_started", TEXT_F("handler", m->crew->handler->name),
	        TEXT_F("why", e.text));
	m->settled = true;
	later(m, true, false);
}

static void
on_restart(void *arg)
{
	begin(arg);
}

bool
crew_new(struct workshop *shop, const struct handler_settings *handler,
        const struct crew_ears *ears, OWNED struct crew **out, struct err *e)
{
	struct crew *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for handler processes");
	c->shop = shop;
	c->handler = handler;
	c->ears = *ears;
	c->members = calloc(handler->processes, sizeof(*c->members));
	if (c->members == NULL) {
		crew_free(c);
		return err_set(e, ERR_NOMEM, "out of memory for handler processes");
	}
	for (; c->count < handler->processes; c->count++) {
		struct member *m = &c->members[c->count];

		m->crew = c;
		m->number = c->count + 1;
		if (!loop_timer_new(shop->loop, on_restart, m, &m->restart, e)) {
			crew_free(c);
			return false;
		}
	}
	*out = c;
	return true;
}

void
crew_free(struct crew *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++)
		loop_timer_free(c->members[i].restart);
	free(c->members);
	free(c);
}

void
crew_start(struct crew *c)
{
	for (size_t i = 0; i < c->count; i++)
		begin(&c->members[i]);
}

void
crew_tick(struct crew *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->members[i].process != NULL)
			handler_process_tick(c->members[i].process);
}

bool
crew_settled(const struct crew *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (!c->members[i].settled)
			return false;
	return true;
}

size_t
crew_ready(const struct crew *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		if (c->members[i].process != NULL && handler_process_ready(c->members[i].process))
			n++;
	return n;
}

size_t
crew_busy(const struct crew *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		if (c->members[i].process != NULL)
			n += handler_process_busy(c->members[i].process);
	return n;
}

bool
crew_give(struct crew *c, struct attempt *a)
{
	struct handler_process *best = NULL;
	size_t most = 0;

	/* The one with the most room, so that work spreads. */
	for (size_t i = 0; i < c->count; i++) {
		struct handler_process *p = c->members[i].process;
		const size_t room = p != NULL ? handler_process_room(p) : 0;

		if (room > most) {
			most = room;
			best = p;
		}
	}
	if (best == NULL)
		return false;
	handler_process_give(best, a);
	return true;
}

bool
crew_stop(struct crew *c, const char *step, int64_t attempt, enum stop why, int64_t grace_us)
{
	for (size_t i = 0; i < c->count; i++) {
		struct handler_process *p = c->members[i].process;
		struct attempt *a = p != NULL ? handler_process_find(p, step, attempt) : NULL;

		if (a != NULL) {
			handler_process_stop(p, a, why, grace_us);
			return true;
		}
	}
	return false;
}

void
crew_stop_all(struct crew *c, enum stop why, int64_t grace_us)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->members[i].process != NULL)
			handler_process_stop_all(c->members[i].process, why, grace_us);
}

void
crew_end(struct crew *c, int64_t within_us)
{
	c->ending = true;
	for (size_t i = 0; i < c->count; i++) {
		loop_timer_cancel(c->members[i].restart);
		if (c->members[i].process != NULL)
			handler_process_drain(c->members[i].process, within_us);
	}
}

bool
crew_gone(const struct crew *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->members[i].process != NULL)
			return false;
	return true;
}
