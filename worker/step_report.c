#include "worker/step_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A control character grows from one byte to six. */
enum { ESCAPED_MAX = 6, FIXED_PART = 512 };

static const char *const names[] = {
        [OUTCOME_DROPPED] = "dropped",
        [OUTCOME_OK] = "ok",
        [OUTCOME_ERROR] = "error",
        [OUTCOME_CANCELLED] = "cancelled",
        [OUTCOME_RELEASED] = "released",
};

const char *
outcome_name(enum outcome o)
{
	return names[o];
}

bool
step_report_new(const struct step *s, OWNED struct step_report **out, struct err *e)
{
	struct step_report *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a report");
	memcpy(r->step, s->uuid, sizeof(r->step));
	r->attempt = s->attempt;
	r->result.max = MIB(64);
	r->log.max = MIB(1);
	*out = r;
	return true;
}

void
step_report_free(struct step_report *r)
{
	if (r == NULL)
		return;
	buf_free(&r->result);
	buf_free(&r->log);
	free(r);
}

void
step_report_error(struct step_report *r, const char *code, bool retryable, const char *fmt, ...)
{
	va_list args;

	r->outcome = OUTCOME_ERROR;
	r->retryable = retryable;
	r->retry_after_ms = 0;
	buf_clear(&r->result);
	(void)snprintf(r->code, sizeof(r->code), "%s", code);
	va_start(args, fmt);
	(void)vsnprintf(r->message, sizeof(r->message), fmt, args);
	va_end(args);
}

void
step_report_write(const struct step_report *r, struct json_out *w)
{
	json_open(w, NULL, '{');
	json_put_text(w, "step", r->step);
	json_put_int(w, "attempt", r->attempt);
	json_put_text(w, "outcome", outcome_name(r->outcome));
	if (r->result.len > 0)
		json_put_raw(w, "result", r->result.data, r->result.len);
	if (r->outcome == OUTCOME_ERROR) {
		json_open(w, "error", '{');
		json_put_text(w, "code", r->code);
		json_put_text(w, "message", r->message);
		json_put_bool(w, "retryable", r->retryable);
		if (r->retry_after_ms > 0)
			json_put_int(w, "retry_after_ms", r->retry_after_ms);
		json_close(w, '}');
	}
	if (r->log.len > 0)
		json_put_bytes(w, "log", r->log.data, r->log.len);
	if (r->ran_us > 0)
		json_put_int(w, "execution_time_ms", r->ran_us / 1000);
	json_close(w, '}');
}

size_t
step_report_size(const struct step_report *r)
{
	return FIXED_PART + r->result.len +
	       ESCAPED_MAX * (r->log.len + strlen(r->code) + strlen(r->message));
}
