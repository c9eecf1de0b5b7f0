#include "worker/worker_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/uuid.h"
#include "worker/templates.h"

/* What the orchestration takes as the body of a registration or poll, unless it is told otherwise.
 */
static const size_t poll_body = MIB(4);

static size_t
words_needed(const struct config *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->handler_count; i++)
		n += c->handlers[i].command.count + c->handlers[i].env.count + 2;
	return n + 1;
}

/* Copies a list and ends it with NULL; returns the place after it. */
static const char **
terminated(const char **at, const struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		*at++ = list->items[i];
	*at++ = NULL;
	return at;
}

static bool
handlers(const struct config *c, struct worker_settings *s, struct err *e)
{
	const char **at;

	s->handlers = calloc(c->handler_count + 1, sizeof(*s->handlers));
	s->words = calloc(words_needed(c), sizeof(*s->words));
	if (s->handlers == NULL || s->words == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the handlers' settings");
	at = s->words;
	for (size_t i = 0; i < c->handler_count; i++) {
		const struct config_handler *h = &c->handlers[i];

		s->handlers[i] = (struct handler_settings){.name = h->name,
		        .kind = strcmp(h->kind, "exec") == 0 ? HANDLER_EXEC : HANDLER_PROCESS,
		        .callables = h->callables.items,
		        .callable_count = h->callables.count,
		        .processes = (size_t)h->processes,
		        .slots = (size_t)h->slots,
		        .timeout_us = h->timeout_s * 1000000,
		        .grace_us = h->grace_s * 1000000,
		        .start_timeout_us = h->start_timeout_s * 1000000,
		        .heartbeat_us = h->heartbeat_s * 1000000,
		        .cwd = h->cwd[0] != '\0' ? h->cwd : NULL};
		s->handlers[i].command = at;
		at = terminated(at, &h->command);
		s->handlers[i].env = at;
		at = terminated(at, &h->env);
	}
	return true;
}

/* tasker-exec stands beside the worker's own program. */
static bool
find_shim(const struct config *c, struct worker_settings *s, struct err *e)
{
	char self[2048];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (c->worker_exec_shim_path[0] != '\0') {
		(void)snprintf(s->shim, sizeof(s->shim), "%s", c->worker_exec_shim_path);
	} else if (n > 0) {
		self[n] = '\0';
		(void)snprintf(s->shim, sizeof(s->shim), "%.*s/tasker-exec",
		        (int)(strrchr(self, '/') - self), self);
	}
	if (c->handler_count > 0 && access(s->shim, X_OK) != 0)
		return err_set(e, ERR_MISSING,
		        "worker.exec_shim_path: %s is no program; it starts the handlers", s->shim);
	return true;
}

static const char *
scratch(void)
{
	static const char *const names[] = {"RUNTIME_DIRECTORY", "TMPDIR"};

	for (size_t i = 0; i < COUNT(names); i++) {
		const char *folder = getenv(names[i]);

		if (folder != NULL && folder[0] == '/' && strchr(folder, ':') == NULL)
			return folder;
	}
	return "/tmp";
}

/* Without namespaces and without a credential that names some: those of the templates. */
static bool
namespaces(
        const struct config *c, const struct templates *t, struct worker_settings *s, struct err *e)
{
	if (c->worker_namespaces.count > 0 || c->link_token_path[0] != '\0') {
		s->link.namespaces = c->worker_namespaces.items;
		s->link.namespace_count = c->worker_namespaces.count;
		return true;
	}
	s->namespaces = calloc(templates_count(t) + 1, sizeof(*s->namespaces));
	if (s->namespaces == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the worker's namespaces");
	s->link.namespace_count = templates_namespaces(t, s->namespaces);
	if (s->link.namespace_count == 0)
		s->namespaces[s->link.namespace_count++] = "default";
	s->link.namespaces = s->namespaces;
	return true;
}

static void
identify(const struct config *c, struct worker_settings *s)
{
	const struct uuid boot = uuid_v4();

	uuid_text(&boot, s->boot);
	if (c->worker_id[0] != '\0')
		(void)snprintf(s->worker, sizeof(s->worker), "%s", c->worker_id);
	else if (gethostname(s->worker, sizeof(s->worker) - 1) != 0 || s->worker[0] == '\0')
		(void)snprintf(s->worker, sizeof(s->worker), "worker");
}

static bool
make_link(
        const struct config *c, const struct templates *t, struct worker_settings *s, struct err *e)
{
	s->link = link_settings_default;
	s->link.url = c->link_url;
	s->link.token_path = c->link_token_path;
	s->link.ca_path = c->link_ca_path[0] != '\0' ? c->link_ca_path : NULL;
	s->link.worker = s->worker;
	s->link.boot = s->boot;
	s->link.slots = (size_t)c->worker_slots;
	s->link.poll_bytes = poll_body;
	s->templates = BUF(poll_body / 8 * 7);
	templates_write(t, &s->templates);
	if (s->templates.starved)
		return err_set(e, ERR_NOMEM, "out of memory for the templates");
	if (!buf_ok(&s->templates))
		return err_set(e, ERR_LIMIT,
		        "templates.paths: together they are more than %zu bytes, too many for one "
		        "registration",
		        s->templates.max);
	s->link.templates = s->templates.data;
	s->link.templates_len = s->templates.len;
	return namespaces(c, t, s, e);
}

bool
worker_settings_make(const struct config *config, const struct templates *templates,
        struct worker_settings *out, struct err *e)
{
	struct runner_settings *r = &out->runner;

	*out = (struct worker_settings){.runner = runner_settings_default};
	identify(config, out);
	if (!find_shim(config, out, e) || !handlers(config, out, e) ||
	        !make_link(config, templates, out, e)) {
		worker_settings_clear(out);
		return false;
	}
	r->shim = out->shim;
	r->worker = out->worker;
	r->boot = out->boot;
	r->scratch = scratch();
	r->frame_bytes = (size_t)config->limits_frame_bytes;
	r->result_bytes = (size_t)config->limits_step_result_bytes;
	r->json_depth = (unsigned)config->limits_json_depth;
	r->json_nodes = (size_t)config->limits_json_nodes;
	r->handlers = out->handlers;
	r->handler_count = config->handler_count;
	return true;
}

void
worker_settings_clear(struct worker_settings *s)
{
	free(s->handlers);
	free(s->words);
	free(s->namespaces);
	buf_free(&s->templates);
	s->handlers = NULL;
	s->words = s->namespaces = NULL;
}
