#include "tests/bench/bench_engine.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "orchestration/engine/identity.h"

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

/* One a process: a delivered mail says nothing about whose it is. */
static struct bench bench = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

/* The mail is free for us, since no loop queues it: next makes the list. */
static void
collect(struct mail *mail)
{
	struct bench *b = &bench;

	(void)pthread_mutex_lock(&b->lock);
	mail->next = (struct mail *)b->answered;
	b->answered = (struct store_op *)mail;
	if (b->waiting)
		(void)pthread_cond_signal(&b->filled);
	(void)pthread_mutex_unlock(&b->lock);
}

void
engine_submit(struct store_op *op)
{
	op->home = NULL;
	op->mail.deliver = collect;
	store_submit(bench.store, op);
}

struct store_op *
engine_take_all(void)
{
	struct bench *b = &bench;
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

struct store_op *
engine_next(struct store_op *op)
{
	return (struct store_op *)op->mail.next;
}

void
engine_must(bool fine, const char *what)
{
	if (fine)
		return;
	(void)fprintf(stderr, "bench: %s\n", what);
	_exit(1);
}

/* The only operation under way. */
static struct store_op *
run(struct store_op *op)
{
	engine_submit(op);
	op = engine_take_all();
	engine_must(op->outcome == STORE_OK, op->text);
	return op;
}

static void
put_template(void)
{
	struct store_op *op = store_op_new(STORE_TEMPLATE_PUT);
	struct buf json = BUF(TEMPLATE_JSON_MAX);
	struct template *t = NULL;
	struct err e = {0};

	engine_must(op != NULL && template_parse(yaml, strlen(yaml), &t, NULL, &e), e.text);
	template_to_json(t, &json);
	op->in.template.json = (struct store_json){json.data, json.len};
	store_op_free(run(op));
	buf_free(&json);
	template_free(t);
}

struct store_op *
engine_create_op(int64_t number)
{
	struct store_op *op = store_op_new(STORE_TASK_CREATE);
	struct task_create_in *in;
	char context[64];

	engine_must(op != NULL, "out of memory");
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

int64_t
engine_session(int n)
{
	static const char *const namespaces[] = {"bench", NULL}, *const handlers[] = {
	                                                                 "bench.*", NULL};
	struct store_op *op = store_op_new(STORE_WORKER_REGISTER);
	char name[32];
	int64_t id;

	engine_must(op != NULL, "out of memory");
	(void)snprintf(name, sizeof(name), "w%d", n);
	op->in.worker = (struct worker_register_in){.worker = name,
	        .boot = "b",
	        .slots = ENGINE_SLOTS,
	        .namespaces = namespaces,
	        .handlers = handlers};
	op = run(op);
	id = op->out.worker.session;
	store_op_free(op);
	return id;
}

struct store_op *
engine_poll_op(int64_t session, int free_slots, const struct poll_out *given)
{
	struct store_op *op = store_op_new(STORE_POLL);
	size_t count = given != NULL ? given->step_count : 0;
	struct poll_result *results;

	engine_must(op != NULL, "out of memory");
	op->in.poll.session = session;
	op->in.poll.id = uuid_v4();
	op->in.poll.free = free_slots;
	results = store_op_alloc(op, count + 1, sizeof(*results));
	engine_must(results != NULL, "out of memory");
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

void
engine_open(const char *folder, int batch)
{
	struct store_settings s = store_settings_default();
	struct err e = {0};
	char url[4096];

	(void)snprintf(url, sizeof(url), "sqlite:%s/bare.db", folder);
	s.url = url;
	s.batch_max = batch;
	engine_must(store_open(&s, &bench.store, &e), e.text);
	put_template();
}

void
engine_close(void)
{
	store_close(bench.store);
	bench.store = NULL;
}
