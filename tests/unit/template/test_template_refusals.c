/* Every refusal with the line and column it names (spec/tasker-rest.md 2.2 to 2.4, finding 7). */
#include <string.h>

#include "shared/template/template.h"
#include "tests/unit/unit.h"

#define GOOD "name: a\nnamespace_name: b\nversion: c\n"
#define STEP "steps:\n- name: d\n  handler: {callable: e}\n"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* clang-format off */
static const struct {
	const char *text, *refusal;
} cases[] = {
	/* required members and their limits */
	{"namespace_name: b\nversion: c\n" STEP, "line 1, column 1: template name is required"},
	{"name:\nnamespace_name: b\nversion: c\n" STEP,
		"line 1, column 1: template name is required"},
	{"name: ''\nnamespace_name: b\nversion: c\n" STEP,
		"line 1, column 7: template name must not be empty"},
	{"name: 5\nnamespace_name: b\nversion: c\n" STEP,
		"line 1, column 7: template name must be a string, not a number; write it in "
		"quotes"},
	{"name: [a]\nnamespace_name: b\nversion: c\n" STEP,
		"line 1, column 7: template name must be a string"},
	{"name: \"a\\nb\"\nnamespace_name: b\nversion: c\n" STEP,
		"line 1, column 7: template name must not have control characters"},
	{"name: x" X64 "\nnamespace_name: b\nversion: c\n" STEP,
		"line 1, column 7: template name has 65 characters; at most 64 are allowed"},
	{"name: a\nversion: c\n" STEP, "line 1, column 1: template namespace_name is required"},
	{"name: a\nnamespace_name: b-c\nversion: c\n" STEP,
		"line 2, column 17: template namespace_name 'b-c' may only have letters, "
		"digits and _, and no digit in front"},
	{"name: a\nnamespace_name: 1b\nversion: c\n" STEP,
		"line 2, column 17: template namespace_name '1b' may only have letters, "
		"digits and _, and no digit in front"},
	{"name: a\nnamespace_name: abcdefghijklmnopqrstuvwxyz_123\nversion: c\n" STEP,
		"line 2, column 17: template namespace_name has 30 characters; at most 29 are "
		"allowed"},
	{"name: a\nnamespace_name: b\n" STEP, "line 1, column 1: template version is required"},
	{"name: a\nnamespace_name: b\nversion: 1.0\n" STEP,
		"line 3, column 10: template version must be a string, not a number; write it "
		"in quotes"},
	{"name: a\nnamespace_name: b\nversion: 1.0.0-alpha.1234x\n" STEP,
		"line 3, column 10: template version has 17 characters; at most 16 are allowed"},
	{GOOD "identity_strategy: loose\n" STEP,
		"line 4, column 20: template identity_strategy 'loose' is unknown"},
	{GOOD "identity_strategy: strikt\n" STEP,
		"line 4, column 20: template identity_strategy 'strikt' is unknown (did you "
		"mean 'strict'?)"},
	{GOOD "metadata: [a]\n" STEP, "line 4, column 11: template metadata must be a map"},
	{GOOD "environments: x\n" STEP, "line 4, column 15: template environments must be a map"},
	/* lifecycle */
	{GOOD "lifecycle: 5\n" STEP, "line 4, column 12: lifecycle must be a map"},
	{GOOD "lifecycle: {max_duration_minutes: 0}\n" STEP,
		"line 4, column 35: lifecycle max_duration_minutes is 0; it must be 1 to 43200"},
	{GOOD "lifecycle: {max_waiting_for_retry_minutes: 10081}\n" STEP,
		"line 4, column 44: lifecycle max_waiting_for_retry_minutes is 10081; it must "
		"be 1 to 10080"},
	{GOOD "lifecycle: {staleness_action: explode}\n" STEP,
		"line 4, column 31: lifecycle staleness_action 'explode' is unknown"},
	{GOOD "lifecycle: {auto_fail_on_timeout: yes}\n" STEP,
		"line 4, column 35: lifecycle auto_fail_on_timeout must be true or false"},
	/* steps */
	{GOOD, "line 1, column 1: template steps is required"},
	{GOOD "steps: []\n",
		"line 4, column 8: template steps must be a list of at least one step"},
	{GOOD "steps: {a: b}\n",
		"line 4, column 8: template steps must be a list of at least one step"},
	{GOOD "steps: [d]\n", "line 4, column 9: step must be a map"},
	{GOOD "steps:\n- {handler: {callable: e}}\n", "line 5, column 3: step name is required"},
	{GOOD "steps:\n- name: " X64 X64 "x\n  handler: {callable: e}\n",
		"line 5, column 9: step name has 129 characters; at most 128 are allowed"},
	{GOOD "steps:\n- name: d\n", "line 5, column 3: step handler is required"},
	{GOOD "steps:\n- name: d\n  handler: e\n", "line 6, column 12: handler must be a map"},
	{GOOD "steps:\n- name: d\n  handler: {method: e}\n",
		"line 6, column 12: handler callable is required"},
	{GOOD "steps:\n- name: d\n  handler: {callable: ''}\n",
		"line 6, column 23: handler callable must not be empty"},
	{GOOD "steps:\n- name: d\n  handler: {callable: e, initialization: [1]}\n",
		"line 6, column 42: handler initialization must be a map"},
	{GOOD STEP "  type: decision\n",
		"line 7, column 9: step type 'decision' is not supported by this version"},
	{GOOD STEP "  step_type: deferred_convergence\n",
		"line 7, column 14: step type 'deferred_convergence' is not supported by this "
		"version"},
	{GOOD STEP "  type: batchable\n",
		"line 7, column 9: step type 'batchable' is not supported by this version"},
	{GOOD STEP "  type: batch_worker\n",
		"line 7, column 9: step type 'batch_worker' is not supported by this version"},
	{GOOD STEP "  type: standart\n",
		"line 7, column 9: step type 'standart' is unknown (did you mean 'standard'?)"},
	{GOOD STEP "  type: 1\n", "line 7, column 9: step type must be a word such as standard"},
	{GOOD STEP "  type: standard\n  step_type: standard\n",
		"line 8, column 3: 'step_type' says the same as 'type' on line 7"},
	{GOOD STEP "  depends_on: []\n  dependencies: []\n",
		"line 8, column 3: 'dependencies' says the same as 'depends_on' on line 7"},
	{GOOD STEP "  timeout_seconds: 0\n",
		"line 7, column 20: step timeout_seconds is 0; it must be 1 to 86400"},
	{GOOD STEP "  timeout_seconds: 86401\n",
		"line 7, column 20: step timeout_seconds is 86401; it must be 1 to 86400"},
	{GOOD STEP "  timeout_seconds: 1.5\n",
		"line 7, column 20: step timeout_seconds must be a whole number"},
	{GOOD STEP "  timeout_seconds: 1e3\n",
		"line 7, column 20: step timeout_seconds must be a whole number"},
	{GOOD STEP "  timeout_seconds: '5'\n",
		"line 7, column 20: step timeout_seconds must be a whole number"},
	{GOOD STEP "  timeout_seconds: 99999999999999999999\n",
		"line 7, column 20: step timeout_seconds is 99999999999999999999; it must be "
		"1 to 86400"},
	{GOOD STEP "  retry: [1]\n", "line 7, column 10: retry must be a map"},
	{GOOD STEP "  retry: {max_attempts: 101}\n",
		"line 7, column 25: retry max_attempts is 101; it must be 0 to 100"},
	{GOOD STEP "  retry: {max_attempts: -1}\n",
		"line 7, column 25: retry max_attempts is -1; it must be 0 to 100"},
	{GOOD STEP "  retry: {retryable: NO}\n",
		"line 7, column 22: retry retryable must be true or false"},
	{GOOD STEP "  retry: {backoff: expo}\n",
		"line 7, column 20: retry backoff 'expo' is unknown"},
	{GOOD STEP "  retry: {backoff_base_ms: 0}\n",
		"line 7, column 28: retry backoff_base_ms is 0; it must be 1 to 3600000"},
	{GOOD STEP "  retry: {max_backoff_ms: 3600001}\n",
		"line 7, column 27: retry max_backoff_ms is 3600001; it must be 1 to 3600000"},
	{GOOD STEP "  dependencies: d\n",
		"line 7, column 17: step dependencies must be a list of step names"},
	{GOOD STEP "  dependencies: [1]\n",
		"line 7, column 18: step dependencies must be names of steps"},
	/* the document */
	{"", "line 1, column 1: the text holds no template"},
	{"# nothing\n", "line 1, column 1: the text holds no template"},
	{"just words\n", "line 1, column 1: template must be a map"},
	{"- a\n", "line 1, column 1: template must be a map"},
	{GOOD STEP "---\n" GOOD STEP,
		"line 7, column 1: a second document begins; one file is one template"},
	{GOOD "name: z\n" STEP, "line 4, column 1: 'name' is in this map already, on line 1"},
	{GOOD "metadata: {a: {b: 1, \"b\": 2}}\n" STEP,
		"line 4, column 22: 'b' is in this map already, on line 4"},
	{GOOD "metadata: {[a]: 1}\n" STEP,
		"line 4, column 12: a key must be a plain word, not a list"},
	{GOOD "metadata: {{a: 1}: 1}\n" STEP,
		"line 4, column 12: a key must be a plain word, not a map"},
	{GOOD "metadata: {a: &x b, *x : 1}\n" STEP,
		"line 4, column 21: a key must be a plain word, not an alias"},
	{GOOD "metadata: {&x a: 1}\n" STEP,
		"line 4, column 12: an anchor on a key is not supported"},
	{GOOD "metadata: {a: !!str 1}\n" STEP,
		"line 4, column 15: tags (tag:yaml.org,2002:str) are not supported"},
	{GOOD "metadata: !x {a: 1}\n" STEP, "line 4, column 11: tags (!x) are not supported"},
	{GOOD "metadata: {a: !<tag:b> [1]}\n" STEP,
		"line 4, column 15: tags (tag:b) are not supported"},
	{GOOD "metadata: {a: &x {b: 1}, c: {<<: *x}}\n" STEP,
		"line 4, column 30: merge keys (<<) are not part of YAML 1.2; an alias can "
		"stand for a whole value"},
	{GOOD "metadata: {a: *x}\n" STEP,
		"line 4, column 15: no anchor '&x' stands before this alias"},
	{GOOD "metadata: &x {a: *x}\n" STEP,
		"line 4, column 18: alias '*x' stands inside its own anchor"},
	{GOOD "metadata: {a: .inf}\n" STEP,
		"line 4, column 15: the number .inf has no JSON form; quote it if it is a text"},
	{GOOD "metadata: {a: \"\\0\"}\n" STEP,
		"line 4, column 15: a NUL character is not allowed in a text"},
	{GOOD "\tsteps: []\n",
		"line 4, column 1: while scanning a plain scalar found a tab character that "
		"violates indentation"},
	{GOOD "metadata: {a: \"b\n",
		"line 5, column 1: while scanning a quoted scalar found unexpected end of "
		"stream"},
	{"name: \xC3\xA9\n\xFF", "line 2, column 1: invalid leading UTF-8 octet"},
};
/* clang-format on */

START_TEST(refusal_names_its_line_and_column)
{
	struct template *t = NULL;
	struct template_report report;
	struct err e = {0};

	ck_assert_msg(!template_parse(cases[_i].text, strlen(cases[_i].text), &t, &report, &e),
	        "accepted:\n%s", cases[_i].text);
	ck_assert_str_eq(e.text, cases[_i].refusal);
	ck_assert_int_eq(e.code, ERR_FORMAT);
	ck_assert_ptr_null(t);
}
END_TEST

START_TEST(merge_sign_in_quotes_is_a_name_like_any_other)
{
	static const char text[] = GOOD "metadata: {'<<': 1}\n" STEP;
	AUTO(template) struct template *t = NULL;
	struct err e = {0};

	ck_assert_msg(template_parse(text, sizeof(text) - 1, &t, NULL, &e), "%s", e.text);
	ck_assert_str_eq(t->metadata, "{\"<<\":1}");
}
END_TEST

START_TEST(cutting_a_file_anywhere_neither_crashes_nor_leaves_a_template)
{
	static const char text[] = GOOD "metadata: {a: &x [1, \"\\u00e9\", {b: *m}]}\n" STEP;

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct template *t = NULL;
		struct err e = {0};

		ck_assert(!template_parse(text, len, &t, NULL, &e));
		ck_assert_ptr_null(t);
		ck_assert_int_eq(e.code, ERR_FORMAT);
		ck_assert_msg(strncmp(e.text, "line ", 5) == 0, "%s", e.text);
	}
}
END_TEST

Suite *
template_refusals_suite(void)
{
	Suite *s = suite_create("template_refusals");
	TCase *tc = tcase_create("refusals");

	tcase_add_loop_test(tc, refusal_names_its_line_and_column, 0, (int)COUNT(cases));
	tcase_add_test(tc, merge_sign_in_quotes_is_a_name_like_any_other);
	tcase_add_test(tc, cutting_a_file_anywhere_neither_crashes_nor_leaves_a_template);
	suite_add_tcase(s, tc);
	return s;
}
