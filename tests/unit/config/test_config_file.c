/* CF4: who else may read or change what a daemon believes. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/config/config_file.h"
#include "tests/unit/config/place.h"
#include "tests/unit/unit.h"

static const struct {
	mode_t mode;
	bool secret, strict;
	size_t problems, warnings;
} modes[] = {
        {S_IFREG | 0600, true,  true,  0, 0},
        {S_IFREG | 0640, true,  true,  0, 0},
        {S_IFREG | 0644, false, true,  0, 0},
        {S_IFREG | 0644, true,  false, 0, 1},
        {S_IFREG | 0644, true,  true,  1, 0},
        {S_IFREG | 0604, true,  true,  1, 0},
        {S_IFREG | 0660, true,  true,  0, 1},
        {S_IFREG | 0664, false, true,  0, 1},
        {S_IFREG | 0602, false, false, 0, 1},
        {S_IFREG | 0602, false, true,  1, 0},
        {S_IFREG | 0666, true,  true,  2, 0},
        {S_IFREG | 0666, true,  false, 0, 2},
        {S_IFIFO | 0666, true,  true,  0, 0},
};

START_TEST(modes_are_judged)
{
	struct config_file file = {.mode = modes[_i].mode, .owner = geteuid()};
	struct config_notes notes = {0};

	config_file_judge("f", &file, modes[_i].secret, modes[_i].strict, &notes);
	ck_assert_uint_eq(notes.problems.count, modes[_i].problems);
	ck_assert_uint_eq(notes.warnings.count, modes[_i].warnings);
}
END_TEST

START_TEST(another_owner_is_a_warning_unless_it_is_root)
{
	struct config_file file = {.mode = S_IFREG | 0600, .owner = geteuid() + 1};
	struct config_notes notes = {0};

	config_file_judge("f", &file, true, true, &notes);
	ck_assert_uint_eq(notes.warnings.count, 1);
	ck_assert_uint_eq(notes.problems.count, 0);
	file.owner = 0;
	config_file_judge("f", &file, true, true, &notes);
	ck_assert_uint_eq(notes.warnings.count, 1);
}
END_TEST

#define AUTH "[web.auth]\nenabled = true\njwt_public_key_path = 'x'\n"
#define SECRET "[[web.auth.api_keys]]\nid = 'a'\n"

static const struct {
	const char *toml;
	mode_t mode;
	bool ok;
	size_t warnings;
} files[] = {
        {AUTH,                                0644, true,  0},
        {AUTH SECRET "key = 'k'",             0600, true,  0},
        {AUTH SECRET "key = 'k'",             0644, false, 0},
        {SECRET "key = 'k'",                  0644, true,  1},
        {AUTH SECRET "key = '${KEY}'",        0644, true,  0},
        {AUTH "jwt_private_key = 'pem'",      0644, false, 1},
        {AUTH "jwt_private_key = ''",         0644, true,  0},
        {AUTH "jwks_url = 'https://u:p@h/k'", 0644, false, 0},
        {AUTH "jwks_url = 'https://u@h/k'",   0644, true,  0},
        {AUTH,                                0602, false, 0},
        {AUTH,                                0620, true,  1},
};

/* "given.toml" gets its mode before it is loaded. */
START_TEST(a_file_with_a_secret_is_private_once_auth_is_on)
{
	static const char *const env[] = {"TASKER_CONFIG_PATH=c.toml", "KEY=k", NULL};
	AUTO(attempt) struct attempt *a = NULL;

	place_write("c.toml", files[_i].toml);
	ck_assert_int_eq(chmod("c.toml", files[_i].mode), 0);
	a = attempt_search(CONFIG_WORKER, env, NULL);
	ck_assert_msg(a->ok == files[_i].ok, "%s", a->e.text);
	ck_assert_uint_eq(a->notes.warnings.count, files[_i].warnings);
}
END_TEST

START_TEST(each_fragment_is_judged_by_what_it_holds)
{
	AUTO(attempt) struct attempt *a = NULL;
	AUTO(attempt) struct attempt *b = NULL;

	place_write("conf.d/keys.toml", SECRET "key = 'k'\n");
	ck_assert_int_eq(chmod("conf.d/keys.toml", 0644), 0);
	a = attempt(CONFIG_WORKER, AUTH, NULL, NULL);
	ck_assert(!a->ok);
	ck_assert_str_eq(a->e.text,
	        "conf.d/keys.toml: it holds a secret and anybody may read it (chmod o-r)");
	ck_assert_int_eq(chmod("conf.d/keys.toml", 0640), 0);
	b = attempt(CONFIG_WORKER, AUTH, NULL, NULL);
	ck_assert_msg(b->ok, "%s", b->e.text);
}
END_TEST

START_TEST(the_workers_credential_is_judged_too)
{
	AUTO(attempt) struct attempt *open = NULL;
	AUTO(attempt) struct attempt *strict = NULL;

	place_write("token", "x");
	ck_assert_int_eq(chmod("token", 0644), 0);
	open = attempt(CONFIG_WORKER, "link.token_path = 'token'\n", NULL, NULL);
	ck_assert_msg(open->ok, "%s", open->e.text);
	ck_assert_uint_eq(open->notes.warnings.count, 1);
	strict = attempt(CONFIG_WORKER, "link.token_path = 'token'\n" AUTH, NULL, NULL);
	ck_assert(!strict->ok);
}
END_TEST

START_TEST(a_file_is_read_up_to_its_limit)
{
	struct config_file file = {0};
	struct err e = {0};

	place_write("f", "12345");
	ck_assert(config_file_read("f", 5, &file, &e));
	ck_assert_uint_eq(file.len, 5);
	ck_assert_int_eq(memcmp(file.text, "12345", 5), 0);
	config_file_clear(&file);
	ck_assert_ptr_null(file.text);
	ck_assert(!config_file_read("f", 4, &file, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert(!config_file_read("gone", 4, &file, &e));
	ck_assert_int_eq(e.code, ERR_MISSING);
	ck_assert(!config_file_read(".", 4, &file, &e));
	ck_assert_int_eq(e.code, ERR_IO);
	ck_assert_ptr_null(file.text);
}
END_TEST

Suite *
config_file_suite(void)
{
	Suite *s = suite_create("config_file");
	TCase *tc = tcase_create("file");

	tcase_add_checked_fixture(tc, place_enter, place_leave);
	tcase_add_loop_test(tc, modes_are_judged, 0, COUNT(modes));
	tcase_add_test(tc, another_owner_is_a_warning_unless_it_is_root);
	tcase_add_loop_test(tc, a_file_with_a_secret_is_private_once_auth_is_on, 0, COUNT(files));
	tcase_add_test(tc, each_fragment_is_judged_by_what_it_holds);
	tcase_add_test(tc, the_workers_credential_is_judged_too);
	tcase_add_test(tc, a_file_is_read_up_to_its_limit);
	suite_add_tcase(s, tc);
	return s;
}
