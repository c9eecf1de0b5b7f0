/* Mail order and ownership, timers, time, and signals of a loop. */
#include "shared/runtime/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/unit/unit.h"

enum { SENDERS = 4, LETTERS = 5000 };

struct letter {
	struct mail mail; /* first, so that a mail is its letter */
	unsigned sender, number;
	unsigned *next_of_sender; /* what the loop expects, per sender */
	atomic_uint *delivered;
	bool *in_order;
};

static struct loop *
loop_or_fail(const char *name)
{
	struct loop *loop = NULL;
	struct err e = {0};

	ck_assert_msg(loop_new(name, &loop, &e), "%s", e.text);
	return loop;
}

static void
start_or_fail(struct loop *loop)
{
	struct err e = {0};

	ck_assert_msg(loop_start(loop, &e), "%s", e.text);
}

static void
read_letter(struct mail *mail)
{
	struct letter *letter = (struct letter *)mail;

	if (letter->next_of_sender[letter->sender]++ != letter->number)
		*letter->in_order = false;
	atomic_fetch_add(letter->delivered, 1);
	free(letter);
}

struct sender {
	struct loop *loop;
	struct letter pattern;
};

static void *
send_letters(void *arg)
{
	const struct sender *sender = arg;

	for (unsigned n = 0; n < LETTERS; n++) {
		struct letter *letter = malloc(sizeof(*letter));

		*letter = sender->pattern;
		letter->number = n;
		letter->mail.deliver = read_letter;
		loop_post(sender->loop, &letter->mail);
	}
	return NULL;
}

START_TEST(mail_of_each_sender_arrives_whole_and_in_order)
{
	struct loop *loop = loop_or_fail("mail");
	pthread_t threads[SENDERS];
	struct sender senders[SENDERS];
	unsigned next[SENDERS] = {0};
	atomic_uint delivered = 0;
	bool in_order = true;

	start_or_fail(loop);
	for (unsigned i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){
		        .loop = loop,
		        .pattern = {.sender = i,
		                    .next_of_sender = next,
		                    .delivered = &delivered,
		                    .in_order = &in_order}
                };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, send_letters, &senders[i]), 0);
	}
	for (unsigned i = 0; i < SENDERS; i++)
		(void)pthread_join(threads[i], NULL);
	loop_free(loop); /* delivers what is still queued */
	ck_assert_uint_eq(atomic_load(&delivered), SENDERS * LETTERS);
	ck_assert(in_order);
}
END_TEST

struct echo {
	struct mail mail;
	struct loop *loop;
	unsigned left, delivered;
};

static void
post_again(struct mail *mail)
{
	struct echo *echo = (struct echo *)mail;

	echo->delivered++;
	if (echo->left-- > 0)
		loop_post(echo->loop, &echo->mail);
}

START_TEST(mail_to_a_loop_that_never_ran_is_delivered_by_its_free)
{
	struct loop *loop = loop_or_fail("quiet");
	struct echo echo = {.mail.deliver = post_again, .loop = loop, .left = 3};

	loop_post(loop, &echo.mail);
	loop_free(loop);
	ck_assert_uint_eq(echo.delivered, 4); /* also what delivery posted */
}
END_TEST

START_TEST(mail_to_a_loop_that_ended_is_delivered_by_its_join)
{
	AUTO(loop) struct loop *loop = loop_or_fail("ended");
	struct echo echo = {.mail.deliver = post_again, .loop = loop, .left = 3};

	loop_stop(loop);
	start_or_fail(loop);
	loop_post(loop, &echo.mail);
	loop_join(loop);
	ck_assert_uint_eq(echo.delivered, 4);
}
END_TEST

static void
stop_loop(void *arg)
{
	loop_stop(arg);
}

/* Notes its name when it is delivered; then posts what it carries, or stops the loop. */
struct note {
	struct mail mail; /* first, so that a mail is its note */
	struct loop *loop;
	char name, *trace;
	struct note *late;
	bool last;
};

static void
write_note(struct mail *mail)
{
	struct note *note = (struct note *)mail;

	note->trace[strlen(note->trace)] = note->name;
	if (note->late != NULL)
		loop_post_late(note->loop, &note->late->mail);
	if (note->last)
		loop_stop(note->loop);
}

/* What one iteration's events ask of somebody else reaches him when all of them have been seen to.
 */
START_TEST(late_mail_follows_all_other_mail_and_is_never_left_lying)
{
	AUTO(loop) struct loop *loop = loop_or_fail("late");
	char trace[8] = "";
	struct note notes[6];

	for (int i = 0; i < 6; i++)
		notes[i] = (struct note){
		        {NULL, write_note},
                        loop, (char)('a' + i), trace, NULL, i == 5
                };
	notes[0].late = &notes[3];
	notes[1].late = &notes[4];
	notes[3].late = &notes[5]; /* late mail that is posted by late mail */
	notes[2].mail.next = &notes[1].mail;
	notes[1].mail.next = &notes[0].mail;
	loop_post_all(loop, &notes[2].mail, &notes[0].mail);
	loop_run(loop);
	ck_assert_str_eq(trace, "abcdef");
}
END_TEST

START_TEST(late_mail_to_a_loop_that_ended_is_delivered_by_its_free)
{
	char trace[4] = "";
	struct loop *loop = loop_or_fail("late");
	struct note second = {
	        {NULL, write_note},
                loop, 'b', trace, NULL, false
        };
	struct note first = {
	        {NULL, write_note},
                loop, 'a', trace, &second, false
        };

	loop_post(loop, &first.mail);
	loop_free(loop);
	ck_assert_str_eq(trace, "ab");
}
END_TEST

START_TEST(a_timer_is_never_early)
{
	static const int64_t waits[] = {-5, 0, 1, 900, 3000, 12345};
	AUTO(loop) struct loop *loop = loop_or_fail("timer");
	struct loop_timer *timer = NULL;
	struct err e = {0};

	ck_assert(loop_timer_new(loop, stop_loop, loop, &timer, &e));
	for (size_t i = 0; i < COUNT(waits); i++) {
		AUTO(loop) struct loop *once = loop_or_fail("once");
		struct loop_timer *t = NULL;
		int64_t before;

		ck_assert(loop_timer_new(once, stop_loop, once, &t, &e));
		before = loop_mono_us(once);
		loop_timer_set(t, waits[i]);
		loop_run(once);
		ck_assert_int_ge(clock_mono_us() - before, waits[i]);
		loop_timer_free(t);
	}
	loop_timer_free(timer);
	loop_timer_free(NULL);
}
END_TEST

static void
count(void *arg)
{
	++*(unsigned *)arg;
}

START_TEST(a_cancelled_timer_is_silent_and_a_moved_one_fires_once)
{
	AUTO(loop) struct loop *loop = loop_or_fail("timers");
	struct loop_timer *cancelled = NULL, *moved = NULL, *end = NULL;
	unsigned silent = 0, once = 0;
	struct err e = {0};

	ck_assert(loop_timer_new(loop, count, &silent, &cancelled, &e));
	ck_assert(loop_timer_new(loop, count, &once, &moved, &e));
	ck_assert(loop_timer_new(loop, stop_loop, loop, &end, &e));
	loop_timer_set(cancelled, 1000);
	loop_timer_set(moved, 1000);
	loop_timer_set(moved, 2000);
	loop_timer_set(end, 30000);
	loop_timer_cancel(cancelled);
	loop_run(loop);
	ck_assert_uint_eq(silent, 0);
	ck_assert_uint_eq(once, 1);
	loop_timer_free(cancelled);
	loop_timer_free(moved);
	loop_timer_free(end);
}
END_TEST

struct times {
	struct loop *loop;
	int64_t first, second;
};

static void
look_twice(void *arg)
{
	struct times *times = arg;
	const struct timespec pause = {.tv_nsec = 2000000};

	times->first = loop_mono_us(times->loop);
	(void)nanosleep(&pause, NULL);
	times->second = loop_mono_us(times->loop);
	loop_stop(times->loop);
}

START_TEST(time_stands_still_within_an_iteration_and_moves_between)
{
	AUTO(loop) struct loop *loop = loop_or_fail("time");
	struct times times = {.loop = loop};
	struct loop_timer *t = NULL;
	struct err e = {0};

	ck_assert(loop_timer_new(loop, look_twice, &times, &t, &e));
	loop_timer_set(t, 0);
	loop_run(loop);
	ck_assert_int_eq(times.first, times.second);
	ck_assert_int_ge(loop_mono_us(loop), times.second + 2000);
	ck_assert_int_gt(loop_wall_us(loop), INT64_C(1700000000000000));
	loop_timer_free(t);
}
END_TEST

START_TEST(a_loop_stopped_before_it_starts_returns_at_once)
{
	AUTO(loop) struct loop *loop = loop_or_fail("stopped");

	loop_stop(loop);
	loop_run(loop);
	start_or_fail(loop);
	loop_join(loop);
	loop_join(loop); /* again: nothing to wait for */
}
END_TEST

struct caught {
	struct loop *loop;
	unsigned terms, hups;
};

static void
on_term(void *arg)
{
	struct caught *caught = arg;

	caught->terms++;
	loop_stop(caught->loop);
}

static void
on_hup(void *arg)
{
	((struct caught *)arg)->hups++;
}

START_TEST(a_signal_becomes_a_call_on_its_loop_and_kills_nobody)
{
	AUTO(loop) struct loop *signals = loop_or_fail("signals");
	AUTO(loop) struct loop *other = loop_or_fail("other");
	struct caught caught = {.loop = signals};
	struct err e = {0};

	ck_assert(loop_signal(signals, SIGHUP, on_hup, &caught, &e));
	ck_assert(loop_signal(signals, SIGTERM, on_term, &caught, &e));
	start_or_fail(other);
	ck_assert_int_eq(kill(getpid(), SIGHUP), 0);
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	loop_run(signals);
	loop_stop(signals);
	ck_assert_uint_eq(caught.terms, 1);
	ck_assert_uint_le(caught.hups, 1); /* its descriptor may be read after the stop */
}
END_TEST

START_TEST(every_allocation_of_a_loop_may_fail)
{
	unsigned nth = 0;
	bool built = false;

	while (!built) {
		AUTO(loop) struct loop *loop = NULL;
		struct loop_timer *t = NULL;
		struct err e = {0};

		ck_assert_uint_lt(nth, 100);
		fault_allocation(++nth);
		built = loop_new("x", &loop, &e) && loop_timer_new(loop, stop_loop, loop, &t, &e) &&
		        loop_signal(loop, SIGUSR1, stop_loop, loop, &e);
		fault_allocation(0);
		if (!built)
			ck_assert_int_eq(e.code, ERR_NOMEM);
		loop_timer_free(t);
	}
	ck_assert_uint_eq(nth, 5); /* loop, its reading, a timer, a watch: once each */
}
END_TEST

Suite *
loop_suite(void)
{
	Suite *s = suite_create("loop");
	TCase *tc = tcase_create("loop");

	tcase_add_test(tc, mail_of_each_sender_arrives_whole_and_in_order);
	tcase_add_test(tc, mail_to_a_loop_that_never_ran_is_delivered_by_its_free);
	tcase_add_test(tc, late_mail_follows_all_other_mail_and_is_never_left_lying);
	tcase_add_test(tc, late_mail_to_a_loop_that_ended_is_delivered_by_its_free);
	tcase_add_test(tc, mail_to_a_loop_that_ended_is_delivered_by_its_join);
	tcase_add_test(tc, a_timer_is_never_early);
	tcase_add_test(tc, a_cancelled_timer_is_silent_and_a_moved_one_fires_once);
	tcase_add_test(tc, time_stands_still_within_an_iteration_and_moves_between);
	tcase_add_test(tc, a_loop_stopped_before_it_starts_returns_at_once);
	tcase_add_test(tc, a_signal_becomes_a_call_on_its_loop_and_kills_nobody);
	tcase_add_test(tc, every_allocation_of_a_loop_may_fail);
	suite_add_tcase(s, tc);
	return s;
}
