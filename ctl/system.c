/* system health, info: both daemons in one answer. */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "ctl/api.h"
#include "ctl/credential.h"
#include "ctl/health_view.h"
#include "shared/base/json_out.h"

/* {"orchestration":{...},"worker":null} */
static void
put_answer(struct json_out *w, enum endpoint endpoint, const struct api_answer *answer)
{
	AUTO(buf) struct buf body = BUF(MIB(4));

	if (answer->doc != NULL && answer->status >= 200 && answer->status < 300)
		json_compact(answer->doc, json_root(answer->doc), &body);
	json_put_raw(w, endpoint_name(endpoint), body.data, buf_ok(&body) ? body.len : 0);
}

static enum exit_status
print_line(struct ctl *ctl, struct buf *text)
{
	buf_char(text, '\n');
	if (!buf_ok(text))
		return ctl_fail(ctl, EXIT_STATUS_NO, "out of memory");
	(void)fwrite(text->data, 1, text->len, ctl->world->out);
	return EXIT_STATUS_OK;
}

enum exit_status
run_system_health(struct ctl *ctl)
{
	bool only_orchestration = args_given(&ctl->args, "orchestration");
	bool only_worker = args_given(&ctl->args, "workers");
	AUTO(buf) struct buf text = BUF(MIB(16));
	struct json_out w = json_out_on(&text);
	struct table *tree = health_view_tree(ctl_look(ctl));
	enum exit_status worst = EXIT_STATUS_OK, printed;

	json_open(&w, NULL, '{');
	for (int i = 0; i < ENDPOINTS; i++) {
		AUTO(api_answer) struct api_answer answer = {0};
		bool other = i == ENDPOINT_WORKER ? only_orchestration : only_worker;
		enum exit_status status;

		if (other && !(only_orchestration && only_worker))
			continue;
		status = health_view_ask(ctl, (enum endpoint)i, &answer);
		health_view_add(tree, (enum endpoint)i, &answer);
		put_answer(&w, (enum endpoint)i, &answer);
		if (status > worst)
			worst = status;
	}
	json_close(&w, '}');
	if (ctl->json) {
		table_free(tree);
		printed = print_line(ctl, &text);
	} else {
		printed = ctl_print(ctl, tree);
	}
	return printed == EXIT_STATUS_OK ? worst : printed;
}

/* What a daemon says about itself; "" in version while it cannot be reached. */
struct daemon_info {
	char url[ENDPOINT_URL_MAX];
	char version[64];
	const char *credential;
};

/* The daemons' bodies differ in the name of the member. */
static void
read_version(const struct json *doc, char version[64])
{
	static const char *const names[] = {"info", "system_info"};

	for (size_t i = 0; i < COUNT(names); i++) {
		char *text = json_string_copy(doc,
		        json_member(doc, json_member(doc, json_root(doc), names[i]), "version"),
		        63);

		if (text != NULL)
			(void)snprintf(version, 64, "%s", text);
		free(text);
	}
}

static bool
ask_info(struct ctl *ctl, enum endpoint endpoint, struct daemon_info *out, struct err *e)
{
	AUTO(buf) struct buf path = BUF(64);
	AUTO(api_answer) struct api_answer answer = {0};
	const struct api_request request = {.endpoint = endpoint, .method = "GET", .path = &path};

	*out = (struct daemon_info){.credential = credential_source(endpoint, ctl->world->env)};
	api_path(&path, "/health/detailed");
	if (api_send(ctl, &request, &answer) == EXIT_STATUS_USAGE) {
		*e = answer.fault;
		return false;
	}
	(void)snprintf(out->url, sizeof(out->url), "%s", ctl->base_urls[endpoint]);
	if (answer.doc != NULL)
		read_version(answer.doc, out->version);
	return true;
}

static enum exit_status
print_info(struct ctl *ctl, const struct daemon_info daemons[ENDPOINTS])
{
	static const struct table_column columns[] = {
	        {"PROGRAM",    0          },
                {"VERSION",    TABLE_STATE},
                {"ADDRESS",    0          },
                {"CREDENTIAL", 0          }
        };
	struct table *t = table_new(columns, COUNT(columns), ctl_look(ctl));
	struct table_line *line = table_add(t, NULL);
	struct utsname host;

	table_text(t, line, "tasker-ctl");
	table_text(t, line, TASKER_VERSION);
	table_text(t, line, uname(&host) == 0 ? host.machine : NULL);
	table_text(t, line, NULL);
	for (int i = 0; i < ENDPOINTS; i++) {
		line = table_add(t, NULL);
		table_text(t, line, endpoint_program((enum endpoint)i));
		table_text(t, line,
		        daemons[i].version[0] != '\0' ? daemons[i].version : "unreachable");
		table_text(t, line, daemons[i].url);
		table_text(t, line, daemons[i].credential);
	}
	return ctl_print(ctl, t);
}

static enum exit_status
print_info_json(struct ctl *ctl, const struct daemon_info daemons[ENDPOINTS])
{
	AUTO(buf) struct buf text = BUF(KIB(16));
	struct json_out w = json_out_on(&text);

	json_open(&w, NULL, '{');
	json_put_text(&w, "version", TASKER_VERSION);
	for (int i = 0; i < ENDPOINTS; i++) {
		json_open(&w, endpoint_name((enum endpoint)i), '{');
		json_put_text(&w, "url", daemons[i].url);
		json_put_text(
		        &w, "version", daemons[i].version[0] != '\0' ? daemons[i].version : NULL);
		json_put_text(&w, "credential", daemons[i].credential);
		json_close(&w, '}');
	}
	json_close(&w, '}');
	return print_line(ctl, &text);
}

enum exit_status
run_system_info(struct ctl *ctl)
{
	struct daemon_info daemons[ENDPOINTS];
	struct err e = {0};

	for (int i = 0; i < ENDPOINTS; i++)
		if (!ask_info(ctl, (enum endpoint)i, &daemons[i], &e))
			return ctl_fail(ctl, EXIT_STATUS_USAGE, "%s", e.text);
	return ctl->json ? print_info_json(ctl, daemons) : print_info(ctl, daemons);
}
