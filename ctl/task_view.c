#include "ctl/task_view.h"

#include <string.h>

#include "ctl/show.h"

static const struct {
	const char *status;
	enum task_ending ending;
} endings[] = {
        {"complete",            TASK_WENT_WELL },
        {"resolved_manually",   TASK_WENT_WELL },
        {"error",               TASK_WENT_WRONG},
        {"cancelled",           TASK_WENT_WRONG},
        {"blocked_by_failures", TASK_WENT_WRONG},
};

enum task_ending
task_view_ending(const struct json *doc)
{
	const struct json_node *status = json_member(doc, json_root(doc), "status");

	for (size_t i = 0; i < COUNT(endings); i++)
		if (json_string_is(doc, status, endings[i].status))
			return endings[i].ending;
	return TASK_GOES_ON;
}

static const struct json_node *
field(const struct json *doc, const char *name)
{
	return json_member(doc, json_root(doc), name);
}

static int64_t
number(const struct json *doc, const struct json_node *object, const char *name)
{
	int64_t n = 0;

	(void)json_int64(doc, json_member(doc, object, name), &n);
	return n;
}

/* "2/3" */
static void
put_share(struct table *t, struct table_line *line, const struct json *doc,
        const struct json_node *object, const char *part, const char *whole)
{
	table_format(t, line, "%lld/%lld", (long long)number(doc, object, part),
	        (long long)number(doc, object, whole));
}

static enum exit_status
print_readiness(struct ctl *ctl, const struct json *doc)
{
	static const struct table_column columns[] = {
	        {"STEP",       TABLE_CUT  },
                {"STATE",      TABLE_STATE},
                {"ATTEMPTS",   TABLE_RIGHT},
	        {"PARENTS",    TABLE_RIGHT},
                {"NEXT RETRY", 0          },
                {"STEP ID",    0          }
        };
	struct table *t = table_new(columns, COUNT(columns), ctl_look(ctl));
	const struct json_node *s = json_first(doc, field(doc, "steps"));

	for (; s != NULL; s = json_next(doc, s)) {
		struct table_line *line = table_add(t, NULL);

		table_json(t, line, doc, json_member(doc, s, "name"));
		table_json(t, line, doc, json_member(doc, s, "current_state"));
		put_share(t, line, doc, s, "attempts", "max_attempts");
		put_share(t, line, doc, s, "completed_parents", "total_parents");
		table_json(t, line, doc, json_member(doc, s, "next_retry_at"));
		table_json(t, line, doc, json_member(doc, s, "workflow_step_uuid"));
	}
	return ctl_print(ctl, t);
}

static OWNED struct table *
card(struct table_look look, const struct json *doc)
{
	static const struct {
		const char *label, *name;
	} rows[] = {
	        {"Task",        "task_uuid"            },
	        {"Name",        "name"                 },
	        {"Namespace",   "namespace"            },
	        {"Version",     "version"              },
	        {"Status",      "status"               },
	        {"Complete %",  "completion_percentage"},
	        {"Health",      "health_status"        },
	        {"Created",     "created_at"           },
	        {"Completed",   "completed_at"         },
	        {"Initiator",   "initiator"            },
	        {"Source",      "source_system"        },
	        {"Reason",      "reason"               },
	        {"Priority",    "priority"             },
	        {"Correlation", "correlation_id"       },
	        {"Context",     "context"              },
	};
	struct table *t = table_card(look);

	for (size_t i = 0; i < COUNT(rows); i++)
		table_card_json(t, rows[i].label, doc, field(doc, rows[i].name));
	return t;
}

enum exit_status
task_view_print(struct ctl *ctl, const struct api_answer *task)
{
	enum exit_status status;

	if (ctl->json)
		return api_print(ctl, task);
	status = ctl_print(ctl, card(ctl_look(ctl), task->doc));
	if (status != EXIT_STATUS_OK || json_first(task->doc, field(task->doc, "steps")) == NULL)
		return status;
	(void)fputc('\n', ctl->world->out);
	return print_readiness(ctl, task->doc);
}

OWNED struct table *
task_view_tree(struct table_look look, const struct json *doc)
{
	static const struct table_column columns[] = {
	        {"TASK",     TABLE_TREE | TABLE_CUT},
                {"STATE",    TABLE_STATE           },
                {"ATTEMPTS", TABLE_RIGHT           },
	        {"DONE",     TABLE_RIGHT           }
        };
	struct table *t = table_new(columns, COUNT(columns), look);
	struct table_line *root = table_add(t, NULL);
	const struct json_node *s = json_first(doc, field(doc, "steps"));

	table_json(t, root, doc, field(doc, "name"));
	table_json(t, root, doc, field(doc, "status"));
	table_text(t, root, "");
	put_share(t, root, doc, json_root(doc), "completed_steps", "total_steps");
	for (; s != NULL; s = json_next(doc, s)) {
		struct table_line *line = table_add(t, root);

		table_json(t, line, doc, json_member(doc, s, "name"));
		table_json(t, line, doc, json_member(doc, s, "current_state"));
		put_share(t, line, doc, s, "attempts", "max_attempts");
		table_text(t, line, "");
	}
	return t;
}

/* Milliseconds the handler took, or the error it ended with. */
static void
put_outcome(struct table *t, struct table_line *line, const struct json *doc,
        const struct json_node *step)
{
	const struct json_node *results = json_member(doc, step, "results");
	const struct json_node *error = json_member(doc, results, "error");
	const struct json_node *metadata = json_member(doc, results, "metadata");

	table_json(t, line, doc, json_member(doc, metadata, "execution_time_ms"));
	table_json(t, line, doc, json_member(doc, metadata, "worker_id"));
	if (error != NULL && json_kind(error) == JSON_OBJECT)
		table_json(t, line, doc, json_member(doc, error, "message"));
	else
		table_json(t, line, doc, json_member(doc, results, "result"));
}

enum exit_status
task_view_steps(struct ctl *ctl, const struct api_answer *steps)
{
	static const struct table_column columns[] = {
	        {"STEP",     0          },
                {"STATE",    TABLE_STATE},
                {"ATTEMPTS", TABLE_RIGHT},
                {"MS",       TABLE_RIGHT},
	        {"WORKER",   TABLE_CUT  },
                {"RESULT",   TABLE_CUT  },
                {"STEP ID",  0          }
        };
	const struct json *doc = steps->doc;
	struct table *t;

	if (ctl->json)
		return api_print(ctl, steps);
	t = table_new(columns, COUNT(columns), ctl_look(ctl));
	for (const struct json_node *s = json_first(doc, json_root(doc)); s != NULL;
	        s = json_next(doc, s)) {
		struct table_line *line = table_add(t, NULL);

		table_json(t, line, doc, json_member(doc, s, "name"));
		table_json(t, line, doc, json_member(doc, s, "current_state"));
		put_share(t, line, doc, s, "attempts", "max_attempts");
		put_outcome(t, line, doc, s);
		table_json(t, line, doc, json_member(doc, s, "step_uuid"));
	}
	return ctl_print(ctl, t);
}

/* The last lines that a handler wrote, one a line, as harmless as a cell. */
static void
print_log(struct ctl *ctl, const struct json *doc, const struct json_node *log)
{
	AUTO(buf) struct buf text = BUF(MIB(1));

	if (!json_string(doc, log, &text) || !buf_ok(&text) || text.len == 0)
		return;
	(void)fputs("\nLog:\n", ctl->world->out);
	for (size_t at = 0; at < text.len;) {
		AUTO(buf) struct buf clean = BUF(MIB(8));
		const char *end = memchr(text.data + at, '\n', text.len - at);
		size_t len = end != NULL ? (size_t)(end - text.data) - at : text.len - at;

		show_clean(&clean, text.data + at, len);
		(void)fprintf(ctl->world->out, "  %.*s\n", (int)clean.len,
		        clean.len > 0 ? clean.data : "");
		at += len + 1;
	}
}

enum exit_status
task_view_step(struct ctl *ctl, const struct json *doc, const struct json_node *step)
{
	static const struct {
		const char *label, *name;
	} rows[] = {
	        {"Step",           "step_uuid"        },
	        {"Task",           "task_uuid"        },
	        {"Name",           "name"             },
	        {"State",          "current_state"    },
	        {"Attempts",       "attempts"         },
	        {"Max attempts",   "max_attempts"     },
	        {"Created",        "created_at"       },
	        {"Last attempted", "last_attempted_at"},
	        {"Last failure",   "last_failure_at"  },
	        {"Next retry",     "next_retry_at"    },
	        {"Completed",      "completed_at"     },
	};
	const struct json_node *results = json_member(doc, step, "results");
	struct table *t = table_card(ctl_look(ctl));
	enum exit_status status;

	for (size_t i = 0; i < COUNT(rows); i++)
		table_card_json(t, rows[i].label, doc, json_member(doc, step, rows[i].name));
	table_card_json(t, "Result", doc, json_member(doc, results, "result"));
	if (json_member(doc, results, "error") != NULL)
		table_card_json(t, "Error", doc, json_member(doc, results, "error"));
	status = ctl_print(ctl, t);
	print_log(ctl, doc, json_member(doc, step, "log"));
	return status;
}
