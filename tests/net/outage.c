#include "tests/net/outage.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "tests/unit/unit.h"

enum { LOOK_MS = 10, COMPLETE_MS = 60000 };

bool
outage_is_ready(int port)
{
	struct wire_reply r = wire_call(port, "GET", "/health/ready", "", NULL);
	const bool ready = r.status == 200;

	wire_reply_free(&r);
	return ready;
}

int
outage_wait(int port, bool ready, int within_ms)
{
	const int64_t from = clock_mono_us();

	while (outage_is_ready(port) != ready) {
		if (clock_mono_us() - from > (int64_t)within_ms * 1000)
			return -1;
		(void)poll(NULL, 0, LOOK_MS);
	}
	return (int)((clock_mono_us() - from) / 1000);
}

size_t
outage_lines(const char *dir, const char *log, const char *text)
{
	char *all = daemon_read(dir, log), *rest = all, *line;
	size_t count = 0;

	while ((line = strsep(&rest, "\n")) != NULL)
		count += line[0] != '\0' && strstr(line, "\"http.request\"") == NULL &&
		         strstr(line, text) != NULL;
	free(all);
	return count;
}

static void
judge(const struct rig *rig, const struct load *load, struct findings *out)
{
	ck_assert(load_judge(load, rig->pair.dir, false, out));
	ck_assert_msg(checker_broken(out) == 0, "folder %s:\n%s", rig->pair.dir, out->text);
}

void
outage_judge(struct rig *rig, struct load *load, struct findings *out)
{
	struct load_numbers n;

	load_stop(load);
	ck_assert(load_resolve(load));
	ck_assert(load_completes(load, COMPLETE_MS));
	n = load_numbers(load);
	ck_assert_uint_eq(n.wrong, 0);
	ck_assert(rig_stop(rig));
	ck_assert_int_eq(rig_check(rig), 0);
	judge(rig, load, out);
	(void)printf("net: %zu tasks acknowledged, %zu open and settled later; %zu steps by %zu "
	             "executions; %zu lost, %zu given back, %zu late\n",
	        n.acknowledged, n.open, out->steps, out->executions, out->lost, out->released,
	        out->late);
	(void)fflush(stdout);
	load_free(load);
	rig_remove(rig);
}
