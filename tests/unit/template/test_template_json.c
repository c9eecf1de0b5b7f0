/* The canonical JSON: what the store keeps and hashes, and reads back to the same template. */
#include <stdio.h>
#include <string.h>

#include "shared/template/template.h"
#include "tests/unit/unit.h"

#define GOOD "name: a\nnamespace_name: b\nversion: c\n"
#define STEP "steps:\n- name: d\n  handler: {callable: e}\n"

static const char shortest[] =
        "{\"name\":\"a\",\"namespace_name\":\"b\",\"version\":\"c\",\"identity_strategy\":"
        "\"strict\","
        "\"lifecycle\":{\"staleness_action\":\"dlq\",\"auto_fail_on_timeout\":false,"
        "\"auto_dlq_on_timeout\":false},"
        "\"steps\":[{\"name\":\"d\",\"type\":\"standard\","
        "\"handler\":{\"callable\":\"e\",\"method\":\"call\",\"initialization\":{}},"
        "\"dependencies\":[],"
        "\"retry\":{\"retryable\":true,\"max_attempts\":3,\"backoff\":\"exponential\","
        "\"backoff_base_ms\":1000,\"max_backoff_ms\":30000}}]}";

static void
canonical(const char *yaml, struct buf *json)
{
	AUTO(template) struct template *t = NULL;
	struct err e = {0};

	ck_assert_msg(template_parse(yaml, strlen(yaml), &t, NULL, &e), "%s", e.text);
	template_to_json(t, json);
	ck_assert(buf_ok(json));
}

START_TEST(canonical_json_spells_out_defaults)
{
	AUTO(buf) struct buf json = BUF(TEMPLATE_JSON_MAX);

	canonical(GOOD STEP, &json);
	ck_assert_uint_eq(json.len, sizeof(shortest) - 1);
	ck_assert_mem_eq(json.data, shortest, json.len);
}
END_TEST

/* Other spellings of the same template: order of members, quotes, defaults, what is ignored. */
static const char *const same[] = {
        "version: 'c'\nsteps: [{handler: {callable: e}, name: d}]\nnamespace_name: b\nname: "
        "\"a\"\n",
        GOOD STEP "  dependencies:\n  step_type: standard\n  retry: {max_attempts: 3}\n",
        GOOD "identity_strategy: strict\nlifecycle: {}\nunknown: 1\ndomain_events: [x]\n" STEP,
        "# a comment\n%YAML 1.2\n---\n" GOOD STEP "...\n",
        "\xEF\xBB\xBF" GOOD STEP,
};

START_TEST(spellings_of_one_template_have_one_canonical_form)
{
	AUTO(buf) struct buf json = BUF(TEMPLATE_JSON_MAX);

	canonical(same[_i], &json);
	ck_assert_uint_eq(json.len, sizeof(shortest) - 1);
	ck_assert_mem_eq(json.data, shortest, json.len);
}
END_TEST

static const char *const differing[] = {
        "name: A\nnamespace_name: b\nversion: c\n" STEP,
        "name: a\nnamespace_name: B\nversion: c\n" STEP,
        "name: a\nnamespace_name: b\nversion: C\n" STEP,
        GOOD "description: x\n" STEP,
        GOOD "identity_strategy: always_unique\n" STEP,
        GOOD "metadata: {a: 1}\n" STEP,
        GOOD "metadata: {a: 1.0}\n" STEP,
        GOOD "system_dependencies: {}\n" STEP,
        GOOD "input_schema: true\n" STEP,
        GOOD "input_schema: {a: \"x\\ny\"}\n" STEP,
        GOOD "environments: {}\n" STEP,
        GOOD "lifecycle: {max_duration_minutes: 1}\n" STEP,
        GOOD "lifecycle: {max_waiting_for_dependencies_minutes: 1}\n" STEP,
        GOOD "lifecycle: {max_waiting_for_retry_minutes: 1}\n" STEP,
        GOOD "lifecycle: {max_steps_in_process_minutes: 1}\n" STEP,
        GOOD "lifecycle: {staleness_action: none}\n" STEP,
        GOOD "lifecycle: {auto_fail_on_timeout: true}\n" STEP,
        GOOD "lifecycle: {auto_dlq_on_timeout: true}\n" STEP,
        GOOD STEP "  description: ''\n",
        GOOD STEP "  system_dependency: x\n",
        GOOD STEP "  timeout_seconds: 1\n",
        GOOD STEP "  result_schema: {}\n",
        GOOD STEP "  retry: {retryable: false}\n",
        GOOD STEP "  retry: {max_attempts: 0}\n",
        GOOD STEP "  retry: {backoff: none}\n",
        GOOD STEP "  retry: {backoff_base_ms: 1}\n",
        GOOD STEP "  retry: {max_backoff_ms: 1}\n",
        GOOD "steps:\n- name: d\n  handler: {callable: f}\n",
        GOOD "steps:\n- name: d\n  handler: {callable: e, method: m}\n",
        GOOD "steps:\n- name: d\n  handler: {callable: e, initialization: {x: [\"\\u00e9\", ~, "
             "0x10]}}\n",
        GOOD STEP "- name: f\n  handler: {callable: e}\n",
        GOOD STEP "- name: f\n  handler: {callable: e}\n  dependencies: [d]\n",
        GOOD
        "steps:\n- name: f\n  handler: {callable: e}\n  dependencies: [d]\n- name: d\n  handler: "
        "{callable: e}\n- name: g\n  handler: {callable: e}\n  dependencies: [f, d]\n",
};

START_TEST(each_member_changes_the_canonical_form_and_is_read_back)
{
	AUTO(buf) struct buf json = BUF(TEMPLATE_JSON_MAX);
	AUTO(buf) struct buf again = BUF(TEMPLATE_JSON_MAX);
	AUTO(template) struct template *t = NULL;
	struct err e = {0};

	canonical(differing[_i], &json);
	ck_assert(json.len != sizeof(shortest) - 1 || memcmp(json.data, shortest, json.len) != 0);
	for (int i = 0; i < (int)COUNT(differing); i++) {
		if (i == _i)
			continue;
		buf_clear(&again);
		canonical(differing[i], &again);
		ck_assert(json.len != again.len || memcmp(json.data, again.data, json.len) != 0);
	}
	ck_assert_msg(template_from_json(json.data, json.len, &t, &e), "%s", e.text);
	buf_clear(&again);
	template_to_json(t, &again);
	ck_assert_uint_eq(again.len, json.len);
	ck_assert_mem_eq(again.data, json.data, json.len);
}
END_TEST

START_TEST(reading_back_gives_the_same_fields)
{
	static const char yaml[] =
	        GOOD "metadata: {big: 12345678901234567890}\n" STEP "  timeout_seconds: 7\n"
	             "- name: f\n  handler: {callable: g}\n  dependencies: [d]\n";
	AUTO(buf) struct buf json = BUF(TEMPLATE_JSON_MAX);
	AUTO(template) struct template *t = NULL;
	struct err e = {0};

	canonical(yaml, &json);
	ck_assert(template_from_json(json.data, json.len, &t, &e));
	ck_assert_str_eq(t->name, "a");
	ck_assert_str_eq(t->metadata, "{\"big\":12345678901234567890}");
	ck_assert_uint_eq(t->step_count, 2);
	ck_assert_uint_eq(t->edge_count, 1);
	ck_assert_int_eq(t->steps[0].timeout_s, 7);
	ck_assert_int_eq(t->steps[1].timeout_s, 0);
	ck_assert_int_eq(t->steps[0].max_attempts, 3);
	ck_assert_uint_eq(t->steps[1].parents[0], 0);
}
END_TEST

/* clang-format off */
static const struct {
	const char *json, *refusal;
} refused[] = {
	{"", "reading a stored template: "},
	{"[]", "reading a stored template: line 1, column 1: template must be a map"},
	{"{}", "reading a stored template: line 1, column 1: template name is required"},
	{"{\"name\":\"a\",\n \"version\":5}",
		"reading a stored template: line 1, column 1: template namespace_name is "
		"required"},
	{"{\"name\":\"a\",\"namespace_name\":\"\xC3\xA9\",\n\"version\":\"c\"}",
		"reading a stored template: line 1, column 30: template namespace_name"},
	{"{\"name\":\"a\",\"namespace_name\":\"b\",\n \"version\":5}",
		"reading a stored template: line 2, column 12: template version must be a "
		"string"},
};
/* clang-format on */

START_TEST(json_that_is_no_template_is_refused)
{
	struct template *t = NULL;
	struct err e = {0};

	ck_assert(!template_from_json(refused[_i].json, strlen(refused[_i].json), &t, &e));
	ck_assert_msg(strncmp(e.text, refused[_i].refusal, strlen(refused[_i].refusal)) == 0, "%s",
	        e.text);
	ck_assert_ptr_null(t);
}
END_TEST

START_TEST(a_template_at_every_limit_is_read_back)
{
	AUTO(buf) struct buf yaml = BUF(TEMPLATE_BYTES_MAX);
	AUTO(buf) struct buf json = BUF(TEMPLATE_JSON_MAX);
	AUTO(template) struct template *t = NULL;
	struct err e = {0};

	buf_text(&yaml, GOOD "steps:\n");
	for (int i = 0; i < TEMPLATE_STEPS_MAX; i++) {
		buf_format(&yaml, "- {name: s%d, handler: {callable: e}, dependencies: [", i);
		for (int p = 0; p < 10 && p < i; p++)
			buf_format(&yaml, "s%d,", i - 1 - p);
		buf_text(&yaml, "]}\n");
	}
	buf_char(&yaml, '\0');
	canonical(yaml.data, &json);
	ck_assert_msg(template_from_json(json.data, json.len, &t, &e), "%s", e.text);
	ck_assert_uint_eq(t->step_count, TEMPLATE_STEPS_MAX);
	ck_assert_uint_eq(t->edge_count, 10 * TEMPLATE_STEPS_MAX - 55);
}
END_TEST

START_TEST(every_allocation_of_reading_back_may_fail)
{
	unsigned nth = 0;
	bool built = false;

	while (!built) {
		struct template *t = NULL;
		struct err e = {0};

		ck_assert_uint_lt(nth, 1000);
		fault_allocation(++nth);
		built = template_from_json(shortest, sizeof(shortest) - 1, &t, &e);
		fault_allocation(0);
		if (!built) {
			ck_assert_int_eq(e.code, ERR_NOMEM);
			ck_assert_ptr_null(t);
		}
		template_free(t);
	}
	ck_assert_uint_gt(nth, 20);
}
END_TEST

static const char *const files[] = {
        "config/templates/demo/diamond.yaml",
        "config/templates/demo/linear.yaml",
        "config/templates/demo/shell.yaml",
};

START_TEST(demo_template_is_accepted_without_a_warning)
{
	static char text[KIB(16)];
	FILE *file = fopen(files[_i], "rbe");
	AUTO(template) struct template *t = NULL;
	struct template_report report;
	struct err e = {0};
	size_t len;

	ck_assert_msg(file != NULL, "%s: run the tests from the root of the project", files[_i]);
	len = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	ck_assert_msg(template_parse(text, len, &t, &report, &e), "%s", e.text);
	ck_assert_uint_eq(report.count, 0);
	ck_assert_str_eq(t->namespace_name, "demo");
	ck_assert_str_eq(t->version, "1.0.0");
}
END_TEST

Suite *
template_json_suite(void)
{
	Suite *s = suite_create("template_json");
	TCase *tc = tcase_create("canonical");

	tcase_set_timeout(tc, 60); /* sanitizers */
	tcase_add_test(tc, canonical_json_spells_out_defaults);
	tcase_add_loop_test(
	        tc, spellings_of_one_template_have_one_canonical_form, 0, (int)COUNT(same));
	tcase_add_loop_test(tc, each_member_changes_the_canonical_form_and_is_read_back, 0,
	        (int)COUNT(differing));
	tcase_add_test(tc, reading_back_gives_the_same_fields);
	tcase_add_loop_test(tc, json_that_is_no_template_is_refused, 0, (int)COUNT(refused));
	tcase_add_test(tc, a_template_at_every_limit_is_read_back);
	tcase_add_test(tc, every_allocation_of_reading_back_may_fail);
	tcase_add_loop_test(tc, demo_template_is_accepted_without_a_warning, 0, (int)COUNT(files));
	suite_add_tcase(s, tc);
	return s;
}
