#include "shared/daemon/issuer_keys.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/daemon/settings.h"

enum { US = 1000000, PROBE_EVERY_US = 250000 };

enum issuer_metric {
#define METRIC(id, ...) METRIC_##id,
#include "shared/daemon/issuer_keys.def"
#undef METRIC
};

static const struct metric_row rows[] = {
#define METRIC(id, kind, name, help) METRIC_ROW(kind, name, 0, 0, 0, help),
#include "shared/daemon/issuer_keys.def"
#undef METRIC
};

static const struct metric_label no_labels[] = {{0}};

static const struct metric_table table = {
        .rows = rows, .row_count = COUNT(rows), .labels = no_labels, .label_count = 1};

struct issuer_keys {
	struct jwks_store *store;
};

static void
tell(const struct jwks_news *news, void *arg)
{
	(void)arg;
	switch (news->event) {
	case JWKS_FETCHED:
		LOG(INFO, "jwks.fetched", INT_F("keys", (int64_t)news->keys),
		        INT_F("left_out", (int64_t)news->left_out->count));
		for (size_t i = 0; i < news->left_out->count; i++)
			LOG(WARN, "jwks.left_out", TEXT_F("why", news->left_out->warnings[i]));
		break;
	case JWKS_FAILED:
		LOG(WARN, "jwks.failed", TEXT_F("why", news->why));
		break;
	case JWKS_EXPIRED:
	default:
		LOG(ERROR, "jwks.expired",
		        TEXT_F("what", "the keys of users are too old: bearers get 503"));
		break;
	}
}

/* ---- health and metrics ---- */

static void
check(struct health_probe *probe, void *arg)
{
	const struct issuer_keys *k = arg;
	struct jwks_status s;
	enum health_state state = HEALTH_HEALTHY;
	const char *text = NULL;

	jwks_store_status(k->store, &s);
	if (s.keys == 0) {
		state = HEALTH_UNHEALTHY;
		text = "no keys of the issuer yet, or too old: bearers get 503";
	} else if (s.failing) {
		state = HEALTH_DEGRADED;
		text = "the last fetch of the issuer's keys failed";
	}
	health_report(probe, state, text, clock_mono_us());
}

#define READ_STATUS(reader, value)                                                                 \
	static void reader(struct metric_out *out, void *arg)                                      \
	{                                                                                          \
		const struct issuer_keys *k = arg;                                                 \
		struct jwks_status s;                                                              \
                                                                                                   \
		jwks_store_status(k->store, &s);                                                   \
		metric_sample(out, NULL, 0, (double)(value));                                      \
	}
READ_STATUS(read_keys, s.keys)
READ_STATUS(read_age, s.age_us < 0 ? -1 : s.age_us / US)
READ_STATUS(read_fetches, s.fetches)
READ_STATUS(read_failures, s.failures)

static bool
add_views(struct issuer_keys *k, const struct issuer_keys_settings *settings, struct err *e)
{
	static const struct {
		enum issuer_metric which;
		metrics_read_fn fn;
	} reads[] = {
	        {METRIC_KEYS,     read_keys    },
	        {METRIC_AGE,      read_age     },
	        {METRIC_FETCHES,  read_fetches },
	        {METRIC_FAILURES, read_failures},
	};
	const struct health_probe_settings probe = {.name = "jwks",
	        .critical = true,
	        .check = check,
	        .arg = k,
	        .every_us = PROBE_EVERY_US,
	        .deadline_us = US};
	struct health_probe *added;
	unsigned first;

	if (!health_add(settings->health, &probe, &added, e) ||
	        !metrics_add(settings->metrics, &table, &first, e))
		return false;
	for (size_t i = 0; i < COUNT(reads); i++)
		metrics_read(settings->metrics, first + reads[i].which, reads[i].fn, k);
	return true;
}

/* ---- start and end ---- */

static uint64_t
rules_in_force(struct security_live *live)
{
	uint64_t generation;
	struct security_service *service = security_live_get(live, &generation);
	const uint64_t rules = security_service_rules(service);

	security_service_free(service);
	return rules;
}

bool
issuer_keys_start(
        const struct issuer_keys_settings *settings, OWNED struct issuer_keys **out, struct err *e)
{
	AUTO(issuer_keys) struct issuer_keys *k = NULL;
	struct jwks_settings jwks;

	*out = NULL;
	if (!settings_uses_jwks(settings->config))
		return true;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the issuer's keys");
	if (!settings_jwks(settings->config, &jwks, e) ||
	        !jwks_store_new(&jwks, settings->live, &k->store, e) || !add_views(k, settings, e))
		return false;
	security_live_on_unknown_key(settings->live, jwks_store_unknown_key, k->store);
	if (!jwks_store_start(k->store, rules_in_force(settings->live), tell, NULL, e))
		return false;
	*out = TAKE(k);
	return true;
}

void
issuer_keys_free(struct issuer_keys *k)
{
	if (k == NULL)
		return;
	jwks_store_free(k->store);
	free(k);
}

/* ---- reload ---- */

bool
issuer_keys_carry(struct issuer_keys *k, const struct config *next,
        struct security_service **service, struct err *e)
{
	AUTO(key_set) struct key_set *keys = NULL;
	struct security_service *with = NULL;
	struct jwks_settings jwks;

	if (k == NULL)
		return true;
	if (!settings_jwks(next, &jwks, e) || !jwks_store_keys(k->store, jwks.algorithms, &keys, e))
		return err_while(e, "the issuer's keys under the new configuration");
	if (!security_service_with_user_keys(*service, keys, &with, e))
		return false;
	(void)TAKE(keys);
	security_service_free(*service);
	*service = with;
	return true;
}

void
issuer_keys_follow(struct issuer_keys *k, const struct config *next, uint64_t rules)
{
	struct jwks_settings jwks;
	struct err e = {0};

	if (k != NULL && settings_jwks(next, &jwks, &e))
		jwks_store_follow(k->store, &jwks, rules);
}

void
issuer_keys_show(struct issuer_keys *k, struct json_out *w)
{
	struct jwks_status s;

	if (k == NULL)
		return;
	jwks_store_status(k->store, &s);
	json_open(w, "jwks", '{');
	json_put_int(w, "keys", (int64_t)s.keys);
	json_put_int(w, "age_seconds", s.age_us < 0 ? -1 : s.age_us / US);
	json_put_int(w, "fetches", (int64_t)s.fetches);
	json_put_int(w, "failures", (int64_t)s.failures);
	json_put_text(w, "last_error", s.last_error);
	json_close(w, '}');
}
