/* Which files and which clients a server of TLS takes. */
#include "shared/http/tls_context.h"

#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/certificates.h"
#include "tests/lib/tls_peer.h"
#include "tests/lib/wire.h"
#include "tests/torture/fault.h"
#include "tests/unit/http/kit.h"
#include "tests/unit/unit.h"

static char dir[32];

static const char *const made[] = {
        "ca", "server", "other", "client", "stranger", "rsa", "weak", "expired", "garbage"};

static const char *
in_dir(const char *name)
{
	static char paths[8][128];
	static unsigned next;
	char *path = paths[next++ % COUNT(paths)];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void
make(const char *name, const struct certificate_wish *w)
{
	ck_assert(certificate_make(dir, name, w));
}

static void
setup(void)
{
	static const char names[] = "IP:127.0.0.1";
	FILE *garbage;

	(void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	(void)snprintf(dir, sizeof(dir), "/tmp/tasker-tls-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert(certificates_usual(dir));
	make("other", &(struct certificate_wish){.issuer = "ca", .names = names});
	make("client", &(struct certificate_wish){.issuer = "ca", .names = "DNS:client"});
	make("stranger", &(struct certificate_wish){.names = "DNS:client"});
	make("rsa", &(struct certificate_wish){.issuer = "ca", .names = names, .rsa_bits = 2048});
	make("weak", &(struct certificate_wish){.issuer = "ca", .names = names, .rsa_bits = 1024});
	make("expired",
	        &(struct certificate_wish){.issuer = "ca", .from_s = -7200, .until_s = -3600});
	garbage = fopen(in_dir("garbage.pem"), "we");
	ck_assert_ptr_nonnull(garbage);
	(void)fputs("-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n", garbage);
	(void)fclose(garbage);
}

static void
teardown(void)
{
	char name[64];

	for (size_t i = 0; i < COUNT(made); i++) {
		(void)snprintf(name, sizeof(name), "%s.pem", made[i]);
		(void)unlink(in_dir(name));
		(void)snprintf(name, sizeof(name), "%s.key", made[i]);
		(void)unlink(in_dir(name));
	}
	(void)rmdir(dir);
}

static struct tls_settings
settings(const char *certificate, const char *key, const char *ca)
{
	return (struct tls_settings){.certificate_path = in_dir(certificate),
	        .key_path = in_dir(key),
	        .client_ca_path = ca != NULL ? in_dir(ca) : NULL};
}

/* ---- files ---- */

static const struct {
	const char *certificate, *key, *ca;
	enum err_code code;
	const char *names, *says; /* the file at fault, and what is wrong with it */
} refused_files[] = {
        {"none.pem",    "server.key", NULL,          ERR_CRYPTO,  "none.pem",    "no certificate"      },
        {"garbage.pem", "server.key", NULL,          ERR_CRYPTO,  "garbage.pem", "no certificate"      },
        {"server.key",  "server.key", NULL,          ERR_CRYPTO,  "server.key",  "no certificate"      },
        {"weak.pem",    "weak.key",   NULL,          ERR_CRYPTO,  "weak.pem",    "key too small"       },
        {"server.pem",  "none.key",   NULL,          ERR_MISSING, "none.key",    "No such file"        },
        {"server.pem",  "",           NULL,          ERR_FORMAT,  "",            "chmod 600"           },
        {"server.pem",  "other.key",  NULL,          ERR_CRYPTO,  "other.key",   "does not belong"     },
        {"server.pem",  "rsa.key",    NULL,          ERR_CRYPTO,  "rsa.key",     "does not belong"     },
        {"server.pem",  "server.key", "none.pem",    ERR_CRYPTO,  "none.pem",    "no authorities in it"},
        {"server.pem",  "server.key", "garbage.pem", ERR_CRYPTO,  "garbage.pem",
         "no authorities in it"                                                                        },
};

START_TEST(a_file_that_is_not_what_it_should_be_is_named)
{
	const struct tls_settings s = settings(
	        refused_files[_i].certificate, refused_files[_i].key, refused_files[_i].ca);
	struct tls_context *t = NULL;
	struct err e = {0};

	ck_assert(!tls_context_new(&s, &t, &e));
	ck_assert_msg(e.code == refused_files[_i].code, "%s", e.text);
	ck_assert_msg(strstr(e.text, in_dir(refused_files[_i].names)) != NULL, "%s", e.text);
	ck_assert_msg(strstr(e.text, refused_files[_i].says) != NULL, "%s", e.text);
	ck_assert_ptr_null(t);
}
END_TEST

START_TEST(TL4_a_key_that_others_could_reach_is_refused)
{
	const struct tls_settings s = settings("server.pem", "server.key", NULL);

	for (mode_t mode = 0600; mode <= 0677; mode++) {
		AUTO(tls_context) struct tls_context *t = NULL;
		struct err e = {0};

		ck_assert_int_eq(chmod(s.key_path, mode), 0);
		ck_assert_int_eq(tls_context_new(&s, &t, &e), mode == 0600);
		ck_assert(mode == 0600 || strstr(e.text, s.key_path) != NULL);
		ck_assert_int_eq(e.code, mode == 0600 ? ERR_NONE : ERR_FORMAT);
	}
	ck_assert_int_eq(chmod(s.key_path, 0600), 0);
}
END_TEST

START_TEST(a_key_behind_a_password_is_refused_without_asking)
{
	char command[256];
	struct tls_context *t = NULL;
	struct tls_settings s;
	struct err e = {0};

	(void)snprintf(command, sizeof(command),
	        "openssl pkcs8 -topk8 -passout pass:secret -in %s -out %s && chmod 600 %s",
	        in_dir("server.key"), in_dir("garbage.key"), in_dir("garbage.key"));
	ck_assert_int_eq(system(command), 0);
	s = settings("server.pem", "garbage.key", NULL);
	ck_assert(!tls_context_new(&s, &t, &e));
	ck_assert_int_eq(e.code, ERR_CRYPTO);
	ck_assert_msg(strstr(e.text, "without a password") != NULL, "%s", e.text);
}
END_TEST

START_TEST(a_key_file_of_more_than_its_limit_is_refused)
{
	struct tls_settings s = settings("server.pem", "garbage.key", NULL);
	struct tls_context *t = NULL;
	struct err e = {0};
	FILE *file = fopen(s.key_path, "we");

	ck_assert_ptr_nonnull(file);
	(void)fchmod(fileno(file), 0600);
	for (int i = 0; i < TLS_KEY_FILE_MAX; i++)
		(void)fputc('\n', file);
	(void)fclose(file);
	ck_assert(!tls_context_new(&s, &t, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_int_eq(truncate(s.key_path, TLS_KEY_FILE_MAX - 1), 0);
	ck_assert(!tls_context_new(&s, &t, &e));
	ck_assert_int_eq(e.code, ERR_CRYPTO);
}
END_TEST

START_TEST(the_end_of_a_certificate_is_known)
{
	const struct tls_settings good = settings("server.pem", "server.key", NULL);
	const struct tls_settings late = settings("expired.pem", "expired.key", NULL);
	AUTO(tls_context) struct tls_context *a = NULL, *b = NULL;
	const int64_t now_s = (int64_t)time(NULL);
	struct err e = {0};

	ck_assert(tls_context_new(&good, &a, &e));
	ck_assert_int_le(llabs(tls_context_expires_s(a) - now_s - 3600), 60);
	ck_assert(tls_context_new(&late, &b, &e));
	ck_assert_int_le(llabs(tls_context_expires_s(b) - now_s + 3600), 60);
}
END_TEST

/* Ours, and each call into OpenSSL. */
static void
fail_each(enum fault_kind kind, unsigned least)
{
	const struct tls_settings s = settings("server.pem", "server.key", "ca.pem");
	unsigned nth = 1;

	for (; nth < 200; nth++) {
		struct tls_context *t = NULL;
		struct err e = {0};
		bool ok, hit;

		fault_arm(kind, nth, false);
		ok = tls_context_new(&s, &t, &e);
		hit = fault_disarm();
		ck_assert_msg(ok != hit, "%u, %s: %s", nth, hit ? fault_last() : "none", e.text);
		ck_assert(ok == (e.code == ERR_NONE) && ok == (t != NULL));
		tls_context_free(t);
		if (!hit)
			break;
	}
	ck_assert_uint_gt(nth, least);
	ck_assert_uint_lt(nth, 200);
}

START_TEST(every_allocation_and_call_of_a_context_may_fail)
{
	fail_each(FAULT_ALLOCATION, 2);
	fail_each(FAULT_CALL, 12);
}
END_TEST

/* ---- clients ---- */

static struct kit kit;

static void
serve(const struct tls_settings *s)
{
	const struct http_limits limits = kit_limits();
	struct tls_context *t = NULL;
	struct err e = {0};

	ck_assert_msg(tls_context_new(s, &t, &e), "%s", e.text);
	kit_start_tls(&kit, &limits, t);
}

/* Does a client like that get an answer? */
static bool
served(const struct tls_wish *w)
{
	struct tls_peer p;
	char reply[1024] = "";
	bool answered;

	ck_assert(tls_peer_open(&p, wire_connect(kit.port), w));
	answered = tls_peer_handshake(&p) && tls_peer_say_text(&p, GET("/now")) &&
	           tls_peer_read(&p, reply, sizeof(reply) - 1, TLS_PEER_MS) > 0 &&
	           strncmp(reply, "HTTP/1.1 200 ", 13) == 0;
	tls_peer_close(&p);
	return answered;
}

#define ONLY(version) .least = version, .most = version
#define TLS12(suite) ONLY(TLS1_2_VERSION), .ciphers = suite ":@SECLEVEL=0"

static const struct {
	struct tls_wish wish;
	bool by_1_2, by_1_3; /* served by a server of 1.2, and by one of 1.3 only */
} clients[] = {
        {{.least = 0},                           true,  true },
        {{ONLY(TLS1_3_VERSION)},                 true,  true },
        {{ONLY(TLS1_2_VERSION)},                 true,  false},
        {{ONLY(TLS1_1_VERSION)},                 false, false},
        {{ONLY(TLS1_VERSION)},                   false, false},
        {{TLS12("ECDHE-RSA-AES128-GCM-SHA256")}, true,  false},
        {{TLS12("ECDHE-RSA-AES256-GCM-SHA384")}, true,  false},
        {{TLS12("ECDHE-RSA-CHACHA20-POLY1305")}, true,  false},
        {{TLS12("ECDHE-RSA-AES128-SHA256")},     false, false},
        {{TLS12("ECDHE-RSA-AES128-SHA")},        false, false},
        {{TLS12("AES128-GCM-SHA256")},           false, false},
        {{TLS12("AES128-SHA")},                  false, false},
        {{TLS12("NULL-SHA256")},                 false, false},
        {{.protocols = "\x08http/1.1"},          true,  true },
        {{.protocols = "\x02h2\x08http/1.1"},    true,  true },
        {{.protocols = "\x02h2"},                false, false},
};

START_TEST(TL1_old_versions_and_suites_do_not_get_in)
{
	struct tls_settings s = settings("rsa.pem", "rsa.key", NULL);

	s.only_1_3 = _i == 1;
	serve(&s);
	for (size_t i = 0; i < COUNT(clients); i++)
		ck_assert_msg(served(&clients[i].wish) ==
		                      (s.only_1_3 ? clients[i].by_1_3 : clients[i].by_1_2),
		        "client %zu", i);
	ck_assert(kit_has_connections(&kit, 0));
	kit_stop(&kit);
}
END_TEST

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

START_TEST(TL3_nothing_is_resumed_compressed_or_negotiated_again)
{
	const struct tls_settings s = settings("server.pem", "server.key", NULL);
	struct tls_peer p;
	char reply[1024];

	serve(&s);
	ck_assert(tls_peer_open(&p, wire_connect(kit.port),
	        &(struct tls_wish){.least = versions[_i], .most = versions[_i]}));
	ck_assert(tls_peer_handshake(&p));
	ck_assert(tls_peer_say_text(&p, GET("/now")));
	ck_assert_int_gt(tls_peer_read(&p, reply, sizeof(reply), TLS_PEER_MS), 0);
	ck_assert_int_eq(SSL_SESSION_is_resumable(SSL_get_session(p.ssl)), 0);
	ck_assert_ptr_null(SSL_get_current_compression(p.ssl));
	if (versions[_i] == TLS1_2_VERSION) {
		ck_assert_int_eq(SSL_renegotiate(p.ssl), 1);
		(void)SSL_do_handshake(p.ssl);
		ck_assert_int_lt(tls_peer_read(&p, reply, sizeof(reply), TLS_PEER_MS), 1);
	}
	tls_peer_close(&p);
	kit_stop(&kit);
}
END_TEST

static const struct {
	const char *certificate, *key;
	bool served;
} shown[] = {
        {NULL,           NULL,           false},
        {"stranger.pem", "stranger.key", false},
        {"expired.pem",  "expired.key",  false},
        {"client.pem",   "client.key",   true },
};

START_TEST(only_clients_of_the_authority_get_in_if_one_is_named)
{
	const struct tls_settings s = settings("server.pem", "server.key", "ca.pem");

	serve(&s);
	for (size_t i = 0; i < COUNT(shown); i++) {
		for (size_t v = 0; v < COUNT(versions); v++) {
			const struct tls_wish w = {.least = versions[v],
			        .most = versions[v],
			        .certificate_path = shown[i].certificate != NULL
			                                    ? in_dir(shown[i].certificate)
			                                    : NULL,
			        .key_path = shown[i].key != NULL ? in_dir(shown[i].key) : NULL};

			ck_assert_msg(served(&w) == shown[i].served, "%zu %zu", i, v);
		}
	}
	ck_assert_uint_eq(kit_count(&kit, "head"), COUNT(versions));
	kit_stop(&kit);
}
END_TEST

START_TEST(TL6_a_new_certificate_is_shown_to_new_connections_and_old_ones_go_on)
{
	const struct tls_settings first = settings("server.pem", "server.key", NULL);
	const struct tls_settings second = settings("rsa.pem", "rsa.key", NULL);
	const struct tls_wish w = {.ca_path = in_dir("ca.pem"), .host = "127.0.0.1"};
	struct tls_context *next = NULL;
	struct tls_peer before, after;
	struct err e = {0};
	char reply[1024];

	serve(&first);
	ck_assert(tls_peer_open(&before, wire_connect(kit.port), &w));
	ck_assert(tls_peer_handshake(&before));
	ck_assert(tls_context_new(&second, &next, &e));
	http_server_tls(kit.server, next);
	ck_assert(tls_peer_open(&after, wire_connect(kit.port), &w));
	ck_assert(tls_peer_handshake(&after));
	for (int i = 0; i < 3; i++) {
		ck_assert(tls_peer_say_text(&before, GET("/now")));
		ck_assert_int_gt(tls_peer_read(&before, reply, sizeof(reply), TLS_PEER_MS), 0);
		ck_assert(tls_peer_say_text(&after, GET("/now")));
		ck_assert_int_gt(tls_peer_read(&after, reply, sizeof(reply), TLS_PEER_MS), 0);
	}
	ck_assert_int_eq(
	        EVP_PKEY_get_base_id(X509_get0_pubkey(SSL_get0_peer_certificate(before.ssl))),
	        EVP_PKEY_EC);
	ck_assert_int_eq(
	        EVP_PKEY_get_base_id(X509_get0_pubkey(SSL_get0_peer_certificate(after.ssl))),
	        EVP_PKEY_RSA);
	tls_peer_close(&before);
	tls_peer_close(&after);
	kit_stop(&kit);
}
END_TEST

Suite *
tls_context_suite(void)
{
	Suite *s = suite_create("tls_context");
	TCase *tc = tcase_create("files"), *in = tcase_create("clients");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(
	        tc, a_file_that_is_not_what_it_should_be_is_named, 0, (int)COUNT(refused_files));
	tcase_add_test(tc, TL4_a_key_that_others_could_reach_is_refused);
	tcase_add_test(tc, a_key_behind_a_password_is_refused_without_asking);
	tcase_add_test(tc, a_key_file_of_more_than_its_limit_is_refused);
	tcase_add_test(tc, the_end_of_a_certificate_is_known);
	tcase_add_test(tc, every_allocation_and_call_of_a_context_may_fail);
	suite_add_tcase(s, tc);

	tcase_add_unchecked_fixture(in, setup, teardown);
	tcase_set_timeout(in, 60);
	tcase_add_loop_test(in, TL1_old_versions_and_suites_do_not_get_in, 0, 2);
	tcase_add_loop_test(
	        in, TL3_nothing_is_resumed_compressed_or_negotiated_again, 0, (int)COUNT(versions));
	tcase_add_test(in, only_clients_of_the_authority_get_in_if_one_is_named);
	tcase_add_test(in, TL6_a_new_certificate_is_shown_to_new_connections_and_old_ones_go_on);
	suite_add_tcase(s, in);
	return s;
}
