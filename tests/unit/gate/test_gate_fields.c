/* The fields the gate reads from a head. */
#include "shared/gate/gate_fields.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct http_field
field(const char *name, const char *value)
{
	return (struct http_field){
	        {name,  strlen(name) },
                {value, strlen(value)}
        };
}

static const struct {
	const char *value;
	bool json;
} types[] = {
        {"application/json",                     true },
        {"APPLICATION/Json",                     true },
        {"application/json;charset=utf-8",       true },
        {"application/json; charset=UTF-8",      true },
        {"application/json ; charset=\"utf-8\"", true },
        {"application/json; charset=utf-16",     false},
        {"application/json; charset=latin1",     false},
        {"application/json; charset=utf-8; x=y", false},
        {"application/json;",                    false},
        {"application/json; q=1",                false},
        {"application/jsonx",                    false},
        {"application/json, text/plain",         false},
        {"application/problem+json",             false},
        {"text/json",                            false},
        {"text/plain",                           false},
        {"",                                     false},
};

START_TEST(only_json_in_utf8_is_json_HP19)
{
	struct http_head head = {.field_count = 1};
	struct gate_fields f;

	head.fields[0] = field("content-TYPE", types[_i].value);
	gate_fields_read(&head, "X-API-Key", &f);
	ck_assert_msg(gate_fields_json(&f) == types[_i].json, "%s", types[_i].value);
}
END_TEST

START_TEST(json_twice_absent_or_compressed_is_no_json)
{
	struct http_head head = {0};
	struct gate_fields f;

	gate_fields_read(&head, "X-API-Key", &f);
	ck_assert(!gate_fields_json(&f));
	head.field_count = 2;
	head.fields[0] = field("Content-Type", "application/json");
	head.fields[1] = field("Content-Type", "application/json");
	gate_fields_read(&head, "X-API-Key", &f);
	ck_assert(!gate_fields_json(&f));
	head.fields[1] = field("Content-Encoding", "gzip");
	gate_fields_read(&head, "X-API-Key", &f);
	ck_assert(!gate_fields_json(&f));
	head.fields[1] = field("Content-Encoding", "Identity");
	gate_fields_read(&head, "X-API-Key", &f);
	ck_assert(gate_fields_json(&f));
}
END_TEST

START_TEST(credentials_are_found_in_any_case_and_repeats_noticed_CR3)
{
	struct http_head head = {.field_count = 2};
	struct gate_fields f;

	head.fields[0] = field("AUTHORIZATION", "Bearer x");
	head.fields[1] = field("x-api-key", "k");
	gate_fields_read(&head, "X-API-Key", &f);
	ck_assert(!f.credential_repeated);
	ck_assert_uint_eq(f.credentials.authorization_len, 8);
	ck_assert_int_eq(f.credentials.api_key[0], 'k');
	head.fields[0] = field("X-Api-Key", "k");
	gate_fields_read(&head, "X-API-Key", &f);
	ck_assert(f.credential_repeated);
	head.fields[0] = head.fields[1] = field("Authorization", "");
	gate_fields_read(&head, "X-API-Key", &f);
	ck_assert(f.credential_repeated);
	head.fields[0] = field("X-Other-Key", "k"); /* another header is configured */
	gate_fields_read(&head, "X-Other-Key", &f);
	ck_assert_ptr_nonnull(f.credentials.api_key);
	gate_fields_read(&head, NULL, &f);
	ck_assert_ptr_null(f.credentials.api_key);
}
END_TEST

static const struct {
	const char *id;
	bool fit;
} ids[] = {
        {"a",                                                                 true },
        {"A-Z_a.z09",                                                         true },
        {"0123456789012345678901234567890123456789012345678901234567890123",  true },
        {"01234567890123456789012345678901234567890123456789012345678901234", false},
        {"",                                                                  false},
        {"a b",                                                               false},
        {"a/b",                                                               false},
        {"a\"b",                                                              false},
        {"\xc3\xa4",                                                          false},
        {"a\tb",                                                              false},
        {"a%20",                                                              false},
};

START_TEST(request_ids_are_short_and_plain_CF8)
{
	ck_assert_int_eq(
	        gate_fields_id_fit((struct span){ids[_i].id, strlen(ids[_i].id)}), ids[_i].fit);
}
END_TEST

Suite *
gate_fields_suite(void)
{
	Suite *s = suite_create("gate_fields");
	TCase *tc = tcase_create("gate_fields");

	tcase_add_loop_test(tc, only_json_in_utf8_is_json_HP19, 0, COUNT(types));
	tcase_add_test(tc, json_twice_absent_or_compressed_is_no_json);
	tcase_add_test(tc, credentials_are_found_in_any_case_and_repeats_noticed_CR3);
	tcase_add_loop_test(tc, request_ids_are_short_and_plain_CF8, 0, COUNT(ids));
	suite_add_tcase(s, tc);
	return s;
}
