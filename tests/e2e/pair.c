#include "tests/e2e/pair.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/rand.h"
#include "tests/lib/patience.h"

enum { PARTS = 5 };

/* The users' key is TOKEN_KEY_RSA, the workers' TOKEN_KEY_P256, and RSA_OTHER is a stranger's. */
static const char web_toml[] = "[web]\n"
                               "bind_address = \"127.0.0.1:0\"\n"
                               "config_endpoint_enabled = %s\n";

static const char orchestration_toml[] =
        "[web.auth]\n"
        "enabled = true\n"
        "jwt_public_key_path = \"users.pem\"\n"
        "jwt_allowed_algorithms = [\"RS256\", \"ES256\"]\n"
        "[[web.auth.api_keys]]\n"
        "id = \"e2e\"\n"
        "key = \"" PAIR_API_KEY "\"\n"
        "permissions = [\"tasks:*\", \"steps:*\", \"dlq:*\", \"templates:*\", \"system:*\", "
        "\"worker:*\", \"workers:*\"]\n"
        "tenant = \"acme\"\n"
        "[web.internal]\n"
        "public_key_path = \"workers.pem\"\n"
        "[policy]\n"
        "tenant_claim = \"tenant\"\n"
        "[log]\n"
        "format = \"json\"\n"
        "[store]\n" /* last: settings may go on with it */
        "url = \"sqlite:tasker.db\"\n";

static const char worker_toml[] = "[web.auth]\n"
                                  "enabled = true\n"
                                  "jwt_public_key_path = \"users.pem\"\n"
                                  "[[web.auth.api_keys]]\n"
                                  "id = \"e2e\"\n"
                                  "key = \"" PAIR_API_KEY "\"\n"
                                  "permissions = [\"templates:*\", \"worker:*\"]\n"
                                  "[worker]\n"
                                  "id = \"e2e-worker\"\n"
                                  "namespaces = [\"demo\"]\n"
                                  "[log]\n"
                                  "format = \"json\"\n";

static const char link_toml[] = "[templates]\n"
                                "paths = [\"%s/config/templates\"]\n"
                                "[link]\n"
                                "url = \"%s://127.0.0.1:%d\"\n"
                                "ca_path = \"%s%s\"\n"
                                "token_path = \"worker.token\"\n";

static const char handlers_toml[] = "[[handlers]]\n"
                                    "name = \"python\"\n"
                                    "command = [\"python3\", \"%s/config/handlers/demo.py\"]\n"
                                    "callables = [\"demo.*\"]\n"
                                    "slots = 8\n"
                                    "[[handlers]]\n"
                                    "name = \"shell\"\n"
                                    "kind = \"exec\"\n"
                                    "command = [\"%s/config/handlers/demo.sh\"]\n"
                                    "callables = [\"demo.shell\"]\n";

OWNED char *
pair_bearer(const struct pair_claims *c)
{
	AUTO(buf) struct buf b = BUF(KIB(8));
	long long issued = (long long)time(NULL) - c->age_s;
	char *token, *header = NULL;
	const char *each = c->permissions != NULL ? c->permissions : "";

	buf_format(&b, "{\"iss\":\"%s\",\"aud\":\"%s\",\"sub\":\"%s\",\"iat\":%lld,\"exp\":%lld",
	        c->issuer != NULL ? c->issuer : "tasker-core",
	        c->audience != NULL ? c->audience : "tasker-api",
	        c->subject != NULL ? c->subject : "tester", issued, issued + 3600);
	if (c->tenant != NULL)
		buf_format(&b, ",\"tenant\":\"%s\"", c->tenant);
	buf_text(&b, ",\"permissions\":[");
	while (*each != '\0') {
		int len = (int)strcspn(each, " ");

		buf_format(&b, "%s\"%.*s\"", each == c->permissions ? "" : ",", len, each);
		each += (size_t)len + strspn(each + len, " ");
	}
	buf_text(&b, "]}");
	buf_char(&b, '\0');
	if (!buf_ok(&b))
		return NULL;
	token = token_make(c->key, c->key == TOKEN_KEY_P256 ? "ES256" : "RS256", b.data);
	if (asprintf(&header, "Authorization: Bearer %s\r\n", token) < 0)
		header = NULL;
	free(token);
	return header;
}

OWNED char *
pair_system(const char *worker, const char *namespaces)
{
	char *claims = token_worker_claims(worker, namespaces, time(NULL));
	char *token = token_make(TOKEN_KEY_P256, "ES256", claims);
	char *header = NULL;

	if (asprintf(&header, "Authorization: Bearer %s\r\n", token) < 0)
		header = NULL;
	free(token);
	free(claims);
	return header;
}

OWNED char *
pair_admin(void)
{
	return pair_bearer(&(struct pair_claims){.permissions = PAIR_ALL, .tenant = "acme"});
}

static bool
write_pem(const char *dir, const char *name, enum token_key key)
{
	char *pem = token_key_pem(key);
	bool written = daemon_file(dir, name, pem);

	free(pem);
	return written;
}

static bool
write_worker_token(const char *dir)
{
	char *claims = token_worker_claims("e2e-worker", "demo", time(NULL));
	char *token = token_make(TOKEN_KEY_P256, "ES256", claims);
	bool written = daemon_file(dir, "worker.token", token);

	free(token);
	free(claims);
	return written;
}

static bool
start(struct daemon *d, const char *dir, const char *role, bool config_endpoint,
        const char *const parts[PARTS])
{
	AUTO(buf) struct buf toml = BUF(KIB(64));
	char log[48];
	char *text;
	bool started;

	buf_format(&toml, web_toml, config_endpoint ? "true" : "false");
	for (size_t i = 0; i < PARTS; i++)
		buf_text(&toml, parts[i] != NULL ? parts[i] : "");
	buf_char(&toml, '\0');
	started = buf_ok(&toml) && daemon_start(d, dir, role, toml.data);
	if (!started) {
		(void)snprintf(log, sizeof(log), "%s.log", role);
		text = daemon_read(dir, log);
		(void)fprintf(
		        stderr, "tasker-%s did not start:\n%s\n", role, text != NULL ? text : "");
		free(text);
	}
	return started;
}

const char *
pair_tls(const char *certificates, const char *name)
{
	static char text[512];

	(void)snprintf(text, sizeof(text),
	        "[web.tls]\ncertificate_path = \"%s/%s.pem\"\nkey_path = \"%s/%s.key\"\n",
	        certificates, name, certificates, name);
	return text;
}

bool
pair_start(struct pair *p, const struct pair_settings *s)
{
	const char *ca = s->certificates, *tls = ca != NULL ? pair_tls(ca, "server") : NULL;
	char root[PATH_MAX], link[2 * PATH_MAX], handlers[4 * PATH_MAX];

	*p = (struct pair){.orchestration = {.pid = -1}, .worker = {.pid = -1}};
	if (getcwd(root, sizeof(root)) == NULL || !daemon_dir(p->dir) ||
	        !write_pem(p->dir, "users.pem", TOKEN_KEY_RSA) ||
	        !write_pem(p->dir, "workers.pem", TOKEN_KEY_P256) || !write_worker_token(p->dir))
		return false;
	if (!start(&p->orchestration, p->dir, "orchestration", s->config_endpoint,
	            (const char *const[PARTS]){
	                    orchestration_toml, s->store, s->orchestration, tls}))
		return false;
	if (s->without_worker)
		return true;
	(void)snprintf(link, sizeof(link), link_toml, root, ca != NULL ? "https" : "http",
	        p->orchestration.port, ca != NULL ? ca : "", ca != NULL ? "/ca.pem" : "");
	(void)snprintf(handlers, sizeof(handlers), handlers_toml, root, root);
	return start(&p->worker, p->dir, "worker", s->config_endpoint,
	        (const char *const[PARTS]){worker_toml, link,
	                s->handlers != NULL ? s->handlers : handlers, s->worker, tls});
}

void
pair_stop(struct pair *p)
{
	(void)daemon_stop(&p->worker, 15000);
	(void)daemon_stop(&p->orchestration, 15000);
	daemon_dir_remove(p->dir);
}

OWNED char *
pair_member(const char *body, const char *name)
{
	char key[64];
	const char *at;

	(void)snprintf(key, sizeof(key), "\"%s\":\"", name);
	at = body != NULL ? strstr(body, key) : NULL;
	if (at == NULL)
		return NULL;
	at += strlen(key);
	return strndup(at, strcspn(at, "\""));
}

bool
pair_template(const struct pair *p, const char *path)
{
	char *admin = pair_admin();
	int64_t until = clock_mono_us() + (int64_t)patience_ms(10000) * 1000;
	bool found = false;

	while (!found && clock_mono_us() < until) {
		struct wire_reply r = wire_call(p->orchestration.port, "GET", path, admin, NULL);

		found = r.status == 200;
		wire_reply_free(&r);
		if (!found)
			(void)poll(NULL, 0, 20);
	}
	free(admin);
	return found;
}

OWNED char *
pair_task(const struct pair *p, const char *headers, const char *ns, const char *name)
{
	char body[512];
	struct wire_reply r;
	char *id = NULL;

	(void)snprintf(body, sizeof(body),
	        "{\"name\":\"%s\",\"namespace\":\"%s\",\"version\":\"1.0.0\",\"context\":"
	        "{\"who\":\"Ada\",\"nonce\":\"%llx\"},\"initiator\":\"e2e\",\"source_system\":"
	        "\"test\","
	        "\"reason\":\"because\"}",
	        name, ns, (unsigned long long)rand_u64());
	r = wire_call(p->orchestration.port, "POST", "/v1/tasks", headers, body);
	if (r.status == 201)
		id = pair_member(r.body, "task_uuid");
	else
		(void)fprintf(stderr, "POST /v1/tasks: %d %s\n", r.status, r.body);
	wire_reply_free(&r);
	return id;
}

bool
pair_task_is(const struct pair *p, const char *id, const char *status, int within_ms)
{
	char *admin = pair_admin();
	int64_t until = clock_mono_us() + (int64_t)patience_ms(within_ms) * 1000;
	char path[80];
	char *seen = NULL;
	bool reached = false;

	(void)snprintf(path, sizeof(path), "/v1/tasks/%s", id);
	do {
		struct wire_reply r = wire_call(p->orchestration.port, "GET", path, admin, NULL);

		free(seen);
		seen = pair_member(r.body, "status");
		reached = seen != NULL && strcmp(seen, status) == 0;
		wire_reply_free(&r);
		if (!reached)
			(void)poll(NULL, 0, 5);
	} while (!reached && clock_mono_us() < until);
	if (!reached)
		(void)fprintf(stderr, "task %s is %s, not %s\n", id, seen != NULL ? seen : "gone",
		        status);
	free(seen);
	free(admin);
	return reached;
}
