/*
 * JSONTestSuite, from the folder that TASKER_VECTORS names or ../shared/vectors: y_ files are
 * accepted, n_ files refused, and of the i_ files, where the RFC leaves the choice, exactly those
 * in `chosen` are accepted. `policy` lists the y_ files that we refuse on purpose.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/json.h"
#include "tests/unit/unit.h"

static const char *const policy[] = {"y_object_duplicated_key.json",
        "y_object_duplicated_key_and_value.json", "y_object_escaped_null_in_key.json",
        "y_string_null_escape.json"};

/* Numbers stay text: those too small or with too many digits for a machine word do no harm. */
static const char *const chosen[] = {"i_number_double_huge_neg_exp.json",
        "i_number_real_underflow.json", "i_number_too_big_neg_int.json",
        "i_number_too_big_pos_int.json", "i_number_very_big_negative_int.json"};

static bool
listed(const char *const *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static bool
file_is_accepted(const char *folder, const char *name)
{
	static char text[1 << 20];
	const struct json_limits limits = {.bytes = sizeof(text), .nodes = 10000, .depth = 32};
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};
	char path[1024];
	size_t len;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rbe");
	ck_assert_msg(file != NULL, "%s", path);
	len = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	return json_parse(text, len, &limits, &doc, &e);
}

START_TEST(JSONTestSuite)
{
	const char *root = getenv("TASKER_VECTORS");
	char folder[512];
	unsigned total = 0, agree = 0, refused = 0, false_accept = 0;
	struct dirent *entry;
	DIR *dir;

	(void)snprintf(folder, sizeof(folder), "%s/JSONTestSuite/test_parsing",
	        root != NULL ? root : "../shared/vectors");
	dir = opendir(folder);
	if (dir == NULL) {
		printf("JSONTestSuite: skipped: no vectors (318 cases)\n");
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;
		bool by_policy = listed(policy, COUNT(policy), name);
		bool wanted = name[0] == 'y' || listed(chosen, COUNT(chosen), name);
		bool accepted;

		if (strstr(name, ".json") == NULL)
			continue;
		accepted = file_is_accepted(folder, name);
		if (accepted != (wanted && !by_policy))
			printf("%s is %s\n", name, accepted ? "accepted" : "refused");
		total++;
		agree += accepted == wanted;
		refused += by_policy && !accepted;
		false_accept += accepted && !wanted;
	}
	(void)closedir(dir);
	printf("JSONTestSuite: %u/%u/%u/%u (total/agree/policy-refused/FALSE-ACCEPT)\n", total,
	        agree, refused, false_accept);
	ck_assert_uint_eq(total, 318);
	ck_assert_uint_eq(false_accept, 0);
	ck_assert_uint_eq(refused, COUNT(policy));
	ck_assert_uint_eq(agree, total - refused);
}
END_TEST

Suite *
json_vectors_suite(void)
{
	Suite *s = suite_create("json_vectors");
	TCase *tc = tcase_create("json_vectors");

	tcase_add_test(tc, JSONTestSuite);
	suite_add_tcase(s, tc);
	return s;
}
