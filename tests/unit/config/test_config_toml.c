/* TOML as events: order, lines, kinds, and input made to hurt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/config/config_toml.h"
#include "tests/unit/unit.h"

struct transcript {
	char text[2048];
	enum toml_go answer;
	size_t events;
};

static const char letters[] = {
        [TOML_BROKEN] = '!',
        [TOML_TABLE] = '{',
        [TOML_ELEMENT] = '[',
        [TOML_ELEMENT_END] = ']',
        [TOML_TEXT] = 's',
        [TOML_INT] = 'i',
        [TOML_FLOAT] = 'f',
        [TOML_BOOL] = 'b',
        [TOML_TIME] = 't',
        [TOML_LIST] = 'l',
        [TOML_MIXED] = 'm',
};

/* "i2:web.threads=4 " for an integer on line 2. */
static enum toml_go
note(const struct toml_event *event, void *arg, struct err *e)
{
	struct transcript *t = arg;
	size_t used = strlen(t->text);

	t->events++;
	(void)snprintf(t->text + used, sizeof(t->text) - used, "%c%d:%s", letters[event->kind],
	        event->line, event->key);
	used = strlen(t->text);
	if (event->text != NULL && event->kind != TOML_BROKEN)
		(void)snprintf(t->text + used, sizeof(t->text) - used, "=%s", event->text);
	for (size_t i = 0; i < event->count; i++) {
		used = strlen(t->text);
		(void)snprintf(t->text + used, sizeof(t->text) - used, "/%s", event->items[i]);
	}
	used = strlen(t->text);
	(void)snprintf(t->text + used, sizeof(t->text) - used, " ");
	if (t->answer == TOML_STOP)
		(void)err_set(e, ERR_BUSY, "stopped");
	return t->answer;
}

static const struct {
	const char *toml, *events;
} walks[] = {
        {"",                                      ""                                       },
        {"b = 1\na = 2\n",                        "i1:b=1 i2:a=2 "                         },
        {"z = 1\n[web]\nb = true\na = 'x'\n",     "i1:z=1 {2:web b3:web.b=true s4:web.a=x "},
        {"a.b.c = 7",                             "{1:a {1:a.b i1:a.b.c=7 "                },
        {"a = []\nb = ['x', \"y\"]",              "l1:a l2:b/x/y "                         },
        {"a = [1]\nb = ['x', 1]\nc = [['x']]",    "m1:a m2:b m3:c "                        },
        {"a = [{b = 1}, {}]",                     "[1:a i1:a.b=1 ]1:a [1:a ]1:a "          },
        {"[[h]]\nn = 1\n[h.e]\nX = 'y'\n[[h]]\n",
         "[1:h i2:h.n=1 {3:h.e s4:h.e.X=y ]1:h [5:h ]5:h "                                 },
        {"a = 1.5\nb = inf",                      "f1:a= f2:b= "                           },
        {"a = 2027-01-31T10:20:30+02:00",         "t1:a=2027-01-31T10:20:30+02:00 "        },
        {"a = 2027-01-31\nb = 10:20:30",          "t1:a=2027-01-31 t2:b=10:20:30 "         },
        {"a = -9223372036854775808\nb = 0xff",    "i1:a=-9223372036854775808 i2:b=255 "    },
        {"\xef\xbb\xbf"
         "a = 1",                        "i1:a=1 "                                },
 /* Not TOML, at its line: the bytes that end a process which parses header-only. */
        {"[",                                     "!1: "                                   },
        {"[[",                                    "!1: "                                   },
        {"a = 1\nb =",                            "!2: "                                   },
        {"a = 1\na = 2\n",                        "!2: "                                   },
 /* CF1: a table written twice. */
        {"[a]\nx = 1\n[b]\n[a]\n",                "!4: "                                   },
        {"a = '\xff'",                            "!1: "                                   },
 /* A name with a dot in it would look like a path. */
        {"\"a.b\" = 1",                           "!1: "                                   },
        {"[a]\n\"\" = 1",                         "{1:a !1: "                              },
        {"a = \"x\\u0000y\"",                     "!1: "                                   },
        {"a = [\"x\\u0000y\"]",                   "!1: "                                   },
};

START_TEST(walk_tells_what_is_there)
{
	struct transcript t = {.answer = TOML_GO};
	struct err e = {0};

	ck_assert_msg(
	        toml_walk(walks[_i].toml, strlen(walks[_i].toml), note, &t, &e), "%s", e.text);
	ck_assert_str_eq(t.text, walks[_i].events);
}
END_TEST

START_TEST(skip_passes_over_members_and_end)
{
	const char *toml = "[a]\nx = 1\n[[b]]\ny = 2\n";
	struct transcript t = {.answer = TOML_SKIP};
	struct err e = {0};

	ck_assert(toml_walk(toml, strlen(toml), note, &t, &e));
	ck_assert_str_eq(t.text, "{1:a [3:b ");
}
END_TEST

START_TEST(stop_ends_the_walk_with_the_callers_fault)
{
	const char *toml = "a = 1\nb = 2\n";
	struct transcript t = {.answer = TOML_STOP};
	struct err e = {0};

	ck_assert(!toml_walk(toml, strlen(toml), note, &t, &e));
	ck_assert_int_eq(e.code, ERR_BUSY);
	ck_assert_uint_eq(t.events, 1);
}
END_TEST

/* Repeats part until it is count long behind head. */
static void
repeat(struct buf *out, const char *head, const char *part, size_t count, const char *tail)
{
	buf_text(out, head);
	for (size_t i = 0; i < count; i++)
		buf_text(out, part);
	buf_text(out, tail);
	ck_assert(buf_ok(out));
}

static const struct {
	const char *head, *part, *tail;
	size_t fits;
} nests[] = {
        {"a",                          ".a", " = 1",  TOML_DOTS_MAX},
        {"[a",                         ".a", "]",     TOML_DOTS_MAX},
        {"a = {b",                     ".b", " = 1}", TOML_DOTS_MAX},
        {"x = \"\"\na",                ".a", " = 1",  TOML_DOTS_MAX},
        {"x = '''''''\na",             ".a", " = 1",  TOML_DOTS_MAX},
        {"x = \"\"\"\na\"\"\"\"\"\na", ".a", " = 1",  TOML_DOTS_MAX},
        {"x = \"\\\"\"\na",            ".a", " = 1",  TOML_DOTS_MAX},
        {"# '\na",                     ".a", " = 1",  TOML_DOTS_MAX},
        {"x = '#'\na",                 ".a", " = 1",  TOML_DOTS_MAX},
};

/* Deep nesting is told apart from other errors by its text. */
struct verdict {
	bool deep;
	int line;
};

static enum toml_go
see_deep(const struct toml_event *event, void *arg, struct err *e)
{
	struct verdict *seen = arg;

	(void)e;
	if (event->kind == TOML_BROKEN && strcmp(event->text, "nested too deeply") == 0)
		*seen = (struct verdict){true, event->line};
	return TOML_GO;
}

static struct verdict
judge(const struct buf *document)
{
	struct verdict seen = {0};
	struct err e = {0};

	ck_assert(toml_walk(document->data, document->len, see_deep, &seen, &e));
	return seen;
}

START_TEST(dots_beyond_the_limit_are_refused_before_parsing)
{
	static const size_t beyond[] = {1, 100, 100000};
	struct buf document = BUF(MIB(1));

	repeat(&document, nests[_i].head, nests[_i].part, nests[_i].fits, nests[_i].tail);
	ck_assert(!judge(&document).deep);
	for (size_t i = 0; i < COUNT(beyond); i++) {
		buf_clear(&document);
		repeat(&document, nests[_i].head, nests[_i].part, TOML_DOTS_MAX + beyond[i],
		        nests[_i].tail);
		ck_assert(judge(&document).deep);
	}
	buf_free(&document);
}
END_TEST

START_TEST(brackets_beyond_the_limit_are_refused_with_their_line)
{
	static const char *const parts[] = {"[", "[\n", "{a=", "[{a="};
	struct buf document = BUF(MIB(1));

	for (size_t i = 0; i < COUNT(parts); i++) {
		buf_clear(&document);
		repeat(&document, "a = ", parts[i], 100000, "");
		ck_assert(judge(&document).deep);
	}
	ck_assert_int_eq(judge(&document).line, 1);
	buf_clear(&document);
	repeat(&document, "a = ", "[\n", TOML_NESTING_MAX + 1, "");
	ck_assert_int_eq(judge(&document).line, TOML_NESTING_MAX + 1);
	buf_free(&document);
}
END_TEST

START_TEST(brackets_within_the_limit_are_parsed)
{
	struct buf document = BUF(KIB(64));

	repeat(&document, "a = ", "[", TOML_NESTING_MAX, "");
	repeat(&document, "", "]", TOML_NESTING_MAX, "\n");
	for (int i = 0; i < 40; i++)
		buf_text(&document, "[[b.c]] # ((( [[[\nx = \"...................\"\n");
	ck_assert(!judge(&document).deep);
	buf_free(&document);
}
END_TEST

Suite *
config_toml_suite(void)
{
	Suite *s = suite_create("config_toml");
	TCase *tc = tcase_create("walk");

	tcase_add_loop_test(tc, walk_tells_what_is_there, 0, COUNT(walks));
	tcase_add_test(tc, skip_passes_over_members_and_end);
	tcase_add_test(tc, stop_ends_the_walk_with_the_callers_fault);
	tcase_add_loop_test(tc, dots_beyond_the_limit_are_refused_before_parsing, 0, COUNT(nests));
	tcase_add_test(tc, brackets_beyond_the_limit_are_refused_with_their_line);
	tcase_add_test(tc, brackets_within_the_limit_are_parsed);
	suite_add_tcase(s, tc);
	return s;
}
