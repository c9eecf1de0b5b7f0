/*
 * Users' keys from an issuer, from the fetch to the service in force: whatever fails in it, either
 * all keys of the set are in force or none are, and the same store, undisturbed, fetches them
 * (F5, JK8, JK15).
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "shared/security/jwks_store.h"
#include "tests/lib/issuer.h"
#include "tests/lib/patience.h"
#include "tests/lib/token_maker.h"
#include "tests/torture/sweep.h"

enum { KEYS = 3, WITHIN_MS = 8000 };

static struct {
	char url[64], *workers_pem;
	struct security_live *live;
	struct jwks_store *store;
	struct algorithm_set algorithms;
	uint64_t rules;
	atomic_uint fetched, failed;
	char left_out[256]; /* why a key was, or "" */
	size_t carried;     /* keys that a reload would take along */
} at;

/* ---- the issuer, in a process of its own: what fails here does not fail there ---- */

static void
play_issuer(int fd)
{
	char *keys[KEYS] = {token_key_jwk(TOKEN_KEY_RSA, "\"kid\":\"a\",\"alg\":\"RS256\""),
	        token_key_jwk(TOKEN_KEY_P256, "\"kid\":\"b\",\"alg\":\"ES256\""),
	        token_key_jwk(TOKEN_KEY_ED25519, "\"kid\":\"c\",\"alg\":\"EdDSA\"")};
	struct issuer *issuer = issuer_start();
	char set[4096], byte;

	(void)snprintf(set, sizeof(set), "{\"keys\":[%s,%s,%s]}", keys[0], keys[1], keys[2]);
	if (issuer != NULL) {
		issuer_say(issuer, ISSUER_GOOD, set, NULL);
		(void)send(fd, issuer_url(issuer), strlen(issuer_url(issuer)) + 1, MSG_NOSIGNAL);
	}
	(void)recv(fd, &byte, 1, 0); /* until the test has gone */
	_exit(0);
}

/* Returns the descriptor whose end is the issuer's. */
static int
start_issuer(void)
{
	int fds[2];
	pid_t pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)close(fds[0]);
		play_issuer(fds[1]);
	}
	(void)close(fds[1]);
	ck_assert_int_gt(recv(fds[0], at.url, sizeof(at.url), 0), 0);
	return fds[0];
}

/* ---- a store ---- */

static const char *const users[] = {"RS256", "ES256", "EdDSA"};

static bool
make_live(struct err *e)
{
	static const char *const workers[] = {"ES384"};
	const struct security_settings settings = {
	        .enabled = true,
	        .users = {.keys_awaited = true,
	                  .algorithms = users,
	                  .algorithm_count = COUNT(users)  },
	        .workers = {.public_key_pem = at.workers_pem,
	                  .algorithms = workers,
	                  .algorithm_count = COUNT(workers)}
        };
	AUTO(security_service) struct security_service *service = NULL;

	if (!security_service_new(&settings, &service, NULL, e) ||
	        !security_live_new(service, &at.live, e))
		return false;
	at.rules = security_service_rules(service);
	(void)TAKE(service);
	return true;
}

static void
note(const struct jwks_news *news, void *arg)
{
	const struct security_report *report = news->left_out;

	(void)arg;
	if (report != NULL && report->count > 0)
		(void)snprintf(at.left_out, sizeof(at.left_out), "%s", report->warnings[0]);
	atomic_fetch_add(news->event == JWKS_FETCHED ? &at.fetched : &at.failed, 1);
}

/* Without a call that could fail. */
static bool
comes(atomic_uint *count, atomic_uint *or_this)
{
	const struct timespec pause = {.tv_nsec = 200000};

	for (int i = 0; i < 5 * patience_ms(WITHIN_MS); i++) {
		if (atomic_load(count) > 0 || (or_this != NULL && atomic_load(or_this) > 0))
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

static bool
carry(struct err *e)
{
	AUTO(key_set) struct key_set *keys = NULL;

	if (!jwks_store_keys(at.store, at.algorithms, &keys, e))
		return false;
	at.carried = keys != NULL ? key_set_count(keys) : 0;
	return true;
}

static struct jwks_settings
store_settings(void)
{
	return (struct jwks_settings){.url = at.url,
	        .allow_private = true,
	        .refresh_us = INT64_C(3600000000),
	        .max_stale_us = INT64_C(3600000000),
	        .algorithms = at.algorithms};
}

static bool
attempt(void *arg, struct err *e)
{
	const struct jwks_settings settings = store_settings();

	(void)arg;
	at.fetched = at.failed = 0;
	at.carried = KEYS;
	if (!make_live(e) || !jwks_store_new(&settings, at.live, &at.store, e) ||
	        !jwks_store_start(at.store, at.rules, note, NULL, e))
		return false;
	if (!comes(&at.fetched, &at.failed))
		return err_set(e, ERR_IO, "neither news of a set nor of a failure");
	if (at.fetched == 0)
		return err_set(e, ERR_IO, "the fetch failed");
	return carry(e);
}

/* How many keys users may be judged by; none is 0. */
static size_t
in_force(void)
{
	uint64_t generation;
	struct security_service *service = security_live_get(at.live, &generation);
	const struct key_set *keys = trust_keys(security_service_users(service));
	const size_t count = keys != NULL ? key_set_count(keys) : 0;

	security_service_free(service);
	return count;
}

static void
judge(void *arg, bool done, unsigned nth)
{
	const struct jwks_settings settings = store_settings();
	const bool began = at.fetched + at.failed > 0;

	(void)arg;
	ck_assert_msg(began || at.store == NULL || !done, "no news");
	ck_assert_msg(at.carried == KEYS, "a reload takes %zu keys along after failure %u (%s)",
	        at.carried, nth, fault_last());
	if (began) {
		ck_assert_msg(in_force() == (at.fetched > 0 ? KEYS : 0),
		        "%zu keys are in force after failure %u (%s): %s", in_force(), nth,
		        fault_last(), at.left_out);
		if (at.fetched == 0) {
			jwks_store_follow(at.store, &settings, at.rules); /* at once */
			ck_assert_msg(comes(&at.fetched, NULL),
			        "nothing is fetched any more after failure %u (%s)", nth,
			        fault_last());
			ck_assert_uint_eq(in_force(), KEYS);
		}
	}
	jwks_store_free(TAKE(at.store));
	security_live_free(TAKE(at.live));
}

START_TEST(a_set_of_keys_is_in_force_whole_or_not_at_all_F5_JK8_JK15)
{
	const char *text = getenv("TORTURE_STRIDE");
	const unsigned usual = getenv("TORTURE_ALL") != NULL ? 1 : 61;
	const struct sweep s = {.name = "an issuer's keys",
	        .attempt = attempt,
	        .after = judge,
	        .most = 5000,
	        .stride = text != NULL ? (unsigned)strtoul(text, NULL, 10) : usual,
	        .may_linger = true};
	struct err e = {0};
	int issuer;

	for (size_t i = 0; i < COUNT(users); i++)
		ck_assert(algorithm_set_add(&at.algorithms, users[i], &e));
	at.workers_pem = token_key_pem(TOKEN_KEY_P384);
	issuer = start_issuer();
	sweep_all(&s);
	(void)close(issuer);
	free(at.workers_pem);
}
END_TEST

Suite *
keys_suite(void)
{
	Suite *s = suite_create("keys");
	TCase *tc = tcase_create("keys");

	token_maker_prepare();
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, a_set_of_keys_is_in_force_whole_or_not_at_all_F5_JK8_JK15);
	suite_add_tcase(s, tc);
	return s;
}
