/* Every probe against the parsers, whole and split at every offset (HP17). */
#include <string.h>

#include "shared/http/chunked.h"
#include "shared/http/head.h"
#include "tests/lib/probes.h"
#include "tests/unit/unit.h"

enum { ACCEPTED_WHOLE = 200, WANTS_MORE = 0 };

/* What a server would make of a request that arrives piece by piece. */
struct reader {
	struct http_head head;
	struct chunked chunks;
	struct buf body;
	size_t scanned, at; /* at: used so far */
	bool in_body;
};

static int
read_body(struct reader *r, const char *bytes, size_t len)
{
	struct chunked_result c;

	if (r->head.body == BODY_NONE)
		return ACCEPTED_WHOLE;
	if (r->head.body == BODY_LENGTH)
		return len - r->at >= r->head.content_length ? ACCEPTED_WHOLE : WANTS_MORE;
	c = chunked_decode(&r->chunks, bytes + r->at, len - r->at, &r->body);
	r->at += c.consumed;
	if (c.verdict == CHUNKED_BAD)
		return 400;
	ck_assert(c.verdict == CHUNKED_DONE || c.verdict == CHUNKED_MORE);
	return c.verdict == CHUNKED_DONE ? ACCEPTED_WHOLE : WANTS_MORE;
}

/* The first len bytes have arrived. */
static int
judge(struct reader *r, const char *bytes, size_t len)
{
	struct head_result h;

	if (r->in_body)
		return read_body(r, bytes, len);
	h = http_head_parse(bytes, len, &http_limits_default, &r->scanned, &r->head);
	if (h.verdict == HEAD_INCOMPLETE)
		return WANTS_MORE;
	if (h.verdict != HEAD_OK) {
		ck_assert_ptr_nonnull(h.reason);
		return head_verdict_status(h.verdict);
	}
	ck_assert_uint_le(h.consumed, len);
	r->in_body = true;
	r->at = h.consumed;
	return read_body(r, bytes, len);
}

static struct reader reader;

static void
reader_start(void)
{
	buf_free(&reader.body);
	reader.body = BUF(MIB(1));
	reader.chunks = CHUNKED(MIB(1));
	reader.scanned = reader.at = 0;
	reader.in_body = false;
}

static void
claim(const struct probe *p, int status, const char *how, size_t at)
{
	const int expected = p->status != 0 ? p->status : ACCEPTED_WHOLE;

	ck_assert_msg(status == expected, "%s %s: %d, not %d, %s %zu", p->id, p->name, status,
	        expected, how, at);
}

START_TEST(every_probe_gets_its_verdict_HP1_to_HP12_LM1)
{
	for (size_t i = 0; i < probe_count; i++) {
		AUTO(buf) struct buf bytes = BUF(PROBE_BYTES_MAX);

		probe_bytes(&probes[i], &bytes);
		ck_assert(buf_ok(&bytes));
		reader_start();
		claim(&probes[i], judge(&reader, bytes.data, bytes.len), "whole", bytes.len);
	}
}
END_TEST

/* The first piece never gets another refusal than the whole, and the rest never changes it. */
static void
split_once(const struct probe *p, const struct buf *bytes, size_t at)
{
	int status;

	reader_start();
	status = judge(&reader, bytes->data, at);
	if (status == WANTS_MORE)
		status = judge(&reader, bytes->data, bytes->len);
	claim(p, status, "split at", at);
}

START_TEST(no_verdict_depends_on_where_the_bytes_are_split_HP17)
{
	for (size_t i = 0; i < probe_count; i++) {
		AUTO(buf) struct buf bytes = BUF(PROBE_BYTES_MAX);
		/* Splits of long probes cost their square: every prime-th offset will do. */
		const size_t step = probes[i].times > 100 ? 31 : 1;

		probe_bytes(&probes[i], &bytes);
		for (size_t at = 1; at < bytes.len; at += step)
			split_once(&probes[i], &bytes, at);
	}
}
END_TEST

START_TEST(no_verdict_depends_on_bytes_coming_one_by_one_HP17)
{
	for (size_t i = 0; i < probe_count; i++) {
		AUTO(buf) struct buf bytes = BUF(PROBE_BYTES_MAX);
		int status = WANTS_MORE;
		size_t at = 0;

		probe_bytes(&probes[i], &bytes);
		reader_start();
		while (at < bytes.len && status == WANTS_MORE)
			status = judge(&reader, bytes.data, ++at);
		claim(&probes[i], status, "byte by byte up to", at);
	}
}
END_TEST

START_TEST(the_file_is_as_large_as_the_policy_asks_for)
{
	size_t refused = 0, accepted = 0;

	for (size_t i = 0; i < probe_count; i++) {
		ck_assert(strncmp(probes[i].id, "HP", 2) == 0 || strcmp(probes[i].id, "LM1") == 0);
		*(probes[i].status != 0 ? &refused : &accepted) += 1;
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(probes[i].name, probes[j].name);
	}
	ck_assert_uint_ge(refused, 125);
	ck_assert_uint_ge(accepted, 27);
}
END_TEST

static void
teardown(void)
{
	buf_free(&reader.body);
}

Suite *
probes_suite(void)
{
	Suite *s = suite_create("probes");
	TCase *tc = tcase_create("verdicts");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_probe_gets_its_verdict_HP1_to_HP12_LM1);
	tcase_add_test(tc, no_verdict_depends_on_where_the_bytes_are_split_HP17);
	tcase_add_test(tc, no_verdict_depends_on_bytes_coming_one_by_one_HP17);
	tcase_add_test(tc, the_file_is_as_large_as_the_policy_asks_for);
	suite_add_tcase(s, tc);
	return s;
}
