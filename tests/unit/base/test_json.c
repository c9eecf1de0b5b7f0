#include <stdlib.h>
#include <string.h>
#include "shared/base/json.h"
#include "shared/base/json_out.h"
#include "shared/base/log.h"
#include "tests/unit/unit.h"
START_TEST(smoke)
{
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};
	AUTO(buf) struct buf b = BUF(1000);
	const char *t = " {\"b\": [1, 2.5e3, true ], \"a\\u00e9\": \"x\\n\" , \"\": {} } ";
	ck_assert_msg(json_parse(t, strlen(t), &json_limits_default, &doc, &e), "%s", e.text);
	json_canonical(doc, json_root(doc), &b);
	buf_char(&b, '|');
	json_compact(doc, json_root(doc), &b);
	fprintf(stderr, "%.*s\n", (int)b.len, b.data);
	log_open(2, LOG_AUTO, LEVEL_INFO, "test");
	LOG(WARN, "x.y", TEXT_F("a", "b\n\033"), INT_F("n", 3));
	ck_assert(log_start(&e));
	for (int i = 0; i < 20; i++) LOG(WARN, "x.y", TEXT_F("a", "b\n\033"), INT_F("n", i));
	log_stop();
}
END_TEST
Suite *json_suite(void)
{
	Suite *s = suite_create("json"); TCase *tc = tcase_create("json");
	tcase_add_test(tc, smoke); suite_add_tcase(s, tc); return s;
}
