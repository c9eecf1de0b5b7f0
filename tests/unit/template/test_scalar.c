/* The core schema of YAML 1.2 (finding 7): what is a number, and what only looks like a word. */
#include "shared/template/scalar.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	const char *text;
	enum tree_kind kind;
	const char *json; /* of numbers */
} cases[] = {
        {"NO",                   TREE_STRING, ""                    },
        {"no",                   TREE_STRING, ""                    },
        {"yes",                  TREE_STRING, ""                    },
        {"on",                   TREE_STRING, ""                    },
        {"off",                  TREE_STRING, ""                    },
        {"y",                    TREE_STRING, ""                    },
        {"tRue",                 TREE_STRING, ""                    },
        {"nUll",                 TREE_STRING, ""                    },
        {"1.0.0",                TREE_STRING, ""                    },
        {"1_000",                TREE_STRING, ""                    },
        {"12:30:45",             TREE_STRING, ""                    },
        {"2026-11-22",           TREE_STRING, ""                    },
        {"0b101",                TREE_STRING, ""                    },
        {"0x",                   TREE_STRING, ""                    },
        {"0xFG",                 TREE_STRING, ""                    },
        {"0o8",                  TREE_STRING, ""                    },
        {"-0x1F",                TREE_STRING, ""                    },
        {"-",                    TREE_STRING, ""                    },
        {"+",                    TREE_STRING, ""                    },
        {".",                    TREE_STRING, ""                    },
        {"-.",                   TREE_STRING, ""                    },
        {"1e",                   TREE_STRING, ""                    },
        {"1e+",                  TREE_STRING, ""                    },
        {"e1",                   TREE_STRING, ""                    },
        {".e1",                  TREE_STRING, ""                    },
        {"1 2",                  TREE_STRING, ""                    },
        {"--1",                  TREE_STRING, ""                    },
        {"inf",                  TREE_STRING, ""                    },
        {"",                     TREE_NULL,   ""                    },
        {"~",                    TREE_NULL,   ""                    },
        {"null",                 TREE_NULL,   ""                    },
        {"Null",                 TREE_NULL,   ""                    },
        {"NULL",                 TREE_NULL,   ""                    },
        {"true",                 TREE_TRUE,   ""                    },
        {"TRUE",                 TREE_TRUE,   ""                    },
        {"False",                TREE_FALSE,  ""                    },
        {"0",                    TREE_NUMBER, "0"                   },
        {"-0",                   TREE_NUMBER, "-0"                  },
        {"7",                    TREE_NUMBER, "7"                   },
        {"-12",                  TREE_NUMBER, "-12"                 },
        {"18446744073709551616", TREE_NUMBER, "18446744073709551616"},
        {"1.50",                 TREE_NUMBER, "1.50"                },
        {"1E+05",                TREE_NUMBER, "1E+05"               },
        {"-2.5e-3",              TREE_NUMBER, "-2.5e-3"             },
        {"+5",                   TREE_NUMBER, "5"                   },
        {"007",                  TREE_NUMBER, "7"                   },
        {"-00.5",                TREE_NUMBER, "-0.5"                },
        {".5",                   TREE_NUMBER, "0.5"                 },
        {"5.",                   TREE_NUMBER, "5.0"                 },
        {"5.e1",                 TREE_NUMBER, "5.0e1"               },
        {"0o17",                 TREE_NUMBER, "15"                  },
        {"0x1f",                 TREE_NUMBER, "31"                  },
        {"0xFFFFFFFFFFFFFFFF",   TREE_NUMBER, "18446744073709551615"},
};

START_TEST(plain_scalar_means_what_the_core_schema_says)
{
	AUTO(buf) struct buf json = BUF(KIB(1));
	enum tree_kind kind;

	ck_assert(scalar_resolve(cases[_i].text, strlen(cases[_i].text), &kind, &json));
	ck_assert_int_eq(kind, cases[_i].kind);
	ck_assert_uint_eq(json.len, strlen(cases[_i].json));
	if (json.len > 0)
		ck_assert_mem_eq(json.data, cases[_i].json, json.len);
}
END_TEST

START_TEST(number_without_a_json_form_is_refused)
{
	static const char *const texts[] = {".nan", ".NaN", ".inf", "-.Inf", "+.INF",
	        "0x10000000000000000", "0o7777777777777777777777"};

	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(buf) struct buf json = BUF(KIB(1));
		enum tree_kind kind;

		ck_assert_msg(
		        !scalar_resolve(texts[i], strlen(texts[i]), &kind, &json), "%s", texts[i]);
	}
}
END_TEST

Suite *
scalar_suite(void)
{
	Suite *s = suite_create("scalar");
	TCase *tc = tcase_create("core schema");

	tcase_add_loop_test(tc, plain_scalar_means_what_the_core_schema_says, 0, (int)COUNT(cases));
	tcase_add_test(tc, number_without_a_json_form_is_refused);
	suite_add_tcase(s, tc);
	return s;
}
