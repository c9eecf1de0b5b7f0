/*
 * The request path of a whole daemon: whatever fails in it, nobody gets what he may not have, the
 * caller gets an answer or a closed connection, and the next, undisturbed try is answered as ever.
 * Besides: no descriptor stays open, and a sanitizer build sees what leaks (F5, CR9, ST1).
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/uuid.h"
#include "tests/lib/wire.h"
#include "tests/torture/requests.h"
#include "tests/torture/sweep.h"

static struct daemon_thread daemon_;
static char fields[BEARERS][4096];
static unsigned created;

const char *
request_fields(enum bearer bearer)
{
	return fields[bearer];
}

/* ---- credentials ---- */

static void
set_token(enum bearer who, char *token)
{
	(void)snprintf(fields[who], sizeof(fields[who]), "Authorization: Bearer %s\r\n", token);
	free(token);
}

static char *
user_token(enum token_key key, const char *alg, const char *permissions, int64_t now_s)
{
	char *claims = token_user_claims("alice", permissions, now_s);
	char *token = token_make(key, alg, claims);

	free(claims);
	return token;
}

static char *
hmac_token(enum token_key users)
{
	char *pem = token_key_pem(users);
	char *claims = token_user_claims("alice", "any:*", time(NULL));
	char *token =
	        token_make_hmac(pem, strlen(pem), "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", claims);

	free(pem);
	free(claims);
	return token;
}

#define ALL "tasks:* steps:* dlq:* templates:* system:* worker:* workers:* any:read any:write"

static void
make_fields(enum token_key users, const char *alg)
{
	const int64_t now = time(NULL);
	char *claims = token_worker_claims("w1", "demo", now);
	char *token = user_token(users, alg, ALL, now);

	set_token(RIGHT, strdup(token));
	token_spoil(token);
	set_token(SPOILED, token);
	set_token(WEAK, user_token(users, alg, "templates:read", now));
	set_token(STRANGER, user_token(TOKEN_KEY_RSA_OTHER, "RS256", ALL, now));
	set_token(HMAC, hmac_token(users));
	set_token(EXPIRED, user_token(users, alg, ALL, now - 7200));
	set_token(SYSTEM, token_make(TOKEN_KEY_P256, "ES256", claims));
	(void)snprintf(fields[KEY], sizeof(fields[KEY]), "X-API-Key: %s\r\n", REQUEST_RIGHT_KEY);
	(void)snprintf(
	        fields[WEAK_KEY], sizeof(fields[KEY]), "X-API-Key: %s\r\n", REQUEST_WEAK_KEY);
	(void)snprintf(fields[WRONG_KEY], sizeof(fields[KEY]),
	        "X-API-Key: tk_wrongwrongwrongwrongwrongwrongwrongwrongwro\r\n");
	(void)snprintf(fields[BAD_SESSION], sizeof(fields[KEY]),
	        "Authorization: Bearer ts_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\r\n");
	free(claims);
}

/* ---- one request ---- */

static void
write_body(struct buf *out, const char *form)
{
	static unsigned number;
	char id[UUID_TEXT];

	for (const char *at = form; *at != '\0'; at++) {
		if (at[0] == '%' && at[1] == 'u') {
			buf_format(out, "%u", ++number);
			at++;
		} else if (at[0] == '%' && at[1] == 'b') {
			const struct uuid boot = uuid_v4();

			uuid_text(&boot, id);
			buf_text(out, id);
			at++;
		} else {
			buf_char(out, *at);
		}
	}
}

/* The status, 0 without an answer; the connection has ended when this returns. -1: it hangs. */
static int
ask(const struct request_case *c)
{
	AUTO(buf) struct buf body = BUF(KIB(64));
	AUTO(buf) struct buf out = BUF(KIB(128));
	struct wire_reply r;
	int fd = wire_connect(daemon_.port), status;

	if (fd < 0)
		return -1;
	buf_format(&out, "%s %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s", c->method, c->path,
	        fields[c->bearer]);
	if (c->body != NULL) {
		write_body(&body, c->body);
		buf_format(&out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
		        body.len);
	}
	buf_text(&out, "\r\n");
	if (body.len > 0)
		buf_add(&out, body.data, body.len);
	(void)wire_send(fd, out.data, out.len);
	r = wire_read(fd, 5000, strcmp(c->method, "HEAD") == 0, NULL);
	status = r.status;
	wire_reply_free(&r);
	if (!wire_closes(fd, 5000))
		status = -1;
	(void)close(fd);
	return status;
}

/* ---- sweeping ---- */

struct turn {
	const struct request_case *c;
	int status;
};

static bool
attempt(void *arg, struct err *e)
{
	struct turn *t = arg;

	t->status = ask(t->c);
	return t->status == t->c->status ||
	       err_set(e, ERR_INTERNAL, "%d instead of %d", t->status, t->c->status);
}

static bool
is_token(enum bearer bearer)
{
	return bearer == RIGHT || bearer == WEAK || bearer == SYSTEM;
}

static void
judge(void *arg, bool done, unsigned nth)
{
	const struct turn *t = arg;
	const struct request_case *c = t->c;
	int again;

	created += t->status == 201;
	ck_assert_msg(t->status >= 0, "%s: no answer and no end, failure %u (%s)", c->name, nth,
	        fault_last());
	/* What fails is ours: no 2xx for the refused, no 4xx for who did nothing wrong. Only that a
	 * signature could not be checked is told like one that is wrong: OpenSSL says no more. */
	ck_assert_msg(done || t->status == 0 || t->status >= (c->status < 400 ? 500 : 400) ||
	                      (t->status == 401 && is_token(c->bearer)),
	        "%s: %d, failure %u (%s)", c->name, t->status, nth, fault_last());
	if (done)
		return;
	again = ask(c);
	created += again == 201;
	ck_assert_msg(again == c->status, "%s: %d instead of %d after failure %u (%s)", c->name,
	        again, c->status, nth, fault_last());
}

static void
sweep_case(const struct request_case *c, unsigned stride, bool lasting)
{
	struct turn turn = {.c = c};
	const struct sweep s = {.name = c->name,
	        .attempt = attempt,
	        .after = judge,
	        .arg = &turn,
	        .most = 4000,
	        .stride = stride,
	        .lasting = lasting,
	        .may_linger = true};

	if (!lasting) {
		sweep_all(&s);
		return;
	}
	(void)sweep_run(&s, FAULT_ALLOCATION);
	(void)sweep_run(&s, FAULT_LIBRARY);
}

/* ---- the daemon ---- */

static const struct {
	enum token_key key;
	const char *alg;
	int cache; /* tokens remembered */
} modes[] = {
        {TOKEN_KEY_RSA,     "RS256", 64},
        {TOKEN_KEY_P384,    "ES384", 0 },
        {TOKEN_KEY_ED25519, "EdDSA", 0 }
};

static void
start(int mode)
{
	char toml[4096];
	const int len = snprintf(toml, sizeof(toml),
	        "[web.auth]\njwt_allowed_algorithms = [\"%s\", \"ES256\"]\ntoken_cache_entries = "
	        "%d\n%s",
	        modes[mode].alg, modes[mode].cache, request_settings);

	ck_assert_int_lt(len, (int)sizeof(toml));
	make_fields(modes[mode].key, modes[mode].alg);
	daemon_thread_prepare(&daemon_, request_role, modes[mode].key, toml);
	ck_assert(daemon_thread_start(&daemon_));
	requests_begin(&daemon_);
	(void)snprintf(fields[SESSION], sizeof(fields[SESSION]), "Authorization: Bearer %s\r\n",
	        request_session);
}

static void
end(void)
{
	requests_end(&daemon_, created);
	daemon_thread_stop(&daemon_);
	ck_assert_int_eq(daemon_.exit_code, 0);
	daemon_thread_clear(&daemon_);
}

/* TORTURE_STRIDE takes every such failure only: sanitizers are slow. */
static unsigned
stride(void)
{
	const char *text = getenv("TORTURE_STRIDE");

	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 1;
}

enum { PATIENT_EVERY = 8 };

/* What a listener does without descriptors takes a while and is the same for every case: the short
 * form looks at it in some of them. */
START_TEST(no_failure_on_the_request_path_opens_a_route_F5_CR9)
{
	start(_i);
	for (size_t i = 0; i < request_case_count; i++) {
		fault_aborts_clients(getenv("TORTURE_ALL") == NULL && i % PATIENT_EVERY != 0);
		sweep_case(&request_cases[i], stride(), false);
	}
	end();
}
END_TEST

START_TEST(no_lack_of_memory_that_lasts_opens_a_route_F5_CR9)
{
	start(0);
	for (size_t i = 0; i < request_case_count; i++)
		sweep_case(&request_cases[i], stride(), true);
	end();
}
END_TEST

Suite *
requests_suite(void)
{
	Suite *s = suite_create("requests");
	TCase *tc = tcase_create("requests");

	token_maker_prepare();
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, no_failure_on_the_request_path_opens_a_route_F5_CR9, 0,
	        getenv("TORTURE_ALL") != NULL ? COUNT(modes) : 1);
	if (getenv("TORTURE_ALL") != NULL)
		tcase_add_test(tc, no_lack_of_memory_that_lasts_opens_a_route_F5_CR9);
	suite_add_tcase(s, tc);
	return s;
}
