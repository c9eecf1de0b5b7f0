#include "ctl/files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/ctl/rig.h"
#include "tests/unit/unit.h"

static mode_t
mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(lstat(rig_path(name), &st), 0);
	return st.st_mode & 07777;
}

START_TEST(a_file_has_its_mode_whatever_the_umask)
{
	struct files_content content = {.bytes = "text", .len = 4, .mode = 0644};
	struct err e = {0};
	char *text;

	(void)umask(0077);
	ck_assert(files_write(rig_path("a"), &content, &e));
	ck_assert_uint_eq(mode_of("a"), 0644);
	(void)umask(0);
	content.mode = 0600;
	ck_assert(files_write(rig_path("b"), &content, &e));
	ck_assert_uint_eq(mode_of("b"), 0600);
	text = rig_read("b");
	ck_assert_str_eq(text, "text");
	free(text);
}
END_TEST

START_TEST(a_file_that_exists_stays_unless_told)
{
	struct files_content content = {.bytes = "new", .len = 3, .mode = 0600};
	struct err e = {0};
	char *text;

	rig_write("a", "old");
	ck_assert(!files_write(rig_path("a"), &content, &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	text = rig_read("a");
	ck_assert_str_eq(text, "old");
	free(text);
	content.replace = true;
	ck_assert(files_write(rig_path("a"), &content, &e));
	text = rig_read("a");
	ck_assert_str_eq(text, "new");
	ck_assert_uint_eq(mode_of("a"), 0600);
	free(text);
}
END_TEST

/* A link that somebody left there is neither followed nor written through. */
START_TEST(a_link_is_not_followed)
{
	struct files_content content = {.bytes = "new", .len = 3, .mode = 0600};
	struct err e = {0};
	char *text;

	rig_write("victim", "old");
	ck_assert_int_eq(symlink(rig_path("victim"), rig_path("a")), 0);
	ck_assert(!files_write(rig_path("a"), &content, &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	content.replace = true;
	ck_assert(files_write(rig_path("a"), &content, &e));
	text = rig_read("victim");
	ck_assert_str_eq(text, "old");
	free(text);
}
END_TEST

START_TEST(a_folder_that_is_missing_is_told)
{
	struct files_content content = {.bytes = "new", .len = 3, .mode = 0600};
	struct err e = {0};

	ck_assert(!files_write(rig_path("none/a"), &content, &e));
	ck_assert_int_eq(e.code, ERR_IO);
}
END_TEST

START_TEST(reading_stops_at_the_ceiling)
{
	struct buf exact = BUF(4), small = BUF(3);
	struct err e = {0};

	rig_write("a", "text");
	ck_assert(files_read(rig_path("a"), &exact, &e));
	ck_assert_uint_eq(exact.len, 4);
	ck_assert(!files_read(rig_path("a"), &small, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert(!files_read(rig_path("none"), &small, &e));
	ck_assert_int_eq(e.code, ERR_MISSING);
	ck_assert(!files_read(rig_path(""), &small, &e)); /* a folder */
	buf_free(&exact);
	buf_free(&small);
}
END_TEST

Suite *
files_suite(void)
{
	Suite *s = suite_create("files");
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, rig_folder_begin, rig_folder_end);
	tcase_add_test(tc, a_file_has_its_mode_whatever_the_umask);
	tcase_add_test(tc, a_file_that_exists_stays_unless_told);
	tcase_add_test(tc, a_link_is_not_followed);
	tcase_add_test(tc, a_folder_that_is_missing_is_told);
	tcase_add_test(tc, reading_stops_at_the_ceiling);
	suite_add_tcase(s, tc);
	return s;
}
