/* worker list, status, health. */
#include <string.h>

#include "ctl/api.h"
#include "ctl/health_view.h"

enum { PATH_BYTES = 256 };

static enum exit_status
ask_workers(struct ctl *ctl, struct api_answer *answer)
{
	AUTO(buf) struct buf path = BUF(PATH_BYTES);

	api_path(&path, "/v1/workers");
	return api_call(ctl, ENDPOINT_ORCHESTRATION, "GET", &path, answer);
}

enum exit_status
run_worker_list(struct ctl *ctl)
{
	static const struct table_column columns[] = {
	        {"WORKER",      0          },
                {"LIVE",        TABLE_STATE},
                {"SLOTS",       TABLE_RIGHT},
	        {"HOLDS",       TABLE_RIGHT},
                {"SEEN MS AGO", TABLE_RIGHT},
                {"NAMESPACES",  TABLE_CUT  },
	        {"HANDLERS",    TABLE_CUT  }
        };
	static const char *const names[] = {"worker_id", "live", "slots", "steps_held",
	        "seen_ms_ago", "namespaces", "handlers"};
	AUTO(api_answer) struct api_answer answer = {0};
	enum exit_status status = ask_workers(ctl, &answer);

	if (status != EXIT_STATUS_OK)
		return status;
	return api_print_list(
	        ctl, &answer, &(struct api_list){"workers", columns, names, COUNT(columns)});
}

/* The session of that worker; the live one if there are several. */
static const struct json_node *
session_of(const struct json *doc, const char *id)
{
	const struct json_node *found = NULL;
	const struct json_node *n = json_first(doc, json_member(doc, json_root(doc), "workers"));

	for (; n != NULL; n = json_next(doc, n)) {
		const struct json_node *live = json_member(doc, n, "live");
		bool alive = live != NULL && json_kind(live) == JSON_TRUE;

		if (json_string_is(doc, json_member(doc, n, "worker_id"), id) &&
		        (found == NULL || alive))
			found = n;
	}
	return found;
}

static enum exit_status
print_session(struct ctl *ctl, const struct json *doc, const struct json_node *n)
{
	static const char *const rows[][2] = {
	        {"Worker",      "worker_id"    },
                {"Live",        "live"         },
                {"Boot",        "boot"         },
                {"Slots",       "slots"        },
	        {"Steps held",  "steps_held"   },
                {"Seen ms ago", "seen_ms_ago"  },
	        {"Registered",  "registered_at"},
                {"Namespaces",  "namespaces"   },
	        {"Handlers",    "handlers"     }
        };
	struct table *t;

	if (ctl->json) {
		AUTO(buf) struct buf text = BUF(MIB(4));

		json_compact(doc, n, &text);
		buf_char(&text, '\n');
		if (!buf_ok(&text))
			return ctl_fail(ctl, EXIT_STATUS_NO, "out of memory");
		(void)fwrite(text.data, 1, text.len, ctl->world->out);
		return EXIT_STATUS_OK;
	}
	t = table_card(ctl_look(ctl));
	for (size_t i = 0; i < COUNT(rows); i++)
		table_card_json(t, rows[i][0], doc, json_member(doc, n, rows[i][1]));
	return ctl_print(ctl, t);
}

enum exit_status
run_worker_status(struct ctl *ctl)
{
	AUTO(api_answer) struct api_answer answer = {0};
	const char *id = args_operand(&ctl->args, 0);
	const struct json_node *found;
	enum exit_status status;

	if (id == NULL)
		return health_view(ctl, ENDPOINT_WORKER);
	status = ask_workers(ctl, &answer);
	if (status != EXIT_STATUS_OK)
		return status;
	found = session_of(answer.doc, id);
	if (found == NULL) {
		(void)ctl_fail(
		        ctl, EXIT_STATUS_MISSING, "the orchestration knows no worker %s", id);
		ctl_hint(ctl, "`tasker-ctl worker list` shows those it knows");
		return EXIT_STATUS_MISSING;
	}
	return print_session(ctl, answer.doc, found);
}

enum exit_status
run_worker_health(struct ctl *ctl)
{
	return health_view(ctl, ENDPOINT_WORKER);
}
