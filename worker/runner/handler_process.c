#include "worker/runner/handler_process.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/runtime/fd_event.h"
#include "worker/runner/feeder.h"
#include "worker/runner/lines.h"

enum {
	CHUNK = 65536,
	READS_A_TURN = 8, /* so that one flooding handler does not starve the others */
	READS_AT_END = 256,
	SPARE_LOG = 4096, /* of what it prints while no step is at work */
	PINGS_UNANSWERED = 3,
};

enum phase { STARTING, READY, DRAINING, DYING };

struct handler_process {
	struct workshop *shop;
	const struct handler_settings *handler;
	struct handler_process_ears ears;
	size_t number;
	enum phase phase;
	bool failed, worked;
	bool garbled; /* killed for what it wrote: nothing more of it counts */
	struct child child;
	struct feeder *feeder; /* frames to it */
	int out_fd, log_fd;    /* frames from it, its stdout and stderr */
	struct fd_event *out_event, *log_event, *end_event;
	struct loop_timer *timer; /* start timeout, then what drain allows */
	struct lines lines;
	struct output spare;
	struct attempt *attempts;
	size_t busy, slots;
	int64_t heard_us, pinged_us;
	uint64_t pings;
	unsigned unanswered;
};

static void read_log(struct handler_process *p, unsigned reads);

static void
kill_it(struct handler_process *p, bool failed)
{
	if (p->phase == DYING)
		return;
	p->phase = DYING;
	p->failed = failed;
	loop_timer_cancel(p->timer);
	child_signal(&p->child, SIGKILL);
}

/* ---- attempts ---- */

struct attempt *
handler_process_find(const struct handler_process *p, const char *step, int64_t attempt)
{
	return attempt_by_step(p->attempts, step, attempt);
}

static void
finish(struct handler_process *p, struct attempt *a)
{
	attempt_unlink(&p->attempts, a);
	p->busy--;
	attempt_end(a);
}

/* The handler has spoken the last word about it. What it printed before that is in the pipe. */
static void
answered(struct handler_process *p, struct attempt *a)
{
	read_log(p, READS_A_TURN);
	p->worked = true;
	finish(p, a);
	if (p->phase == READY)
		p->ears.room(p, p->ears.arg);
}

/* Its timeout, or the end of its grace. */
static void
on_due(void *arg)
{
	struct attempt *a = arg;
	struct handler_process *p = a->holder;

	if (a->stop == STOP_NONE) {
		handler_process_stop(p, a, STOP_TIMED_OUT, p->handler->grace_us);
		return;
	}
	LOG(WARN, "handler.did_not_stop", TEXT_F("handler", p->handler->name),
	        TEXT_F("step", a->step->id), TEXT_F("why", stop_name(a->stop)));
	for (struct attempt *other = p->attempts; other != NULL; other = other->next)
		(void)attempt_stop(other, STOP_RELEASED, p->handler->grace_us);
	kill_it(p, false);
}

void
handler_process_give(struct handler_process *p, struct attempt *a)
{
	struct err e;

	assert(handler_process_room(p) > 0);
	a->holder = p;
	a->next = p->attempts;
	p->attempts = a;
	p->busy++;
	if (a->step->frame_len + CLOCK_TEXT + 16 > p->shop->settings->frame_bytes) {
		step_report_error(a->report, "FRAME_TOO_LARGE", false,
		        "the step's input and dependencies are larger than a frame of %zu bytes",
		        p->shop->settings->frame_bytes);
		finish(p, a);
		return;
	}
	if (!attempt_start(a, on_due, a, &e)) {
		finish(p, a); /* nothing was said: it is released */
		return;
	}
	step_write(a->step, attempt_deadline_wall_us(a), feeder_buf(p->feeder));
	a->frame_end = feeder_appended(p->feeder);
	feeder_push(p->feeder);
}

void
handler_process_stop(struct handler_process *p, struct attempt *a, enum stop why, int64_t grace_us)
{
	if (!attempt_stop(a, why, grace_us))
		return;
	frame_cancel(feeder_buf(p->feeder), a->step->id, stop_name(why), grace_us / 1000);
	feeder_push(p->feeder);
}

void
handler_process_stop_all(struct handler_process *p, enum stop why, int64_t grace_us)
{
	for (struct attempt *a = p->attempts; a != NULL; a = a->next)
		handler_process_stop(p, a, why, grace_us);
}

/* ---- frames from it ---- */

static void
on_ready_frame(struct handler_process *p, const struct frame *f)
{
	int64_t protocol, slots;

	if (p->phase != STARTING)
		return;
	if (!json_int64(f->doc, frame_member(f, "protocol"), &protocol) ||
	        protocol != HANDLER_PROTOCOL) {
		LOG(WARN, "handler.protocol", TEXT_F("handler", p->handler->name));
		p->garbled = true;
		kill_it(p, true);
		return;
	}
	if (json_int64(f->doc, frame_member(f, "slots"), &slots) && slots > 0 &&
	        (uint64_t)slots < p->slots)
		p->slots = (size_t)slots;
	p->phase = READY;
	loop_timer_cancel(p->timer);
	p->ears.ready(p, f, p->ears.arg);
}

static void
on_unsupported(struct handler_process *p, struct attempt *a, const char *what)
{
	LOG(WARN, "handler.not_supported", TEXT_F("handler", p->handler->name),
	        TEXT_F("frame", what));
	if (a->stop != STOP_NONE)
		return;
	(void)strncpy(a->unsupported, what, sizeof(a->unsupported) - 1);
	handler_process_stop(p, a, STOP_NOT_SUPPORTED, p->handler->grace_us);
}

static void
on_step_frame(struct handler_process *p, const struct frame *f)
{
	struct attempt *a = attempt_by_id(p->attempts, f->id);

	if (a == NULL) {
		LOG(WARN, "handler.unknown_step", TEXT_F("handler", p->handler->name),
		        TEXT_F("step", f->id));
		return;
	}
	switch (f->type) {
	case FRAME_RESULT:
		attempt_result(a, f->doc, frame_member(f, "result"));
		answered(p, a);
		break;
	case FRAME_ERROR:
		attempt_error_frame(a, f);
		answered(p, a);
		break;
	case FRAME_PROGRESS:
	case FRAME_LOG:
		attempt_note(a, f);
		break;
	case FRAME_CHECKPOINT:
		on_unsupported(p, a, "checkpoint");
		break;
	case FRAME_WAIT:
		on_unsupported(p, a, "wait");
		break;
	case FRAME_UNKNOWN:
	case FRAME_READY:
	case FRAME_PONG:
		break;
	}
}

/* A line that is no frame. */
static void
on_bad_line(struct handler_process *p, const char *code, const char *why)
{
	LOG(WARN, "handler.bad_line", TEXT_F("handler", p->handler->name), TEXT_F("why", why));
	if (p->phase == STARTING || p->busy > 1) {
		for (struct attempt *a = p->attempts; a != NULL; a = a->next)
			step_report_error(a->report, "handler_protocol", true,
			        "the handler wrote a line that is no frame: %s", why);
		p->garbled = true;
		kill_it(p, true);
	} else if (p->busy == 1) {
		step_report_error(p->attempts->report, code, false, "%s", why);
		answered(p, p->attempts);
	}
}

static void
on_line(struct handler_process *p, const char *line, size_t len)
{
	const struct runner_settings *s = p->shop->settings;
	const struct json_limits limits = {
	        .bytes = s->frame_bytes, .nodes = s->json_nodes + 64, .depth = s->json_depth + 1};
	AUTO(frame) struct frame f = {0};
	struct err e;

	p->heard_us = loop_mono_us(p->shop->loop);
	p->unanswered = 0;
	if (!frame_parse(line, len, &limits, &f, &e))
		on_bad_line(p, "INVALID_RESULT", e.text);
	else if (f.type == FRAME_READY)
		on_ready_frame(p, &f);
	else if (f.type != FRAME_UNKNOWN && f.type != FRAME_PONG)
		on_step_frame(p, &f);
}

static void
take_lines(struct handler_process *p)
{
	const char *line;
	size_t len;

	while (!p->garbled) {
		switch (lines_next(&p->lines, &line, &len)) {
		case LINES_LINE:
			on_line(p, line, len);
			break;
		case LINES_TOO_LONG:
			on_bad_line(p, "RESULT_TOO_LARGE", "a line longer than limits.frame_bytes");
			break;
		case LINES_NONE:
		case LINES_NOMEM:
			return;
		}
	}
}

/* False at the end of the stream. */
static bool
read_frames(struct handler_process *p, unsigned reads)
{
	char chunk[CHUNK];

	while (reads-- > 0 && p->out_fd >= 0) {
		const ssize_t n = read(p->out_fd, chunk, sizeof(chunk));

		if (n == 0)
			return false;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (lines_add(&p->lines, chunk, (size_t)n) == LINES_NOMEM) {
			kill_it(p, false);
			return true;
		}
		take_lines(p);
	}
	return true;
}

static void
on_frames(unsigned ready, void *arg)
{
	struct handler_process *p = arg;

	(void)ready;
	if (read_frames(p, READS_A_TURN))
		return;
	/* Without its frames it is of no use; on its way out that is how it goes. */
	fd_event_free(TAKE(p->out_event));
	if (p->phase == STARTING || p->phase == READY)
		kill_it(p, true);
}

/* ---- what it prints ---- */

static void
read_log(struct handler_process *p, unsigned reads)
{
	char chunk[CHUNK], tag[64];

	(void)snprintf(tag, sizeof(tag), "[%.40s#%zu] ", p->handler->name, p->number);
	while (reads-- > 0 && p->log_fd >= 0) {
		const ssize_t n = read(p->log_fd, chunk, sizeof(chunk));

		if (n == 0)
			fd_event_free(TAKE(p->log_event));
		if (n <= 0)
			return;
		if (p->busy == 0)
			output_add(&p->spare, chunk, (size_t)n);
		for (struct attempt *a = p->attempts; a != NULL; a = a->next) {
			if (p->slots > 1)
				output_add_tagged(&a->output, tag, chunk, (size_t)n);
			else
				output_add(&a->output, chunk, (size_t)n);
		}
	}
}

static void
on_log(unsigned ready, void *arg)
{
	(void)ready;
	read_log(arg, READS_A_TURN);
}

/* ---- its end ---- */

static void
process_free(struct handler_process *p)
{
	feeder_free(p->feeder);
	fd_event_free(p->out_event);
	fd_event_free(p->log_event);
	fd_event_free(p->end_event);
	loop_timer_free(p->timer);
	if (p->out_fd >= 0)
		(void)close(p->out_fd);
	if (p->log_fd >= 0)
		(void)close(p->log_fd);
	lines_free(&p->lines);
	output_free(&p->spare);
	free(p);
}

static void
log_end(const struct handler_process *p, struct child_end end)
{
	AUTO(buf) struct buf said = BUF(4 * SPARE_LOG);

	output_text(&p->spare, &said);
	buf_char(&said, '\0');
	LOG(WARN, "handler.ended", TEXT_F("handler", p->handler->name), INT_F("number", p->number),
	        INT_F("status", end.status), INT_F("signal", end.signal),
	        TEXT_F("output", buf_ok(&said) ? said.data : ""));
}

/* A step whose frame it never read is no failure of the step: nothing is said, so it goes back. */
static void
mourn(const struct handler_process *p, struct attempt *a, struct child_end end)
{
	if (a->report->outcome == OUTCOME_DROPPED && a->stop == STOP_NONE &&
	        a->frame_end <= feeder_taken(p->feeder))
		attempt_crashed(a, end.status, end.signal);
}

static void
on_end(unsigned ready, void *arg)
{
	struct handler_process *p = arg;
	struct child_end end;

	(void)ready;
	if (p->phase != DYING)
		p->failed = p->phase != DRAINING;
	p->phase = DYING;
	(void)read_frames(p, READS_AT_END); /* what it wrote before it ended counts */
	read_log(p, READS_AT_END);
	fd_event_free(TAKE(p->end_event));
	end = children_reap(p->shop->children, &p->child);
	if (p->failed)
		log_end(p, end);
	while (p->attempts != NULL) {
		mourn(p, p->attempts, end);
		finish(p, p->attempts);
	}
	p->ears.gone(p, p->failed, p->ears.arg);
	process_free(p);
}

static void
on_timer(void *arg)
{
	struct handler_process *p = arg;

	if (p->phase == STARTING)
		LOG(WARN, "handler.never_ready", TEXT_F("handler", p->handler->name),
		        INT_F("number", p->number));
	kill_it(p, p->phase == STARTING);
}

void
handler_process_drain(struct handler_process *p, int64_t within_us)
{
	if (p->phase == DYING || p->phase == DRAINING)
		return;
	p->phase = DRAINING;
	loop_timer_set(p->timer, within_us);
	frame_drain(feeder_buf(p->feeder));
	feeder_finish(p->feeder);
}

void
handler_process_tick(struct handler_process *p)
{
	const int64_t now = loop_mono_us(p->shop->loop), every = p->handler->heartbeat_us;

	if (every == 0 || p->phase != READY || now - p->heard_us < every ||
	        now - p->pinged_us < every)
		return;
	if (p->unanswered >= PINGS_UNANSWERED) {
		LOG(WARN, "handler.hung", TEXT_F("handler", p->handler->name),
		        INT_F("number", p->number));
		for (struct attempt *a = p->attempts; a != NULL; a = a->next)
			(void)attempt_stop(a, STOP_TIMED_OUT, p->handler->grace_us);
		kill_it(p, true);
		return;
	}
	p->unanswered++;
	p->pinged_us = now;
	frame_ping(feeder_buf(p->feeder), ++p->pings);
	feeder_push(p->feeder);
}

/* ---- its start ---- */

size_t
handler_process_room(const struct handler_process *p)
{
	return p->phase == READY && p->busy < p->slots ? p->slots - p->busy : 0;
}

size_t
handler_process_busy(const struct handler_process *p)
{
	return p->busy;
}

bool
handler_process_ready(const struct handler_process *p)
{
	return p->phase == READY;
}

bool
handler_process_worked(const struct handler_process *p)
{
	return p->worked;
}

/* The handler has closed its end, or there is no memory for what it should read. */
static void
on_broken(void *arg)
{
	kill_it(arg, true);
}

static bool
launch(struct handler_process *p, struct err *e)
{
	AUTO(environment) struct environment env = {0};
	struct child_start start = {
	        .handler = p->handler,
	        .env = &env,
	        .fds = {-1, -1, -1, -1, -1},
	        .fd_count = CHILD_FDS
        };
	const size_t ceiling = (p->shop->settings->frame_bytes + KIB(4)) * (p->handler->slots + 1);
	int in_fd = -1;
	bool ok;

	environment_inherit(&env);
	environment_put_all(&env, p->handler->env);
	ok = child_pipe(true, &in_fd, &start.fds[3], e) &&
	     feeder_new(p->shop->loop, in_fd, ceiling, on_broken, p, &p->feeder, e) &&
	     child_pipe(false, &p->out_fd, &start.fds[4], e) &&
	     child_pipe(false, &p->log_fd, &start.fds[1], e);
	if (p->feeder == NULL && in_fd >= 0)
		(void)close(in_fd);
	start.fds[2] = start.fds[1];
	ok = ok && children_start(p->shop->children, &start, &p->child, e);
	for (size_t i = 1; i < CHILD_FDS; i++)
		if (start.fds[i] >= 0 && i != 2)
			(void)close(start.fds[i]);
	return ok;
}

static bool
watch(struct handler_process *p, struct err *e)
{
	struct loop *loop = p->shop->loop;

	return fd_event_new(loop, p->out_fd, on_frames, p, &p->out_event, e) &&
	       fd_event_new(loop, p->log_fd, on_log, p, &p->log_event, e) &&
	       fd_event_new(loop, p->child.pidfd, on_end, p, &p->end_event, e) &&
	       fd_event_watch(p->out_event, FD_READABLE, e) &&
	       fd_event_watch(p->log_event, FD_READABLE, e) &&
	       fd_event_watch(p->end_event, FD_READABLE, e);
}

static bool
begin(struct handler_process *p, struct err *e)
{
	const struct hello hello = {.worker = p->shop->settings->worker,
	        .frame_bytes = p->shop->settings->frame_bytes,
	        .heartbeat_ms = p->handler->heartbeat_us / 1000};

	if (!loop_timer_new(p->shop->loop, on_timer, p, &p->timer, e) || !launch(p, e))
		return false;
	if (!watch(p, e)) {
		child_signal(&p->child, SIGKILL);
		(void)children_reap(p->shop->children, &p->child);
		return false;
	}
	loop_timer_set(p->timer, p->handler->start_timeout_us);
	frame_hello(feeder_buf(p->feeder), &hello);
	feeder_push(p->feeder);
	return true;
}

bool
handler_process_new(struct workshop *shop, const struct handler_settings *handler, size_t number,
        const struct handler_process_ears *ears, OWNED struct handler_process **out, struct err *e)
{
	struct handler_process *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a handler process");
	p->shop = shop;
	p->handler = handler;
	p->number = number;
	p->ears = *ears;
	p->slots = handler->slots;
	p->out_fd = p->log_fd = p->child.pidfd = -1;
	p->lines = lines_new(shop->settings->frame_bytes);
	p->spare = output_new(SPARE_LOG);
	p->heard_us = loop_mono_us(shop->loop);
	if (!begin(p, e)) {
		process_free(p);
		return false;
	}
	*out = p;
	return true;
}
