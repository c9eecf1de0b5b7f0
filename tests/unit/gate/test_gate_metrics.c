/* The gate's table: paths share a value, and its exposition follows Prometheus' naming rules. */
#include "shared/gate/gate_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/gate/rig.h"

static const struct route *
row(enum method method, const char *path)
{
	for (size_t i = 0; i < rig_route_count; i++)
		if (rig_routes[i].method == method && strcmp(rig_routes[i].path, path) == 0)
			return &rig_routes[i];
	ck_abort_msg("no row %s", path);
	return NULL;
}

START_TEST(rows_of_one_path_share_a_label_value)
{
	AUTO(metrics) struct metrics *m = NULL;
	AUTO(gate_metrics) struct gate_metrics *gm = NULL;
	struct err e = {0};

	ck_assert(metrics_new(&m, &e));
	ck_assert(gate_metrics_new(m, rig_routes, rig_route_count, &gm, &e));
	ck_assert_uint_eq(gate_metrics_route(gm, row(METHOD_GET, "/v1/tasks")),
	        gate_metrics_route(gm, row(METHOD_POST, "/v1/tasks")));
	ck_assert_uint_ne(gate_metrics_route(gm, row(METHOD_GET, "/v1/tasks")),
	        gate_metrics_route(gm, row(METHOD_GET, "/v1/tasks/{task}")));
	ck_assert_uint_eq(gate_metrics_route(gm, NULL), 0);
}
END_TEST

START_TEST(statuses_have_classes_and_odd_ones_a_place)
{
	ck_assert_uint_eq(gate_metrics_status_class(0), 0); /* the client went before the answer */
	ck_assert_uint_eq(gate_metrics_status_class(99), 0);
	ck_assert_uint_eq(gate_metrics_status_class(204), 2);
	ck_assert_uint_eq(gate_metrics_status_class(503), 5);
	ck_assert_uint_eq(gate_metrics_status_class(999), 0);
	ck_assert_uint_ne(gate_metrics_refusal(400), gate_metrics_refusal(431));
	ck_assert_uint_eq(gate_metrics_refusal(418), gate_metrics_refusal(599));
}
END_TEST

static const struct {
	const char *name, *kind;
} names[] = {
#define METRIC(id, kind, name, a, b, c, help) {name, #kind},
#include "shared/gate/gate_metrics.def"
#undef METRIC
};

static bool
ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* What promtool asks of names. */
START_TEST(names_carry_prefix_unit_and_total)
{
	const bool counter = strncmp(names[_i].kind, "COUNTER", 7) == 0;

	ck_assert_int_eq(strncmp(names[_i].name, "tasker_", 7), 0);
	ck_assert_int_eq(ends_with(names[_i].name, "_total"), counter);
	ck_assert(strcmp(names[_i].kind, "SECONDS") != 0 || ends_with(names[_i].name, "_seconds"));
	ck_assert_ptr_null(strstr(names[_i].name, "milliseconds"));
}
END_TEST

Suite *
gate_metrics_suite(void)
{
	Suite *s = suite_create("gate_metrics");
	TCase *tc = tcase_create("gate_metrics");

	tcase_add_test(tc, rows_of_one_path_share_a_label_value);
	tcase_add_test(tc, statuses_have_classes_and_odd_ones_a_place);
	tcase_add_loop_test(tc, names_carry_prefix_unit_and_total, 0, COUNT(names));
	suite_add_tcase(s, tc);
	return s;
}
