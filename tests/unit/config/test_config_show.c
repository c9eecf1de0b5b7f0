/* What is shown of a configuration, to whom (CF5), and what a reload may change. */
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/config/config_show.h"
#include "shared/config/config_url.h"
#include "tests/unit/config/place.h"
#include "tests/unit/unit.h"

static const char full[] =
        "[web.auth]\nenabled = true\njwt_public_key_path = 'keys/pem'\njwt_private_key = "
        "'canary-1'\n"
        "jwks_url = 'https://u:canary-2@h/k?token=canary-3'\njwt_issuer = \"a\\\"b\\nc\"\n"
        "[[web.auth.api_keys]]\nid = 'k'\nkey = 'canary-4'\npermissions = ['a', 'b']\n"
        "not_after = 2027-01-31\n"
        "[[web.auth.api_keys]]\nid = 'l'\n"
        "key_sha256 = 'ca0a41ca0a41ca0a41ca0a41ca0a41ca0a41ca0a41ca0a41ca0a41ca0a41ca0a'\n"
        "[link]\nurl = 'http://u:canary-5@h'\n"
        "[[handlers]]\nname = 'h'\ncommand = ['c', '--password', 'canary-6']\nenv.X = 'canary-7'\n";

static void
add_line(const char *key, const char *value, void *arg)
{
	struct buf *out = arg;

	buf_text(out, key);
	buf_text(out, " = ");
	buf_text(out, value);
	buf_char(out, '\n');
}

static OWNED char *
shown(const struct config *config)
{
	struct buf out = BUF(MIB(1));
	struct err e = {0};

	ck_assert(config_show(config, add_line, &out, &e));
	return buf_take_text(&out);
}

START_TEST(secrets_are_shown_as_stars)
{
	static const char *const lines[] = {
	        "web.auth.jwt_private_key = \"***\"\n",
	        "web.auth.jwks_url = \"https://u:***@h/k?***\"\n",
	        "web.auth.jwt_issuer = \"a\\\"b\\nc\"\n",
	        "web.auth.api_key = \"\"\n",
	        "web.auth.api_keys[0].key = \"***\"\n",
	        "web.auth.api_keys[0].key_sha256 = \"\"\n",
	        "web.auth.api_keys[0].permissions = [\"a\", \"b\"]\n",
	        "web.auth.api_keys[0].not_after = 2027-01-31T00:00:00.000000Z\n",
	        "web.auth.api_keys[1].key_sha256 = \"***\"\n",
	        "web.auth.api_keys[1].not_after = \"\"\n",
	        "link.url = \"http://u:***@h\"\n",
	        "worker.slots = 8\n",
	        "log.access = true\n",
	        "handlers[0].command = \"***\"\n",
	        "handlers[0].env = \"***\"\n",
	};
	AUTO(attempt) struct attempt *a = attempt(CONFIG_WORKER, full, NULL, NULL);
	char *text;

	ck_assert_msg(a->ok, "%s", a->e.text);
	text = shown(a->config);
	for (size_t i = 0; i < COUNT(lines); i++)
		ck_assert_msg(strstr(text, lines[i]) != NULL, "%s", lines[i]);
	ck_assert_ptr_null(strstr(text, "canary"));
	ck_assert_ptr_null(strstr(text, "ca0a41"));
	ck_assert_ptr_null(strstr(text, "store."));
	free(text);
}
END_TEST

static void
check_public(const struct config_value *value, void *arg)
{
	unsigned hidden = CONFIG_SECRET | CONFIG_HIDDEN | CONFIG_URL | CONFIG_ADDRESS;
	size_t *seen = arg;

	ck_assert((value->key->flags & CONFIG_PUBLIC) != 0);
	ck_assert((value->key->flags & hidden) == 0);
	ck_assert_msg(strstr(value->key->name, "path") == NULL, "%s", value->key->name);
	ck_assert((value->key->roles & CONFIG_WORKER) != 0);
	ck_assert_int_eq(value->key->group, CONFIG_KEY);
	if (strcmp(value->key->name, "web.auth.enabled") == 0)
		ck_assert(value->boolean);
	if (strcmp(value->key->name, "worker.slots") == 0)
		ck_assert_int_eq(value->number, 8);
	if (strcmp(value->key->name, "web.auth.jwt_audience") == 0)
		ck_assert_str_eq(value->text, "tasker-api");
	if (strcmp(value->key->name, "web.auth.jwt_allowed_algorithms") == 0)
		ck_assert_str_eq(value->list->items[0], "RS256");
	(*seen)++;
}

START_TEST(public_keys_are_a_short_list_without_paths_and_urls)
{
	AUTO(attempt) struct attempt *a = attempt(CONFIG_WORKER, full, NULL, NULL);
	size_t seen = 0;

	ck_assert_msg(a->ok, "%s", a->e.text);
	config_public(a->config, check_public, &seen);
	ck_assert_uint_ge(seen, 10);
	ck_assert_uint_le(seen, 24);
}
END_TEST

static const struct {
	const char *url, *masked;
	bool password;
} urls[] = {
        {"sqlite:tasker.db",                     "sqlite:tasker.db",            false},
        {"http://127.0.0.1:8080",                "http://127.0.0.1:8080",       false},
        {"https://u@h/p",                        "https://u@h/p",               false},
        {"https://u:p@h/p",                      "https://u:***@h/p",           true },
        {"https://:p@h",                         "https://:***@h",              true },
        {"postgresql://u:p/q?r@s#t@h:5432/d",    "postgresql://u:***@h:5432/d", true },
        {"postgresql://h/d?password=x&a=b",      "postgresql://h/d?***",        true },
        {"postgresql://u:p@h/d?sslmode=require", "postgresql://u:***@h/d?***",  true },
        {"https://h/k?v=1",                      "https://h/k?***",             false},
        {"",                                     "",                            false},
};

START_TEST(a_password_in_a_url_is_masked)
{
	struct buf out = BUF(KIB(1));

	config_url_mask(urls[_i].url, &out);
	buf_char(&out, '\0');
	ck_assert(buf_ok(&out));
	ck_assert_str_eq(out.data, urls[_i].masked);
	ck_assert_int_eq(config_url_has_password(urls[_i].url), urls[_i].password);
	buf_free(&out);
}
END_TEST

#define H(name) "[[handlers]]\nname = '" name "'\ncommand = ['c']\n"

static const struct {
	const char *from, *to;
	const char *why; /* NULL: may be taken */
} reloads[] = {
        {"",                          "",                                           NULL                                     },
        {"",                          "log.level = 'debug'",                        NULL                                     },
        {"",                          "web.auth.jwt_issuer = 'x'",                  NULL                                     },
        {"",                          "[[web.auth.api_keys]]\nid = 'a'\nkey = 'k'", NULL                                     },
        {"",                          "web.threads = 2",                            "web.threads needs a restart to change"  },
        {"",                          "worker.id = 'x'",                            "worker.id needs a restart to change"    },
        {"worker.namespaces = ['a']", "worker.namespaces = ['b']",
         "worker.namespaces needs a restart to change"                                                                       },
        {"worker.namespaces = ['a']", "worker.namespaces = ['a', 'b']",
         "worker.namespaces needs a restart to change"                                                                       },
        {"worker.namespaces = ['a']", "worker.namespaces = ['a']",                  NULL                                     },
        {"",                          "log.access = false",                         "log.access needs a restart to change"   },
        {"",                          H("a"),                                       "[[handlers]] needs a restart to change" },
        {H("a"),                      H("b"),                                       "handlers.name needs a restart to change"},
        {H("a"),                      H("a") "env.X = '1'",                         "handlers.env needs a restart to change" },
        {H("a") "env.X = '1'",        H("a") "env.X = '1'",                         NULL                                     },
};

START_TEST(a_reload_is_refused_for_a_key_fixed_at_start)
{
	AUTO(attempt) struct attempt *a = attempt(CONFIG_WORKER, reloads[_i].from, NULL, NULL);
	AUTO(attempt) struct attempt *b = attempt(CONFIG_WORKER, reloads[_i].to, NULL, NULL);
	struct err e = {0};

	ck_assert_msg(a->ok && b->ok, "%s%s", a->e.text, b->e.text);
	ck_assert_int_eq(config_reload_ok(a->config, b->config, NULL, &e), reloads[_i].why == NULL);
	if (reloads[_i].why != NULL)
		ck_assert_str_eq(e.text, reloads[_i].why);
	ck_assert_int_eq(config_reload_ok(b->config, a->config, NULL, &e), reloads[_i].why == NULL);
}
END_TEST

static void
ignore_line(const char *key, const char *value, void *arg)
{
	(void)key;
	(void)value;
	(void)arg;
}

START_TEST(showing_survives_want_of_memory)
{
	AUTO(attempt) struct attempt *a = attempt(CONFIG_WORKER, full, NULL, NULL);
	unsigned nth = 0;
	bool done = false;

	while (!done) {
		struct err e = {0};

		ck_assert_uint_lt(nth, 1000);
		fault_allocation(++nth);
		done = config_show(a->config, ignore_line, NULL, &e);
		fault_allocation(0);
		if (!done)
			ck_assert_int_eq(e.code, ERR_NOMEM);
	}
	ck_assert_uint_gt(nth, 50);
}
END_TEST

Suite *
config_show_suite(void)
{
	Suite *s = suite_create("config_show");
	TCase *tc = tcase_create("show");

	tcase_add_checked_fixture(tc, place_enter, place_leave);
	tcase_add_test(tc, secrets_are_shown_as_stars);
	tcase_add_test(tc, public_keys_are_a_short_list_without_paths_and_urls);
	tcase_add_loop_test(tc, a_password_in_a_url_is_masked, 0, COUNT(urls));
	tcase_add_loop_test(tc, a_reload_is_refused_for_a_key_fixed_at_start, 0, COUNT(reloads));
	tcase_add_test(tc, showing_survives_want_of_memory);
	suite_add_tcase(s, tc);
	return s;
}
