/* template list, info, validate. */
#include <stdlib.h>
#include <string.h>

#include "ctl/api.h"
#include "ctl/files.h"
#include "shared/base/json_out.h"
#include "shared/template/template.h"

enum { PATH_BYTES = 2048 };

static enum exit_status
print_list(struct ctl *ctl, const struct json *doc)
{
	static const struct table_column columns[] = {
	        {"NAMESPACE",   0          },
                {"NAME",        0          },
                {"VERSION",     0          },
                {"STEPS",       TABLE_RIGHT},
	        {"DESCRIPTION", TABLE_CUT  }
        };
	static const char *const names[] = {
	        "namespace", "name", "version", "step_count", "description"};
	struct table *t = table_new(columns, COUNT(columns), ctl_look(ctl));
	const struct json_node *n = json_first(doc, json_member(doc, json_root(doc), "templates"));

	if (n == NULL)
		ctl_note(ctl, "no templates are registered; workers bring theirs when they start");
	for (; n != NULL; n = json_next(doc, n)) {
		struct table_line *line = table_add(t, NULL);

		for (size_t i = 0; i < COUNT(names); i++)
			table_json(t, line, doc, json_member(doc, n, names[i]));
	}
	return ctl_print(ctl, t);
}

enum exit_status
run_template_list(struct ctl *ctl)
{
	AUTO(buf) struct buf path = BUF(PATH_BYTES);
	AUTO(api_answer) struct api_answer answer = {0};
	enum exit_status status;

	api_path(&path, "/v1/templates");
	if (args_given(&ctl->args, "namespace"))
		api_query(&path, "namespace", args_text(&ctl->args, "namespace"));
	status = api_call(ctl, ENDPOINT_ORCHESTRATION, "GET", &path, &answer);
	if (status != EXIT_STATUS_OK)
		return status;
	return ctl->json ? api_print(ctl, &answer) : print_list(ctl, answer.doc);
}

/* ---- info ---- */

static enum exit_status
print_info(struct ctl *ctl, const struct json *doc)
{
	static const struct table_column columns[] = {
	        {"STEP",         0          },
                {"HANDLER",      TABLE_CUT  },
                {"AFTER",        TABLE_CUT  },
                {"RETRIES",      0          },
	        {"MAX ATTEMPTS", TABLE_RIGHT}
        };
	static const char *const names[] = {
	        "name", "handler", "dependencies", "default_retryable", "default_max_attempts"};
	static const char *const labels[][2] = {
	        {"Namespace",   "namespace"  },
                {"Name",        "name"       },
                {"Version",     "version"    },
	        {"Description", "description"}
        };
	const struct json_node *root = json_root(doc);
	struct table *card = table_card(ctl_look(ctl));
	struct table *t;
	enum exit_status status;

	for (size_t i = 0; i < COUNT(labels); i++)
		table_card_json(card, labels[i][0], doc, json_member(doc, root, labels[i][1]));
	status = ctl_print(ctl, card);
	if (status != EXIT_STATUS_OK)
		return status;
	(void)fputc('\n', ctl->world->out);
	t = table_new(columns, COUNT(columns), ctl_look(ctl));
	for (const struct json_node *n = json_first(doc, json_member(doc, root, "steps"));
	        n != NULL; n = json_next(doc, n)) {
		struct table_line *line = table_add(t, NULL);

		for (size_t i = 0; i < COUNT(names); i++)
			table_json(t, line, doc, json_member(doc, n, names[i]));
	}
	return ctl_print(ctl, t);
}

/* "namespace/name/version" as three segments of the path. */
static bool
info_path(const char *operand, struct buf *path, struct err *e)
{
	char *copy = strdup(operand), *rest = copy, *word;
	int words = 0;
	bool ok = copy != NULL;

	api_path(path, "/v1/templates");
	while (ok && rest != NULL) {
		word = strsep(&rest, "/");
		ok = word[0] != '\0' && ++words <= 3;
		api_segment(path, word);
	}
	free(copy);
	return (ok && words == 3) ||
	       err_set(e, ERR_FORMAT, "a template is named NAMESPACE/NAME/VERSION, not %.100s",
	               operand);
}

enum exit_status
run_template_info(struct ctl *ctl)
{
	AUTO(buf) struct buf path = BUF(PATH_BYTES);
	AUTO(api_answer) struct api_answer answer = {0};
	struct err e = {0};
	enum exit_status status;

	if (!info_path(args_operand(&ctl->args, 0), &path, &e))
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "%s", e.text);
	status = api_call(ctl, ENDPOINT_ORCHESTRATION, "GET", &path, &answer);
	if (status != EXIT_STATUS_OK)
		return status;
	return ctl->json ? api_print(ctl, &answer) : print_info(ctl, answer.doc);
}

/* ---- validate ---- */

static void
tell_warnings(struct ctl *ctl, const char *path, const struct template_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		ctl_note(ctl, "%s: line %u, column %u: warning: %s", path, report->warnings[i].line,
		        report->warnings[i].column, report->warnings[i].text);
	if (report->more > 0)
		ctl_note(ctl, "%s: and %zu more warnings", path, report->more);
}

/* {"valid":false,"error":"line 3, ..."} */
static void
print_verdict(struct ctl *ctl, const char *error)
{
	AUTO(buf) struct buf text = BUF(KIB(4));
	struct json_out w = json_out_on(&text);

	json_open(&w, NULL, '{');
	json_put_bool(&w, "valid", error == NULL);
	json_put_text(&w, "error", error);
	json_close(&w, '}');
	if (buf_ok(&text))
		(void)fprintf(ctl->world->out, "%.*s\n", (int)text.len, text.data);
}

enum exit_status
run_template_validate(struct ctl *ctl)
{
	AUTO(buf) struct buf text = BUF(TEMPLATE_BYTES_MAX);
	AUTO(template) struct template *t = NULL;
	const char *path = args_operand(&ctl->args, 0);
	struct template_report report = {0};
	struct err e = {0};
	bool ok;

	if (!files_read(path, &text, &e))
		return ctl_fail(ctl, e.code == ERR_MISSING ? EXIT_STATUS_MISSING : EXIT_STATUS_NO,
		        "%s", e.text);
	ok = template_parse(text.data != NULL ? text.data : "", text.len, &t, &report, &e);
	tell_warnings(ctl, path, &report);
	if (ctl->json)
		print_verdict(ctl, ok ? NULL : e.text);
	if (!ok)
		return ctl_fail(ctl, EXIT_STATUS_NO, "%s: %s", path, e.text);
	if (!ctl->json)
		(void)fprintf(ctl->world->out, "%s/%s/%s is valid: %zu step%s\n", t->namespace_name,
		        t->name, t->version, t->step_count, t->step_count == 1 ? "" : "s");
	return EXIT_STATUS_OK;
}
