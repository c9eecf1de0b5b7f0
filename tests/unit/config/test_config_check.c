/* Contradictions between keys that are each sound (CF2, design §4 "disabled auth"). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/config/place.h"
#include "tests/unit/unit.h"

#define AUTH "web.auth.enabled = true\n"
#define API_KEY_IS(rest) "[[web.auth.api_keys]]\n" rest
#define HANDLER_IS(rest) "[[handlers]]\n" rest
#define DIGEST "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789"

#define O CONFIG_ORCHESTRATION
#define W CONFIG_WORKER

static const struct {
	enum config_role role;
	const char *toml;
	const char *why; /* a part of the message; NULL: fine */
} contradictions[] = {
        {O, "web.bind_address = '0.0.0.0:1'",                                                      "web.allow_unauthenticated_remote = true" },
        {W, "web.bind_address = '[::]:1'",                                                         "web.allow_unauthenticated_remote = true" },
        {O, "web.bind_address = '192.0.2.1:1'",                                                    "web.allow_unauthenticated_remote = true" },
        {O, "web.bind_address = '0.0.0.0:1'\nweb.allow_unauthenticated_remote = true",             NULL                                      },
        {O, "web.bind_address = '0.0.0.0:1'\n" AUTH "web.auth.jwt_public_key_path = 'x'",          NULL                                      },
        {O, "web.bind_address = '127.9.9.9:1'",                                                    NULL                                      },
        {O, AUTH,                                                                                  "web.auth.enabled lets nobody in"         },
        {O, AUTH API_KEY_IS("id = 'a'\nkey = 'k'"),                                                NULL                                      },
        {O, AUTH "web.auth.api_keys_enabled = false\n" API_KEY_IS("id = 'a'\nkey = 'k'"),
         "lets nobody in"                                                                                                                    },
        {O, AUTH "web.auth.jwt_public_key = 'x'",                                                  NULL                                      },
 /* JK1 */
        {O, AUTH "web.auth.jwt_verification_method = 'jwks'",                                      "needs jwks_url"                          },
        {O, AUTH "web.auth.jwt_verification_method = 'jwks'\nweb.auth.jwks_url = 'http://a/b'",
         "jwks_url_allow_http"                                                                                                               },
        {O,
         AUTH "web.auth.jwt_verification_method = 'jwks'\nweb.auth.jwks_url = 'ftp://a/b'\n"
                     "web.auth.jwks_url_allow_http = true",                                        "must be https"                           },
        {O,
         AUTH "web.auth.jwt_verification_method = 'jwks'\nweb.auth.jwks_url = 'http://a/b'\n"
                     "web.auth.jwks_url_allow_http = true",                                        NULL                                      },
        {O, AUTH "web.auth.jwt_verification_method = 'jwks'\nweb.auth.jwks_url = 'https://u@a/b'",
         "must have no user name"                                                                                                            },
        {O, AUTH "web.auth.jwt_verification_method = 'jwks'\nweb.auth.jwks_url = 'https://a/b#c'",
         "must have no user name"                                                                                                            },
        {O, AUTH "web.auth.jwt_verification_method = 'jwks'\nweb.auth.jwks_url = 'https://a/b'",
         NULL                                                                                                                                },
        {O, "web.auth.api_key_header = 'X Key'",                                                   "no name of a header"                     },
        {O, "web.cors_origins = ['ui.example.com']",                                               "web.cors_origins takes origins"          },
        {O, "web.cors_origins = ['https://ui.example.com/']",                                      "web.cors_origins takes origins"          },
        {O, "web.cors_origins = ['https://']",                                                     "web.cors_origins takes origins"          },
        {O, "web.cors_origins = ['https://ui.example.com', 'http://localhost:3000']",              NULL                                      },
        {O, "web.cors_origins = ['https://ui.example.com', '*']",
         "does not take \"*\": list the origins"                                                                                             },
        {O, "web.cors_origins = ['null']",                                                         "web.cors_origins takes origins"          },
        {O, "web.cors_origins = ['https://UI.example.com']",                                       "in lower case"                           },
        {O, "web.cors_origins = ['https://me@ui.example.com']",                                    "web.cors_origins takes origins"          },
        {O, "store.url = 'tasker.db'",                                                             "store.url takes"                         },
        {O, "store.url = 'sqlite:'",                                                               "store.url takes"                         },
        {O, "store.url = 'sqlite:///var/lib/tasker/tasker.db'",                                    NULL                                      },
        {O, "engine.beat_ms = 15001",                                                              "more than half"                          },
        {O, "engine.beat_ms = 15000",                                                              NULL                                      },
        {O, "limits.poll_body_bytes = 65536",                                                      "less than limits.step_result_bytes"      },
        {W, "limits.frame_bytes = 65536",                                                          "less than limits.step_result_bytes"      },
        {O, "limits.connections = 10\nlimits.connections_per_address = 11",
         "more than limits.connections"                                                                                                      },
        {O, "limits.connections_per_address = 11",                                                 NULL                                      },
        {O, "web.tls.certificate_path = 'c'",                                                      "go together"                             },
        {W, "web.tls.key_path = 'k'",                                                              "go together"                             },
        {W, "web.tls.certificate_path = 'c'\nweb.tls.key_path = 'k'",                              NULL                                      },
        {O, "web.tls.client_ca_path = 'a'",                                                        "give web.tls.certificate_path"           },
        {W, "link.url = 'localhost:8080'",                                                         "link.url must be"                        },
        {W, "link.url = 'https://tasker.example.com'",                                             NULL                                      },
        {W, "link.token_path = 'gone'",                                                            NULL                                      },
        {O, API_KEY_IS("key = 'k'"),                                                               "given.toml:1: an API key has no id"      },
        {O, API_KEY_IS("id = 'a'"),                                                                "takes one of key and key_sha256"         },
        {O, API_KEY_IS("id = 'a'\nkey = 'k'\nkey_sha256 = '" DIGEST "'"),
         "takes one of key and key_sha256"                                                                                                   },
        {O, API_KEY_IS("id = 'a'\nkey_sha256 = '" DIGEST "'"),                                     NULL                                      },
        {O, API_KEY_IS("id = 'a'\nkey_sha256 = 'sha256:" DIGEST "'"),                              NULL                                      },
        {O, API_KEY_IS("id = 'a'\nkey_sha256 = 'sha25:x" DIGEST "'"),
         "is not 64 hexadecimal digits"                                                                                                      },
        {O, API_KEY_IS("id = 'a'\nkey_sha256 = '1" DIGEST "'"),                                    "is not 64 hexadecimal digits"            },
        {O, API_KEY_IS("id = 'a'\nkey = 'k'\n") API_KEY_IS("id = 'a'\nkey = 'l'"),
         "given.toml:4: there are two API keys a"                                                                                            },
        {W, HANDLER_IS("command = ['c']"),                                                         "given.toml:1: a handler has no name"     },
        {W, HANDLER_IS("name = 'h'"),                                                              "handler h has no command"                },
        {W, HANDLER_IS("name = 'h'\ncommand = ['']"),                                              "command of handler h is empty"           },
        {W, HANDLER_IS("name = 'h'\ncommand = ['c']\nkind = 'exec'"),                              "needs callables"                         },
        {W, HANDLER_IS("name = 'h'\ncommand = ['c']\n") HANDLER_IS("name = 'h'\ncommand = ['d']"),
         "there are two handlers h"                                                                                                          },
        {W, HANDLER_IS("name = 'h'\ncommand = ['c']"),                                             NULL                                      },
 /* A bad value is one problem, not two. */
        {W, HANDLER_IS("name = 1\ncommand = ['c']"),                                               "given.toml:2: handlers.name takes a text"},
};

START_TEST(keys_must_fit_each_other)
{
	AUTO(attempt)
	struct attempt *a = attempt(contradictions[_i].role, contradictions[_i].toml, NULL, NULL);
	const char *why = contradictions[_i].why;

	ck_assert_msg(a->ok == (why == NULL), "%s: %s", contradictions[_i].toml, a->e.text);
	ck_assert_uint_eq(a->notes.problems.count, why == NULL ? 0 : 1);
	if (why != NULL)
		ck_assert_msg(strstr(a->e.text, why) != NULL, "%s", a->e.text);
}
END_TEST

static const struct {
	const char *key, *value, *preset;
} idle[] = {
        {"web.auth.jwt_token_expiry_hours", "1",         "24"},
        {"web.auth.jwt_private_key",        "'canary'",  "''"},
        {"web.auth.jwt_private_key_path",   "'key.pem'", "''"},
};

START_TEST(a_key_that_nobody_reads_is_warned_about_unless_it_is_the_default)
{
	AUTO(attempt) struct attempt *set = NULL;
	AUTO(attempt) struct attempt *preset = NULL;
	char toml[128], warning[128];

	(void)snprintf(toml, sizeof(toml), "%s = %s", idle[_i].key, idle[_i].value);
	(void)snprintf(warning, sizeof(warning), "%s has no effect in this version", idle[_i].key);
	set = attempt(W, toml, NULL, NULL);
	ck_assert_msg(set->ok, "%s", set->e.text);
	ck_assert_uint_eq(set->notes.warnings.count, 1);
	ck_assert_str_eq(set->notes.warnings.text[0], warning);
	(void)snprintf(toml, sizeof(toml), "%s = %s", idle[_i].key, idle[_i].preset);
	preset = attempt(O, toml, NULL, NULL);
	ck_assert_msg(preset->ok, "%s", preset->e.text);
	ck_assert_uint_eq(preset->notes.warnings.count, 0);
}
END_TEST

Suite *
config_check_suite(void)
{
	Suite *s = suite_create("config_check");
	TCase *tc = tcase_create("check");

	tcase_add_checked_fixture(tc, place_enter, place_leave);
	tcase_add_loop_test(tc, keys_must_fit_each_other, 0, COUNT(contradictions));
	tcase_add_loop_test(tc, a_key_that_nobody_reads_is_warned_about_unless_it_is_the_default, 0,
	        COUNT(idle));
	suite_add_tcase(s, tc);
	return s;
}
