/* JT10-JT18: what a payload must say. One moment, one set of rules, one table per claim. */
#include "shared/security/claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

enum { NOW = 1800000000, LEEWAY = 30, LIFETIME = 86400 };

static const struct claim_rules users = {.caller = CALLER_USER,
        .issuer = "tasker-core",
        .audience = "tasker-api",
        .permissions_claim = "permissions",
        .leeway_s = LEEWAY,
        .max_lifetime_s = LIFETIME,
        .strict_permissions = true};

static struct claims claims; /* freed with the case's process, cleared by check() */

static enum verdict
check_at(const struct claim_rules *rules, const char *payload, int64_t now_s)
{
	return kit_claims(rules, payload, now_s, &claims);
}

/* A payload good at NOW with one member replaced: name is left out, "extra" is put in. */
static const char *
with(const char *name, const char *extra)
{
	static char payload[16384];
	static const struct {
		const char *name, *member;
	} members[] = {
	        {"iss", "\"iss\":\"tasker-core\""},
                {"aud", "\"aud\":\"tasker-api\"" },
	        {"sub", "\"sub\":\"alice\""      },
                {"exp", "\"exp\":1800003600"     },
	        {"iat", "\"iat\":1799999971"     }
        };
	size_t at = (size_t)snprintf(payload, sizeof(payload), "{%s", extra);

	for (size_t i = 0; i < COUNT(members); i++)
		if (strcmp(members[i].name, name) != 0)
			at += (size_t)snprintf(payload + at, sizeof(payload) - at, "%s%s",
			        payload[at - 1] == '{' ? "" : ",", members[i].member);
	(void)snprintf(payload + at, sizeof(payload) - at, "}");
	return payload;
}

struct one {
	const char *name, *extra;
	enum verdict verdict;
};

static void
assert_one(const struct one *c)
{
	enum verdict v = check_at(&users, with(c->name, c->extra), NOW);

	ck_assert_msg(v == c->verdict, "%s: %s, not %s", c->extra, verdict_reason(v),
	        verdict_reason(c->verdict));
	claims_clear(&claims);
}

START_TEST(a_good_payload_fills_the_context)
{
	ck_assert_int_eq(
	        check_at(&users,
	                with("", "\"permissions\":[\"tasks:read\",\"dlq:*\"],\"jti\":\"j1\""), NOW),
	        VERDICT_GRANT);
	ck_assert_str_eq(claims.fields.subject, "alice");
	ck_assert_str_eq(claims.fields.owner, "jwt:tasker-core:alice");
	ck_assert_str_eq(claims.fields.tenant, "");
	ck_assert_str_eq(claims.fields.issuer, "tasker-core");
	ck_assert_str_eq(claims.fields.token_id, "j1");
	ck_assert_int_eq(claims.fields.caller, CALLER_USER);
	ck_assert_int_eq(claims.fields.method, AUTH_METHOD_JWT);
	ck_assert_int_eq(claims.fields.expires_at_s, NOW + 3600);
	ck_assert_int_eq(claims.fields.issued_at_s, NOW - 29);
	ck_assert_int_eq(claims.valid_from_s, NOW - 29 - LEEWAY);
	ck_assert_int_eq(claims.valid_until_s, NOW + 3600 + LEEWAY);
	ck_assert(permission_set_has(&claims.fields.permissions, PERMISSION_TASKS_READ));
	ck_assert(permission_set_has(&claims.fields.permissions, PERMISSION_DLQ_UPDATE));
	ck_assert(!permission_set_has(&claims.fields.permissions, PERMISSION_TASKS_CREATE));
	ck_assert_ptr_null(claims.fields.namespaces);
	claims_clear(&claims);
}
END_TEST

/* JT11, JT12: exp at NOW with 30 s leeway. */
static const struct one times[] = {
        {"exp", "\"x\":1",                      VERDICT_DENY_CLAIMS   },
        {"exp", "\"exp\":1799999972",           VERDICT_GRANT         },
        {"exp", "\"exp\":1799999970",           VERDICT_DENY_EXPIRED  }, /* the boundary refuses */
        {"exp", "\"exp\":1799999969",           VERDICT_DENY_EXPIRED  },
        {"exp", "\"exp\":1799999970.999",       VERDICT_DENY_EXPIRED  }, /* floor */
        {"exp", "\"exp\":1800003600.5",         VERDICT_GRANT         },
        {"exp", "\"exp\":1.8000036e9",          VERDICT_GRANT         },
        {"exp", "\"exp\":\"1800003600\"",       VERDICT_DENY_CLAIMS   },
        {"exp", "\"exp\":true",                 VERDICT_DENY_CLAIMS   },
        {"exp", "\"exp\":null",                 VERDICT_DENY_CLAIMS   },
        {"exp", "\"exp\":[1800003600]",         VERDICT_DENY_CLAIMS   },
        {"exp", "\"exp\":{}",                   VERDICT_DENY_CLAIMS   },
        {"exp", "\"exp\":1e999",                VERDICT_DENY_MALFORMED},
        {"exp", "\"exp\":-1",                   VERDICT_DENY_CLAIMS   },
        {"exp", "\"exp\":-1800003600",          VERDICT_DENY_CLAIMS   },
        {"exp", "\"exp\":9007199254740993",     VERDICT_DENY_LIFETIME },
        {"exp", "\"exp\":9007199254740994",     VERDICT_DENY_CLAIMS   }, /* beyond 2^53 */
        {"exp", "\"exp\":9223372036854775808",  VERDICT_DENY_CLAIMS   },
        {"exp", "\"exp\":18446744073709551617", VERDICT_DENY_CLAIMS   },
        {"exp", "\"exp\":0",                    VERDICT_DENY_EXPIRED  },
        {"exp", "\"exp\":-0",                   VERDICT_DENY_EXPIRED  },
        {"exp", "\"EXP\":1800003600",           VERDICT_DENY_CLAIMS   },
 /* JT13: nbf */
        {"",    "\"nbf\":1800000030",           VERDICT_GRANT         },
        {"",    "\"nbf\":1800000031",           VERDICT_DENY_NOT_YET  },
        {"",    "\"nbf\":1800000030.1",         VERDICT_DENY_NOT_YET  }, /* ceiling */
        {"",    "\"nbf\":0",                    VERDICT_GRANT         },
        {"",    "\"nbf\":\"0\"",                VERDICT_DENY_CLAIMS   },
        {"",    "\"nbf\":null",                 VERDICT_DENY_CLAIMS   },
        {"",    "\"nbf\":-1",                   VERDICT_DENY_CLAIMS   },
 /* JT13: iat and the lifetime */
        {"iat", "\"iat\":1800000030",           VERDICT_GRANT         },
        {"iat", "\"iat\":1800000031",           VERDICT_DENY_NOT_YET  },
        {"iat", "\"iat\":\"1800000000\"",       VERDICT_DENY_CLAIMS   },
        {"iat", "\"iat\":-1",                   VERDICT_DENY_CLAIMS   },
        {"iat", "\"x\":1",                      VERDICT_GRANT         }, /* optional */
        {"iat", "\"iat\":1799917200",           VERDICT_GRANT         }, /* exp - iat = 24 h */
        {"iat", "\"iat\":1799917199",           VERDICT_DENY_LIFETIME },
        {"iat", "\"iat\":0",                    VERDICT_DENY_LIFETIME },
        {"exp", "\"exp\":1800086371",           VERDICT_GRANT         },
        {"exp", "\"exp\":1800086372",           VERDICT_DENY_LIFETIME },
        {"exp", "\"exp\":1799999971",           VERDICT_DENY_LIFETIME }, /* not after iat */
};

START_TEST(jt11_jt12_jt13_times)
{
	assert_one(&times[_i]);
}
END_TEST

START_TEST(jt13_without_iat_the_rest_of_its_life_counts)
{
	static const char at_limit[] = "{\"iss\":\"tasker-core\",\"aud\":\"tasker-api\","
	                               "\"sub\":\"a\",\"exp\":1800086400}";
	static const char beyond[] = "{\"iss\":\"tasker-core\",\"aud\":\"tasker-api\","
	                             "\"sub\":\"a\",\"exp\":1800086401}";

	ck_assert_int_eq(check_at(&users, at_limit, NOW), VERDICT_GRANT);
	ck_assert_int_eq(check_at(&users, beyond, NOW), VERDICT_DENY_LIFETIME);
	claims_clear(&claims);
}
END_TEST

/* The window that a cache asks says the same as the full check, second by second. */
START_TEST(jt24_the_window_is_the_check)
{
	const char *payload = with("", "\"nbf\":1800000100");
	char kept[1024];

	(void)snprintf(kept, sizeof(kept), "%s", payload);
	ck_assert_int_eq(check_at(&users, kept, NOW + 200), VERDICT_GRANT);
	for (int64_t from = claims.valid_from_s, until = claims.valid_until_s, t = NOW - 200;
	        t < NOW + 4000; t++)
		ck_assert_int_eq(
		        check_at(&users, kept, t) == VERDICT_GRANT, t >= from && t < until);
	claims_clear(&claims);
}
END_TEST

/* JT14 */
static const struct one parties[] = {
        {"iss", "\"x\":1",                              VERDICT_DENY_ISSUER  },
        {"iss", "\"iss\":\"tasker-cor\"",               VERDICT_DENY_ISSUER  },
        {"iss", "\"iss\":\"tasker-core \"",             VERDICT_DENY_ISSUER  },
        {"iss", "\"iss\":\"Tasker-Core\"",              VERDICT_DENY_ISSUER  },
        {"iss", "\"iss\":\"\"",                         VERDICT_DENY_ISSUER  },
        {"iss", "\"iss\":[\"tasker-core\"]",            VERDICT_DENY_ISSUER  },
        {"iss", "\"iss\":null",                         VERDICT_DENY_ISSUER  },
        {"iss", "\"iss\":\"tasker-c\\u006fre\"",        VERDICT_GRANT        },
        {"aud", "\"x\":1",                              VERDICT_DENY_AUDIENCE},
        {"aud", "\"aud\":\"tasker\"",                   VERDICT_DENY_AUDIENCE},
        {"aud", "\"aud\":\"tasker-api-2\"",             VERDICT_DENY_AUDIENCE},
        {"aud", "\"aud\":\"tasker-internal\"",          VERDICT_DENY_AUDIENCE},
        {"aud", "\"aud\":[]",                           VERDICT_DENY_AUDIENCE},
        {"aud", "\"aud\":{}",                           VERDICT_DENY_AUDIENCE},
        {"aud", "\"aud\":null",                         VERDICT_DENY_AUDIENCE},
        {"aud", "\"aud\":7",                            VERDICT_DENY_AUDIENCE},
        {"aud", "\"aud\":[\"a\",\"b\"]",                VERDICT_DENY_AUDIENCE},
        {"aud", "\"aud\":[\"tasker-api\",7]",           VERDICT_DENY_AUDIENCE},
        {"aud", "\"aud\":[7,\"tasker-api\"]",           VERDICT_DENY_AUDIENCE},
        {"aud", "\"aud\":[[\"tasker-api\"]]",           VERDICT_DENY_AUDIENCE},
        {"aud", "\"aud\":{\"tasker-api\":1}",           VERDICT_DENY_AUDIENCE},
        {"aud", "\"aud\":[\"tasker-api\"]",             VERDICT_GRANT        },
        {"aud", "\"aud\":[\"a\",\"tasker-api\",\"b\"]", VERDICT_GRANT        },
};

START_TEST(jt14_issuer_and_audience_are_exact)
{
	assert_one(&parties[_i]);
}
END_TEST

START_TEST(jt14_at_most_64_audiences_are_read)
{
	for (int n = 64; n <= 65; n++) {
		char aud[1024] = "\"aud\":[\"tasker-api\"";

		for (int i = 1; i < n; i++)
			(void)strncat(aud, ",\"a\"", 8);
		(void)strncat(aud, "]", 2);
		ck_assert_int_eq(check_at(&users, with("aud", aud), NOW),
		        n == 64 ? VERDICT_GRANT : VERDICT_DENY_AUDIENCE);
	}
	claims_clear(&claims);
}
END_TEST

/* JT15 and our own prefixes. */
static const struct one subjects[] = {
        {"sub", "\"x\":1",                                    VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":\"\"",                               VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":7",                                  VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":null",                               VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":[\"alice\"]",                        VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":\"a\\nb\"",                          VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":\"a\\u001f\"",                       VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":\"a\\u007f\"",                       VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":\"a\\u0080b\"",                      VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":\"a\\u009fb\"",                      VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":\"a\\u00a0b\"",                      VERDICT_GRANT         },
        {"sub", "\"sub\":\"\\u0100\\u4e80\"",                 VERDICT_GRANT         },
        {"sub", "\"sub\":\"a b~\"",                           VERDICT_GRANT         },
        {"sub", "\"sub\":\"a\\u0085b\"",                      VERDICT_DENY_SUBJECT  }, /* C1 */
        {"sub", "\"sub\":\"a\\u0000b\"",                      VERDICT_DENY_MALFORMED},
        {"sub", "\"sub\":\"svc:mail\"",                       VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":\"wrk:w1\"",                         VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":\"sys:root\"",                       VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":\"key:ci\"",                         VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":\"wrk:\"",                           VERDICT_DENY_SUBJECT  },
        {"sub", "\"sub\":\"\\u0077rk:w1\"",                   VERDICT_DENY_SUBJECT  }, /* by an escape */
        {"sub", "\"sub\":\"wrk\"",                            VERDICT_GRANT         },
        {"sub", "\"sub\":\"user:wrk:1\"",                     VERDICT_GRANT         },
        {"sub", "\"sub\":\"J\\u00fcrgen M\\u00fcller\"",      VERDICT_GRANT         },
        {"sub", "\"sub\":\"auth0|5f7c8ec7c33c6c004bbafe82\"", VERDICT_GRANT         },
        {"",    "\"jti\":\"\"",                               VERDICT_DENY_CLAIMS   },
        {"",    "\"jti\":7",                                  VERDICT_DENY_CLAIMS   },
        {"",    "\"jti\":\"a\\tb\"",                          VERDICT_DENY_CLAIMS   },
        {"",    "\"tenant\":7",                               VERDICT_GRANT         }, /* no tenant claim is configured */
};

START_TEST(jt15_subjects_and_names)
{
	assert_one(&subjects[_i]);
}
END_TEST

START_TEST(jt15_a_subject_has_at_most_256_bytes)
{
	for (int len = 256; len <= 257; len++) {
		char sub[512], fill[258] = {0};

		memset(fill, 'x', (size_t)len);
		(void)snprintf(sub, sizeof(sub), "\"sub\":\"%s\"", fill);
		ck_assert_int_eq(check_at(&users, with("sub", sub), NOW),
		        len == 256 ? VERDICT_GRANT : VERDICT_DENY_SUBJECT);
		(void)snprintf(sub, sizeof(sub), "\"jti\":\"%s\"", fill);
		ck_assert_int_eq(check_at(&users, with("", sub), NOW),
		        len == 256 ? VERDICT_GRANT : VERDICT_DENY_CLAIMS);
	}
	claims_clear(&claims);
}
END_TEST

/* JT17, JT18 */
static const struct one rights[] = {
        {"", "\"permissions\":[]",                      VERDICT_GRANT           },
        {"", "\"permissions\":\"\"",                    VERDICT_GRANT           },
        {"", "\"permissions\":[\"tasks:read\"]",        VERDICT_GRANT           },
        {"", "\"permissions\":\"tasks:read dlq:*\"",    VERDICT_GRANT           },
        {"", "\"permissions\":\" tasks:read  dlq:* \"", VERDICT_GRANT           },
        {"", "\"permissions\":null",                    VERDICT_DENY_CLAIMS     },
        {"", "\"permissions\":7",                       VERDICT_DENY_CLAIMS     },
        {"", "\"permissions\":true",                    VERDICT_DENY_CLAIMS     },
        {"", "\"permissions\":{\"tasks:read\":true}",   VERDICT_DENY_CLAIMS     },
        {"", "\"permissions\":[7]",                     VERDICT_DENY_CLAIMS     },
        {"", "\"permissions\":[\"tasks:read\",null]",   VERDICT_DENY_CLAIMS     },
        {"", "\"permissions\":[[\"tasks:read\"]]",      VERDICT_DENY_CLAIMS     },
        {"", "\"permissions\":[\"tasks:delete\"]",      VERDICT_DENY_PERMISSIONS},
        {"", "\"permissions\":[\"*\"]",                 VERDICT_DENY_PERMISSIONS},
        {"", "\"permissions\":\"*\"",                   VERDICT_DENY_PERMISSIONS},
        {"", "\"permissions\":[\"\"]",                  VERDICT_DENY_PERMISSIONS},
        {"", "\"permissions\":[\"tasks:read \"]",       VERDICT_DENY_PERMISSIONS},
        {"", "\"permissions\":\"tasks:read\\tdlq:*\"",  VERDICT_DENY_PERMISSIONS},
        {"", "\"Permissions\":[7]",                     VERDICT_GRANT           }, /* another claim */
        {"", "\"scope\":\"nonsense\"",                  VERDICT_GRANT           },
};

START_TEST(jt17_jt18_permissions_of_a_strict_service)
{
	assert_one(&rights[_i]);
}
END_TEST

/* JT17: 256 entries of 64 characters, as a list and as words. */
START_TEST(jt17_permissions_have_limits)
{
	for (int words = 0; words < 2; words++)
		for (int n = 256; n <= 257; n++) {
			static char text[8192];
			size_t at = (size_t)snprintf(
			        text, sizeof(text), "\"permissions\":%s", words ? "\"" : "[");

			for (int i = 0; i < n; i++)
				at += (size_t)snprintf(text + at, sizeof(text) - at,
				        words ? "%sdlq:*" : "%s\"dlq:*\"",
				        i == 0  ? ""
				        : words ? " "
				                : ",");
			(void)snprintf(text + at, sizeof(text) - at, words ? "\"" : "]");
			ck_assert_int_eq(check_at(&users, with("", text), NOW),
			        n == 256 ? VERDICT_GRANT : VERDICT_DENY_CLAIMS);
		}
	{
		char text[512];

		/* Spaces alone are no entries. */
		(void)snprintf(text, sizeof(text), "\"permissions\":\"%300s\"", "dlq:*");
		ck_assert_int_eq(check_at(&users, with("", text), NOW), VERDICT_GRANT);
	}
	for (int len = 64; len <= 65; len++) {
		char text[128], fill[66] = {0};

		memset(fill, 'x', (size_t)len);
		(void)snprintf(text, sizeof(text), "\"permissions\":[\"%s\"]", fill);
		ck_assert_int_eq(check_at(&users, with("", text), NOW),
		        len == 64 ? VERDICT_DENY_PERMISSIONS : VERDICT_DENY_CLAIMS);
	}
	claims_clear(&claims);
}
END_TEST

START_TEST(jt17_the_configured_claim_is_the_one_that_is_read)
{
	struct claim_rules rules = users;

	rules.permissions_claim = "scope";
	ck_assert_int_eq(
	        check_at(&rules, with("", "\"scope\":\"tasks:read\",\"permissions\":[\"dlq:*\"]"),
	                NOW),
	        VERDICT_GRANT);
	ck_assert_uint_eq(claims.fields.permissions.bits, UINT64_C(1) << PERMISSION_TASKS_READ);
	claims_clear(&claims);
}
END_TEST

START_TEST(jt18_a_lax_service_drops_what_it_does_not_know_and_counts_it)
{
	struct claim_rules rules = users;
	static const char member[] = "\"permissions\":[\"*\",\"tasks:read\",\"tasks:delete\"]";

	rules.strict_permissions = false;
	ck_assert_int_eq(check_at(&rules, with("", member), NOW), VERDICT_GRANT);
	ck_assert_uint_eq(claims.fields.permissions.bits, UINT64_C(1) << PERMISSION_TASKS_READ);
	ck_assert_uint_eq(claims.permissions_ignored, 2);
	ck_assert_str_eq(claims.unknown_permission, "*");
	ck_assert_int_eq(check_at(&rules, with("", "\"x\":1"), NOW), VERDICT_GRANT);
	ck_assert_uint_eq(claims.permissions_ignored, 0);
	ck_assert_str_eq(claims.unknown_permission, "");
	ck_assert_uint_eq(claims.fields.permissions.bits, 0);
	claims_clear(&claims);
}
END_TEST

/* What the log is told holds nothing that a terminal or a reader of lines would act on. */
static const struct {
	const char *spelled, *told;
} unknowns[] = {
        {"tasks:delete",                                                     "tasks:delete" },
        {"tasks:\\u000adelete",                                              "tasks:?delete"},
        {"\\u001b[31mred",                                                   "?[31mred"     },
        {"tasks delete",                                                     "tasks?delete" },
        {"t\xc3\xa4sks",                                                     "t??sks"       },
        {"\\u007f",                                                          "?"            },
        {"aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd",
         "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"                 },
};

START_TEST(jt18_the_first_unknown_permission_is_told_in_printable_ascii)
{
	struct claim_rules rules = users;
	char member[256];

	(void)snprintf(member, sizeof(member), "\"permissions\":[\"tasks:read\",\"%s\",\"*\"]",
	        unknowns[_i].spelled);
	ck_assert_int_eq(check_at(&rules, with("", member), NOW), VERDICT_DENY_PERMISSIONS);
	ck_assert_str_eq(claims.unknown_permission, unknowns[_i].told);
	rules.strict_permissions = false;
	ck_assert_int_eq(check_at(&rules, with("", member), NOW), VERDICT_GRANT);
	ck_assert_str_eq(claims.unknown_permission, unknowns[_i].told);
	claims_clear(&claims);
}
END_TEST

/* With tenants told apart, a token without one belongs nowhere. */
static const struct one tenants[] = {
        {"", "\"org\":\"acme\"",   VERDICT_GRANT      },
        {"", "\"x\":1",            VERDICT_DENY_CLAIMS},
        {"", "\"org\":\"\"",       VERDICT_DENY_CLAIMS},
        {"", "\"org\":7",          VERDICT_DENY_CLAIMS},
        {"", "\"org\":null",       VERDICT_DENY_CLAIMS},
        {"", "\"org\":[\"acme\"]", VERDICT_DENY_CLAIMS},
        {"", "\"org\":\"a\\nb\"",  VERDICT_DENY_CLAIMS},
};

START_TEST(a_configured_tenant_claim_is_required)
{
	struct claim_rules rules = users;

	rules.tenant_claim = "org";
	ck_assert_int_eq(check_at(&rules, with("", tenants[_i].extra), NOW), tenants[_i].verdict);
	if (tenants[_i].verdict == VERDICT_GRANT)
		ck_assert_str_eq(claims.fields.tenant, "acme");
	claims_clear(&claims);
}
END_TEST

/* The one text buffer never moves, even where the tenant's claim is the subject's. */
START_TEST(a_claim_may_be_read_twice)
{
	struct claim_rules rules = users;
	char sub[400], fill[257] = {0};

	memset(fill, 's', 256);
	(void)snprintf(sub, sizeof(sub), "\"sub\":\"%s\"", fill);
	rules.tenant_claim = "sub";
	ck_assert_int_eq(check_at(&rules, with("sub", sub), NOW), VERDICT_GRANT);
	ck_assert_str_eq(claims.fields.subject, fill);
	ck_assert_str_eq(claims.fields.tenant, fill);
	ck_assert_uint_eq(strlen(claims.fields.owner), strlen("jwt:tasker-core:") + 256);
	claims_clear(&claims);
}
END_TEST

static const char *const not_objects[] = {"[]", "\"a\"", "7", "null", "true", "[{}]"};

START_TEST(jt10_a_payload_that_is_no_object_is_refused)
{
	ck_assert_int_eq(check_at(&users, not_objects[_i], NOW), VERDICT_DENY_MALFORMED);
	claims_clear(&claims);
}
END_TEST

/* JT10: depth, duplicates and size are the parser's, with these limits. */
static const char *const malformed[] = {"{\"a\":1,\"a\":2}", "{\"a\":{\"b\":1,\"b\":1}}",
        "{\"a\":[[[[[[[[1]]]]]]]]}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\xff\"}", "{\"a\":1}x", "",
        "{\"a\":1,}", "{a:1}", "\xef\xbb\xbf{}"};

START_TEST(jt10_json_out_of_form_is_refused)
{
	ck_assert_int_eq(check_at(&users, malformed[_i], NOW), VERDICT_DENY_MALFORMED);
}
END_TEST

START_TEST(the_unverified_audience_can_be_asked_for)
{
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};
	static const char text[] = "{\"aud\":[\"a\",\"tasker-internal\"]}";

	ck_assert(json_parse(text, strlen(text), &claims_limits, &doc, &e));
	ck_assert(claims_name_audience(doc, "tasker-internal"));
	ck_assert(!claims_name_audience(doc, "tasker-api"));
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};
	const char *text = with("", "\"permissions\":[\"tasks:read\"],\"jti\":\"j\"");
	unsigned nth = 0;
	enum verdict v = VERDICT_DENY_UNDECIDED;

	ck_assert(json_parse(text, strlen(text), &claims_limits, &doc, &e));
	while (v != VERDICT_GRANT) {
		ck_assert_uint_lt(nth, 100);
		fault_allocation(++nth);
		v = claims_check(doc, &users, NOW, &claims);
		fault_allocation(0);
		if (v != VERDICT_GRANT)
			ck_assert_int_eq(v, VERDICT_DENY_UNAVAILABLE);
		claims_clear(&claims);
	}
	ck_assert_uint_eq(nth, 2); /* one buffer for all texts */
}
END_TEST

Suite *
claims_suite(void)
{
	Suite *s = suite_create("claims");
	TCase *tc = tcase_create("users"), *f = tcase_create("form");

	tcase_add_test(tc, a_good_payload_fills_the_context);
	tcase_add_loop_test(tc, jt11_jt12_jt13_times, 0, COUNT(times));
	tcase_add_test(tc, jt13_without_iat_the_rest_of_its_life_counts);
	tcase_add_test(tc, jt24_the_window_is_the_check);
	tcase_add_loop_test(tc, jt14_issuer_and_audience_are_exact, 0, COUNT(parties));
	tcase_add_test(tc, jt14_at_most_64_audiences_are_read);
	tcase_add_loop_test(tc, jt15_subjects_and_names, 0, COUNT(subjects));
	tcase_add_test(tc, jt15_a_subject_has_at_most_256_bytes);
	tcase_add_loop_test(tc, jt17_jt18_permissions_of_a_strict_service, 0, COUNT(rights));
	tcase_add_test(tc, jt17_permissions_have_limits);
	tcase_add_test(tc, jt17_the_configured_claim_is_the_one_that_is_read);
	tcase_add_test(tc, jt18_a_lax_service_drops_what_it_does_not_know_and_counts_it);
	tcase_add_loop_test(tc, jt18_the_first_unknown_permission_is_told_in_printable_ascii, 0,
	        COUNT(unknowns));
	tcase_add_loop_test(tc, a_configured_tenant_claim_is_required, 0, COUNT(tenants));
	tcase_add_test(tc, a_claim_may_be_read_twice);
	tcase_add_loop_test(f, jt10_a_payload_that_is_no_object_is_refused, 0, COUNT(not_objects));
	tcase_add_loop_test(f, jt10_json_out_of_form_is_refused, 0, COUNT(malformed));
	tcase_add_test(f, the_unverified_audience_can_be_asked_for);
	tcase_add_test(f, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, f);
	return s;
}
