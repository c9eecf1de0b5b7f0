/*
 * auth validate-token: the daemons' own verifier (jws.h, claims.h) on one token and one key, or an
 * issuer's.
 *
 * What a token claims is shown only once its signature holds; before that it is a stranger's text.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/show.h"
#include "ctl/sign.h"
#include "shared/base/clock.h"
#include "shared/base/json_out.h"
#include "shared/security/claims.h"
#include "shared/security/jwk.h"
#include "shared/security/jws.h"
#include "shared/security/pem.h"
#include "shared/security/trust.h"

enum { LEEWAY_S = 30 };

/* What the verdicts mean to whoever holds the token. */
static const struct {
	enum verdict verdict;
	const char *why;
} reasons[] = {
        {VERDICT_DENY_MALFORMED,   "it is no token: not three parts of base64url with JSON in them"},
        {VERDICT_DENY_ALGORITHM,   "it is not signed with the algorithm of this key"               },
        {VERDICT_DENY_UNKNOWN_KEY, "it names another key"                                          },
        {VERDICT_DENY_SIGNATURE,   "its signature is not this key's, or the token has been changed"},
        {VERDICT_DENY_EXPIRED,     "it has expired"                                                },
        {VERDICT_DENY_NOT_YET,     "it is not valid yet"                                           },
        {VERDICT_DENY_LIFETIME,    "it is good for longer than 720 hours"                          },
        {VERDICT_DENY_ISSUER,      "its issuer is another than --issuer says"                      },
        {VERDICT_DENY_AUDIENCE,    "its audience is another than --audience says"                  },
        {VERDICT_DENY_SUBJECT,     "its subject cannot be one of this audience"                    },
        {VERDICT_DENY_CLAIMS,      "a claim is missing or of the wrong type"                       },
        {VERDICT_DENY_PERMISSIONS, "it has an unknown permission, which strict daemons refuse"     },
};

static const char *
reason(enum verdict v)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (reasons[i].verdict == v)
			return reasons[i].why;
	return verdict_reason(v);
}

static bool
allowed_algorithms(struct ctl *ctl, struct algorithm_set *out, struct err *e)
{
	AUTO(sign_list) struct sign_list names = {0};
	struct algorithm_set set = {0};

	if (!sign_list_split(args_text(&ctl->args, "algorithm"), &names, e))
		return false;
	for (size_t i = 0; i < names.count; i++)
		if (!algorithm_set_add(&set, names.words[i], e))
			return false;
	*out = set;
	return true;
}

/* The key of a file, alone in a set. */
static bool
read_key(struct ctl *ctl, struct algorithm_set allowed, OWNED struct key_set **out, struct err *e)
{
	AUTO(key) struct key *key = NULL;
	AUTO(key_set) struct key_set *keys = NULL;
	const struct key_binding binding = {.allowed = allowed};

	if (!pem_import_file(args_text(&ctl->args, "public-key"), &binding, &key, e) ||
	        !key_set_new(&keys, e) || !key_set_add(keys, key, e))
		return false;
	(void)TAKE(key);
	*out = TAKE(keys);
	return true;
}

static bool
fetch_keys(struct ctl *ctl, struct algorithm_set allowed, OWNED struct key_set **out, struct err *e)
{
	enum { TIMEOUT_MS = 10000 };
	const char *ca = args_text(&ctl->args, "ca-file");
	const struct fetch_options options = {.peer = "the issuer",
	        .ca_path = ca != NULL ? ca : ctl_env(ctl, "TASKER_CA_FILE"),
	        .env_proxy = true};
	const struct fetch_request request = {.method = "GET",
	        .url = args_text(&ctl->args, "jwks-url"),
	        .connect_timeout_ms = TIMEOUT_MS,
	        .timeout_ms = ctl->timeout_ms > 0 ? ctl->timeout_ms : TIMEOUT_MS,
	        .response_max = JWK_SET_BYTES_MAX};
	AUTO(fetch) struct fetch *f = NULL;
	AUTO(fetch_response) struct fetch_response answer = {0};
	struct security_report report = {.count = 0};

	if (!fetch_new(&options, &f, e) || !fetch_send(f, &request, &answer, e))
		return false;
	if (answer.status != 200)
		return err_set(e, ERR_IO, "the issuer answers %d", answer.status);
	if (!jwk_set_import(answer.body.data, answer.body.len, allowed, out, &report, e))
		return err_while(e, "the issuer's keys");
	for (size_t i = 0; i < report.count; i++)
		ctl_note(ctl, "warning: %s", report.warnings[i]);
	return true;
}

static bool
load_keys(struct ctl *ctl, OWNED struct key_set **out, struct err *e)
{
	struct algorithm_set allowed = {0};

	if (!allowed_algorithms(ctl, &allowed, e))
		return false;
	return args_given(&ctl->args, "jwks-url") ? fetch_keys(ctl, allowed, out, e)
	                                          : read_key(ctl, allowed, out, e);
}

/* The token of --token, without the line break a pipe adds. */
static bool
read_token(struct ctl *ctl, struct buf *out, struct err *e)
{
	const char *given = args_text(&ctl->args, "token");

	if (strcmp(given, "-") == 0) {
		if (!files_read_stream(ctl->world->in, out, e))
			return err_while(e, "the token");
	} else {
		buf_text(out, given);
	}
	while (out->len > 0 && strchr("\r\n\t ", out->data[out->len - 1]) != NULL)
		out->len--;
	if (out->len == 0)
		return err_set(e, ERR_FORMAT, "the token is empty");
	return buf_ok(out) || err_set(e, ERR_LIMIT, "the token is too long");
}

static void
card_time(struct table *t, const char *label, const struct json *doc, const char *claim)
{
	const struct json_node *n = json_member(doc, json_root(doc), claim);
	char text[CLOCK_TEXT];
	double seconds;

	if (!json_double(doc, n, &seconds) || seconds < 0 || seconds > 253402300799.0) {
		table_card_json(t, label, doc, n);
		return;
	}
	clock_text((int64_t)(seconds * 1e6), text);
	table_card_text(t, label, text);
}

/* One line for each item of a list; marked when it must be a permission and is none. */
static void
card_list(struct table *t, const char *label, const struct json *doc, const struct json_node *list,
        bool permissions)
{
	for (const struct json_node *n = json_first(doc, list); n != NULL; n = json_next(doc, n)) {
		char *word = json_string_copy(doc, n, CLAIM_TEXT_MAX);
		struct permission_set set = {0};
		struct err e = {0};
		struct table_line *line = table_add(t, NULL);
		bool unknown = permissions && word != NULL &&
		               !permission_set_add(&set, word, strlen(word), &e);

		table_text(t, line, label);
		if (word != NULL)
			table_format(t, line, "%s%s", word, unknown ? " (unknown)" : "");
		else
			table_json(t, line, doc, n);
		free(word);
		label = "";
	}
}

/* {"valid":false,"reason":"...","claims":{...}}; claims is null while nobody vouches for them. */
static enum exit_status
show_as_json(struct ctl *ctl, const struct json *doc, enum verdict v)
{
	AUTO(buf) struct buf text = BUF(KIB(64));
	struct json_out w = json_out_on(&text);

	json_open(&w, NULL, '{');
	json_put_bool(&w, "valid", v == VERDICT_GRANT);
	json_put_text(&w, "reason", v == VERDICT_GRANT ? NULL : verdict_reason(v));
	if (doc != NULL) {
		AUTO(buf) struct buf claims = BUF(KIB(64));

		json_compact(doc, json_root(doc), &claims);
		json_put_raw(&w, "claims", claims.data, claims.len);
	} else {
		json_put_null(&w, "claims");
	}
	json_close(&w, '}');
	buf_char(&text, '\n');
	if (!buf_ok(&text))
		return ctl_fail(ctl, EXIT_STATUS_NO, "out of memory");
	(void)fwrite(text.data, 1, text.len, ctl->world->out);
	return EXIT_STATUS_OK;
}

/* Shows the claims of a payload whose signature holds. */
static enum exit_status
show(struct ctl *ctl, const struct json *doc, enum verdict v)
{
	const struct json_node *root = json_root(doc), *permissions = NULL;
	struct table *t;

	if (ctl->json)
		return show_as_json(ctl, doc, v);
	if (!claims_find(doc, args_text(&ctl->args, "permissions-claim"), &permissions))
		permissions = NULL;
	t = table_card(ctl_look(ctl));
	table_card_text(t, "Valid", v == VERDICT_GRANT ? "yes" : "no");
	if (v != VERDICT_GRANT)
		table_card_text(t, "Reason", reason(v));
	table_card_json(t, "Subject", doc, json_member(doc, root, "sub"));
	table_card_json(t, "Issuer", doc, json_member(doc, root, "iss"));
	table_card_json(t, "Audience", doc, json_member(doc, root, "aud"));
	card_time(t, "Issued", doc, "iat");
	card_time(t, "Expires", doc, "exp");
	if (permissions != NULL && json_kind(permissions) != JSON_ARRAY)
		table_card_json(t, "Permissions", doc, permissions);
	else
		card_list(t, "Permissions", doc, permissions, true);
	card_list(t, "Worker namespaces", doc, json_member(doc, root, "worker_namespaces"), false);
	return ctl_print(ctl, t);
}

/* Claims by the rules of the daemons, at their widest: lifetimes up to what they can be told. */
static enum verdict
judge(struct ctl *ctl, const struct json *doc, int64_t now_s)
{
	const char *audience = args_text(&ctl->args, "audience");
	const struct claim_rules rules = {
	        .caller = strcmp(audience, "tasker-internal") == 0 ? CALLER_SYSTEM : CALLER_USER,
	        .issuer = args_text(&ctl->args, "issuer"),
	        .audience = audience,
	        .permissions_claim = args_text(&ctl->args, "permissions-claim"),
	        .leeway_s = LEEWAY_S,
	        .max_lifetime_s = TRUST_LIFETIME_MAX_S,
	        .strict_permissions = true,
	};
	struct claims claims = {0};
	enum verdict v = claims_check(doc, &rules, now_s, &claims);
	int64_t lifetime = claims.fields.expires_at_s - claims.fields.issued_at_s;

	if (v == VERDICT_GRANT && claims.fields.expires_at_s <= now_s)
		ctl_note(ctl, "warning: it has expired; daemons still take it for up to %d s",
		        LEEWAY_S);
	if (v == VERDICT_GRANT && lifetime > TRUST_LIFETIME_DEFAULT_S)
		ctl_note(ctl,
		        "warning: daemons refuse it unless web.auth.jwt_max_lifetime_hours is "
		        "above 24");
	claims_clear(&claims);
	return v;
}

static enum exit_status
refused(struct ctl *ctl, enum verdict v)
{
	struct table *t;

	if (ctl->json) {
		(void)show_as_json(ctl, NULL, v);
		return EXIT_STATUS_NO;
	}
	t = table_card(ctl_look(ctl));
	table_card_text(t, "Valid", "no");
	table_card_text(t, "Reason", reason(v));
	(void)ctl_print(ctl, t);
	return EXIT_STATUS_NO;
}

enum exit_status
run_auth_validate_token(struct ctl *ctl)
{
	AUTO(buf) struct buf token = BUF(KIB(64));
	AUTO(key_set) struct key_set *keys = NULL;
	AUTO(jws_verifier) struct jws_verifier *verifier = NULL;
	AUTO(json) struct json *payload = NULL;
	const struct key *signer = NULL;
	struct err e = {0};
	struct jws jws;
	enum verdict v;

	if (!read_token(ctl, &token, &e) || !load_keys(ctl, &keys, &e) ||
	        !jws_verifier_new(keys, &verifier, &e))
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "%s", e.text);
	v = jws_open(&jws, token.data, token.len);
	if (v == VERDICT_GRANT && jws.typ == JWS_TYP_OTHER)
		v = VERDICT_DENY_MALFORMED;
	if (v == VERDICT_GRANT)
		v = jws_check(verifier, &jws, &signer);
	if (v == VERDICT_GRANT && !json_parse((const char *)jws.payload, jws.payload_len,
	                                  &claims_limits, &payload, &e))
		v = e.code == ERR_NOMEM ? VERDICT_DENY_UNAVAILABLE : VERDICT_DENY_MALFORMED;
	if (v != VERDICT_GRANT)
		return refused(ctl, v);
	v = judge(ctl, payload, clock_wall_us() / 1000000);
	if (show(ctl, payload, v) != EXIT_STATUS_OK || v != VERDICT_GRANT)
		return EXIT_STATUS_NO;
	return EXIT_STATUS_OK;
}
