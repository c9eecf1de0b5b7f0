/* What the log and the metrics say of a request. */
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/gate/request_state.h"

const char *
gate_route_name(const struct request *req)
{
	return req->route != NULL ? req->route->path : "unmatched";
}

static enum method
method_of(const struct request *req)
{
	return exchange_head(req->exchange)->method;
}

void
gate_count(struct gate *g, enum gate_metric which, struct metric_at at)
{
	if (g->meter != NULL)
		meter_add(g->meter, gate_metrics_id(g->metrics, which), at, 1);
}

void
gate_note_denial(struct request *req, enum verdict v)
{
	const struct access *access = req->route == NULL ? NULL : &req->route->access;
	const bool lacks =
	        v == VERDICT_DENY_FORBIDDEN && access != NULL && access->kind == ACCESS_NEEDS;
	const char *permission = "";

	if (verdict_status(v) == 401)
		gate_count(req->gate, GATE_METRIC_AUTH_FAILURES, AT(v));
	if (verdict_status(v) == 403)
		gate_count(req->gate, GATE_METRIC_DENIALS,
		        AT(lacks ? access->permission : PERMISSION__COUNT));
	if (lacks)
		permission = permission_spelled(access->permission);
	else if (v == VERDICT_DENY_PERMISSIONS && req->unknown_permission != NULL)
		permission = req->unknown_permission;
	LOG(WARN, "auth.denied", TEXT_F("reason", verdict_reason(v)),
	        INT_F("status", verdict_status(v)), TEXT_F("method", method_name(method_of(req))),
	        TEXT_F("route", gate_route_name(req)), TEXT_F("permission", permission),
	        TEXT_F("subject", req->context == NULL ? "" : req->context->subject),
	        TEXT_F("peer", request_peer(req)), TEXT_F("request_id", req->id));
}

/* A token that is good in spite of it is told of once, when it is new here; a refused one in the
 * line of its refusal. */
void
gate_note_unknown_permission(struct request *req, const struct authentication *result)
{
	if (result->verdict == VERDICT_GRANT)
		LOG(WARN, "auth.unknown_permission",
		        TEXT_F("permission", result->unknown_permission),
		        TEXT_F("subject", result->context->subject),
		        TEXT_F("peer", request_peer(req)), TEXT_F("request_id", req->id));
	else
		req->unknown_permission = result->unknown_permission;
}

void
gate_note_authentication(struct request *req, const struct authentication *result,
        const struct authenticator_stats *before, int64_t us)
{
	const struct authenticator_stats now = authenticator_stats(req->gate->authenticator);
	const struct credentials *c = &req->fields.credentials;
	const struct gate *g = req->gate;
	const unsigned failed = result->verdict != VERDICT_GRANT;
	enum auth_method method = c->authorization != NULL ? AUTH_METHOD_JWT : AUTH_METHOD_API_KEY;

	if (!failed)
		method = result->context->method;
	if ((c->authorization != NULL || c->api_key != NULL) &&
	        result->verdict != VERDICT_DENY_BUSY)
		gate_count(req->gate, GATE_METRIC_AUTH_REQUESTS, AT(method, failed));
	if (now.hits != before->hits)
		gate_count(req->gate, GATE_METRIC_CACHE_HITS, AT(0));
	if (result->examined)
		meter_observe(g->meter, gate_metrics_id(g->metrics, GATE_METRIC_VERIFICATION),
		        AT(failed), us);
}

static void
measure(const struct request *req, int status)
{
	const struct gate *g = req->gate;
	const unsigned route = gate_metrics_route(g->metrics, req->route);
	const unsigned method = method_of(req);

	meter_add(g->meter, gate_metrics_id(g->metrics, GATE_METRIC_REQUESTS),
	        AT(route, method, gate_metrics_status_class(status)), 1);
	meter_observe(g->meter, gate_metrics_id(g->metrics, GATE_METRIC_DURATION),
	        AT(route, method), clock_mono_us() - exchange_started_us(req->exchange));
}

static void
write_access_log(const struct request *req, int status)
{
	if (!log_wants(LEVEL_INFO))
		return;
	LOG(INFO, "http.request", TEXT_F("method", method_name(method_of(req))),
	        TEXT_F("route", gate_route_name(req)), INT_F("status", status),
	        INT_F("duration_us", clock_mono_us() - exchange_started_us(req->exchange)),
	        INT_F("bytes", exchange_sent(req->exchange)), TEXT_F("peer", request_peer(req)),
	        TEXT_F("request_id", req->id),
	        TEXT_F("subject", req->context == NULL ? "" : req->context->subject));
}

void
gate_note_end(const struct request *req)
{
	const int status = exchange_status(req->exchange);

	if (req->gate->meter != NULL)
		measure(req, status);
	if (req->gate->settings.access_log)
		write_access_log(req, status);
}
