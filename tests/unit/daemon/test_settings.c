/* Configuration to settings: what is refused at start, and that the numbers arrive in their units.
 */
#include "shared/daemon/settings.h"

#include <string.h>

#include "shared/daemon/service.h"
#include "tests/unit/unit.h"

static struct config *
config_of(enum config_role role, const char *const *sets, size_t count)
{
	static struct config_notes notes;
	struct config_source source = {.role = role,
	        .path = "/dev/null",
	        .sets = sets,
	        .set_count = count,
	        .etc = "/nonexistent"};
	struct config *config = NULL;
	struct err e = {0};

	ck_assert_msg(config_load(&source, &notes, &config, &e), "%s", e.text);
	return config;
}

/* Off for principals and addresses, on for what strangers cost; each key reaches its limit (LM4).
 */
START_TEST(lm4_rate_limits_follow_their_keys)
{
	static const char *const sets[] = {"limits.requests_per_second=2",
	        "limits.requests_burst=1", "limits.address_requests_per_second=4",
	        "limits.address_requests_burst=3", "limits.verifications_per_second=0"};
	static const bool on[][RATE__COUNT] = {
	        {false, false, true },
                {true,  true,  false}
        };
	const int64_t now = 1000000;
	AUTO(rate_limits) struct rate_limits *limits = NULL;
	struct err e = {0};
	int64_t wait_us = 0;

	ck_assert(rate_limits_new(&limits, &e));
	for (size_t i = 0; i < COUNT(on); i++) {
		AUTO(config)
		struct config *config =
		        config_of(CONFIG_WORKER, i == 0 ? NULL : sets, i == 0 ? 0 : COUNT(sets));

		settings_rate_limits(config, limits);
		for (size_t scope = 0; scope < RATE__COUNT; scope++)
			ck_assert_int_eq(rate_limit_is_on(&limits->of[scope]), on[i][scope]);
	}
	ck_assert(rate_limit_take(&limits->of[RATE_PRINCIPAL], 1, now, &wait_us));
	ck_assert(!rate_limit_take(&limits->of[RATE_PRINCIPAL], 1, now, &wait_us));
	ck_assert_int_eq(wait_us, 500000);
	for (int i = 0; i < 3; i++)
		ck_assert(rate_limit_take(&limits->of[RATE_ADDRESS], 1, now, &wait_us));
	ck_assert(!rate_limit_take(&limits->of[RATE_ADDRESS], 1, now, &wait_us));
	ck_assert_int_eq(wait_us, 250000);
}
END_TEST

static const struct {
	const char *sets[4];
	const char *says; /* NULL: accepted */
} starts[] = {
        {{"web.bind_address=127.0.0.1:0"},                                           NULL},
        {{"web.bind_address=0.0.0.0:0", "web.allow_unauthenticated_remote=true"},    NULL},
        {{"web.auth.enabled=true", "web.auth.jwt_verification_method=jwks",
                 "web.auth.jwks_url=https://idp.example/jwks"},
         NULL                                                                            },
 /* JT23: a key that cannot be read names its file */
        {{"web.auth.enabled=true", "web.auth.jwt_public_key_path=/nonexistent.pem"},
         "/nonexistent.pem"                                                              },
 /* PM3: what the issuer calls our permissions */
        {{"web.auth.enabled=true", "web.auth.jwt_verification_method=jwks",
                 "web.auth.jwks_url=https://idp.example/jwks",
                 "web.auth.permissions_claim=realm_access.roles"},
         NULL                                                                            },
};

static size_t
set_count(const char *const sets[4])
{
	size_t n = 0;

	while (n < 4 && sets[n] != NULL)
		n++;
	return n;
}

START_TEST(service_is_built_or_refused_with_its_reason)
{
	const char *const *sets = starts[_i].sets;
	AUTO(config) struct config *config = config_of(CONFIG_ORCHESTRATION, sets, set_count(sets));
	AUTO(security_service) struct security_service *service = NULL;
	struct security_report report = {.count = 0};
	struct err e = {0};
	bool built = settings_security_service(config, &service, &report, &e);

	ck_assert_msg(built == (starts[_i].says == NULL), "%s", e.text);
	ck_assert_int_eq(built, service != NULL);
	if (!built)
		ck_assert_msg(strstr(e.text, starts[_i].says) != NULL, "%s", e.text);
}
END_TEST

START_TEST(limits_arrive_in_microseconds_and_bytes)
{
	const char *sets[] = {"limits.head_timeout_ms=20", "limits.connection_max_seconds=3",
	        "limits.head_bytes=2048", "limits.json_depth=7", "limits.pipeline_max=5"};
	AUTO(config) struct config *config = config_of(CONFIG_WORKER, sets, COUNT(sets));
	struct http_limits http = settings_http_limits(config);
	struct json_limits json = settings_json_limits(config);

	ck_assert_int_eq(http.head_us, 20000);
	ck_assert_int_eq(http.lifetime_us, 3000000);
	ck_assert_uint_eq(http.head_bytes, 2048);
	ck_assert_uint_eq(http.pipeline, 5);
	ck_assert_uint_eq(json.depth, 7);
	ck_assert_uint_eq(json.bytes, MIB(1));
}
END_TEST

START_TEST(tls_begins_with_a_certificate_and_names_the_file_at_fault)
{
	const char *sets[] = {"web.tls.certificate_path=/nonexistent.pem",
	        "web.tls.key_path=/nonexistent.key", "web.tls.handshake_timeout_ms=30"};
	AUTO(config) struct config *with = config_of(CONFIG_WORKER, sets, COUNT(sets));
	AUTO(config) struct config *without = config_of(CONFIG_ORCHESTRATION, NULL, 0);
	struct tls_context *t = NULL;
	struct err e = {0};

	ck_assert(settings_uses_tls(with) && !settings_uses_tls(without));
	ck_assert_int_eq(settings_http_limits(with).handshake_us, 30000);
	ck_assert(settings_tls(without, &t, &e));
	ck_assert_ptr_null(t);
	ck_assert(!settings_tls(with, &t, &e));
	ck_assert_msg(strstr(e.text, "/nonexistent.pem") != NULL, "%s", e.text);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	const char *sets[] = {"web.auth.enabled=false"};
	AUTO(config) struct config *config = config_of(CONFIG_ORCHESTRATION, sets, 1);
	unsigned nth = 0;
	bool built = false;

	while (!built) {
		AUTO(security_service) struct security_service *service = NULL;
		struct security_report report = {.count = 0};
		struct err e = {0};

		fault_allocation(++nth);
		built = settings_security_service(config, &service, &report, &e);
		fault_allocation(0);
		ck_assert_uint_lt(nth, 100);
		if (!built)
			ck_assert_int_eq(e.code, ERR_NOMEM);
	}
	ck_assert_uint_gt(nth, 1);
}
END_TEST

static const struct {
	enum err_code code;
	int exit_code;
} exits[] = {
        {ERR_NOMEM,    75},
        {ERR_BUSY,     69},
        {ERR_DENIED,   77},
        {ERR_INTERNAL, 70},
        {ERR_FORMAT,   78},
        {ERR_CRYPTO,   78},
        {ERR_IO,       78},
};

START_TEST(fault_has_its_exit_code)
{
	struct err e = {.code = exits[_i].code};

	ck_assert_int_eq(service_exit_code(&e, EXIT_CODE_CONFIG), exits[_i].exit_code);
}
END_TEST

Suite *
settings_suite(void)
{
	Suite *s = suite_create("settings");
	TCase *tc = tcase_create("start");

	tcase_add_test(tc, lm4_rate_limits_follow_their_keys);
	tcase_add_loop_test(tc, service_is_built_or_refused_with_its_reason, 0, COUNT(starts));
	tcase_add_test(tc, limits_arrive_in_microseconds_and_bytes);
	tcase_add_test(tc, tls_begins_with_a_certificate_and_names_the_file_at_fault);
	tcase_add_test(tc, every_allocation_may_fail);
	tcase_add_loop_test(tc, fault_has_its_exit_code, 0, COUNT(exits));
	suite_add_tcase(s, tc);
	return s;
}
