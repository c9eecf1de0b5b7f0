/* The group auth, as somebody at a shell uses it: seed 002's quick start and what can go wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/security/api_key_registry.h"
#include "shared/security/permission.h"
#include "tests/lib/token_maker.h"
#include "tests/unit/ctl/rig.h"
#include "tests/unit/unit.h"

static struct rig r;

static mode_t
mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* Keys of the test's maker where generate-keys would put them. */
static void
use_keys(void)
{
	char *private_pem = token_key_pem_private(TOKEN_KEY_RSA);
	char *public_pem = token_key_pem(TOKEN_KEY_RSA);

	rig_folder_begin();
	ck_assert_int_eq(mkdir(rig_path("keys"), 0700), 0);
	rig_write("keys/jwt-private-key.pem", private_pem);
	rig_write("keys/jwt-public-key.pem", public_pem);
	ck_assert_int_eq(chdir(rig_path("")), 0);
	free(private_pem);
	free(public_pem);
}

static void
end(void)
{
	rig_end(&r);
	rig_folder_end();
}

/* Word for word the commands of seed 002. */
START_TEST(the_quick_start_of_the_seed_works)
{
	ck_assert_int_eq(unlink("keys/jwt-private-key.pem") | unlink("keys/jwt-public-key.pem"), 0);
	ck_assert_int_eq(rmdir("keys"), 0);
	rig_run(&r, "auth", "generate-keys", "--output-dir", "./keys", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	ck_assert_uint_eq(mode_of("keys"), 0700);
	ck_assert_uint_eq(mode_of("keys/jwt-private-key.pem"), 0600);
	ck_assert_uint_eq(mode_of("keys/jwt-public-key.pem"), 0644);
	rig_run(&r, "auth", "generate-token", "--private-key", "./keys/jwt-private-key.pem",
	        "--permissions", "tasks:create,tasks:read,tasks:list", "--subject", "my-service",
	        "--expiry-hours", "24", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	ck_assert_ptr_eq(strchr(r.out, '\n'), r.out + strlen(r.out) - 1);
	rig_has(r.err, "my-service");
	rig_lacks(r.err, "warning");
}
END_TEST

START_TEST(keys_that_exist_are_kept_unless_forced)
{
	char *before = rig_read("keys/jwt-private-key.pem"), *after;

	rig_run(&r, "auth", "generate-keys", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_CONFLICT);
	rig_has(r.err, "--force");
	after = rig_read("keys/jwt-private-key.pem");
	ck_assert_str_eq(after, before);
	free(after);
	ck_assert_int_eq(unlink("keys/jwt-private-key.pem"), 0);
	rig_run(&r, "auth", "generate-keys", NULL); /* half a pair is in the way too */
	ck_assert_int_eq(r.status, EXIT_STATUS_CONFLICT);
	rig_run(&r, "auth", "generate-keys", "--force", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	after = rig_read("keys/jwt-private-key.pem");
	ck_assert_str_ne(after, before);
	free(after);
	free(before);
}
END_TEST

static const char *const sizes[] = {"1024", "2047", "8193", "x", ""};

START_TEST(key_sizes_have_limits)
{
	rig_run(&r, "auth", "generate-keys", "--force", "-k", sizes[_i], NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_has(r.err, "2048 to 8192");
}
END_TEST

/* A token made by the command, without its line break. */
static char *
make_token(const char *permissions, const char *audience, const char *subject)
{
	char *token;

	rig_run(&r, "auth", "generate-token", "--permissions", permissions, "--audience", audience,
	        "--subject", subject, "--namespaces", "demo, other", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	token = strndup(r.out, strcspn(r.out, "\n"));
	ck_assert_ptr_nonnull(token);
	return token;
}

START_TEST(a_token_is_shown_with_its_claims)
{
	char *token = make_token("tasks:create,tasks:*", "tasker-api", "me");

	rig_run(&r, "auth", "validate-token", "--token", token, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(r.out, "Valid             yes");
	rig_has(r.out, "Subject           me");
	rig_has(r.out, "tasker-core");
	rig_has(r.out, "tasks:*");
	rig_has(r.out, "other");
	rig_lacks(r.out, "(unknown)");
	rig_run(&r, "--output", "json", "auth", "validate-token", "--token", token, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(r.out, "{\"valid\":true,\"reason\":null,\"claims\":{");
	free(token);
}
END_TEST

START_TEST(a_token_comes_from_stdin_too)
{
	char *token = make_token("tasks:create", "tasker-api", "me"), line[4096];

	(void)snprintf(line, sizeof(line), "%s\n", token);
	r.input = line;
	rig_run(&r, "auth", "validate-token", "-t", "-", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	r.input = NULL;
	rig_run(&r, "auth", "validate-token", "-t", "-", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_has(r.err, "empty");
	free(token);
}
END_TEST

/* The demo's worker: no permissions, because its routes ask for none. */
START_TEST(a_workers_credential_needs_no_permissions)
{
	char *token;

	rig_run(&r, "auth", "generate-token", "--audience", "tasker-internal", "--subject",
	        "wrk:demo-worker", "--namespaces", "demo", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_lacks(r.err, "warning: a worker's");
	token = strndup(r.out, strcspn(r.out, "\n"));
	rig_run(&r, "auth", "validate-token", "-t", token, "--audience", "tasker-internal", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_run(&r, "auth", "validate-token", "-t", token, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO);
	rig_has(r.out, "audience");
	rig_run(&r, "auth", "generate-token", "--audience", "tasker-internal", NULL);
	rig_has(r.err, "wrk:ID");
	free(token);
}
END_TEST

START_TEST(a_users_token_needs_permissions)
{
	rig_run(&r, "auth", "generate-token", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_run(&r, "auth", "generate-token", "-p", " , ", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	ck_assert_str_eq(r.out, "");
}
END_TEST

START_TEST(unknown_permissions_are_warned_of_and_kept)
{
	char *token = make_token("tasks:create,tasks:destroy,*", "tasker-api", "me");

	rig_has(r.err, "unknown permission tasks:destroy");
	rig_has(r.err, "bare * grants nothing");
	rig_run(&r, "auth", "validate-token", "-t", token, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO); /* strict daemons refuse it */
	rig_has(r.out, "tasks:destroy (unknown)");
	rig_has(r.out, "* (unknown)");
	free(token);
}
END_TEST

START_TEST(a_tenant_goes_into_its_claim)
{
	char *token;

	rig_run(&r, "auth", "generate-token", "-p", "tasks:read", "--tenant", "acme",
	        "--tenant-claim", "org", NULL);
	token = strndup(r.out, strcspn(r.out, "\n"));
	rig_run(&r, "--output", "json", "auth", "validate-token", "-t", token, NULL);
	rig_has(r.out, "\"org\":\"acme\"");
	free(token);
}
END_TEST

START_TEST(lifetimes_have_limits)
{
	rig_run(&r, "auth", "generate-token", "-p", "tasks:read", "-e", "0", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_run(&r, "auth", "generate-token", "-p", "tasks:read", "-e", "721", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_run(&r, "auth", "generate-token", "-p", "tasks:read", "-e", "720", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(r.err, "jwt_max_lifetime_hours");
}
END_TEST

START_TEST(a_key_that_others_can_read_is_warned_of)
{
	ck_assert_int_eq(chmod("keys/jwt-private-key.pem", 0644), 0);
	rig_run(&r, "auth", "generate-token", "-p", "tasks:read", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(r.err, "chmod 600");
}
END_TEST

START_TEST(a_key_that_is_none_does_not_sign)
{
	rig_run(&r, "auth", "generate-token", "-p", "tasks:read", "--private-key",
	        "keys/jwt-public-key.pem", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO);
	ck_assert_str_eq(r.out, "");
	rig_has(r.err, "jwt-public-key.pem: it is no private key");
	rig_run(&r, "auth", "generate-token", "-p", "tasks:read", "--private-key", "none", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO);
	rig_has(r.err, "generate-keys");
}
END_TEST

#define USUAL "\"iss\":\"tasker-core\",\"aud\":\"tasker-api\",\"permissions\":[]"

enum times { AS_IS, FRESH };

static const struct {
	enum token_key key;
	const char *alg, *claims;
	enum times times;
	const char *says;
	bool shows_claims;
} refused[] = {
#define REFUSED(k, a, c, t, s, shown)                                                              \
	{.key = TOKEN_KEY_##k,                                                                     \
	        .alg = (a),                                                                        \
	        .claims = c,                                                                       \
	        .times = (t),                                                                      \
	        .says = (s),                                                                       \
	        .shows_claims = (shown)},
#include "tests/unit/ctl/refused.def"
#undef REFUSED
};

START_TEST(a_token_that_daemons_refuse_is_refused_with_the_reason)
{
	long long now = clock_wall_us() / 1000000;
	char payload[512], times[64] = "";
	char *good = token_user_claims("me", "tasks:read", now), *token;

	if (refused[_i].times == FRESH)
		(void)snprintf(times, sizeof(times), ",\"iat\":%lld,\"exp\":%lld", now, now + 60);
	if (refused[_i].claims != NULL)
		(void)snprintf(payload, sizeof(payload), "{%s%s}", refused[_i].claims, times);
	token = token_make(
	        refused[_i].key, refused[_i].alg, refused[_i].claims != NULL ? payload : good);
	rig_run(&r, "auth", "validate-token", "-t", token, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO);
	rig_has(r.out, " no\n");
	rig_has(r.out, refused[_i].says);
	ck_assert_int_eq(strstr(r.out, "Subject") != NULL, refused[_i].shows_claims);
	free(good);
	free(token);
}
END_TEST

/* RFC 8725 2.1: the public key as an HMAC secret, and no signature at all. */
START_TEST(forged_algorithms_are_refused)
{
	char *pem = token_key_pem(TOKEN_KEY_RSA);
	char *claims = token_user_claims("me", "tasks:read", clock_wall_us() / 1000000);
	char *tokens[] = {
	        token_make_hmac(pem, strlen(pem), "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", claims),
	        token_join("{\"alg\":\"none\"}", claims, strlen(claims), "", 0)};

	for (size_t i = 0; i < COUNT(tokens); i++) {
		rig_run(&r, "auth", "validate-token", "-t", tokens[i], NULL);
		ck_assert_int_eq(r.status, EXIT_STATUS_NO);
		rig_lacks(r.out, "Subject");
		free(tokens[i]);
	}
	free(pem);
	free(claims);
}
END_TEST

/* Signed by somebody we trust, and still only text. */
START_TEST(claims_cannot_act_on_the_terminal)
{
	char *claims = token_user_claims(
	        "\\u001b[2Jroot\\nValid yes", "tasks:read\\u001b[31m", clock_wall_us() / 1000000);
	char *token = token_make(TOKEN_KEY_RSA, "RS256", claims);

	rig_run(&r, "auth", "validate-token", "-t", token, NULL);
	ck_assert_ptr_null(strchr(r.out, '\033'));
	rig_lacks(r.out, "\nValid yes");
	free(claims);
	free(token);
}
END_TEST

START_TEST(a_private_key_where_the_public_one_belongs_is_refused)
{
	rig_run(&r, "auth", "validate-token", "-t", "a.b.c", "--public-key",
	        "keys/jwt-private-key.pem", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_has(r.err, "private key");
}
END_TEST

/* AK1: a daemon that is given the block knows the key, and only by its digest. */
START_TEST(an_api_key_opens_what_its_block_says)
{
	AUTO(api_key_registry) struct api_key_registry *registry = NULL;
	AUTO(digest) struct digest *hasher = NULL;
	static const char *const permissions[] = {"tasks:read"};
	char key[64], hex[65];
	struct api_key_settings settings = {
	        .key_sha256 = hex, .id = "ci", .permissions = permissions, .permission_count = 1};
	struct err e = {0};

	rig_run(&r, "auth", "generate-api-key", "--id", "ci", "-p", "tasks:read", "--description",
	        "the \"build\"", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	ck_assert_int_eq(sscanf(r.out, "%63s", key), 1);
	ck_assert_uint_eq(strlen(key), 46);
	ck_assert_int_eq(strncmp(key, "tk_", 3), 0);
	rig_lacks(r.err, key);
	ck_assert_int_eq(r.err[0], '#'); /* all of it may go into the file */
	rig_has(r.err, "[[web.auth.api_keys]]\nid = \"ci\"\ndescription = \"the \\\"build\\\"\"\n");
	rig_has(r.err, "permissions = [\"tasks:read\"]");
	ck_assert_int_eq(sscanf(strstr(r.err, "key_sha256 = \"") + 14, "%64[0-9a-f]", hex), 1);
	ck_assert(api_key_registry_new(&settings, 1, true, &registry, NULL, &e));
	ck_assert(digest_new(&hasher, &e));
	ck_assert_int_eq(api_key_registry_find(registry, hasher, key, strlen(key), 0), 0);
}
END_TEST

START_TEST(an_api_key_has_known_permissions_only)
{
	rig_run(&r, "auth", "generate-api-key", "-p", "tasks:read,*", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	ck_assert_str_eq(r.out, "");
	rig_run(&r, "auth", "generate-api-key", "-p", "", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
}
END_TEST

START_TEST(every_permission_and_wildcard_is_listed_once)
{
	rig_run(&r, "auth", "show-permissions", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	for (int p = 0; p < PERMISSION__COUNT; p++) {
		size_t len = 0;
		char wildcard[64];
		const char *at, *resource = permission_resource((enum permission)p, &len);

		rig_has(r.out, permission_spelled((enum permission)p));
		rig_has(r.out, permission_meaning((enum permission)p));
		(void)snprintf(wildcard, sizeof(wildcard), "\n%.*s:*", (int)len, resource);
		rig_has(r.out, wildcard);
		at = strstr(r.out, wildcard) + 1;
		ck_assert_ptr_null(strstr(at, wildcard));
	}
	rig_lacks(r.out, "\n* ");
	rig_has(r.out, "bare * grants nothing");
	rig_run(&r, "--output", "json", "auth", "show-permissions", NULL);
	rig_has(r.out, "[{\"permission\":\"tasks:create\"");
}
END_TEST

Suite *
auth_suite(void)
{
	Suite *s = suite_create("auth");
	TCase *tc = tcase_create("auth");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_add_checked_fixture(tc, use_keys, end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_quick_start_of_the_seed_works);
	tcase_add_test(tc, keys_that_exist_are_kept_unless_forced);
	tcase_add_loop_test(tc, key_sizes_have_limits, 0, COUNT(sizes));
	tcase_add_test(tc, a_token_is_shown_with_its_claims);
	tcase_add_test(tc, a_token_comes_from_stdin_too);
	tcase_add_test(tc, a_workers_credential_needs_no_permissions);
	tcase_add_test(tc, a_users_token_needs_permissions);
	tcase_add_test(tc, unknown_permissions_are_warned_of_and_kept);
	tcase_add_test(tc, a_tenant_goes_into_its_claim);
	tcase_add_test(tc, lifetimes_have_limits);
	tcase_add_test(tc, a_key_that_others_can_read_is_warned_of);
	tcase_add_test(tc, a_key_that_is_none_does_not_sign);
	tcase_add_loop_test(
	        tc, a_token_that_daemons_refuse_is_refused_with_the_reason, 0, COUNT(refused));
	tcase_add_test(tc, forged_algorithms_are_refused);
	tcase_add_test(tc, claims_cannot_act_on_the_terminal);
	tcase_add_test(tc, a_private_key_where_the_public_one_belongs_is_refused);
	tcase_add_test(tc, an_api_key_opens_what_its_block_says);
	tcase_add_test(tc, an_api_key_has_known_permissions_only);
	tcase_add_test(tc, every_permission_and_wildcard_is_listed_once);
	suite_add_tcase(s, tc);
	return s;
}
