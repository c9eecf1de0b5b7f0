#include "ctl/credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/sign.h"
#include "shared/base/buf.h"
#include "shared/security/permission.h"

enum kind { TOKEN, API_KEY, PRIVATE_KEY };

static const struct {
	const char *variable;
	enum kind kind;
	enum endpoint endpoint; /* ENDPOINTS: for both */
} order[] = {
        {"TASKER_ORCHESTRATION_AUTH_TOKEN", TOKEN,       ENDPOINT_ORCHESTRATION},
        {"TASKER_WORKER_AUTH_TOKEN",        TOKEN,       ENDPOINT_WORKER       },
        {"TASKER_AUTH_TOKEN",               TOKEN,       ENDPOINTS             },
        {"TASKER_API_KEY",                  API_KEY,     ENDPOINTS             },
        {"TASKER_JWT_PRIVATE_KEY_PATH",     PRIVATE_KEY, ENDPOINTS             },
};

/* The first row that applies, or COUNT(order). */
static size_t
choose(enum endpoint endpoint, const char *const *env)
{
	size_t i = 0;

	while (i < COUNT(order) &&
	        ((order[i].endpoint != ENDPOINTS && order[i].endpoint != endpoint) ||
	                endpoint_env(env, order[i].variable) == NULL))
		i++;
	return i;
}

const char *
credential_source(enum endpoint endpoint, const char *const *env)
{
	size_t i = choose(endpoint, env);

	return i < COUNT(order) ? order[i].variable : NULL;
}

/* The header an API key goes into. */
static const char *
key_header(const char *const *env)
{
	const char *name = endpoint_env(env, "TASKER_API_KEY_HEADER");

	return name != NULL ? name : "X-API-Key";
}

/* Visible ASCII only: anything else is a slip, and a line break would be a header of its own. */
static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* RFC 9110 5.1: a token. */
static bool
is_header_name(const char *text)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
	                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return text[0] != '\0' && strspn(text, allowed) == strlen(text);
}

static bool
keep(const char *prefix, const char *value, OWNED struct secret **out, struct err *e)
{
	char text[CREDENTIAL_MAX];
	int n = snprintf(text, sizeof(text), "%s%s", prefix, value);
	bool ok = n > 0 && n < CREDENTIAL_MAX
	                  ? secret_new(text, (size_t)n + 1, out, e)
	                  : err_set(e, ERR_LIMIT, "a credential of more than %d bytes",
	                            CREDENTIAL_MAX - 16);

	secret_wipe(text, sizeof(text));
	return ok;
}

/* Everything a user may do, without reaching beyond one's own scope and without administration. */
static bool
usual_permissions(struct sign_list *out, struct err *e)
{
	struct buf text = BUF(KIB(4));
	char *list;
	bool ok;

	for (int p = 0; p < PERMISSION__COUNT; p++)
		if (p != PERMISSION_ANY_READ && p != PERMISSION_ANY_WRITE &&
		        p != PERMISSION_SYSTEM_ADMIN)
			buf_format(&text, "%s,", permission_spelled((enum permission)p));
	list = buf_take_text(&text);
	ok = list != NULL ? sign_list_split(list, out, e)
	                  : err_set(e, ERR_NOMEM, "out of memory for permissions");
	free(list);
	return ok;
}

static const char *
env_or(const char *const *env, const char *name, const char *fallback)
{
	const char *value = endpoint_env(env, name);

	return value != NULL ? value : fallback;
}

static bool
sign_own(const char *path, const char *const *env, int64_t now_s, OWNED struct secret **out,
        struct err *e)
{
	AUTO(sign_list) struct sign_list permissions = {0};
	AUTO(secret) struct secret *key = NULL;
	AUTO(secret) struct secret *token = NULL;
	const struct sign_list none = {0};
	const char *given = endpoint_env(env, "TASKER_JWT_PERMISSIONS");
	const struct sign_claims claims = {
	        .subject = env_or(env, "TASKER_JWT_SUBJECT", "tasker-client"),
	        .issuer = env_or(env, "TASKER_JWT_ISSUER", "tasker-core"),
	        .audience = env_or(env, "TASKER_JWT_AUDIENCE", "tasker-api"),
	        .permissions = &permissions,
	        .namespaces = &none,
	        .issued_s = now_s,
	        .expires_s = now_s + CREDENTIAL_LIFETIME_S,
	};

	return (given != NULL ? sign_list_split(given, &permissions, e)
	                      : usual_permissions(&permissions, e)) &&
	       sign_key_read(path, &key, e) && sign_token(&claims, key, &token, e) &&
	       keep("Bearer ", (const char *)secret_bytes(token), out, e);
}

bool
credential_choose(enum endpoint endpoint, const char *const *env, int64_t now_s,
        struct credential *out, struct err *e)
{
	struct credential made = {.header = "Authorization"};
	size_t i = choose(endpoint, env);
	const char *value;
	bool ok;

	if (i == COUNT(order)) {
		*out = (struct credential){0};
		return true;
	}
	made.source = order[i].variable;
	value = endpoint_env(env, made.source);
	if (order[i].kind != PRIVATE_KEY && !is_plain(value))
		return err_set(e, ERR_FORMAT,
		        "%s holds something else than a credential: white space, or other bytes",
		        made.source);
	if (order[i].kind == API_KEY)
		made.header = key_header(env);
	if (!is_header_name(made.header))
		return err_set(e, ERR_FORMAT, "TASKER_API_KEY_HEADER is no name of a header");
	if (order[i].kind == PRIVATE_KEY)
		ok = sign_own(value, env, now_s, &made.value, e);
	else
		ok = keep(order[i].kind == TOKEN ? "Bearer " : "", value, &made.value, e);
	if (!ok)
		return err_while(e, "%s", made.source);
	*out = made;
	return true;
}

void
credential_clear(struct credential *c)
{
	secret_free(c->value);
	*c = (struct credential){0};
}
