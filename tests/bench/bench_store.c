/*
 * bench_store FOLDER SECONDS [BATCH]: what the store does alone, without HTTP: tasks of four steps
 * in a row created, and their steps claimed and finished, with SQLite FULL. Prints "creates N" and
 * "steps N" a second. BATCH (64) operations share a commit, twice as many are under way.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "orchestration/engine/identity.h"
#include "orchestration/store/store.h"
#include "shared/base/clock.h"

enum { BATCH = 64, SESSIONS = 4, SLOTS = 64, AHEAD = 2, US_PER_S = 1000000 };

static const char yaml[] = "name: row\nnamespace_name: bench\nversion: 1.0.0\nsteps:\n"
                           "  - {name: a, handler: {callable: bench.a}}\n"
                           "  - {name: b, handler: {callable: bench.b}, dependencies: [a]}\n"
                           "  - {name: c, handler: {callable: bench.c}, dependencies: [b]}\n"
                           "  - {name: d, handler: {callable: bench.d}, dependencies: [c]}\n";

/* Answered operations, handed from the store's thread to this one. */
struct bench {
	struct store *store;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct store_op *answered;
	bool waiting;
};

/* The mail is free for us, since no loop queues it: next makes the list, and arg finds the bench.
 */
static struct bench *the_bench;

static void
collect(struct mail *mail)
{
	struct bench *b = the_bench;

	(void)pthread_mutex_lock(&b->lock);
	mail->next = (struct mail *)b->answered;
	b->answered = (struct store_op *)mail;
	if (b->waiting)
		(void)pthread_cond_signal(&b->filled);
	(void)pthread_mutex_unlock(&b->lock);
}

static void
submit(struct bench *b, struct store_op *op)
{
	op->home = NULL;
	op->mail.deliver = collect;
	store_submit(b->store, op);
}

/* All that was answered, at least one. */
static struct store_op *
take_all(struct bench *b)
{
	struct store_op *all;

	(void)pthread_mutex_lock(&b->lock);
	b->waiting = true;
	while (b->answered == NULL)
		(void)pthread_cond_wait(&b->filled, &b->lock);
	b->waiting = false;
	all = b->answered;
	b->answered = NULL;
	(void)pthread_mutex_unlock(&b->lock);
	return all;
}

static struct store_op *
next_of(struct store_op *op)
{
	return (struct store_op *)op->mail.next;
}

static void
must(bool fine, const char *what)
{
	if (fine)
		return;
	(void)fprintf(stderr, "bench_store: %s\n", what);
	_exit(1);
}

static struct store_op *
run(struct bench *b, struct store_op *op)
{
	submit(b, op);
	op = take_all(b);
	must(op->outcome == STORE_OK, op->text);
	return op;
}

static void
put_template(struct bench *b)
{
	struct store_op *op = store_op_new(STORE_TEMPLATE_PUT);
	struct buf json = BUF(TEMPLATE_JSON_MAX);
	struct template *t = NULL;
	struct err e = {0};

	must(op != NULL && template_parse(yaml, strlen(yaml), &t, NULL, &e), e.text);
	template_to_json(t, &json);
	op->in.template.json = (struct store_json){json.data, json.len};
	store_op_free(run(b, op));
	buf_free(&json);
	template_free(t);
}

static struct store_op *
create_op(int64_t number)
{
	struct store_op *op = store_op_new(STORE_TASK_CREATE);
	struct task_create_in *in;
	char context[64];

	must(op != NULL, "out of memory");
	in = &op->in.task_create;
	(void)snprintf(
	        context, sizeof(context), "{\"number\":%lld,\"who\":\"Ada\"}", (long long)number);
	memcpy(in->context_hash, &number, sizeof(number)); /* hashing is the caller's work */
	in->ns = "bench";
	in->name = "row";
	in->version = "1.0.0";
	in->context.len = strlen(context);
	in->context.text = store_op_text(op, context, in->context.len);
	in->initiator = "bench";
	in->source_system = "bench";
	in->reason = "bench";
	op->caller.scope = SCOPE_TENANT;
	(void)snprintf(op->caller.owner, sizeof(op->caller.owner), "anonymous");
	return op;
}

/* Creates for so long, or so many; returns how many a second. */
static double
create(struct bench *b, int64_t us, int64_t most, int batch, int64_t *number)
{
	int64_t start = clock_mono_us(), done = 0;
	int under_way = 0;

	while (clock_mono_us() - start < us && done < most) {
		struct store_op *next;

		for (; under_way < batch * AHEAD; under_way++)
			submit(b, create_op(++*number));
		for (struct store_op *op = take_all(b); op != NULL;
		        op = next, under_way--, done++) {
			next = next_of(op);
			must(op->outcome == STORE_OK, op->text);
			store_op_free(op);
		}
	}
	us = clock_mono_us() - start;
	for (struct store_op *next; under_way > 0;)
		for (struct store_op *op = take_all(b); op != NULL; op = next, under_way--) {
			next = next_of(op);
			store_op_free(op);
		}
	return (double)done * US_PER_S / (double)us;
}

static int64_t
session(struct bench *b, int n)
{
	static const char *const namespaces[] = {"bench", NULL}, *const handlers[] = {
	                                                                 "bench.*", NULL};
	struct store_op *op = store_op_new(STORE_WORKER_REGISTER);
	char name[32];
	int64_t id;

	must(op != NULL, "out of memory");
	(void)snprintf(name, sizeof(name), "w%d", n);
	op->in.worker = (struct worker_register_in){.worker = name,
	        .boot = "b",
	        .slots = SLOTS,
	        .namespaces = namespaces,
	        .handlers = handlers};
	op = run(b, op);
	id = op->out.worker.session;
	store_op_free(op);
	return id;
}

/* The next poll of a session: reports everything the last one was given. */
static struct store_op *
poll_op(int64_t id, const struct poll_out *given)
{
	struct store_op *op = store_op_new(STORE_POLL);
	size_t count = given != NULL ? given->step_count : 0;
	struct poll_result *results;

	must(op != NULL, "out of memory");
	op->in.poll.session = id;
	op->in.poll.id = uuid_v4();
	op->in.poll.free = SLOTS;
	results = store_op_alloc(op, count + 1, sizeof(*results));
	must(results != NULL, "out of memory");
	for (size_t i = 0; i < count; i++)
		results[i] = (struct poll_result){
		        .ref = given->steps[i].ref,
		        .outcome = OUTCOME_OK,
		        .result = {"{\"ok\":true}", 11},
		        .retry_after_ms = -1
                };
	op->in.poll.results = results;
	op->in.poll.result_count = count;
	return op;
}

/* Steps claimed and finished a second, until the time is up or nothing is left. */
static double
finish(struct bench *b, int64_t us)
{
	int64_t sessions[SESSIONS], start, done = 0;
	int under_way = 0;

	for (int i = 0; i < SESSIONS; i++)
		sessions[i] = session(b, i);
	start = clock_mono_us();
	for (; under_way < SESSIONS; under_way++)
		submit(b, poll_op(sessions[under_way], NULL));
	while (under_way > 0) {
		struct store_op *next;

		for (struct store_op *op = take_all(b); op != NULL; op = next) {
			next = next_of(op);
			must(op->outcome == STORE_OK, op->text);
			done += (int64_t)op->in.poll.result_count;
			under_way--;
			if (op->out.poll.step_count > 0 && clock_mono_us() - start < us) {
				submit(b, poll_op(op->in.poll.session, &op->out.poll));
				under_way++;
			}
			store_op_free(op);
		}
	}
	return (double)done * US_PER_S / (double)(clock_mono_us() - start);
}

int
main(int argc, char **argv)
{
	struct store_settings s = store_settings_default();
	struct bench b = {.answered = NULL};
	struct err e = {0};
	int64_t us, number = 0;
	char url[4096];

	must(argc >= 3, "usage: bench_store FOLDER SECONDS [BATCH]");
	(void)snprintf(url, sizeof(url), "sqlite:%s/bare.db", argv[1]);
	us = (int64_t)(strtod(argv[2], NULL) * US_PER_S);
	s.batch_max = argc > 3 ? (int)strtol(argv[3], NULL, 10) : BATCH;
	s.url = url;
	the_bench = &b;
	(void)pthread_mutex_init(&b.lock, NULL);
	(void)pthread_cond_init(&b.filled, NULL);
	must(store_open(&s, &b.store, &e), e.text);
	put_template(&b);
	(void)printf("creates %.0f\n", create(&b, us, INT64_MAX, s.batch_max, &number));
	(void)printf("steps %.0f\n", finish(&b, us));
	store_close(b.store);
	return 0;
}
