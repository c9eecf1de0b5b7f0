/* What a good file becomes (spec/tasker-rest.md 2.2, 2.3), and what it is warned about. */
#include "shared/template/template.h"

#include <string.h>

#include "tests/unit/unit.h"

static const char full[] =
        "name: order\n"
        "namespace_name: shop_1\n"
        "version: 1.0.0\n"
        "description: Takes an order\n"
        "identity_strategy: caller_provided\n"
        "metadata: {author: NO, tags: [yes, 1.0.0], pages: 12345678901234567890}\n"
        "system_dependencies: {primary: default, secondary: []}\n"
        "input_schema: {type: object, required: [id]}\n"
        "lifecycle:\n"
        "  max_duration_minutes: 43200\n"
        "  max_waiting_for_dependencies_minutes: 1\n"
        "  max_waiting_for_retry_minutes: 10080\n"
        "  max_steps_in_process_minutes: 30\n"
        "  staleness_action: error\n"
        "  auto_fail_on_timeout: true\n"
        "  auto_dlq_on_timeout: true\n"
        "environments: {test: {steps: []}}\n"
        "steps:\n"
        "  - name: check\n"
        "    description: Looks at it\n"
        "    handler:\n"
        "      callable: shop.check\n"
        "      method: run\n"
        "      initialization: {limit: 1.50, text: \"a\\tb\", none: ~, deep: [[1], {}]}\n"
        "    type: standard\n"
        "    system_dependency: bank\n"
        "    retry:\n"
        "      retryable: false\n"
        "      max_attempts: 0\n"
        "      backoff: fibonacci\n"
        "      backoff_base_ms: 1\n"
        "      max_backoff_ms: 3600000\n"
        "    timeout_seconds: 86400\n"
        "    result_schema: {type: number}\n"
        "  - name: ship\n"
        "    handler: {callable: shop.ship}\n"
        "    dependencies: [check]\n";

static struct template *
parse(const char *text, struct template_report *report)
{
	struct template *t = NULL;
	struct err e = {0};

	ck_assert_msg(template_parse(text, strlen(text), &t, report, &e), "%s", e.text);
	return t;
}

START_TEST(every_member_of_a_template_is_read)
{
	AUTO(template) struct template *t = parse(full, NULL);

	ck_assert_str_eq(t->name, "order");
	ck_assert_str_eq(t->namespace_name, "shop_1");
	ck_assert_str_eq(t->version, "1.0.0");
	ck_assert_str_eq(t->description, "Takes an order");
	ck_assert_int_eq(t->identity, TEMPLATE_IDENTITY_CALLER_PROVIDED);
	ck_assert_str_eq(t->metadata,
	        "{\"author\":\"NO\",\"tags\":[\"yes\",\"1.0.0\"],\"pages\":12345678901234567890}");
	ck_assert_str_eq(t->system_dependencies, "{\"primary\":\"default\",\"secondary\":[]}");
	ck_assert_str_eq(t->input_schema, "{\"type\":\"object\",\"required\":[\"id\"]}");
	ck_assert_str_eq(t->environments, "{\"test\":{\"steps\":[]}}");
	ck_assert_int_eq(t->lifecycle.max_duration_min, 43200);
	ck_assert_int_eq(t->lifecycle.max_waiting_for_dependencies_min, 1);
	ck_assert_int_eq(t->lifecycle.max_waiting_for_retry_min, 10080);
	ck_assert_int_eq(t->lifecycle.max_steps_in_process_min, 30);
	ck_assert_int_eq(t->lifecycle.staleness_action, TEMPLATE_STALENESS_ERROR);
	ck_assert(t->lifecycle.auto_fail_on_timeout && t->lifecycle.auto_dlq_on_timeout);
	ck_assert_uint_eq(t->step_count, 2);
	ck_assert_uint_eq(t->edge_count, 1);
}
END_TEST

START_TEST(every_member_of_a_step_is_read)
{
	AUTO(template) struct template *t = parse(full, NULL);
	const struct template_step *check = template_find_step(t, "check");
	const struct template_step *ship = template_find_step(t, "ship");

	ck_assert_ptr_eq(check, &t->steps[0]);
	ck_assert_ptr_eq(ship, &t->steps[1]);
	ck_assert_ptr_null(template_find_step(t, "shi"));
	ck_assert_str_eq(check->description, "Looks at it");
	ck_assert_str_eq(check->callable, "shop.check");
	ck_assert_str_eq(check->method, "run");
	ck_assert_str_eq(check->initialization,
	        "{\"limit\":1.50,\"text\":\"a\\tb\",\"none\":null,\"deep\":[[1],{}]}");
	ck_assert_str_eq(check->system_dependency, "bank");
	ck_assert_str_eq(check->result_schema, "{\"type\":\"number\"}");
	ck_assert_int_eq(check->type, TEMPLATE_STEP_STANDARD);
	ck_assert(!check->retryable);
	ck_assert_int_eq(check->max_attempts, 0);
	ck_assert_int_eq(check->backoff, TEMPLATE_BACKOFF_FIBONACCI);
	ck_assert_int_eq(check->backoff_base_ms, 1);
	ck_assert_int_eq(check->max_backoff_ms, 3600000);
	ck_assert_int_eq(check->timeout_s, 86400);
	ck_assert_uint_eq(check->child_count, 1);
	ck_assert_uint_eq(check->children[0], 1);
	ck_assert_uint_eq(ship->parent_count, 1);
	ck_assert_uint_eq(ship->parents[0], 0);
}
END_TEST

START_TEST(absent_members_have_the_defaults_of_the_specification)
{
	AUTO(template)
	struct template *t = parse("name: a\nnamespace_name: b\nversion: c\nsteps:\n"
	                           "- {name: d, handler: {callable: e}, retry: }\n",
	        NULL);
	const struct template_step *s = &t->steps[0];

	ck_assert_int_eq(t->identity, TEMPLATE_IDENTITY_STRICT);
	ck_assert_ptr_null(t->description);
	ck_assert_ptr_null(t->metadata);
	ck_assert_ptr_null(t->input_schema);
	ck_assert_ptr_null(t->environments);
	ck_assert_int_eq(t->lifecycle.max_duration_min, 0);
	ck_assert_int_eq(t->lifecycle.staleness_action, TEMPLATE_STALENESS_DLQ);
	ck_assert(!t->lifecycle.auto_fail_on_timeout);
	ck_assert_str_eq(s->method, "call");
	ck_assert_str_eq(s->initialization, "{}");
	ck_assert_ptr_null(s->description);
	ck_assert_ptr_null(s->system_dependency);
	ck_assert_ptr_null(s->result_schema);
	ck_assert(s->retryable);
	ck_assert_int_eq(s->max_attempts, 3);
	ck_assert_int_eq(s->backoff, TEMPLATE_BACKOFF_EXPONENTIAL);
	ck_assert_int_eq(s->backoff_base_ms, 1000);
	ck_assert_int_eq(s->max_backoff_ms, 30000);
	ck_assert_int_eq(s->timeout_s, 0);
	ck_assert_uint_eq(s->parent_count, 0);
}
END_TEST

START_TEST(aliases_of_members_and_of_values_are_followed)
{
	AUTO(template)
	struct template *t = parse("name: a\nnamespace_name: b\nversion: c\nsteps:\n"
	                           "- {name: d, step_type: standard, handler: &h {callable: e, "
	                           "initialization: {x: 1}}}\n"
	                           "- {name: f, depends_on: [d], handler: *h}\n",
	        NULL);

	ck_assert_str_eq(t->steps[1].callable, "e");
	ck_assert_str_eq(t->steps[1].initialization, "{\"x\":1}");
	ck_assert_uint_eq(t->steps[1].parents[0], 0);
}
END_TEST

#define GOOD "name: a\nnamespace_name: b\nversion: c\n"
#define STEP "steps:\n- name: d\n  handler: {callable: e}\n"
/* clang-format off */
static const struct {
	const char *text;
	unsigned line, column;
	const char *warning; /* NULL: none */
} warned[] = {
	{GOOD STEP, 0, 0, NULL},
	{GOOD "loaded_from: here\n" STEP, 4, 1,
		"template has no member 'loaded_from'; it is ignored"},
	{GOOD "descripton: x\n" STEP, 4, 1,
		"template has no member 'descripton' (did you mean 'description'?)"},
	{GOOD STEP "  depend_on: []\n", 7, 3,
		"step has no member 'depend_on' (did you mean 'depends_on'?)"},
	{GOOD STEP "  retry: {limit: 3}\n", 7, 11, "retry has no member 'limit'; it is ignored"},
	{GOOD "input_schema: {type: object}\n" STEP, 4, 1,
		"input_schema is loaded but not yet enforced"},
	{GOOD "lifecycle: {max_duration_minutes: 5}\n" STEP, 4, 1,
		"lifecycle is kept but not yet enforced"},
	{GOOD "lifecycle: {}\n" STEP, 0, 0, NULL},
	{GOOD STEP "  result_schema: {type: number}\n", 7, 3,
		"result_schema is loaded but not yet enforced"},
	{GOOD "environments: {test: 1}\n" STEP, 4, 1,
		"environments is kept, but overrides by environment are not applied"},
	{GOOD "environments: {}\n" STEP, 0, 0, NULL},
	{GOOD "domain_events: []\n" STEP, 0, 0, NULL},
	{GOOD "domain_events: [x]\n" STEP, 4, 1,
		"domain_events is not supported by this version and is ignored"},
	{GOOD STEP "  publishes_events:\n", 0, 0, NULL},
	{GOOD STEP "  batch_config: {batch_size: 1}\n", 7, 3,
		"batch_config is not supported by this version and is ignored"},
	{GOOD STEP "- {name: f, handler: {callable: e}, dependencies: [d, d]}\n", 7, 55,
		"step 'f' depends on 'd' twice"},
	{GOOD "\"bad\\nkey\": x\n" STEP, 4, 1, "template has no member 'bad?key'; it is ignored"},
};
/* clang-format on */

START_TEST(what_has_no_effect_is_accepted_with_a_warning)
{
	struct template_report report;
	AUTO(template) struct template *t = parse(warned[_i].text, &report);

	ck_assert_ptr_nonnull(t);
	ck_assert_uint_eq(report.more, 0);
	if (warned[_i].warning == NULL) {
		ck_assert_uint_eq(report.count, 0);
		return;
	}
	ck_assert_uint_eq(report.count, 1);
	ck_assert_str_eq(report.warnings[0].text, warned[_i].warning);
	ck_assert_uint_eq(report.warnings[0].line, warned[_i].line);
	ck_assert_uint_eq(report.warnings[0].column, warned[_i].column);
}
END_TEST

START_TEST(warnings_beyond_the_limit_are_counted)
{
	AUTO(buf) struct buf text = BUF(KIB(4));
	AUTO(template) struct template *t = NULL;
	struct template_report report;
	struct err e = {0};

	for (int i = 0; i < TEMPLATE_WARNINGS_MAX + 3; i++)
		buf_format(&text, "unknown_%d: 1\n", i);
	buf_text(&text, GOOD STEP);
	ck_assert(template_parse(text.data, text.len, &t, &report, &e));
	ck_assert_uint_eq(report.count, TEMPLATE_WARNINGS_MAX);
	ck_assert_uint_eq(report.more, 3);
}
END_TEST

START_TEST(names_of_enumerations_are_the_words_of_the_file)
{
	ck_assert_str_eq(template_identity_name(TEMPLATE_IDENTITY_STRICT), "strict");
	ck_assert_str_eq(template_identity_name(TEMPLATE_IDENTITY_ALWAYS_UNIQUE), "always_unique");
	ck_assert_str_eq(template_backoff_name(TEMPLATE_BACKOFF_NONE), "none");
	ck_assert_str_eq(template_backoff_name(TEMPLATE_BACKOFF_FIBONACCI), "fibonacci");
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	unsigned nth = 0;
	bool built = false;

	while (!built) {
		struct template *t = NULL;
		struct err e = {0};

		ck_assert_uint_lt(nth, 1000);
		fault_allocation(++nth);
		built = template_parse(full, sizeof(full) - 1, &t, NULL, &e);
		fault_allocation(0);
		if (!built) {
			ck_assert_int_eq(e.code, ERR_NOMEM);
			ck_assert_ptr_null(t);
		}
		template_free(t);
	}
	ck_assert_uint_gt(nth, 30);
}
END_TEST

Suite *
template_suite(void)
{
	Suite *s = suite_create("template");
	TCase *tc = tcase_create("reading");

	tcase_add_test(tc, every_member_of_a_template_is_read);
	tcase_add_test(tc, every_member_of_a_step_is_read);
	tcase_add_test(tc, absent_members_have_the_defaults_of_the_specification);
	tcase_add_test(tc, aliases_of_members_and_of_values_are_followed);
	tcase_add_loop_test(
	        tc, what_has_no_effect_is_accepted_with_a_warning, 0, (int)COUNT(warned));
	tcase_add_test(tc, warnings_beyond_the_limit_are_counted);
	tcase_add_test(tc, names_of_enumerations_are_the_words_of_the_file);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}
