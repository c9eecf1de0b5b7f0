/*
 * Who meets which limit:
 *
 *   address        every request with a good head, but for /health: a probe that is not answered
 *                  ends the daemon it asks about
 *   verification   tokens that were looked at in full and were bad; not those that a 503 met, nor
 *                  API keys and sessions, which cost a hash
 *   principal      granted requests, but for the workers' own routes, whose rate is the work's
 *
 * The address is the connection's: behind a proxy all clients share one.
 */
#include "shared/gate/throttle.h"

#include <string.h>

#include "shared/base/log.h"

static struct rate_limit *
limit(const struct request *req, enum rate_scope scope)
{
	struct rate_limits *limits = req->gate->settings.limits;

	return limits != NULL && rate_limit_is_on(&limits->of[scope]) ? &limits->of[scope] : NULL;
}

static uint64_t
address_of(const struct request *req)
{
	return rate_limits_number(req->gate->settings.limits, exchange_address(req->exchange));
}

static int64_t
now_of(const struct request *req)
{
	return loop_mono_us(exchange_loop(req->exchange));
}

static void
refuse(struct request *req, enum rate_scope scope, int64_t wait_us)
{
	gate_count(req->gate, GATE_METRIC_RATE_LIMITED, AT(scope));
	LOG(WARN, "http.rate_limited", TEXT_F("scope", rate_scope_name(scope)),
	        TEXT_F("route", gate_route_name(req)),
	        TEXT_F("subject", req->context == NULL ? "" : req->context->subject),
	        TEXT_F("peer", request_peer(req)), TEXT_F("request_id", req->id));
	request_retry_after(req, (int)((wait_us + 999999) / 1000000));
	request_problem(req, verdict_status(VERDICT_DENY_BUSY), verdict_code(VERDICT_DENY_BUSY),
	        "%s", verdict_text(VERDICT_DENY_BUSY));
}

static bool
is_probe(const struct request *req)
{
	static const char health[] = "/health";
	const char *path = req->found.route != NULL ? req->found.route->path : "";
	const size_t len = sizeof(health) - 1;

	return strncmp(path, health, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

bool
throttle_address(struct request *req)
{
	struct rate_limit *l = limit(req, RATE_ADDRESS);
	int64_t wait_us = 0;

	if (l == NULL || is_probe(req) ||
	        rate_limit_take(l, address_of(req), now_of(req), &wait_us))
		return false;
	refuse(req, RATE_ADDRESS, wait_us);
	return true;
}

void
throttle_strangers(struct request *req)
{
	struct rate_limit *l = limit(req, RATE_VERIFICATION);

	if (l != NULL && req->fields.credentials.authorization != NULL)
		req->fields.credentials.known_only =
		        !rate_limit_asks(l, address_of(req), now_of(req), &req->busy_us);
}

void
throttle_failed(const struct request *req, const struct authentication *result)
{
	struct rate_limit *l = limit(req, RATE_VERIFICATION);

	if (l != NULL && result->examined && verdict_status(result->verdict) == 401)
		rate_limit_spend(l, address_of(req), now_of(req));
}

void
throttle_unverified(struct request *req)
{
	refuse(req, RATE_VERIFICATION, req->busy_us);
}

bool
throttle_principal(struct request *req)
{
	struct rate_limit *l = limit(req, RATE_PRINCIPAL);
	int64_t wait_us = 0;

	if (l == NULL || req->context == NULL || req->route->access.kind == ACCESS_INTERNAL)
		return false;
	if (rate_limit_take(l, rate_limits_text(req->gate->settings.limits, req->context->owner),
	            now_of(req), &wait_us))
		return false;
	refuse(req, RATE_PRINCIPAL, wait_us);
	return true;
}
