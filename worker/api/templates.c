/* The worker's own templates (tasker-rest §1.13): list, read, and whether it can run their steps.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/gate/request.h"
#include "worker/app.h"
#include "worker/routes.h"

enum { LIST_BODY = 1024 * 1024, TEMPLATE_BODY = 32 * 1024 * 1024, CHECK_BODY = 4 * 1024 * 1024 };

static bool
wanted(const struct template_entry *entry, const char *namespace_name)
{
	return namespace_name == NULL || strcmp(entry->plan->namespace_name, namespace_name) == 0;
}

static void
put_namespaces(struct json_out *w, const struct templates *t, const char *only)
{
	const char *names[TEMPLATES_MAX];
	const size_t count = templates_namespaces(t, names);

	json_open(w, "supported_namespaces", '[');
	for (size_t i = 0; i < count; i++)
		if (only == NULL || strcmp(names[i], only) == 0)
			json_put_text(w, NULL, names[i]);
	json_close(w, ']');
}

/* They are loaded at the start and stay: everything is a hit, nothing is evicted. */
static void
put_statistics(struct json_out *w, const struct templates *t, int64_t now_us)
{
	uint64_t reads = 0;
	int64_t oldest = now_us;

	for (size_t i = 0; i < templates_count(t); i++) {
		const struct template_entry *entry = templates_at(t, i);

		reads += atomic_load(&entry->reads);
		oldest = entry->loaded_us < oldest ? entry->loaded_us : oldest;
	}
	json_open(w, "cache_stats", '{');
	json_put_int(w, "total_cached", (int64_t)templates_count(t));
	json_put_int(w, "cache_hits", (int64_t)reads);
	json_put_int(w, "cache_misses", 0);
	json_put_int(w, "cache_evictions", 0);
	json_put_int(w, "oldest_entry_age_seconds", (now_us - oldest) / 1000000);
	json_put_double(w, "average_access_count",
	        templates_count(t) > 0 ? (double)reads / (double)templates_count(t) : 0);
	put_namespaces(w, t, NULL);
	json_close(w, '}');
}

static void
put_capabilities(struct json_out *w)
{
	static const char *const words[] = {
	        "command_processing", "process_handlers", "exec_handlers"};

	json_open(w, "worker_capabilities", '[');
	for (size_t i = 0; i < COUNT(words); i++)
		json_put_text(w, NULL, words[i]);
	json_close(w, ']');
}

/* An extension of ours: upstream counts templates, and does not name them. */
static size_t
put_names(struct json_out *w, const struct templates *t, const char *only)
{
	size_t count = 0;

	json_open(w, "templates", '[');
	for (size_t i = 0; i < templates_count(t); i++) {
		const struct template_entry *entry = templates_at(t, i);

		if (!wanted(entry, only))
			continue;
		json_open(w, NULL, '{');
		json_put_text(w, "namespace", entry->plan->namespace_name);
		json_put_text(w, "name", entry->plan->name);
		json_put_text(w, "version", entry->plan->version);
		json_put_text(w, "description", entry->plan->description);
		json_put_int(w, "step_count", (int64_t)entry->plan->step_count);
		json_close(w, '}');
		count++;
	}
	json_close(w, ']');
	return count;
}

void
worker_template_list(struct request *req, const struct grant *grant, void *app)
{
	static const char *const names[] = {"namespace", "include_cache_stats"};
	const struct app *own = app;
	const char *values[COUNT(names)];
	struct buf body = BUF(LIST_BODY);
	struct json_out w = json_out_on(&body);
	size_t count;

	(void)grant;
	if (!request_query(req, names, COUNT(names), values))
		return;
	if (values[1] != NULL && strcmp(values[1], "true") != 0 &&
	        strcmp(values[1], "false") != 0) {
		request_invalid(req, "/include_cache_stats", "must be true or false");
		request_problem_invalid(req, "The query is not valid");
		return;
	}
	json_open(&w, NULL, '{');
	put_namespaces(&w, own->templates, values[0]);
	count = put_names(&w, own->templates, values[0]);
	json_put_int(&w, "template_count", (int64_t)count);
	if (values[1] != NULL && strcmp(values[1], "true") == 0)
		put_statistics(&w, own->templates, loop_wall_us(request_loop(req)));
	put_capabilities(&w);
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

/* NULL: answered 404. */
static struct template_entry *
find(const struct app *app, struct request *req)
{
	struct template_entry *entry = templates_find(
	        app->templates, request_hole(req, 0), request_hole(req, 1), request_hole(req, 2));

	if (entry == NULL)
		request_problem(req, 404, "TEMPLATE_NOT_FOUND",
		        "This worker has no template of that namespace, name and version");
	else
		atomic_fetch_add(&entry->reads, 1);
	return entry;
}

static void
put_template(struct json_out *w, const struct template_entry *entry, int64_t now_us)
{
	AUTO(buf) struct buf plan = BUF(TEMPLATE_JSON_MAX);

	template_to_json(entry->plan, &plan);
	w->buf->failed = w->buf->failed || !buf_ok(&plan);
	json_open(w, "template", '{');
	json_put_raw(w, "template", plan.data, plan.len);
	json_put_text(w, "environment", "production");
	json_put_time(w, "resolved_at", now_us);
	json_close(w, '}');
}

static void
put_metadata(struct json_out *w, const struct template_entry *entry)
{
	json_open(w, "handler_metadata", '{');
	json_put_text(w, "namespace", entry->plan->namespace_name);
	json_put_text(w, "name", entry->plan->name);
	json_put_text(w, "version", entry->plan->version);
	json_put_text(w, "handler_class", entry->plan->steps[0].callable);
	json_put_time(w, "registered_at", entry->loaded_us);
	json_close(w, '}');
}

void
worker_template_read(struct request *req, const struct grant *grant, void *app)
{
	const int64_t now_us = loop_wall_us(request_loop(req));
	const struct template_entry *entry = find(app, req);
	struct buf body = BUF(TEMPLATE_BODY);
	struct json_out w = json_out_on(&body);

	(void)grant;
	if (entry == NULL)
		return;
	json_open(&w, NULL, '{');
	put_template(&w, entry, now_us);
	put_metadata(&w, entry);
	json_put_bool(&w, "cached", true);
	json_put_int(&w, "cache_age_seconds", (now_us - entry->loaded_us) / 1000000);
	json_put_int(&w, "access_count", (int64_t)atomic_load(&entry->reads));
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

/* Is it in the array of callables, as itself or by a pattern? */
static bool
is_offered(const struct json *offers, const char *callable)
{
	for (const struct json_node *n = json_first(offers, json_root(offers)); n != NULL;
	        n = json_next(offers, n)) {
		char *offer = json_string_copy(offers, n, STEP_NAME_MAX);
		const bool matches = offer != NULL && callable_matches(offer, callable);

		free(offer);
		if (matches)
			return true;
	}
	return false;
}

/* Upstream derives what a step needs from the text of its callable. */
static void
put_requirements(struct json_out *w, const struct template *plan)
{
	static const struct {
		const char *word, *capability;
	} table[] = {
	        {"FFI",      "ffi"            },
                {"External", "external_api"   },
                {"Database", "database_access"}
        };

	json_open(w, "required_capabilities", '[');
	for (size_t i = 0; i < COUNT(table); i++) {
		for (size_t s = 0; s < plan->step_count; s++) {
			if (strstr(plan->steps[s].callable, table[i].word) != NULL) {
				json_put_text(w, NULL, table[i].capability);
				break;
			}
		}
	}
	json_close(w, ']');
}

static bool
put_errors(struct json_out *w, const struct template *plan, const struct json *offers)
{
	bool valid = true;

	json_open(w, "errors", '[');
	for (size_t s = 0; s < plan->step_count; s++) {
		AUTO(buf) struct buf text = BUF(KIB(4));

		if (is_offered(offers, plan->steps[s].callable))
			continue;
		valid = false;
		buf_format(&text, "step %s: no handler of this worker takes %s",
		        plan->steps[s].name, plan->steps[s].callable);
		json_put_bytes(w, NULL, text.data, text.len);
	}
	json_close(w, ']');
	return valid;
}

void
worker_template_check(struct request *req, const struct grant *grant, void *app)
{
	static const struct json_limits limits = {.bytes = MIB(1), .nodes = 100000, .depth = 2};
	const struct app *own = app;
	const struct template_entry *entry = find(own, req);
	AUTO(buf) struct buf text = BUF(MIB(1));
	AUTO(json) struct json *offers = NULL;
	struct buf body = BUF(CHECK_BODY);
	struct json_out w = json_out_on(&body);
	struct err e = {0};

	(void)grant;
	if (entry == NULL)
		return;
	runner_callables(own->runner, &text);
	if (!buf_ok(&text) || !json_parse(text.data, text.len, &limits, &offers, &e)) {
		request_problem(req, 503, "SERVICE_UNAVAILABLE", "Out of memory; try again");
		return;
	}
	json_open(&w, NULL, '{');
	json_put_bool(&w, "valid", put_errors(&w, entry->plan, offers));
	put_requirements(&w, entry->plan);
	json_open(&w, "step_handlers", '[');
	for (size_t s = 0; s < entry->plan->step_count; s++)
		json_put_text(&w, NULL, entry->plan->steps[s].callable);
	json_close(&w, ']');
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}
