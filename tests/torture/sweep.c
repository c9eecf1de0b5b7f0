#include "tests/torture/sweep.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>

#include "shared/base/clock.h"
#include "tests/lib/patience.h"

static const char *const kinds[] = {[FAULT_ALLOCATION] = "allocations",
        [FAULT_CALL] = "calls",
        [FAULT_LIBRARY] = "allocations inside libraries"};

unsigned
sweep_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	ck_assert_ptr_nonnull(folder);
	while (readdir(folder) != NULL)
		count++;
	(void)closedir(folder);
	return count;
}

static void
check_descriptors(const struct sweep *s, unsigned before, unsigned nth)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	unsigned now = sweep_descriptors();

	for (int i = 0; s->may_linger && now > before && i < patience_ms(2000); i++) {
		(void)nanosleep(&pause, NULL);
		now = sweep_descriptors();
	}
	ck_assert_msg(now <= before + s->spare,
	        "%s: %u descriptors stay behind after failure %u (%s)", s->name, now - before, nth,
	        fault_last());
}

/* The first attempt, undisturbed, lets libraries set up what they keep. */
static void
warm_up(const struct sweep *s)
{
	struct err e = {0};
	const bool done = s->attempt(s->arg, &e);

	ck_assert_msg(done, "%s, undisturbed: %s", s->name, e.text);
	if (s->after != NULL)
		s->after(s->arg, done, 0);
}

unsigned
sweep_run(const struct sweep *s, enum fault_kind kind)
{
	const unsigned stride = s->stride > 0 ? s->stride : 1;
	unsigned failures = 0, nth = 1, before;
	const int64_t began_us = clock_mono_us();
	bool failed = true;

	if (kind == FAULT_LIBRARY && !fault_reaches_libraries())
		return 0;
	warm_up(s);
	before = sweep_descriptors();
	for (; failed; nth += stride) {
		struct err e = {0};
		bool done;

		ck_assert_msg(failures < s->most, "%s: no end after %u failures of %s", s->name,
		        failures, kinds[kind]);
		fault_arm(kind, nth, s->lasting);
		done = s->attempt(s->arg, &e);
		failed = fault_disarm();
		failures += failed;
		if (s->after != NULL)
			s->after(s->arg, done, nth);
		ck_assert_msg(failed || done, "%s fails by itself: %s", s->name, e.text);
		check_descriptors(s, before, nth);
	}
	(void)fprintf(stderr, "torture: %s: %u %s failed%s, in %lld ms\n", s->name, failures,
	        kinds[kind], s->lasting ? " with all after them" : "",
	        (long long)(clock_mono_us() - began_us) / 1000);
	return failures;
}

void
sweep_all(const struct sweep *s)
{
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		(void)sweep_run(s, (enum fault_kind)kind);
}
