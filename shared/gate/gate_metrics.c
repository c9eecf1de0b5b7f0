#include "shared/gate/gate_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "shared/gate/rate_limit.h"

enum {
	NONE,
	ROUTE,
	METHOD,
	STATUS,
	REFUSAL,
	AUTH_METHOD,
	RESULT,
	REASON,
	PERMISSION,
	SCOPE,
	LABELS
};

static const struct metric_row rows[] = {
#define METRIC(id, kind, name, a, b, c, help) METRIC_ROW(kind, name, a, b, c, help),
#include "shared/gate/gate_metrics.def"
#undef METRIC
};

static const char *const status_classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
static const char *const results[] = {"success", "failure"};
static const int refusals[] = {400, 408, 413, 414, 431, 501, 503, 505};
static const char *const refusal_names[] = {
        "400", "408", "413", "414", "431", "501", "503", "505", "other"};
enum { UNMATCHED = 0, METHODS = METHOD_OPTIONS + 1, AUTH_METHODS = AUTH_METHOD_SESSION + 1 };

struct gate_metrics {
	struct metrics *metrics;
	unsigned first;
	const struct route *routes;
	size_t route_count;
	unsigned *route_value;    /* of each row: rows of one path share a value */
	const char **route_names; /* [0] is "unmatched" */
	const char *methods[METHODS];
	const char *auth_methods[AUTH_METHODS];
	const char *reasons[VERDICT__COUNT];
	const char *permissions[PERMISSION__COUNT + 1];
	const char *scopes[RATE__COUNT];
	struct metric_label labels[LABELS];
	struct metric_table table;
};

/* Gives every path one value, and returns how many values there are. */
static size_t
name_routes(struct gate_metrics *gm)
{
	size_t count = 0;

	gm->route_names[count++] = "unmatched";
	for (size_t i = 0; i < gm->route_count; i++) {
		size_t value = 1;

		while (value < count && strcmp(gm->route_names[value], gm->routes[i].path) != 0)
			value++;
		if (value == count)
			gm->route_names[count++] = gm->routes[i].path;
		gm->route_value[i] = (unsigned)value;
	}
	return count;
}

static void
name_rest(struct gate_metrics *gm)
{
	for (unsigned m = 0; m < METHODS; m++)
		gm->methods[m] = m == METHOD_NONE ? "none" : method_name((enum method)m);
	for (unsigned m = 0; m < AUTH_METHODS; m++)
		gm->auth_methods[m] = auth_method_name((enum auth_method)m);
	for (enum verdict v = VERDICT_DENY_UNDECIDED; v < VERDICT__COUNT; v++)
		gm->reasons[v] = verdict_reason(v);
	for (unsigned p = 0; p < PERMISSION__COUNT; p++)
		gm->permissions[p] = permission_spelled((enum permission)p);
	gm->permissions[PERMISSION__COUNT] = "none"; /* a credential of the wrong class */
	for (unsigned scope = 0; scope < RATE__COUNT; scope++)
		gm->scopes[scope] = rate_scope_name((enum rate_scope)scope);
}

static void
describe(struct gate_metrics *gm, size_t route_values)
{
	struct metric_label *l = gm->labels;

	l[ROUTE] = (struct metric_label){"route", gm->route_names, route_values};
	l[METHOD] = (struct metric_label){"method", gm->methods, METHODS};
	l[STATUS] = (struct metric_label){"status", status_classes, COUNT(status_classes)};
	l[REFUSAL] = (struct metric_label){"status", refusal_names, COUNT(refusal_names)};
	l[AUTH_METHOD] = (struct metric_label){"method", gm->auth_methods, AUTH_METHODS};
	l[RESULT] = (struct metric_label){"result", results, COUNT(results)};
	l[REASON] = (struct metric_label){"reason", gm->reasons, VERDICT__COUNT};
	l[PERMISSION] = (struct metric_label){"permission", gm->permissions, PERMISSION__COUNT + 1};
	l[SCOPE] = (struct metric_label){"scope", gm->scopes, RATE__COUNT};
	gm->table = (struct metric_table){rows, COUNT(rows), gm->labels, LABELS};
}

bool
gate_metrics_new(struct metrics *m, const struct route *routes, size_t route_count,
        OWNED struct gate_metrics **out, struct err *e)
{
	AUTO(gate_metrics) struct gate_metrics *gm = calloc(1, sizeof(*gm));

	if (gm == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the gate's metrics");
	gm->metrics = m;
	gm->routes = routes;
	gm->route_count = route_count;
	gm->route_value = calloc(route_count + 1, sizeof(*gm->route_value));
	gm->route_names = calloc(route_count + 1, sizeof(*gm->route_names));
	if (gm->route_value == NULL || gm->route_names == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the gate's metrics");
	name_rest(gm);
	describe(gm, name_routes(gm));
	if (!metrics_add(m, &gm->table, &gm->first, e))
		return false;
	*out = TAKE(gm);
	return true;
}

void
gate_metrics_free(struct gate_metrics *gm)
{
	if (gm == NULL)
		return;
	free(gm->route_value);
	free(gm->route_names);
	free(gm);
}

struct metrics *
gate_metrics_of(const struct gate_metrics *gm)
{
	return gm->metrics;
}

unsigned
gate_metrics_id(const struct gate_metrics *gm, enum gate_metric which)
{
	return gm->first + (unsigned)which;
}

unsigned
gate_metrics_route(const struct gate_metrics *gm, const struct route *route)
{
	return route == NULL ? UNMATCHED : gm->route_value[route - gm->routes];
}

unsigned
gate_metrics_status_class(int status)
{
	return status >= 100 && status < 600 ? (unsigned)status / 100 : 0;
}

unsigned
gate_metrics_refusal(int status)
{
	unsigned i = 0;

	while (i < COUNT(refusals) && refusals[i] != status)
		i++;
	return i;
}
