/*
 * Everything of one loop is made before its thread starts and freed after it ended, so that the
 * parts need no locks. Draining travels as mail: home tells every loop, every loop tells home when
 * its endpoint is empty, and home counts.
 */
#include "shared/gate/web.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "shared/base/log.h"

struct lane {
	struct web *web;
	struct loop *loop;
	struct authenticator *authenticator;
	struct gate *gate;
	struct http_endpoint *endpoint;
	struct mail drain, cut, drained; /* each is posted at most once */
	bool told;                       /* home has been, or is being, told: the lane's own */
};

struct web {
	struct web_settings settings;
	struct gate_metrics *metrics;
	struct http_server *server;
	struct lane *lanes;
	size_t lane_count;

	/* of home, once draining */
	struct loop *home;
	struct loop_timer *deadline;
	size_t draining; /* lanes that have not told */
	bool cutting;
	loop_fn done;
	void *done_arg;
};

/* ---- starting ---- */

static bool
lane_open(struct web *w, struct lane *lane, size_t n, struct err *e)
{
	const struct web_settings *s = &w->settings;
	struct http_callbacks callbacks;
	char name[32];

	(void)snprintf(name, sizeof(name), "%s-%zu", s->name, n);
	lane->web = w;
	if (!loop_new(name, &lane->loop, e) ||
	        !authenticator_new(s->security, s->cache_entries, s->find_session, s->find_arg,
	                &lane->authenticator, e) ||
	        !gate_new(&s->gate, lane->authenticator, w->metrics, &lane->gate, e))
		return false;
	callbacks = gate_callbacks(lane->gate);
	return http_endpoint_new(w->server, lane->loop, &callbacks, &lane->endpoint, e);
}

static unsigned
thread_count(const struct web_settings *s)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	const unsigned wanted = s->threads != 0 ? s->threads : cores > 0 ? (unsigned)cores : 1;

	return wanted < WEB_THREADS ? wanted : WEB_THREADS;
}

static struct http_stats
stats_of_all(const struct web *w)
{
	struct http_stats all = {0};

	for (size_t i = 0; i < w->lane_count; i++) {
		const struct http_stats one = http_endpoint_stats(w->lanes[i].endpoint);

		all.connections_open += one.connections_open;
		all.connections_total += one.connections_total;
	}
	return all;
}

static void
read_connections(struct metric_out *out, void *arg)
{
	metric_sample(out, NULL, 0, (double)stats_of_all(arg).connections_open);
}

static void
read_connected(struct metric_out *out, void *arg)
{
	metric_sample(out, NULL, 0, (double)stats_of_all(arg).connections_total);
}

static void
read_log_dropped(struct metric_out *out, void *arg)
{
	(void)arg;
	metric_sample(out, NULL, 0, (double)log_dropped());
}

static void
read_build_info(struct metric_out *out, void *arg)
{
	(void)arg;
	metric_sample(out, &(struct metric_pair){"version", TASKER_VERSION}, 1, 1);
}

static void
read_at_scrape(struct web *w)
{
	static const struct {
		enum gate_metric which;
		metrics_read_fn fn;
	} reads[] = {
	        {GATE_METRIC_CONNECTIONS, read_connections},
	        {GATE_METRIC_CONNECTED,   read_connected  },
	        {GATE_METRIC_LOG_DROPPED, read_log_dropped},
	        {GATE_METRIC_BUILD_INFO,  read_build_info }
        };

	for (size_t i = 0; i < COUNT(reads) && w->metrics != NULL; i++)
		metrics_read(w->settings.metrics, gate_metrics_id(w->metrics, reads[i].which),
		        reads[i].fn, w);
}

static bool
open_all(struct web *w, struct err *e)
{
	const struct web_settings *s = &w->settings;
	const unsigned threads = thread_count(s);

	if (s->metrics != NULL &&
	        !gate_metrics_new(s->metrics, s->gate.routes, s->gate.route_count, &w->metrics, e))
		return false;
	if (!http_server_new(s->address, s->fd, &s->limits, &w->server, e))
		return false;
	if (s->tls != NULL)
		http_server_tls(w->server, TAKE(w->settings.tls));
	w->lanes = calloc(threads, sizeof(*w->lanes));
	if (w->lanes == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for %u loops", threads);
	for (; w->lane_count < threads; w->lane_count++)
		if (!lane_open(w, &w->lanes[w->lane_count], w->lane_count, e)) {
			w->lane_count++; /* half open: freed like the rest */
			return false;
		}
	read_at_scrape(w);
	for (size_t i = 0; i < w->lane_count; i++)
		if (!loop_start(w->lanes[i].loop, e))
			return false;
	return true;
}

bool
web_start(const struct web_settings *settings, OWNED struct web **out, struct err *e)
{
	AUTO(web) struct web *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		tls_context_free(settings->tls);
		return err_set(e, ERR_NOMEM, "out of memory for the web side");
	}
	w->settings = *settings;
	if (!open_all(w, e))
		return false;
	*out = TAKE(w);
	return true;
}

/* ---- questions ---- */

int
web_port(const struct web *w)
{
	return http_server_port(w->server);
}

size_t
web_loops(const struct web *w)
{
	return w->lane_count;
}

struct loop *
web_loop(const struct web *w, size_t n)
{
	assert(n < w->lane_count);
	return w->lanes[n].loop;
}

void
web_tls(struct web *w, OWNED struct tls_context *t)
{
	http_server_tls(w->server, t);
}

/* ---- ending ---- */

/* On home. */
static void
on_drained(struct mail *mail)
{
	struct lane *lane = (struct lane *)((char *)mail - offsetof(struct lane, drained));
	struct web *w = lane->web;

	assert(w->draining > 0);
	if (--w->draining > 0)
		return;
	loop_timer_cancel(w->deadline);
	w->done(w->done_arg);
}

/* On the lane's loop: its endpoint has no connection left. */
static void
lane_empty(void *arg)
{
	struct lane *lane = arg;

	if (lane->told)
		return;
	lane->told = true;
	lane->drained.deliver = on_drained;
	loop_post(lane->web->home, &lane->drained);
}

static void
lane_drain(struct mail *mail)
{
	struct lane *lane = (struct lane *)((char *)mail - offsetof(struct lane, drain));

	http_endpoint_drain(lane->endpoint, false, lane_empty, lane);
}

static void
lane_cut(struct mail *mail)
{
	struct lane *lane = (struct lane *)((char *)mail - offsetof(struct lane, cut));

	http_endpoint_drain(lane->endpoint, true, lane_empty, lane);
}

static void
cut_all(void *arg)
{
	struct web *w = arg;

	if (w->cutting)
		return;
	w->cutting = true;
	for (size_t i = 0; i < w->lane_count; i++) {
		w->lanes[i].cut.deliver = lane_cut;
		loop_post(w->lanes[i].loop, &w->lanes[i].cut);
	}
}

bool
web_drain(
        struct web *w, struct loop *home, int64_t within_us, loop_fn done, void *arg, struct err *e)
{
	if (w->home != NULL) { /* again */
		if (within_us == 0)
			cut_all(w);
		return true;
	}
	if (!loop_timer_new(home, cut_all, w, &w->deadline, e))
		return err_while(e, "draining the web side");
	w->home = home;
	w->done = done;
	w->done_arg = arg;
	w->draining = w->lane_count;
	for (size_t i = 0; i < w->lane_count; i++) {
		w->lanes[i].drain.deliver = lane_drain;
		loop_post(w->lanes[i].loop, &w->lanes[i].drain);
	}
	if (within_us == 0)
		cut_all(w);
	else
		loop_timer_set(w->deadline, within_us);
	return true;
}

void
web_stop(struct web *w)
{
	for (size_t i = 0; i < w->lane_count; i++) {
		if (w->lanes[i].loop == NULL)
			continue;
		loop_stop(w->lanes[i].loop);
		loop_join(w->lanes[i].loop);
		if (w->lanes[i].endpoint != NULL)
			http_endpoint_stop(w->lanes[i].endpoint);
	}
}

void
web_free(struct web *w)
{
	if (w == NULL)
		return;
	web_stop(w);
	for (size_t i = 0; i < w->lane_count; i++) {
		struct lane *lane = &w->lanes[i];

		http_endpoint_free(lane->endpoint);
		gate_free(lane->gate);
		authenticator_free(lane->authenticator);
		loop_free(lane->loop);
	}
	free(w->lanes);
	http_server_free(w->server);
	loop_timer_free(w->deadline);
	gate_metrics_free(w->metrics);
	tls_context_free(w->settings.tls);
	free(w);
}
