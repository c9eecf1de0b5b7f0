/* The issuer's names for our permissions (PM3): what a map takes and what it gives. */
#include "shared/security/permission_map.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static bool
make(const struct permission_mapping *mappings, size_t count, struct permission_map **out,
        struct err *e)
{
	*out = NULL;
	return permission_map_new(mappings, count, out, e);
}

static struct permission_mapping
from(const char *name, const char *permissions)
{
	return (struct permission_mapping){name, strlen(name), permissions};
}

/* Starts with these are refused, and the error names the row and says what to do. */
static const struct {
	const char *name, *permissions, *says;
} bad[] = {
        {"admin",                                                             "*",                     "a bare * grants nothing; name resources"},
        {"admin",                                                             "tasks:read *",          "permission_map \"admin\""               },
        {"admin",                                                             "*:*",                   "no permission is spelled *:*"           },
        {"admin",                                                             "tasks",                 "no permission is spelled tasks"         },
        {"admin",                                                             "tasks:",                "no permission is spelled tasks:"        },
        {"admin",                                                             "TASKS:create",          "no permission"                          },
        {"admin",                                                             "tasks:*:x",             "no permission"                          },
        {"admin",                                                             "tasks:read,tasks:list", "no permission"                          },
        {"admin",                                                             "tasks:read tasks:cre",  "no permission is spelled tasks:cre"     },
        {"admin",                                                             "",                      "it names no permission"                 },
        {"admin",                                                             "   ",                   "it names no permission"                 },
        {"*",                                                                 "tasks:read",            "a bare * grants nothing, whatever"      },
        {"",                                                                  "tasks:read",            "a name has 1 to 64 bytes"               },
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef+", "tasks:read",
         "a name has 1 to 64 bytes"                                                                                                             },
};

START_TEST(pm3_a_map_with_a_bad_row_is_refused_by_name)
{
	const struct permission_mapping rows[] = {
	        from("fine", "tasks:read"), from(bad[_i].name, bad[_i].permissions)};
	struct permission_map *map;
	struct err e = {0};

	ck_assert(!make(rows, COUNT(rows), &map, &e));
	ck_assert_ptr_null(map);
	ck_assert_msg(strstr(e.text, bad[_i].says) != NULL, "%s", e.text);
	ck_assert_ptr_nonnull(strstr(e.text, "permission_map"));
}
END_TEST

START_TEST(a_name_stands_once)
{
	const struct permission_mapping rows[] = {
	        from("a", "tasks:read"), from("b", "tasks:read"), from("a", "dlq:read")};
	struct permission_map *map;
	struct err e = {0};

	ck_assert(!make(rows, COUNT(rows), &map, &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
}
END_TEST

START_TEST(a_name_counts_as_its_permissions_and_other_names_as_nothing)
{
	const struct permission_mapping rows[] = {from("role:admin", "tasks:* dlq:read"),
	        from("role", " tasks:read  tasks:list "), from("role:", "dlq:read"),
	        from("tasks:read", "dlq:update"), from("https://example.com/a b=c", "tasks:read")};
	static const char *const strangers[] = {
	        "", "r", "rol", "Role", "role ", "role:admi", "role:admins", "tasks:list", "*"};
	AUTO(permission_map) struct permission_map *map = NULL;
	struct permission_set set = {0}, wanted = {0};
	struct err e = {0};

	ck_assert_msg(make(rows, COUNT(rows), &map, &e), "%s", e.text);
	for (size_t i = 0; i < COUNT(strangers); i++)
		ck_assert(!permission_map_add(map, strangers[i], strlen(strangers[i]), &set));
	ck_assert_uint_eq(set.bits, 0);
	ck_assert(permission_map_add(map, "role:admin", 10, &set));
	ck_assert(permission_set_add(&wanted, "tasks:*", 7, &e));
	ck_assert(permission_set_add(&wanted, "dlq:read", 8, &e));
	ck_assert_uint_eq(set.bits, wanted.bits);
	set.bits = 0;
	ck_assert(permission_map_add(map, "tasks:read", 10, &set));
	ck_assert_uint_eq(set.bits, UINT64_C(1) << PERMISSION_DLQ_UPDATE);
	ck_assert(permission_map_add(map, "https://example.com/a b=c", 25, &set));
	ck_assert(permission_set_has(&set, PERMISSION_TASKS_READ));
}
END_TEST

START_TEST(no_map_maps_nothing)
{
	struct permission_set set = {0};

	ck_assert(!permission_map_add(NULL, "tasks:read", 10, &set));
	ck_assert_uint_eq(set.bits, 0);
}
END_TEST

START_TEST(a_map_has_at_most_256_names)
{
	static char names[PERMISSION_MAP_MAX + 1][8];
	static struct permission_mapping rows[PERMISSION_MAP_MAX + 1];
	struct permission_set set = {0};
	struct permission_map *map;
	struct err e = {0};

	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "r%zu", i);
		rows[i] = from(names[i], "tasks:read");
	}
	ck_assert(!make(rows, PERMISSION_MAP_MAX + 1, &map, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert(make(rows, PERMISSION_MAP_MAX, &map, &e));
	for (size_t i = 0; i < PERMISSION_MAP_MAX; i++)
		ck_assert(permission_map_add(map, names[i], strlen(names[i]), &set));
	ck_assert(!permission_map_add(map, "r256", 4, &set));
	permission_map_free(map);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	const struct permission_mapping rows[] = {from("a", "tasks:read")};
	struct permission_map *map;
	struct err e = {0};
	bool made;

	fault_allocation(1);
	made = make(rows, 1, &map, &e);
	fault_allocation(0);
	ck_assert(!made);
	ck_assert_int_eq(e.code, ERR_NOMEM);
	ck_assert(make(rows, 1, &map, &e));
	permission_map_free(map);
	permission_map_free(NULL);
}
END_TEST

Suite *
permission_map_suite(void)
{
	Suite *s = suite_create("permission_map");
	TCase *tc = tcase_create("map");

	tcase_add_loop_test(tc, pm3_a_map_with_a_bad_row_is_refused_by_name, 0, COUNT(bad));
	tcase_add_test(tc, a_name_stands_once);
	tcase_add_test(tc, a_name_counts_as_its_permissions_and_other_names_as_nothing);
	tcase_add_test(tc, no_map_maps_nothing);
	tcase_add_test(tc, a_map_has_at_most_256_names);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}
