#include "worker/handout.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/log.h"

struct handout {
	struct desk *desk;
	const struct link_runner *runner;
	bool late;
};

static void
acknowledge(const struct handout *h, const struct link_answer *a)
{
	char step[UUID_TEXT];
	int64_t attempt;
	uint64_t accepted = 0, stale = 0;

	for (const struct json_node *n = a->results != NULL ? json_first(a->doc, a->results) : NULL;
	        n != NULL; n = json_next(a->doc, n)) {
		if (!json_string_is(a->doc, json_member(a->doc, n, "status"), "stale")) {
			accepted++;
			continue;
		}
		stale++;
		if (link_item_read(a, n, step, &attempt))
			LOG(WARN, "link.stale_result", TEXT_F("step", step),
			        INT_F("attempt", attempt));
	}
	desk_acknowledge(h->desk, accepted, stale);
}

/* Holds a step only to report it; without memory for that it is not held. */
static bool
hold_to_report(const struct handout *h, const struct step *s, OWNED struct step_report **out)
{
	struct err e = {0};

	if (!desk_hold(h->desk, s->uuid, s->attempt))
		return false;
	if (step_report_new(s, out, &e))
		return true;
	desk_let_go(h->desk, s->uuid, s->attempt);
	return false;
}

/* A step that makes no sense to us must not come back at once, so it is answered. */
static void
refuse_step(const struct handout *h, const struct link_answer *a, const struct json_node *item,
        const char *why)
{
	struct step s = {0};
	char *uuid =
	        json_string_copy(a->doc, json_member(a->doc, item, "step_uuid"), UUID_TEXT - 1);
	struct step_report *report;

	LOG(ERROR, "link.bad_step", TEXT_F("why", why));
	if (uuid != NULL && json_int64(a->doc, json_member(a->doc, item, "attempt"), &s.attempt)) {
		memcpy(s.uuid, uuid, strlen(uuid) + 1);
		if (hold_to_report(h, &s, &report)) {
			step_report_error(report, "INVALID_STEP", false, "%s", why);
			desk_report(h->desk, report);
		}
	}
	free(uuid);
}

/* The worker is going, or would have to stop it at once: nobody here starts it. */
static void
give_back(const struct handout *h, const struct step *s)
{
	struct step_report *report;

	if (!hold_to_report(h, s, &report))
		return;
	report->outcome = OUTCOME_RELEASED;
	desk_report(h->desk, report);
}

/* What is not held in the end the orchestration finds unlisted, and takes back unburnt. */
static void
take_step(const struct handout *h, const struct link_answer *a, const struct json_node *item)
{
	AUTO(step) struct step *s = NULL;
	char uuid[UUID_TEXT];
	int64_t attempt;
	struct err e = {0};

	if (!step_parse(a->doc, item, &s, &e)) {
		if (e.code != ERR_NOMEM)
			refuse_step(h, a, item, e.text);
		return;
	}
	if (h->late || (desk_look(h->desk) & DESK_ENDING) != 0) {
		give_back(h, s);
		return;
	}
	memcpy(uuid, s->uuid, sizeof(uuid));
	attempt = s->attempt;
	if (!desk_hold(h->desk, uuid, attempt))
		return;
	if (h->runner->offer(s, h->runner->arg, &e)) {
		s = NULL; /* taken */
		return;
	}
	LOG(ERROR, "link.step_not_taken", TEXT_F("step", uuid), TEXT_F("why", e.text));
	desk_let_go(h->desk, uuid, attempt);
}

static void
stop_steps(const struct handout *h, const struct link_answer *a, const struct json_node *list,
        enum stop why)
{
	char step[UUID_TEXT];
	int64_t attempt;

	for (const struct json_node *n = list != NULL ? json_first(a->doc, list) : NULL; n != NULL;
	        n = json_next(a->doc, n))
		if (link_item_read(a, n, step, &attempt) &&
		        !h->runner->stop(step, attempt, why, h->runner->arg))
			LOG(ERROR, "link.step_not_stopped", TEXT_F("step", step));
}

void
handout_apply(
        const struct link_answer *a, struct desk *desk, const struct link_runner *runner, bool late)
{
	const struct handout h = {.desk = desk, .runner = runner, .late = late};

	acknowledge(&h, a);
	stop_steps(&h, a, a->cancel, STOP_CANCELLED);
	stop_steps(&h, a, a->lost, STOP_LOST);
	for (const struct json_node *n = a->steps != NULL ? json_first(a->doc, a->steps) : NULL;
	        n != NULL; n = json_next(a->doc, n))
		take_step(&h, a, n);
}
