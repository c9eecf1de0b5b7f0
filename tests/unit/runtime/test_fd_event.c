#include <fcntl.h>
#include <unistd.h>

#include "shared/runtime/fd_event.h"
#include "tests/unit/unit.h"

static struct loop *loop;
static int ends[2];

static void
begin(void)
{
	struct err e = {0};

	ck_assert(loop_new("fd_event", &loop, &e));
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
}

static void
end(void)
{
	loop_free(loop);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

struct heard {
	struct fd_event *event;
	unsigned ready, times;
};

static void
on_ready(unsigned ready, void *arg)
{
	struct heard *h = arg;

	h->ready = ready;
	if (++h->times == 2) {
		fd_event_free(TAKE(h->event)); /* from inside */
		loop_stop(loop);
	}
}

START_TEST(a_readable_descriptor_is_told_until_it_is_read)
{
	struct heard h = {.event = NULL};
	struct err e = {0};

	ck_assert(fd_event_new(loop, ends[0], on_ready, &h, &h.event, &e));
	ck_assert(fd_event_watch(h.event, FD_READABLE, &e));
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	loop_run(loop);
	ck_assert_uint_eq(h.ready, FD_READABLE);
	ck_assert_uint_eq(h.times, 2);
	ck_assert_ptr_null(h.event);
}
END_TEST

static void
on_late(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

START_TEST(what_is_not_watched_is_not_told)
{
	struct heard h = {.event = NULL};
	struct loop_timer *timer;
	struct err e = {0};

	ck_assert(fd_event_new(loop, ends[1], on_ready, &h, &h.event, &e));
	if (_i == 1) { /* watched once, and no longer */
		ck_assert(fd_event_watch(h.event, FD_WRITABLE, &e));
		ck_assert(fd_event_watch(h.event, 0, &e));
	}
	ck_assert(loop_timer_new(loop, on_late, NULL, &timer, &e));
	loop_timer_set(timer, 20000);
	loop_run(loop);
	ck_assert_uint_eq(h.times, 0);
	fd_event_free(h.event);
	loop_timer_free(timer);
}
END_TEST

START_TEST(a_writable_descriptor_is_told)
{
	struct heard h = {.event = NULL};
	struct err e = {0};

	ck_assert(fd_event_new(loop, ends[1], on_ready, &h, &h.event, &e));
	ck_assert(fd_event_watch(h.event, FD_READABLE, &e));
	ck_assert(fd_event_watch(h.event, FD_WRITABLE, &e));
	loop_run(loop);
	ck_assert_uint_eq(h.ready, FD_WRITABLE);
}
END_TEST

START_TEST(every_allocation_of_an_fd_event_may_fail)
{
	struct fd_event *event = NULL;
	struct err e = {0};

	fault_allocation(1);
	ck_assert(!fd_event_new(loop, ends[0], on_ready, NULL, &event, &e));
	fault_allocation(0);
	ck_assert_int_eq(e.code, ERR_NOMEM);
	ck_assert_ptr_null(event);
	fd_event_free(NULL);
}
END_TEST

Suite *
fd_event_suite(void)
{
	Suite *suite = suite_create("fd_event");
	TCase *tc = tcase_create("fd_event");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, a_readable_descriptor_is_told_until_it_is_read);
	tcase_add_loop_test(tc, what_is_not_watched_is_not_told, 0, 2);
	tcase_add_test(tc, a_writable_descriptor_is_told);
	tcase_add_test(tc, every_allocation_of_an_fd_event_may_fail);
	suite_add_tcase(suite, tc);
	return suite;
}
