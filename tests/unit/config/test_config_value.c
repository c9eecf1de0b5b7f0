/* One value: what each type accepts, where each limit is, and that a refusal changes nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/config/config_group.h"
#include "shared/config/config_list.h"
#include "shared/config/config_time.h"
#include "shared/config/config_value.h"
#include "tests/unit/unit.h"

static struct config *
fresh(void)
{
	struct config *config = NULL;
	struct err e = {0};

	ck_assert_msg(config_group_new(CONFIG_WORKER, &config, &e), "%s", e.text);
	return config;
}

static const struct config_key *
key(const char *name)
{
	const struct config_key *found = config_key_find(CONFIG_BOTH, name);

	ck_assert_msg(found != NULL, "%s", name);
	return found;
}

static const struct {
	const char *name, *text;
	enum err_code code; /* ERR_NONE: taken */
} read_cases[] = {
        {"web.threads",                     "0",                    ERR_NONE  },
        {"web.threads",                     "64",                   ERR_NONE  },
        {"web.threads",                     "65",                   ERR_LIMIT },
        {"web.threads",                     "-1",                   ERR_LIMIT },
        {"web.threads",                     "99999999999999999999", ERR_LIMIT },
        {"web.threads",                     "",                     ERR_FORMAT},
        {"web.threads",                     " 1",                   ERR_FORMAT},
        {"web.threads",                     "1x",                   ERR_FORMAT},
        {"web.threads",                     "+1",                   ERR_FORMAT},
        {"web.threads",                     "1.0",                  ERR_FORMAT},
        {"web.auth.enabled",                "true",                 ERR_NONE  },
        {"web.auth.enabled",                "false",                ERR_NONE  },
        {"web.auth.enabled",                "yes",                  ERR_FORMAT},
        {"web.auth.enabled",                "",                     ERR_FORMAT},
        {"web.auth.jwt_issuer",             "me",                   ERR_NONE  },
        {"web.auth.jwt_issuer",             "",                     ERR_LIMIT },
        {"web.auth.jwt_issuer",             "\xc3\x28",             ERR_FORMAT},
        {"log.level",                       "debug",                ERR_NONE  },
        {"log.level",                       "debug|info",           ERR_FORMAT},
        {"log.level",                       "",                     ERR_FORMAT},
        {"log.level",                       "INFO",                 ERR_FORMAT},
        {"web.bind_address",                "[::1]:0",              ERR_NONE  },
        {"web.bind_address",                "127.0.0.1",            ERR_FORMAT},
        {"worker.namespaces",               "a, b",                 ERR_NONE  },
        {"worker.namespaces",               "[\"a\", 'b']",         ERR_NONE  },
        {"worker.namespaces",               "[1]",                  ERR_FORMAT},
        {"worker.namespaces",               "[\"a\"",               ERR_FORMAT},
        {"worker.namespaces",               "[\"a\"]\ny = 1",       ERR_FORMAT},
        {"web.auth.jwt_allowed_algorithms", "ES256,PS384",          ERR_NONE  },
        {"web.auth.jwt_allowed_algorithms", "",                     ERR_LIMIT },
        {"web.auth.jwt_allowed_algorithms", "none",                 ERR_FORMAT},
        {"web.auth.jwt_allowed_algorithms", "HS256",                ERR_FORMAT},
        {"web.auth.api_key",                "",                     ERR_NONE  },
        {"web.auth.api_key",                "k",                    ERR_FORMAT},
};

START_TEST(text_is_read_by_the_type_of_its_key)
{
	AUTO(config) struct config *config = fresh();
	AUTO(config) struct config *untouched = fresh();
	const struct config_key *k = key(read_cases[_i].name);
	struct err e = {0};
	bool ok = config_value_read(k, config, read_cases[_i].text, &e);

	ck_assert_int_eq(ok, read_cases[_i].code == ERR_NONE);
	ck_assert_int_eq(e.code, read_cases[_i].code);
	if (!ok) {
		ck_assert(config_value_same(k, config, untouched));
		ck_assert_msg(strstr(e.text, read_cases[_i].name) != NULL, "%s", e.text);
	}
}
END_TEST

/* CF1: a value of another type is refused, whatever the pair. */
START_TEST(only_its_own_kind_fits_a_type)
{
	static const struct {
		const char *name;
		enum toml_kind first, second;
	} fits[] = {
	        {"web.threads",                     TOML_INT,    TOML_INT   },
	        {"web.auth.enabled",                TOML_BOOL,   TOML_BOOL  },
	        {"link.url",                        TOML_TEXT,   TOML_TEXT  },
	        {"log.level",                       TOML_TEXT,   TOML_TEXT  },
	        {"worker.namespaces",               TOML_LIST,   TOML_LIST  },
	        {"web.auth.jwt_allowed_algorithms", TOML_LIST,   TOML_LIST  },
	        {"web.auth.api_keys.not_after",     TOML_TIME,   TOML_TEXT  },
	        {"handlers.env",                    TOML_BROKEN, TOML_BROKEN},
	};
	static const char *const item[] = {"RS256"};

	for (size_t i = 0; i < COUNT(fits); i++)
		for (enum toml_kind kind = TOML_TEXT; kind <= TOML_MIXED; kind++) {
			struct toml_event event = {.kind = kind, .key = "", .text = "1"};
			struct err e = {0};
			AUTO(config) struct config *config = fresh();

			if (kind == fits[i].first || kind == fits[i].second)
				continue;
			event.items = item;
			event.count = 1;
			ck_assert(!config_value_set(key(fits[i].name), config, &event, &e));
			ck_assert_int_eq(e.code, ERR_FORMAT);
			ck_assert_msg(strstr(e.text, ", not ") != NULL, "%s", e.text);
		}
}
END_TEST

START_TEST(length_of_a_text_is_bounded_at_both_ends)
{
	AUTO(config) struct config *config = fresh();
	const struct config_key *k = key("web.auth.jwt_issuer");
	char text[300];
	struct err e = {0};

	memset(text, 'i', sizeof(text));
	text[k->max] = '\0';
	ck_assert(config_value_read(k, config, text, &e));
	text[k->max] = 'i';
	text[k->max + 1] = '\0';
	ck_assert(!config_value_read(k, config, text, &e));
	ck_assert_str_eq(e.text, "web.auth.jwt_issuer takes 1..256 bytes, not 257");
	ck_assert_uint_eq(strlen(config->web_auth_jwt_issuer), 256);
}
END_TEST

START_TEST(items_of_a_list_are_bounded_in_number_and_length)
{
	AUTO(config) struct config *config = fresh();
	const struct config_key *k = key("worker.namespaces");
	struct buf text = BUF(MIB(1));
	struct err e = {0};

	for (int i = 0; i < k->max; i++)
		buf_text(&text, "x,");
	buf_char(&text, '\0');
	ck_assert(config_value_read(k, config, text.data, &e));
	ck_assert_int_eq((int64_t)config->worker_namespaces.count, k->max);
	text.len--;
	buf_add(&text, "x", 2);
	ck_assert(!config_value_read(k, config, text.data, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	buf_clear(&text);
	for (int i = 0; i <= CONFIG_ITEM_MAX; i++)
		buf_char(&text, 'x');
	buf_char(&text, '\0');
	ck_assert(!config_value_read(k, config, text.data, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert(config_value_read(k, config, text.data + 1, &e));
	ck_assert_uint_eq(config->worker_namespaces.count, 1);
	buf_free(&text);
}
END_TEST

static const struct {
	const char *text;
	const char *items[4];
} cuts[] = {
        {"",            {NULL}              },
        {",, ,",        {NULL}              },
        {"a",           {"a", NULL}         },
        {" a b ,\tc\t", {"a b", "c", NULL}  },
        {"a,,b",        {"a", "b", NULL}    },
        {"a,b,c,d,e",   {"a", "b", "c", "d"}},
};

START_TEST(a_list_is_cut_at_its_commas)
{
	char text[32];
	const char *items[4] = {NULL};
	size_t count;

	(void)snprintf(text, sizeof(text), "%s", cuts[_i].text);
	count = config_list_cut(text, items, COUNT(items));
	for (size_t i = 0; i < COUNT(items); i++) {
		ck_assert_int_eq(i < count, cuts[_i].items[i] != NULL);
		if (i < count)
			ck_assert_str_eq(items[i], cuts[_i].items[i]);
	}
}
END_TEST

static const struct {
	const char *text;
	int64_t us; /* -1: refused */
} times[] = {
        {"",                                                  0               },
        {"2027-01-31T00:00:00Z",                              1801353600000000},
        {"2027-01-31",                                        1801353600000000},
        {"2027-01-31T00:00:00",                               1801353600000000},
        {"2027-01-31T02:00:00+02:00",                         1801353600000000},
        {"2027-01-30T23:30:00-00:30",                         1801353600000000},
        {"2027-01-31T00:00:00.5Z",                            1801353600500000},
        {"2027-01-31T00:00:00.5+00:00",                       1801353600500000},
        {"2027-02-30",                                        -1              },
        {"2027-01-31T02:00:00+2:00",                          -1              },
        {"2027-01-31T02:00:00+24:00",                         -1              },
        {"2027-01-31T02:00:00+02:60",                         -1              },
        {"10:20:30",                                          -1              },
        {"tomorrow",                                          -1              },
        {"1969-12-31",                                        -1              },
        {"2027-01-31T00:00:00.0000000000000000000000000000Z", -1              },
};

START_TEST(a_time_is_a_moment_in_utc)
{
	int64_t us = -2;

	ck_assert_int_eq(config_time_parse(times[_i].text, &us), times[_i].us >= 0);
	ck_assert_int_eq(us, times[_i].us >= 0 ? times[_i].us : -2);
}
END_TEST

START_TEST(a_map_grows_and_takes_names_of_variables_only)
{
	static const char *const bad[] = {"", "1A", "A-B", "A=B", "A B", "\xc3\xa4"};
	struct config_handler handler = {0};
	const struct config_key *k = key("handlers.env");
	struct err e = {0};

	ck_assert(config_value_add(k, &handler, "A", "1", &e));
	ck_assert(config_value_add(k, &handler, "_b2", "x=y", &e));
	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert(!config_value_add(k, &handler, bad[i], "", &e));
	ck_assert_uint_eq(handler.env.count, 2);
	ck_assert_str_eq(handler.env.items[0], "A=1");
	ck_assert_str_eq(handler.env.items[1], "_b2=x=y");
	config_value_release(k, &handler);
	ck_assert_ptr_null(handler.env.block);
}
END_TEST

START_TEST(a_map_is_bounded_in_number_and_length)
{
	struct config_handler handler = {0};
	const struct config_key *k = key("handlers.env");
	char name[24], value[CONFIG_ITEM_MAX + 2];
	struct err e = {0};

	memset(value, 'v', sizeof(value));
	value[CONFIG_ITEM_MAX + 1] = '\0';
	ck_assert(!config_value_add(k, &handler, "A", value, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	value[CONFIG_ITEM_MAX] = '\0';
	ck_assert(config_value_add(k, &handler, "A", value, &e));
	for (int64_t i = 1; i < k->max; i++) {
		(void)snprintf(name, sizeof(name), "N%" PRId64, i);
		ck_assert(config_value_add(k, &handler, name, "", &e));
	}
	ck_assert(!config_value_add(k, &handler, "ONE_MORE", "", &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_int_eq((int64_t)handler.env.count, k->max);
	config_value_release(k, &handler);
}
END_TEST

/* Nothing of Check in here: its allocations would count. */
static bool
build_each_type(struct config *config, struct config_handler *handler, struct err *e)
{
	const struct config_key *map = config_key_find(CONFIG_BOTH, "handlers.env");

	return config_value_read(config_key_find(CONFIG_BOTH, "worker.id"), config, "me", e) &&
	       config_value_read(
	               config_key_find(CONFIG_BOTH, "worker.namespaces"), config, "a,b", e) &&
	       config_value_read(
	               config_key_find(CONFIG_BOTH, "templates.paths"), config, "['a']", e) &&
	       config_value_add(map, handler, "A", "1", e) &&
	       config_value_add(map, handler, "B", "2", e);
}

START_TEST(every_allocation_may_fail)
{
	unsigned nth = 0;
	bool built = false;

	while (!built) {
		AUTO(config) struct config *config = fresh();
		struct config_handler handler = {0};
		struct err e = {0};

		ck_assert_uint_lt(nth, 100);
		fault_allocation(++nth);
		built = build_each_type(config, &handler, &e);
		fault_allocation(0);
		if (!built)
			ck_assert_int_eq(e.code, ERR_NOMEM);
		config_value_release(key("handlers.env"), &handler);
	}
	ck_assert_uint_gt(nth, 10);
}
END_TEST

Suite *
config_value_suite(void)
{
	Suite *s = suite_create("config_value");
	TCase *tc = tcase_create("set");

	tcase_add_loop_test(tc, text_is_read_by_the_type_of_its_key, 0, COUNT(read_cases));
	tcase_add_test(tc, only_its_own_kind_fits_a_type);
	tcase_add_test(tc, length_of_a_text_is_bounded_at_both_ends);
	tcase_add_test(tc, items_of_a_list_are_bounded_in_number_and_length);
	tcase_add_loop_test(tc, a_list_is_cut_at_its_commas, 0, COUNT(cuts));
	tcase_add_loop_test(tc, a_time_is_a_moment_in_utc, 0, COUNT(times));
	tcase_add_test(tc, a_map_grows_and_takes_names_of_variables_only);
	tcase_add_test(tc, a_map_is_bounded_in_number_and_length);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}
