/* sees: base */
/*
 * Z2: what json_parse() accepts, cJSON accepts too; printed compact or canonically it is accepted
 * again and prints the same again; and no object in it has two members of one name.
 */
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/base/json.h"
#include "tests/fuzz/fuzz.h"

static const struct json_limits limits = {.bytes = MIB(1), .nodes = 10000, .depth = JSON_DEPTH};

static struct json *
parsed(const char *text, size_t len)
{
	struct json *doc = NULL;
	struct err e = {0};
	bool good = json_parse(text, len, &limits, &doc, &e);

	CLAIM(good == (doc != NULL) && good == (e.code == ERR_NONE));
	return doc;
}

/* Every pair of names, the slow way; objects a fuzzer makes are small. */
static void
claim_no_twins(const struct json *doc, const struct json_node *object)
{
	const struct json_node *a, *b;

	for (a = json_first(doc, object); a != NULL; a = json_next(doc, a))
		for (b = json_next(doc, a); b != NULL; b = json_next(doc, b))
			CLAIM(json_text_compare(json_text_of(doc, json_name(doc, a)),
			              json_text_of(doc, json_name(doc, b))) != 0);
}

/* Looks at each value once; the way up is the stack. */
static void
claim_values(const struct json *doc)
{
	const struct json_node *stack[JSON_DEPTH + 1], *n;
	unsigned depth = 1;
	double number;

	stack[0] = json_root(doc);
	while (depth > 0) {
		n = stack[depth - 1];
		if (n == NULL) {
			depth--;
			continue;
		}
		stack[depth - 1] = json_next(doc, n);
		CLAIM(json_kind(n) != JSON_NUMBER || json_double(doc, n, &number));
		if (json_kind(n) == JSON_OBJECT)
			claim_no_twins(doc, n);
		if (json_first(doc, n) != NULL)
			stack[depth++] = json_first(doc, n);
	}
}

static void
claim_prints_again(const struct json *doc,
        void (*print)(const struct json *, const struct json_node *, struct buf *))
{
	AUTO(buf) struct buf once = BUF(MIB(8)), twice = BUF(MIB(8));
	struct json *again;

	print(doc, json_root(doc), &once);
	CLAIM(buf_ok(&once));
	again = parsed(once.data, once.len);
	CLAIM(again != NULL);
	print(again, json_root(again), &twice);
	CLAIM(buf_ok(&twice) && once.len == twice.len);
	CLAIM(memcmp(once.data, twice.data, once.len) == 0);
	CLAIM(memchr(once.data, '\n', once.len) == NULL);
	json_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *doc = parsed((const char *)data, size);
	cJSON *other;

	if (doc == NULL)
		return 0;
	other = cJSON_ParseWithLengthOpts((const char *)data, size, NULL, 0);
	CLAIM(other != NULL);
	CLAIM(!cJSON_IsObject(other) ||
	        (size_t)cJSON_GetArraySize(other) == json_count(json_root(doc)));
	cJSON_Delete(other);
	claim_values(doc);
	claim_prints_again(doc, json_compact);
	claim_prints_again(doc, json_canonical);
	json_free(doc);
	return 0;
}
