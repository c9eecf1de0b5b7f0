#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "orchestration/store/read_ops.h"

enum { MS = 1000 };

/* An operation and what it was for, in the operation's own memory. */
struct errand {
	struct world *w;
	struct purpose purpose;
};

void
world_log(struct world *w, const char *fmt, ...)
{
	char line[512];
	va_list args;

	if (w->setup->log == NULL)
		return;
	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	buf_format(w->setup->log, "%10.3f %s\n", (double)w->mono / (double)SIM_SECOND, line);
}

void
world_find(struct world *w, const char *fmt, ...)
{
	va_list args;

	if (w->broken[0] != '\0')
		return;
	va_start(args, fmt);
	(void)vsnprintf(w->broken, sizeof(w->broken), fmt, args);
	va_end(args);
	world_log(w, "BROKEN: %s", w->broken);
}

static int64_t
wall_clock(void *arg)
{
	struct world *w = arg;

	return w->wall;
}

/* Time passes while it is looked at, so that batches meet their time limit. */
static int64_t
mono_clock(void *arg)
{
	struct world *w = arg;

	if (w->tick > 0 && !w->booting)
		world_advance(w, chance_between(&w->chance, 0, w->tick));
	return w->setup->lease_by_wall ? w->wall : w->mono;
}

static bool
fault(void *arg, const char *statement)
{
	struct world *w = arg;
	bool commit = strcmp(statement, "COMMIT") == 0;

	if (w->booting)
		return false;
	if (w->dead)
		return true;
	if (w->dying && commit) {
		w->dead = true; /* the commit is done, or not, and nobody hears which */
		return chance_of(&w->chance, 500);
	}
	if (w->calm || !chance_of(&w->chance, commit ? w->full_permille * 3 : w->full_permille))
		return false;
	world_log(w, "the disk is full at %s", statement);
	return true;
}

static void
settle_settings(struct world *w)
{
	static const int losses[] = {2, 3, 10}, batches[] = {1, 3, 256};
	static const int64_t leases[] = {6000, 30000}, keeps[] = {0, 60},
	                     lives[] = {90000, 3600000};
	struct chance *c = &w->chance;

	w->settings = store_settings_default();
	w->settings.url = w->setup->sqlite != NULL ? w->setup->sqlite : "memory:";
	w->settings.lease_ms = leases[chance_below(c, COUNT(leases))];
	w->settings.beat_ms = w->settings.lease_ms / 6;
	w->settings.max_lease_losses = losses[chance_below(c, COUNT(losses))];
	w->settings.jitter = chance_of(c, 500);
	w->settings.identity_retention_s = keeps[chance_below(c, COUNT(keeps))];
	w->settings.batch_max = batches[chance_below(c, COUNT(batches))];
	w->settings.session_keep_ms = lives[chance_below(c, COUNT(lives))];
	w->settings.wall_us = wall_clock;
	w->settings.mono_us = mono_clock;
	w->settings.clock_arg = w;
	w->settings.medium = w->disk;
	w->settings.fault = fault;
	w->settings.fault_arg = w;
	w->tick = chance_of(c, 300) ? 9 * MS : 0;
	w->full_permille = chance_of(c, 500) ? 6 : 0;
}

static void
boot(struct world *w)
{
	struct err e = {0};

	w->booting = true;
	w->dead = w->dying = false;
	pulse_init(&w->pulse);
	for (size_t i = 0; i < w->model.session_count; i++) {
		struct seen_session *s = &w->model.sessions[i];

		/* A full term for everybody, but for those who may be over by now. */
		s->doubtful =
		        s->doubtful || w->mono - s->used_at > w->settings.session_keep_ms * MS;
		s->heard_at = s->used_at = w->mono;
	}
	w->viewer =
	        (struct viewer){.ops = &w->ops, .max_lease_losses = w->settings.max_lease_losses};
	if (!rounds_new(&w->settings, &w->ops, &w->pulse, &w->rounds, &e) ||
	        !w->ops.open(&w->settings, BACKEND_READER, &w->viewer.db, &e) ||
	        !plans_new(&w->ops, w->viewer.db, false, &w->viewer.plans, &e))
		world_find(w, "the store does not open: %s", e.text);
	w->booting = false;
}

static void
shut(struct world *w)
{
	struct store_op *op;

	rounds_free(w->rounds);
	w->rounds = NULL;
	plans_free(w->viewer.plans);
	if (w->viewer.db != NULL)
		w->ops.close(w->viewer.db);
	w->viewer = (struct viewer){.ops = &w->ops};
	while ((op = op_list_take(&w->queue)) != NULL)
		op_deliver(op);
	(void)pthread_mutex_destroy(&w->pulse.lock);
}

void
world_open(struct world *w, const struct sim_setup *setup)
{
	memset(w, 0, sizeof(*w));
	w->setup = setup;
	w->chance.state = setup->seed;
	chance_seed_product(setup->seed);
	w->disk = memory_new(setup->flaw);
	w->wall = 1790000000 * SIM_SECOND;
	w->mono = 1000 * SIM_SECOND;
	settle_settings(w);
	if (setup->sqlite == NULL)
		backend_memory(&w->ops);
	else if (!backend_for(setup->sqlite, &w->ops))
		__builtin_trap();
	boot(w);
}

void
world_close(struct world *w)
{
	w->dead = true;
	shut(w);
	memory_free(w->disk);
}

void
world_reboot(struct world *w)
{
	w->dead = true;
	shut(w);
	w->seen.crashes++;
	world_log(w, "crash; what is committed is read again");
	boot(w);
}

void
world_advance(struct world *w, int64_t us)
{
	w->mono += us;
	w->wall += us;
}

/* Answers of a dead process reach nobody; those of one whose disk lied are not to be trusted. */
static void
deliver(struct mail *mail)
{
	struct store_op *op = (struct store_op *)(void *)mail;
	struct errand *errand = op->user;
	struct world *w = errand->w;

	w->in_flight--;
	w->seen.outcomes[op->outcome]++;
	if (w->dead || atomic_load(&w->pulse.fatal)) {
		w->seen.lost_answers++;
		if (errand->purpose.lost != NULL)
			errand->purpose.lost(w, op, &errand->purpose);
	} else if (errand->purpose.answered != NULL) {
		errand->purpose.answered(w, op, &errand->purpose);
	}
	store_op_free(op);
}

void
world_submit(struct world *w, struct store_op *op, const struct purpose *p)
{
	struct errand *errand = store_op_alloc(op, 1, sizeof(*errand));

	if (errand == NULL)
		__builtin_trap();
	*errand = (struct errand){w, *p};
	errand->purpose.asked_at = w->mono;
	op->user = errand;
	op->home = NULL;
	op->mail.deliver = deliver;
	op->state->deadline_us =
	        op->deadline_us != 0 ? op->deadline_us : w->mono + w->settings.deadline_ms * MS;
	if (w->setup->lease_by_wall)
		op->state->deadline_us = INT64_MAX;
	w->in_flight++;
	op_list_add(&w->queue, op);
}

void
world_run_round(struct world *w)
{
	struct op_list round = w->queue;

	w->queue = (struct op_list){0};
	w->round++;
	w->round_mono = w->mono;
	for (size_t i = 0; i < w->model.session_count; i++)
		w->model.sessions[i].heard_before = w->model.sessions[i].heard_at;
	rounds_begin(w->rounds, &round);
	while (rounds_batch(w->rounds, &round))
		(void)rounds_want_checkpoint(w->rounds);
	if (w->dead || atomic_load(&w->pulse.fatal))
		world_reboot(w);
}

bool
world_read(struct world *w, struct store_op *op)
{
	struct err e = {0};
	bool fine = w->ops.begin(w->viewer.db, &e);

	w->viewer.wall_us = w->wall;
	fine = fine && read_op(&w->viewer, op, &e);
	w->ops.rollback(w->viewer.db);
	if (!fine)
		world_find(w, "a read fails: %s", e.text);
	return fine;
}

struct principal
world_caller(int tenant, int owner, enum scope_kind scope)
{
	struct principal p = {.scope = scope};

	(void)snprintf(p.tenant, sizeof(p.tenant), "t%d", tenant);
	(void)snprintf(p.owner, sizeof(p.owner), "o%d", owner);
	return p;
}
