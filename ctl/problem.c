#include "ctl/problem.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/credential.h"

enum { TEXT_MAX = 1024, ERRORS_SHOWN = 20 };

static const char missing[] = "Missing required permission: ";

enum exit_status
problem_exit_status(int status)
{
	if (status >= 200 && status < 300)
		return EXIT_STATUS_OK;
	switch (status) {
	case 401:
	case 403:
		return EXIT_STATUS_AUTH;
	case 404:
		return EXIT_STATUS_MISSING;
	case 409:
		return EXIT_STATUS_CONFLICT;
	case 429:
		return EXIT_STATUS_UNREACHABLE;
	default:
		return status >= 500 ? EXIT_STATUS_UNREACHABLE : EXIT_STATUS_NO;
	}
}

/* error.message, else detail, else title; NULL if the body has none. */
static OWNED char *
message_of(const struct json *doc)
{
	static const char *const names[] = {"detail", "title"};
	const struct json_node *root;
	char *text;

	if (doc == NULL)
		return NULL;
	root = json_root(doc);
	text = json_string_copy(
	        doc, json_member(doc, json_member(doc, root, "error"), "message"), TEXT_MAX);
	for (size_t i = 0; text == NULL && i < COUNT(names); i++)
		text = json_string_copy(doc, json_member(doc, root, names[i]), TEXT_MAX);
	return text;
}

/* "errors":[{"pointer":"/name","detail":"is required"}] */
static void
tell_pointers(struct ctl *ctl, const struct json *doc)
{
	const struct json_node *n;
	int shown = 0;

	if (doc == NULL)
		return;
	n = json_first(doc, json_member(doc, json_root(doc), "errors"));
	for (; n != NULL && shown < ERRORS_SHOWN; n = json_next(doc, n), shown++) {
		char *where = json_string_copy(doc, json_member(doc, n, "pointer"), TEXT_MAX);
		char *what = json_string_copy(doc, json_member(doc, n, "detail"), TEXT_MAX);

		if (what != NULL)
			ctl_note(ctl, "  %s: %s", where != NULL ? where : "?", what);
		free(where);
		free(what);
	}
}

static enum exit_status
tell_unauthenticated(struct ctl *ctl, const char *source)
{
	if (source == NULL) {
		(void)ctl_fail(ctl, EXIT_STATUS_AUTH, "Not authenticated: no credential was sent");
		ctl_hint(ctl,
		        "set TASKER_AUTH_TOKEN (`tasker-ctl auth generate-token` makes one) or "
		        "TASKER_API_KEY");
	} else {
		(void)ctl_fail(ctl, EXIT_STATUS_AUTH,
		        "Not authenticated: the credential in %s was refused", source);
		if (strcmp(source, "TASKER_API_KEY") == 0)
			ctl_hint(ctl,
			        "it is in no [[web.auth.api_keys]] of this daemon, or is over");
		else
			ctl_hint(ctl, "it may have expired; `tasker-ctl auth validate-token -t -` "
			              "says why a token is refused");
	}
	return EXIT_STATUS_AUTH;
}

static enum exit_status
tell_forbidden(struct ctl *ctl, const char *text, const char *source)
{
	const char *permission = text != NULL && strncmp(text, missing, strlen(missing)) == 0
	                                 ? text + strlen(missing)
	                                 : NULL;

	if (permission == NULL)
		return ctl_fail(ctl, EXIT_STATUS_AUTH, "Permission denied: %s",
		        text != NULL ? text : "the daemon gave no reason");
	(void)ctl_fail(ctl, EXIT_STATUS_AUTH, "Permission denied: missing %s", permission);
	ctl_hint(ctl,
	        "the credential in %s does not have it; ask whoever issued it, or make a token "
	        "with --permissions \"%s\"",
	        source != NULL ? source : "use", permission);
	return EXIT_STATUS_AUTH;
}

/* Which task has that identity already, where the daemon says so. */
static void
tell_existing(struct ctl *ctl, const struct json *doc)
{
	char *task;

	if (doc == NULL)
		return;
	task = json_string_copy(doc, json_member(doc, json_root(doc), "task_uuid"), TEXT_MAX);
	if (task != NULL)
		ctl_hint(ctl, "it is %s", task);
	free(task);
}

enum exit_status
problem_tell(struct ctl *ctl, enum endpoint endpoint, const struct api_answer *answer)
{
	const char *source = credential_source(endpoint, ctl->world->env);
	char *text = message_of(answer->doc);
	enum exit_status status = problem_exit_status(answer->status);

	if (answer->status == 401)
		status = tell_unauthenticated(ctl, source);
	else if (answer->status == 403)
		status = tell_forbidden(ctl, text, source);
	else if (text != NULL)
		(void)ctl_fail(ctl, status, "%s", text);
	else
		(void)ctl_fail(
		        ctl, status, "the %s answers %d", endpoint_name(endpoint), answer->status);
	tell_pointers(ctl, answer->doc);
	if (status == EXIT_STATUS_CONFLICT)
		tell_existing(ctl, answer->doc);
	if (answer->retry_after_s > 0)
		ctl_hint(ctl, "try again in %d s", answer->retry_after_s);
	if (status == EXIT_STATUS_UNREACHABLE && answer->response.request_id[0] != '\0')
		ctl_hint(ctl, "the daemon's log knows this request as %s",
		        answer->response.request_id);
	free(text);
	return status;
}
