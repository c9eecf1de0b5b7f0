/*
 * docs/identity-providers.md, tried: each block of configuration there, loaded as it stands,
 * against a token of that provider's shape (JT14, JT17, JT18). Run from the root.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/daemon/settings.h"
#include "tests/unit/unit.h"

enum { NOW = 1800000000, DOCUMENT_MAX = 64 * 1024 };

#define TIMES "\"iat\":1799999000,\"exp\":1800003600"

static const struct shape {
	const char *heading;
	const char *payload;
	const char *granted; /* all of them, and nothing else */
	size_t ignored;      /* foreign names */
	bool typ;            /* demanded */
} shapes[] = {
        {"Auth0",
         "{\"iss\":\"https://acme.eu.auth0.com/"
                "\",\"sub\":\"auth0|5f7c8ec7c33c6c004bbafe82\","
                "\"aud\":[\"https://tasker.example.com\",\"https://acme.eu.auth0.com/"
                "userinfo\"]," TIMES ",\"azp\":\"my_client\",\"scope\":\"openid profile\","
                "\"permissions\":[\"tasks:read\",\"tasks:create\"]}",                            "tasks:read tasks:create",       0, true },
        {"Keycloak",
         "{" TIMES ",\"auth_time\":1799998000,\"jti\":\"onrtac:6b7e\","
                "\"iss\":\"https://sso.example.com/realms/"
                "acme\",\"aud\":[\"tasker-api\",\"account\"],"
                "\"sub\":\"f1b2c3d4-0000-4000-8000-000000000001\",\"typ\":\"Bearer\",\"azp\":"
                "\"web\","
                "\"acr\":\"1\",\"realm_access\":{\"roles\":[\"default-roles-acme\",\"offline_"
                "access\"]},"
                "\"resource_access\":{\"tasker\":{\"roles\":[\"operator\",\"guest\"]},"
                "\"account\":{\"roles\":[\"manage-account\"]}},\"scope\":\"openid email\"}",     "tasks:* dlq:*",                 1, true },
        {"Okta",
         "{\"ver\":1,\"jti\":\"AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE\","
                "\"iss\":\"https://acme.okta.com/oauth2/aus9o8wzkhckw9TLa0h7\",\"aud\":\"api://"
                "tasker\"," TIMES
                ",\"cid\":\"nmdP1fcyvdVO11AL7ECm\",\"uid\":\"00ujmkLgagxeRrAg20g3\","
                "\"scp\":[\"openid\",\"email\",\"tasker.read\"],\"sub\":\"alice@example.com\"}", "tasks:read tasks:list",         2, false},
        {"Entra ID",
         "{\"aud\":\"66666666-7777-8888-9999-000000000000\",\"iss\":\"https://"
                "login.microsoftonline.com/"
                "11111111-2222-3333-4444-555555555555/v2.0\"," TIMES
                ",\"nbf\":1799999000,\"aio\":\"E2Zg\","
                "\"azp\":\"aaaaaaaa-0000-0000-0000-000000000000\",\"azpacr\":\"1\","
                "\"oid\":\"bbbbbbbb-0000-0000-0000-000000000000\",\"roles\":[\"Tasks.Operate\"],"
                "\"sub\":\"bbbbbbbb-0000-0000-0000-000000000000\","
                "\"tid\":\"11111111-2222-3333-4444-555555555555\",\"ver\":\"2.0\"}",             "tasks:* dlq:read",              0, true },
        {"OpenID Connect",
         "{\"iss\":\"https://id.example.com\",\"aud\":\"https://"
                "tasker.example.com\",\"sub\":\"5ba552d67\"," TIMES
                ",\"client_id\":\"s6BhdRkqt3\",\"jti\":\"dbe39bf3a3ba4238a513f51d6e1691c4\","
                "\"scope\":\"openid profile tasker-operator workers:read\"}",                    "tasks:* dlq:read workers:read", 2, true },
};

/* The TOML block below a heading of the document, in a file of its own. */
static void
block_to_file(const char *heading, const char *path)
{
	static char text[DOCUMENT_MAX];
	char mark[64];
	FILE *f = fopen("docs/identity-providers.md", "r");
	char *from, *to;
	size_t len;

	ck_assert_ptr_nonnull(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[len] = '\0';
	(void)snprintf(mark, sizeof(mark), "\n## %s\n", heading);
	from = strstr(text, mark);
	ck_assert_msg(from != NULL, "no heading %s", heading);
	from = strstr(from, "```toml\n");
	ck_assert_ptr_nonnull(from);
	from += strlen("```toml\n");
	to = strstr(from, "```");
	ck_assert_ptr_nonnull(to);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(from, 1, (size_t)(to - from), f), (size_t)(to - from));
	(void)fclose(f);
}

static struct security_service *
service_of(const char *heading)
{
	static struct config_notes notes;
	char path[] = "/tmp/shape-XXXXXX";
	struct config_source source = {
	        .role = CONFIG_ORCHESTRATION, .path = path, .etc = "/nonexistent"};
	struct security_report report = {.count = 0};
	struct security_service *service = NULL;
	struct config *config = NULL;
	struct err e = {0};
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	block_to_file(heading, path);
	ck_assert_msg(config_load(&source, &notes, &config, &e), "%s", e.text);
	(void)unlink(path);
	ck_assert_msg(settings_security_service(config, &service, &report, &e), "%s", e.text);
	config_free(config);
	return service;
}

static enum verdict
check(const struct trust *users, const char *payload, struct claims *out)
{
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};

	ck_assert_msg(json_parse(payload, strlen(payload), &claims_limits, &doc, &e), "%s", e.text);
	return claims_check(doc, trust_rules(users), NOW, out);
}

static uint64_t
bits_of(const char *words)
{
	struct permission_set set = {0};
	struct err e = {0};

	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		ck_assert(permission_set_add(&set, words, len, &e));
		words += len + (words[len] == ' ');
	}
	return set.bits;
}

START_TEST(jt17_jt18_a_token_of_the_providers_shape_has_the_permissions_of_the_document)
{
	const struct shape *shape = &shapes[_i];
	AUTO(security_service) struct security_service *service = service_of(shape->heading);
	const struct trust *users = security_service_users(service);
	struct claims claims = {0};
	enum verdict v = check(users, shape->payload, &claims);

	ck_assert_msg(v == VERDICT_GRANT, "%s: %s", shape->heading, verdict_reason(v));
	ck_assert_uint_eq(claims.fields.permissions.bits, bits_of(shape->granted));
	ck_assert_uint_eq(claims.permissions_ignored, shape->ignored);
	ck_assert_int_eq(trust_requires_typ(users), shape->typ);
	claims_clear(&claims);
}
END_TEST

/* JT14: nobody's configuration takes another provider's token. */
START_TEST(jt14_a_token_of_another_provider_is_refused)
{
	AUTO(security_service) struct security_service *service = service_of(shapes[_i].heading);

	for (size_t i = 0; i < COUNT(shapes); i++) {
		struct claims claims = {0};
		enum verdict v = check(security_service_users(service), shapes[i].payload, &claims);

		ck_assert_int_eq(v, i == (size_t)_i ? VERDICT_GRANT : VERDICT_DENY_ISSUER);
		claims_clear(&claims);
	}
}
END_TEST

Suite *
claims_shapes_suite(void)
{
	Suite *s = suite_create("claims_shapes");
	TCase *tc = tcase_create("providers");

	tcase_add_loop_test(tc,
	        jt17_jt18_a_token_of_the_providers_shape_has_the_permissions_of_the_document, 0,
	        COUNT(shapes));
	tcase_add_loop_test(tc, jt14_a_token_of_another_provider_is_refused, 0, COUNT(shapes));
	suite_add_tcase(s, tc);
	return s;
}
