/*
 * Bits that turn over in the database and its log while no daemon runs (F14, ST12).
 *
 * Each is one of: refused (the store does not open, or says of what it reads that it cannot),
 * detected (`db check` finds it), harmless (everything is as the client knows it). Two kinds SQLite
 * cannot see, since its pages have no checksums, and neither can we: a text that changed inside a
 * cell, and a log whose frames end early, because the one with the bit no longer matches its
 * checksum, which recovery takes for the log's end. They are counted, and must be of these kinds:
 * the file is sound, and older or with other texts. Nothing crashes and nothing hangs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/storage/audit.h"
#include "tests/storage/disk.h"
#include "tests/storage/seeded_rand.h"

enum { SEED = 11, ACTS = 60, FLIPS = 300, FLIPS_SHORT = 60, BITS_MAX = 8, MORE = 6 };

enum verdict { REFUSED, DETECTED, HARMLESS, LOG_CUT, TEXT_CHANGED, VERDICTS };

static const char *const verdict_names[VERDICTS] = {
        "refused", "detected", "harmless", "log cut short", "text changed"};

struct image {
	void *bytes;
	size_t len;
};

/* What a store left behind, and what its client knows. */
struct scene {
	struct image database, log; /* log.bytes NULL: none */
	struct client known;
};

static struct lab lab;
static struct client client;
static struct scene closed, died; /* well closed: all is in the database; or some in the log */
static char log_name[128];

static void
keep(struct scene *s)
{
	s->database.bytes = disk_take(lab.path, &s->database.len);
	s->log.bytes = disk_take(log_name, &s->log.len);
	s->known = client;
}

static void
make_scenes(void)
{
	const struct disk_plan calm = {.seed = SEED};

	disk_mount();
	disk_format();
	lab_open(&lab);
	lab.settings.busy_ms = 50;
	seeded_rand_set(SEED);
	disk_plan(&calm);
	client_init(&client, &lab, SEED, false);
	for (int i = 0; i < ACTS; i++)
		client_act(&client);
	store_close(lab.store);
	lab.store = NULL;
	(void)snprintf(log_name, sizeof(log_name), "%s-wal", lab.path);
	keep(&closed);
	lab_reopen(&lab);
	for (int i = 0; i < ACTS / 2; i++)
		client_act(&client);
	disk_die();
	store_close(lab.store);
	lab.store = NULL;
	disk_restart();
	keep(&died);
	ck_assert(closed.database.len > 0 && closed.log.bytes == NULL && died.log.len > 0);
	ck_assert_str_eq(client.broken, "");
}

static void
tear_down(void)
{
	store_close(lab.store);
	lab.store = NULL;
	disk_format();
	free(closed.database.bytes);
	free(died.database.bytes);
	free(died.log.bytes);
	lab_close(&lab);
}

static void
put_back(const struct scene *s)
{
	disk_format();
	client = s->known;
	disk_put(lab.path, s->database.bytes, s->database.len);
	if (s->log.bytes != NULL)
		disk_put(log_name, s->log.bytes, s->log.len);
}

/* Some bits of one sector, or the whole sector gone. */
static void
turn_bits(const char *name, const struct image *image, struct dice *d)
{
	unsigned char *bytes = malloc(image->len);
	const size_t bits = 1 + dice_below(d, BITS_MAX);
	const size_t at = dice_below(d, image->len);
	const size_t span = image->len - at < MEDIUM_SECTOR ? image->len - at : MEDIUM_SECTOR;

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, image->bytes, image->len);
	if (dice_one_in(d, 8))
		memset(bytes + at, 0, span);
	else
		for (size_t i = 0; i < bits; i++)
			bytes[at + dice_below(d, span)] ^= (unsigned char)(1U << dice_below(d, 8));
	disk_put(name, bytes, image->len);
	free(bytes);
}

/* Did `db check` find it? A check that ends with a fault has found it as well. */
static bool
check_finds_it(void)
{
	struct buf report = BUF(KIB(64));
	bool sound = false;
	struct err e = {0};
	const bool asked = store_check(lab.url, &report, &sound, &e);

	buf_free(&report);
	return !asked || !sound;
}

/* Everything is read, nothing is written: what the client finds is in client.broken. */
static enum verdict
examine(bool in_log)
{
	struct err e = {0};
	bool found;

	lab.store = NULL;
	if (!store_open(&lab.settings, &lab.store, &e))
		return REFUSED;
	client_begin_life(&client);
	(void)audit_client(&client);
	found = check_finds_it();
	/* It must live on, too, whatever it is asked for. */
	for (int i = 0; i < MORE; i++) {
		struct client scratch = client;

		client_act(&scratch);
	}
	store_close(lab.store);
	lab.store = NULL;
	if (found)
		return DETECTED;
	if (client.broken[0] == '\0')
		return HARMLESS;
	/* A fault of the read, or a template that is no longer one. */
	if (strstr(client.broken, "fault") != NULL ||
	        strstr(client.broken, "reading a stored") != NULL)
		return REFUSED;
	return in_log ? LOG_CUT : TEXT_CHANGED;
}

static void
tell(const char *what, const unsigned count[VERDICTS])
{
	(void)printf("storage: bits turned over in the %s:", what);
	for (int i = 0; i < VERDICTS; i++)
		(void)printf(" %u %s%s", count[i], verdict_names[i], i + 1 < VERDICTS ? "," : "\n");
}

static unsigned
flips(void)
{
	return getenv("STORAGE_LONG") != NULL ? FLIPS : FLIPS_SHORT;
}

START_TEST(bits_that_turn_over_in_the_database_do_no_silent_harm_to_its_structure)
{
	unsigned count[VERDICTS] = {0};

	for (uint64_t seed = 1; seed <= flips(); seed++) {
		struct dice d = {seed};
		enum verdict v;

		put_back(seed % 2 == 0 ? &died : &closed);
		turn_bits(lab.path, seed % 2 == 0 ? &died.database : &closed.database, &d);
		v = examine(false);
		count[v]++;
		if (v == TEXT_CHANGED)
			ck_assert_msg(strstr(client.broken, "context") != NULL ||
			                      strstr(client.broken, "result") != NULL,
			        "seed %llu: %s", (unsigned long long)seed, client.broken);
	}
	tell("database", count);
	ck_assert_uint_gt(count[REFUSED] + count[DETECTED], 0);
}
END_TEST

START_TEST(bits_that_turn_over_in_the_log_end_it_and_change_nothing_else)
{
	unsigned count[VERDICTS] = {0};

	for (uint64_t seed = 1; seed <= flips(); seed++) {
		struct dice d = {seed};

		put_back(&died);
		turn_bits(log_name, &died.log, &d);
		count[examine(true)]++;
		ck_assert_msg(strstr(client.broken, "another context") == NULL, "seed %llu: %s",
		        (unsigned long long)seed, client.broken);
	}
	tell("log", count);
	/* Its checksums see every bit: what is left is a state that once was. */
	ck_assert_uint_eq(count[DETECTED], 0);
	ck_assert_uint_gt(count[LOG_CUT], 0);
}
END_TEST

Suite *
storage_flips_suite(void)
{
	Suite *s = suite_create("storage flips");
	TCase *tc = tcase_create("bits");

	tcase_add_checked_fixture(tc, make_scenes, tear_down);
	tcase_set_timeout(tc, 280);
	tcase_add_test(tc, bits_that_turn_over_in_the_database_do_no_silent_harm_to_its_structure);
	tcase_add_test(tc, bits_that_turn_over_in_the_log_end_it_and_change_nothing_else);
	suite_add_tcase(s, tc);
	return s;
}
