#include "worker/runner/attempt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_AFTER_MAX_MS = 3600 * 1000, NOTE_MAX = 16384 };

bool
attempt_new(struct workshop *shop, struct step *step, OWNED struct attempt **out, struct err *e)
{
	AUTO(attempt) struct attempt *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for an attempt");
	if (!step_report_new(step, &a->report, e))
		return false;
	a->shop = shop;
	a->output = output_new(shop->settings->log_bytes);
	a->step = step;
	*out = TAKE(a);
	return true;
}

void
attempt_free(struct attempt *a)
{
	if (a == NULL)
		return;
	loop_timer_free(a->timer);
	output_free(&a->output);
	step_report_free(a->report);
	step_free(a->step);
	free(a);
}

static int64_t
time_of(const struct attempt *a)
{
	return a->step->timeout_s > 0 ? a->step->timeout_s * 1000000 : a->handler->timeout_us;
}

bool
attempt_start(struct attempt *a, loop_fn on_due, void *arg, struct err *e)
{
	if (!loop_timer_new(a->shop->loop, on_due, arg, &a->timer, e))
		return false;
	a->started_us = loop_mono_us(a->shop->loop);
	a->due_us = a->started_us + time_of(a);
	loop_timer_set(a->timer, time_of(a));
	return true;
}

int64_t
attempt_deadline_wall_us(const struct attempt *a)
{
	return loop_wall_us(a->shop->loop) + a->due_us - loop_mono_us(a->shop->loop);
}

bool
attempt_stop(struct attempt *a, enum stop why, int64_t grace_us)
{
	const bool first = a->stop == STOP_NONE;
	const int64_t due = loop_mono_us(a->shop->loop) + grace_us;

	if (first || why == STOP_LOST)
		a->stop = why;
	if (a->timer != NULL && (first || due < a->due_us)) {
		loop_timer_set(a->timer, grace_us);
		a->due_us = due;
	}
	return first;
}

const char *
stop_name(enum stop why)
{
	static const char *const names[] = {
	        [STOP_NONE] = "none",
	        [STOP_CANCELLED] = "cancelled",
	        [STOP_TIMED_OUT] = "timeout",
	        [STOP_RELEASED] = "released",
	        [STOP_LOST] = "lost",
	        [STOP_NOT_SUPPORTED] = "not_supported",
	};

	return names[why];
}

/* What the report says, by the reason for stopping. */
static void
settle(struct attempt *a)
{
	struct step_report *r = a->report;
	const bool answered = r->outcome == OUTCOME_OK || r->outcome == OUTCOME_ERROR;

	switch (a->stop) {
	case STOP_CANCELLED:
		if (r->outcome != OUTCOME_OK)
			buf_clear(&r->result);
		r->outcome = OUTCOME_CANCELLED;
		break;
	case STOP_TIMED_OUT:
		step_report_error(r, "handler_timeout", true,
		        "Handler timed out after %" PRId64 "ms", time_of(a) / 1000);
		break;
	case STOP_LOST:
		r->outcome = OUTCOME_DROPPED;
		break;
	case STOP_NOT_SUPPORTED:
		step_report_error(r, "NOT_SUPPORTED", false,
		        "this worker does not support \"%s\" frames yet", a->unsupported);
		break;
	case STOP_NONE:
		if (!answered)
			r->outcome = OUTCOME_RELEASED;
		break;
	case STOP_RELEASED:
		/* It was we who ended it: giving up now is no failure of the step. */
		if (!answered || (r->outcome == OUTCOME_ERROR && r->retryable))
			r->outcome = OUTCOME_RELEASED;
		break;
	}
}

void
attempt_end(struct attempt *a)
{
	struct step_report *r = a->report;

	settle(a);
	if (a->started_us > 0)
		r->ran_us = loop_mono_us(a->shop->loop) - a->started_us;
	if (r->outcome != OUTCOME_RELEASED && r->outcome != OUTCOME_DROPPED)
		output_text(&a->output, &r->log);
	if (!buf_ok(&r->log))
		buf_clear(&r->log);
	a->report = NULL;
	a->shop->report(r, a->shop->arg);
	attempt_free(a);
}

void
attempt_result(struct attempt *a, const struct json *doc, const struct json_node *result)
{
	struct step_report *r = a->report;
	const size_t most = a->shop->settings->result_bytes;
	size_t raw = 0;

	buf_clear(&r->result);
	r->result.max = most;
	r->outcome = OUTCOME_OK;
	if (result == NULL)
		buf_text(&r->result, "{}");
	else
		json_compact(doc, result, &r->result);
	if (buf_ok(&r->result))
		return;
	if (result != NULL)
		(void)json_raw(doc, result, &raw);
	if (raw > most)
		step_report_error(
		        r, "RESULT_TOO_LARGE", false, "the result is larger than %zu bytes", most);
	else
		step_report_error(
		        r, "OUT_OF_MEMORY", true, "the worker had no memory for the result");
}

static void
copy_text(const struct frame *f, const char *name, const char *otherwise, char *out, size_t size)
{
	AUTO(buf) struct buf text = BUF(KIB(64));
	size_t len;

	if (!json_string(f->doc, frame_member(f, name), &text) || !buf_ok(&text) || text.len == 0) {
		buf_clear(&text);
		buf_text(&text, otherwise);
	}
	len = text.len < size - 1 ? text.len : size - 1;
	if (text.data != NULL)
		memcpy(out, text.data, len);
	out[text.data != NULL ? len : 0] = '\0';
}

void
attempt_error_frame(struct attempt *a, const struct frame *f)
{
	char code[REPORT_CODE_MAX + 1], message[REPORT_MESSAGE_MAX + 1];
	const struct json_node *retryable = frame_member(f, "retryable");
	int64_t after;

	copy_text(f, "code", "handler_error", code, sizeof(code));
	copy_text(f, "message", "the handler gave no message", message, sizeof(message));
	step_report_error(a->report, code, retryable == NULL || json_kind(retryable) != JSON_FALSE,
	        "%s", message);
	if (json_int64(f->doc, frame_member(f, "retry_after_ms"), &after) && after > 0)
		a->report->retry_after_ms = after < RETRY_AFTER_MAX_MS ? after : RETRY_AFTER_MAX_MS;
}

void
attempt_crashed(struct attempt *a, int status, int signal_number)
{
	if (signal_number != 0)
		step_report_error(a->report, "handler_crashed", true,
		        "the handler was killed by signal %d (%s)", signal_number,
		        strsignal(signal_number));
	else
		step_report_error(a->report, "handler_crashed", true,
		        "the handler exited with status %d before it answered", status);
}

void
attempt_note(struct attempt *a, const struct frame *f)
{
	AUTO(buf) struct buf line = BUF(NOTE_MAX);
	const struct json_node *fields = frame_member(f, "fields");
	int64_t percent;

	if (f->type == FRAME_LOG && !json_string(f->doc, frame_member(f, "level"), &line))
		buf_text(&line, "info");
	if (f->type == FRAME_PROGRESS) {
		buf_text(&line, "progress");
		if (json_int64(f->doc, frame_member(f, "percent"), &percent))
			buf_format(&line, " %" PRId64 " %%", percent);
	}
	buf_char(&line, ' ');
	(void)json_string(f->doc, frame_member(f, "message"), &line);
	if (fields != NULL && json_kind(fields) == JSON_OBJECT) {
		buf_char(&line, ' ');
		json_compact(f->doc, fields, &line);
	}
	/* A note beyond NOTE_MAX keeps what fitted. */
	output_add(&a->output, line.data, line.len);
	output_add(&a->output, "\n", 1);
}

struct attempt *
attempt_by_id(struct attempt *list, const char *id)
{
	while (list != NULL && strcmp(list->step->id, id) != 0)
		list = list->next;
	return list;
}

struct attempt *
attempt_by_step(struct attempt *list, const char *step, int64_t number)
{
	while (list != NULL &&
	        (list->step->attempt != number || strcmp(list->step->uuid, step) != 0))
		list = list->next;
	return list;
}

void
attempt_unlink(struct attempt **list, struct attempt *a)
{
	while (*list != a)
		list = &(*list)->next;
	*list = a->next;
	a->next = NULL;
}
