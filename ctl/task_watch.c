#include "ctl/task_watch.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/problem.h"
#include "ctl/show.h"
#include "ctl/task_view.h"

enum { STATES_MAX = 1000, ROWS_USUAL = 24 };

/* One step's state as it was shown last. Steps keep their order in the answers. */
struct seen {
	char state[40];
};

struct watch {
	struct ctl *ctl;
	const char *id; /* the task's */
	struct buf path;
	bool quiet, live;          /* live: redraw a tree in place */
	int64_t began_us, ends_us; /* ends_us 0: never */
	size_t lines;              /* of the tree on the screen */
	struct seen task, *steps;  /* STATES_MAX */
	int lost;                  /* looks in a row without an answer */
	bool found;                /* the task has been seen */
};

static void
watch_end(struct watch *w)
{
	buf_free(&w->path);
	free(w->steps);
}

/* Notes a state; true if it is another than before. */
static bool
changed(struct seen *seen, const struct json *doc, const struct json_node *state)
{
	char *now = json_string_copy(doc, state, sizeof(seen->state) - 1);
	bool differs = now != NULL && strcmp(now, seen->state) != 0;

	if (differs)
		(void)snprintf(seen->state, sizeof(seen->state), "%s", now);
	free(now);
	return differs;
}

/* "   0.25 s  step left  in_progress" */
static void
say_change(struct watch *w, const char *kind, const struct json *doc, const struct json_node *name,
        const struct json_node *state)
{
	AUTO(buf) struct buf line = BUF(8 * (size_t)SHOW_TEXT_MAX);
	double seconds = (double)(w->ctl->world->mono_us() - w->began_us) / 1e6;

	buf_format(&line, "%8.2f s  %s ", seconds, kind);
	show_json(&line, doc, name);
	buf_text(&line, "  ");
	show_json(&line, doc, state);
	if (buf_ok(&line))
		(void)fprintf(w->ctl->world->out, "%.*s\n", (int)line.len, line.data);
}

static void
show_lines(struct watch *w, const struct json *doc)
{
	const struct json_node *root = json_root(doc);
	const struct json_node *s = json_first(doc, json_member(doc, root, "steps"));

	for (size_t i = 0; s != NULL && i < STATES_MAX; s = json_next(doc, s), i++)
		if (changed(&w->steps[i], doc, json_member(doc, s, "current_state")))
			say_change(w, "step", doc, json_member(doc, s, "name"),
			        json_member(doc, s, "current_state"));
	if (changed(&w->task, doc, json_member(doc, root, "status")))
		say_change(w, "task", doc, json_member(doc, root, "name"),
		        json_member(doc, root, "status"));
	(void)fflush(w->ctl->world->out);
}

/* Over the last one: the cursor goes up to its first line, and everything below is cleared. */
static bool
show_tree(struct watch *w, const struct json *doc, struct err *e)
{
	AUTO(table) struct table *t = task_view_tree(ctl_look(w->ctl), doc);
	FILE *out = w->ctl->world->out;
	bool ok;

	if (w->lines > 0)
		(void)fprintf(out, "\033[%zuA\033[J", w->lines);
	ok = table_print(t, out, &w->lines, e);
	/* What has left the top of the screen cannot be redrawn. */
	w->live = w->lines < (w->ctl->world->rows > 0 ? w->ctl->world->rows : ROWS_USUAL);
	(void)fflush(out);
	return ok;
}

/* An answer, a moment without one, or the end of patience. OK: look again or judge the answer. */
static enum exit_status
look(struct watch *w, struct api_answer *answer)
{
	const struct api_request request = {
	        .endpoint = ENDPOINT_ORCHESTRATION,
	        .method = "GET",
	        .path = &w->path,
	        .timeout_ms = API_TIMEOUT_MS,
	};
	enum exit_status status = api_send(w->ctl, &request, answer);

	if (status == EXIT_STATUS_OK && answer->status < 300) {
		status = api_judge(w->ctl, &request, answer);
		w->lost = 0;
		w->found = w->found || status == EXIT_STATUS_OK;
		return status;
	}
	if (status == EXIT_STATUS_OK)
		status = problem_exit_status(answer->status);
	if (status == EXIT_STATUS_UNREACHABLE && w->found && ++w->lost < WATCH_LOST_MAX)
		return EXIT_STATUS_OK;
	return api_judge(w->ctl, &request, answer);
}

static enum exit_status
show(struct watch *w, const struct api_answer *answer)
{
	struct err e = {0};

	if (w->ctl->json || w->quiet)
		return EXIT_STATUS_OK;
	if (!w->live)
		show_lines(w, answer->doc);
	else if (!show_tree(w, answer->doc, &e))
		return ctl_fail(w->ctl, EXIT_STATUS_NO, "%s", e.text);
	return EXIT_STATUS_OK;
}

static enum exit_status
finish(struct watch *w, const struct api_answer *answer)
{
	enum exit_status printed = EXIT_STATUS_OK;

	if (w->ctl->json || w->quiet)
		printed = task_view_print(w->ctl, answer);
	if (printed != EXIT_STATUS_OK)
		return printed;
	if (task_view_ending(answer->doc) == TASK_WENT_WELL)
		return EXIT_STATUS_OK;
	ctl_hint(w->ctl, "`tasker-ctl task steps %s` says what came of each step", w->id);
	return EXIT_STATUS_NO;
}

static enum exit_status
follow(struct watch *w)
{
	AUTO(api_answer) struct api_answer answer = {0};
	int pause_ms = WATCH_FIRST_MS;

	for (;;) {
		enum exit_status status = look(w, &answer);

		if (status == EXIT_STATUS_OK && answer.doc != NULL && answer.status < 300) {
			status = show(w, &answer);
			if (status == EXIT_STATUS_OK &&
			        task_view_ending(answer.doc) != TASK_GOES_ON)
				return finish(w, &answer);
		}
		if (status != EXIT_STATUS_OK)
			return status;
		if (w->ends_us != 0 && w->ctl->world->mono_us() >= w->ends_us)
			return ctl_fail(w->ctl, EXIT_STATUS_TIMEOUT,
			        "the task has not ended within %d s", w->ctl->timeout_ms / 1000);
		w->ctl->world->pause(pause_ms);
		pause_ms += pause_ms / 2;
		if (pause_ms > WATCH_LATER_MS)
			pause_ms = WATCH_LATER_MS;
	}
}

enum exit_status
task_watch(struct ctl *ctl, const char *task, bool quiet)
{
	struct watch w = {.ctl = ctl,
	        .id = task,
	        .quiet = quiet,
	        .live = ctl_look(ctl).colours, /* a terminal that understands more than text */
	        .path = BUF(256),
	        .began_us = ctl->world->mono_us(),
	        .steps = calloc(STATES_MAX, sizeof(struct seen))};
	enum exit_status status;

	if (w.steps == NULL)
		return ctl_fail(ctl, EXIT_STATUS_NO, "out of memory");
	if (ctl->timeout_ms > 0)
		w.ends_us = w.began_us + (int64_t)ctl->timeout_ms * 1000;
	api_path(&w.path, "/v1/tasks");
	api_segment(&w.path, task);
	status = follow(&w);
	watch_end(&w);
	return status;
}
