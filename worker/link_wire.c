#include "worker/link_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An answer to us; its size is limited where it is received. */
static const struct json_limits limits = {
        .bytes = MIB(256), .nodes = 16 * 1000 * 1000, .depth = JSON_DEPTH};

/* An answer that says no. */
static const struct json_limits refusal_limits = {.bytes = KIB(64), .nodes = 1000, .depth = 16};

enum { LEASE_LEAST_MS = 100, LEASE_MOST_MS = 3600 * 1000 };

void
link_refusal_read(const char *text, size_t len, char *out, size_t size)
{
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};
	char *detail = NULL;

	if (json_parse(text, len, &refusal_limits, &doc, &e))
		detail =
		        json_string_copy(doc, json_member(doc, json_root(doc), "detail"), size - 1);
	if (detail != NULL)
		(void)snprintf(out, size, "%s", detail);
	else
		(void)snprintf(out, size, "%.*s", len < size ? (int)len : (int)size - 1, text);
	free(detail);
}

void
link_registration_write(const struct link_registration *r, struct buf *out)
{
	struct json_out w = json_out_on(out);

	json_open(&w, NULL, '{');
	json_put_int(&w, "proto", LINK_PROTOCOL);
	json_put_text(&w, "worker", r->worker);
	json_put_text(&w, "boot", r->boot);
	json_put_int(&w, "slots", (int64_t)r->slots);
	json_open(&w, "namespaces", '[');
	for (size_t i = 0; i < r->namespace_count; i++)
		json_put_text(&w, NULL, r->namespaces[i]);
	json_close(&w, ']');
	json_put_raw(&w, "handlers", r->callables, r->callables_len);
	json_put_raw(&w, "templates", r->templates, r->templates_len);
	json_close(&w, '}');
}

static void
read_templates(const struct json *doc, link_refused_fn refused, void *arg)
{
	const struct json_node *list = json_member(doc, json_root(doc), "templates");

	if (list == NULL || json_kind(list) != JSON_ARRAY)
		return;
	for (const struct json_node *n = json_first(doc, list); n != NULL; n = json_next(doc, n)) {
		const struct json_node *ok = json_member(doc, n, "ok");
		char *name, *why;

		if (ok != NULL && json_kind(ok) == JSON_TRUE)
			continue;
		name = json_string_copy(doc, json_member(doc, n, "name"), STEP_NAME_MAX);
		why = json_string_copy(doc, json_member(doc, n, "error"), REPORT_MESSAGE_MAX);
		refused(name != NULL ? name : "", why != NULL ? why : "", arg);
		free(name);
		free(why);
	}
}

static bool
read_ms(const struct json *doc, const char *name, int64_t *us)
{
	int64_t ms;

	if (!json_int64(doc, json_member(doc, json_root(doc), name), &ms) || ms < LEASE_LEAST_MS ||
	        ms > LEASE_MOST_MS)
		return false;
	*us = ms * 1000;
	return true;
}

bool
link_session_read(const char *text, size_t len, link_refused_fn refused, void *arg,
        struct link_session *out, struct err *e)
{
	AUTO(json) struct json *doc = NULL;
	struct link_session s = {0};
	char *secret;

	if (!json_parse(text, len, &limits, &doc, e))
		return false;
	secret =
	        json_string_copy(doc, json_member(doc, json_root(doc), "session"), LINK_SECRET_MAX);
	if (secret == NULL || secret[0] == '\0' || strpbrk(secret, " \t\r\n") != NULL ||
	        !read_ms(doc, "lease_ms", &s.lease_us) || !read_ms(doc, "beat_ms", &s.beat_us)) {
		free(secret);
		return err_set(e, ERR_FORMAT, "the answer holds no session, lease_ms and beat_ms");
	}
	memcpy(s.secret, secret, strlen(secret) + 1);
	free(secret);
	read_templates(doc, refused, arg);
	*out = s;
	return true;
}

static void
put_ref(struct json_out *w, const struct held *h)
{
	json_open(w, NULL, '{');
	json_put_text(w, "step", h->step);
	json_put_int(w, "attempt", h->attempt);
	json_close(w, '}');
}

/* Which finished entries go into this poll. */
static size_t
choose(const struct link_poll *p, struct held *table, size_t count)
{
	size_t chosen = 0, bytes = 0;

	for (size_t i = 0; i < count; i++) {
		table[i].sending = false;
		if (table[i].report == NULL || chosen == p->results_max)
			continue;
		bytes += step_report_size(table[i].report);
		if (chosen > 0 && bytes > p->bytes_max)
			continue;
		table[i].sending = true;
		chosen++;
	}
	return chosen;
}

size_t
link_poll_write(const struct link_poll *p, struct held *table, size_t count, struct buf *out)
{
	const size_t chosen = choose(p, table, count), busy = count - chosen;
	size_t room = busy < p->slots && !p->draining ? p->slots - busy : 0;
	struct json_out w = json_out_on(out);

	if (room > p->steps_max)
		room = p->steps_max;
	json_open(&w, NULL, '{');
	json_put_text(&w, "id", p->id);
	json_put_int(&w, "free", (int64_t)room);
	json_open(&w, "held", '[');
	for (size_t i = 0; i < count; i++)
		if (!table[i].sending)
			put_ref(&w, &table[i]);
	json_close(&w, ']');
	json_put_int(&w, "wait_ms", p->wait_ms);
	json_open(&w, "results", '[');
	for (size_t i = 0; i < count; i++)
		if (table[i].sending)
			step_report_write(table[i].report, &w);
	json_close(&w, ']');
	json_close(&w, '}');
	return chosen;
}

/* A member that is an array; absent counts as an empty one: NULL. */
static bool
array(const struct json *doc, const char *name, const struct json_node **out)
{
	*out = json_member(doc, json_root(doc), name);
	return *out == NULL || json_kind(*out) == JSON_ARRAY;
}

bool
link_answer_read(
        const char *text, size_t len, const char *id, struct link_answer *out, struct err *e)
{
	struct link_answer a = {0};

	if (!json_parse(text, len, &limits, &a.doc, e))
		return false;
	if (!json_string_is(a.doc, json_member(a.doc, json_root(a.doc), "id"), id) ||
	        !array(a.doc, "results", &a.results) || !array(a.doc, "steps", &a.steps) ||
	        !array(a.doc, "cancel", &a.cancel) || !array(a.doc, "lost", &a.lost)) {
		json_free(a.doc);
		return err_set(e, ERR_FORMAT, "the answer is not one to this poll");
	}
	*out = a;
	return true;
}

void
link_answer_free(struct link_answer *a)
{
	json_free(a->doc);
	*a = (struct link_answer){0};
}

bool
link_item_read(const struct link_answer *a, const struct json_node *item, char step[UUID_TEXT],
        int64_t *attempt)
{
	char *text = json_string_copy(a->doc, json_member(a->doc, item, "step"), UUID_TEXT - 1);

	if (text == NULL || !json_int64(a->doc, json_member(a->doc, item, "attempt"), attempt)) {
		free(text);
		return false;
	}
	memcpy(step, text, strlen(text) + 1);
	free(text);
	return true;
}
