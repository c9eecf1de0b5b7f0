/*
 * auth revoke, revocations, unrevoke: what the orchestration is not to believe any more.
 *
 * A whole token comes from stdin only, and no more than its jti is sent.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl/api.h"
#include "ctl/files.h"
#include "shared/base/json_out.h"
#include "shared/security/jws.h"
#include "shared/security/revocations.h"

enum { BODY_MAX = 16384, PATH_BYTES = 512, PAGE_MAX = 1000000 };

#define REVOCATIONS_PATH "/v1/auth/revocations"

/* How each kind is named on the command line. */
static const struct {
	enum revocation_kind kind;
	const char *option;
} kinds[] = {
        {REVOCATION_TOKEN,   "token"     },
        {REVOCATION_SUBJECT, "subject"   },
        {REVOCATION_API_KEY, "api-key-id"},
};

/* The jti of a token on stdin. Nobody vouches for it: who holds it may revoke it. */
static bool
jti_of_stdin(struct ctl *ctl, OWNED char **out, struct err *e)
{
	AUTO(buf) struct buf token = BUF(JWS_TOKEN_MAX + 2);
	AUTO(json) struct json *doc = NULL;
	struct jws jws;

	if (!files_read_stream(ctl->world->in, &token, e))
		return err_while(e, "the token");
	while (token.len > 0 && strchr("\r\n\t ", token.data[token.len - 1]) != NULL)
		token.len--;
	if (token.len == 0 || jws_open(&jws, token.data, token.len) != VERDICT_GRANT ||
	        !json_parse(
	                (const char *)jws.payload, jws.payload_len, &json_limits_default, &doc, e))
		return err_set(e, ERR_FORMAT, "stdin holds no token");
	*out = json_string_copy(doc, json_member(doc, json_root(doc), "jti"), REVOCATION_ID_MAX);
	return *out != NULL || err_set(e, ERR_FORMAT, "the token has no jti: revoke its --subject");
}

/* Which of the options was given: exactly one. */
static bool
choose(struct ctl *ctl, size_t *out, struct err *e)
{
	size_t given = 0;

	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (args_given(&ctl->args, kinds[i].option)) {
			*out = i;
			given++;
		}
	}
	return given == 1 ||
	       err_set(e, ERR_FORMAT, "give one of --token, --subject and --api-key-id");
}

static bool
revoke_body(struct ctl *ctl, struct buf *body, struct err *e)
{
	struct json_out w = json_out_on(body);
	const char *id;
	char *jti = NULL;
	size_t which = 0;

	if (!choose(ctl, &which, e))
		return false;
	id = args_text(&ctl->args, kinds[which].option);
	if (kinds[which].kind == REVOCATION_TOKEN && strcmp(id, "-") == 0) {
		if (!jti_of_stdin(ctl, &jti, e))
			return false;
		id = jti;
	}
	json_open(&w, NULL, '{');
	json_put_text(&w, "kind", revocation_kind_name(kinds[which].kind));
	json_put_text(&w, "id", id);
	if (args_given(&ctl->args, "before"))
		json_put_text(&w, "before", args_text(&ctl->args, "before"));
	if (args_given(&ctl->args, "reason"))
		json_put_text(&w, "reason", args_text(&ctl->args, "reason"));
	json_close(&w, '}');
	free(jti);
	return buf_ok(body) || err_set(e, ERR_LIMIT, "the request is too long");
}

static enum exit_status
print_revocation(struct ctl *ctl, const struct json *doc)
{
	static const char *const rows[][2] = {
	        {"Revocation", "revocation_uuid"},
	        {"Kind",       "kind"           },
	        {"Id",         "id"             },
	        {"Before",     "before"         },
	        {"Until",      "until"          },
	        {"By",         "created_by"     },
	        {"Reason",     "reason"         },
	};
	struct table *t = table_card(ctl_look(ctl));

	for (size_t i = 0; i < COUNT(rows); i++)
		table_card_json(t, rows[i][0], doc, json_member(doc, json_root(doc), rows[i][1]));
	return ctl_print(ctl, t);
}

enum exit_status
run_auth_revoke(struct ctl *ctl)
{
	AUTO(buf) struct buf body = BUF(BODY_MAX);
	AUTO(buf) struct buf path = BUF(PATH_BYTES);
	AUTO(api_answer) struct api_answer answer = {0};
	const struct api_request request = {
	        .endpoint = ENDPOINT_ORCHESTRATION, .method = "POST", .path = &path, .body = &body};
	struct err e = {0};
	enum exit_status status;

	if (!revoke_body(ctl, &body, &e))
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "%s", e.text);
	api_path(&path, REVOCATIONS_PATH);
	status = api_ask(ctl, &request, &answer);
	if (status != EXIT_STATUS_OK)
		return status;
	return ctl->json ? api_print(ctl, &answer) : print_revocation(ctl, answer.doc);
}

enum exit_status
run_auth_revocations(struct ctl *ctl)
{
	static const struct table_column columns[] = {
	        {"REVOCATION", 0        },
                {"KIND",       0        },
                {"ID",         TABLE_CUT},
                {"BEFORE",     0        },
                {"UNTIL",      0        },
	        {"BY",         TABLE_CUT},
                {"REASON",     TABLE_CUT}
        };
	static const char *const names[] = {
	        "revocation_uuid", "kind", "id", "before", "until", "created_by", "reason"};
	AUTO(buf) struct buf path = BUF(PATH_BYTES);
	AUTO(api_answer) struct api_answer answer = {0};
	int64_t page = 1;
	struct err e = {0};
	enum exit_status status;

	if (!args_int(&ctl->args, "page", 1, PAGE_MAX, &page, &e))
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "%s", e.text);
	api_path(&path, REVOCATIONS_PATH);
	api_query(&path, "per_page", "100");
	api_query(&path, "page", args_text(&ctl->args, "page"));
	status = api_call(ctl, ENDPOINT_ORCHESTRATION, "GET", &path, &answer);
	if (status != EXIT_STATUS_OK)
		return status;
	return api_print_list(
	        ctl, &answer, &(struct api_list){"revocations", columns, names, COUNT(columns)});
}

enum exit_status
run_auth_unrevoke(struct ctl *ctl)
{
	AUTO(buf) struct buf path = BUF(PATH_BYTES);
	AUTO(api_answer) struct api_answer answer = {0};
	const char *id = args_operand(&ctl->args, 0);
	enum exit_status status;

	api_path(&path, REVOCATIONS_PATH);
	api_segment(&path, id);
	status = api_call(ctl, ENDPOINT_ORCHESTRATION, "DELETE", &path, &answer);
	if (status == EXIT_STATUS_OK)
		ctl_note(ctl, "Taken back: %s", id);
	return status;
}
