/* The walk over templates.paths: order, endings, and each of its limits. */
#include "shared/daemon/template_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/template/template.h"
#include "tests/lib/daemon.h"
#include "tests/unit/unit.h"

struct seen {
	char names[1024];
	size_t count;
};

static bool
note(const char *path, const char *text, size_t len, void *arg, struct err *e)
{
	struct seen *seen = arg;
	const char *slash = strrchr(path, '/');
	size_t used = strlen(seen->names);

	(void)e;
	ck_assert_uint_eq(strlen(text), len);
	(void)snprintf(seen->names + used, sizeof(seen->names) - used, "%s ", slash + 1);
	seen->count++;
	return true;
}

static bool
walk(const char *path, struct seen *seen, struct err *e)
{
	const char *paths[] = {path};

	*seen = (struct seen){.count = 0};
	return template_files_walk(paths, 1, note, seen, e);
}

static char dir[64];

static void
make_dir(void)
{
	ck_assert(daemon_dir(dir));
}

static void
drop_dir(void)
{
	daemon_dir_remove(dir);
}

static void
sub(const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

START_TEST(folder_gives_its_templates_in_order_of_names)
{
	struct seen seen;
	struct err e = {0};

	sub("inner");
	sub(".hidden");
	ck_assert(daemon_file(dir, "b.yaml", "b") && daemon_file(dir, "a.yml", "a"));
	ck_assert(daemon_file(dir, "notes.txt", "no") && daemon_file(dir, "inner/c.yaml", "c"));
	ck_assert(daemon_file(dir, ".hidden/d.yaml", "d") && daemon_file(dir, ".e.yaml", "e"));
	ck_assert_msg(walk(dir, &seen, &e), "%s", e.text);
	ck_assert_str_eq(seen.names, "a.yml b.yaml c.yaml ");
}
END_TEST

START_TEST(named_file_counts_whatever_its_ending)
{
	char path[128];
	struct seen seen;
	struct err e = {0};

	ck_assert(daemon_file(dir, "plain.txt", "x"));
	(void)snprintf(path, sizeof(path), "%s/plain.txt", dir);
	ck_assert(walk(path, &seen, &e));
	ck_assert_str_eq(seen.names, "plain.txt ");
}
END_TEST

START_TEST(missing_path_is_named)
{
	struct seen seen;
	struct err e = {0};

	ck_assert(!walk("/nonexistent/templates", &seen, &e));
	ck_assert_int_eq(e.code, ERR_MISSING);
	ck_assert_ptr_nonnull(strstr(e.text, "/nonexistent/templates"));
}
END_TEST

START_TEST(depth_is_limited)
{
	char name[64] = "d";
	struct seen seen;
	struct err e = {0};

	sub(name);
	for (int i = 0; i < TEMPLATE_FILES_DEPTH; i++) {
		(void)strncat(name, "/d", sizeof(name) - strlen(name) - 1);
		sub(name);
	}
	ck_assert(!walk(dir, &seen, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

START_TEST(number_of_files_is_limited)
{
	char name[32];
	struct seen seen;
	struct err e = {0};

	for (int i = 0; i <= TEMPLATE_FILES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%d.yaml", i);
		ck_assert(daemon_file(dir, name, "x"));
	}
	ck_assert(!walk(dir, &seen, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_uint_eq(seen.count, TEMPLATE_FILES_MAX);
}
END_TEST

START_TEST(size_of_a_file_is_limited)
{
	char *text = malloc(TEMPLATE_BYTES_MAX + 2);
	struct seen seen;
	struct err e = {0};

	memset(text, 'x', TEMPLATE_BYTES_MAX + 1);
	text[TEMPLATE_BYTES_MAX] = '\0';
	ck_assert(daemon_file(dir, "t.yaml", text));
	ck_assert_msg(walk(dir, &seen, &e), "%s", e.text);
	text[TEMPLATE_BYTES_MAX] = 'x';
	text[TEMPLATE_BYTES_MAX + 1] = '\0';
	ck_assert(daemon_file(dir, "t.yaml", text));
	ck_assert(!walk(dir, &seen, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	free(text);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	unsigned nth = 0;
	bool walked = false;

	ck_assert(daemon_file(dir, "t.yaml", "x"));
	while (!walked) {
		const char *paths[] = {dir};
		struct seen seen = {.count = 0};
		struct err e = {0};

		fault_allocation(++nth);
		walked = template_files_walk(paths, 1, note, &seen, &e);
		fault_allocation(0);
		ck_assert_uint_lt(nth, 50);
		if (!walked)
			ck_assert(e.code == ERR_NOMEM || e.code == ERR_LIMIT);
	}
}
END_TEST

Suite *
template_files_suite(void)
{
	Suite *s = suite_create("template_files");
	TCase *tc = tcase_create("walk");

	tcase_add_checked_fixture(tc, make_dir, drop_dir);
	tcase_add_test(tc, folder_gives_its_templates_in_order_of_names);
	tcase_add_test(tc, named_file_counts_whatever_its_ending);
	tcase_add_test(tc, missing_path_is_named);
	tcase_add_test(tc, depth_is_limited);
	tcase_add_test(tc, number_of_files_is_limited);
	tcase_add_test(tc, size_of_a_file_is_limited);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}
