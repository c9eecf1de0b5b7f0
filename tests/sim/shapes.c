#include "tests/sim/shapes.h"

#include <stdlib.h>
#include <string.h>

#define HEAD(name) "name: " name "\nnamespace_name: sim\nversion: 1.0.0\n"
#define STEP(name, rest) "  - {name: " name ", handler: {callable: sim." name "}" rest "}\n"
#define AFTER(list) ", dependencies: [" list "]"
#define RETRY(text) ", retry: {" text "}"

static const char *const yamls[SHAPES] = {
        HEAD("single") "steps:\n" STEP(
                "a", RETRY("max_attempts: 3, backoff_base_ms: 1000, max_backoff_ms: 30000")),
        HEAD("linear") "steps:\n" STEP("a", "") STEP("b", AFTER("a")) STEP("c", AFTER("b"))
                STEP("d", AFTER("c")),
        HEAD("diamond") "steps:\n" STEP("a", "") STEP("b", AFTER("a")) STEP("c", AFTER("a"))
                STEP("d", AFTER("b, c")),
        HEAD("wide") "steps:\n" STEP("a", "") STEP("b", "") STEP("c", "") STEP("d", "")
                STEP("e", "") STEP("f", AFTER("a, b, c, d, e")),
        HEAD("fragile") "steps:\n" STEP("a", RETRY("max_attempts: 1"))
                STEP("b", RETRY("retryable: false")) STEP("c", AFTER("a")),
        HEAD("patient") "steps:\n" STEP(
                "a", RETRY("max_attempts: 9, backoff: fibonacci, backoff_base_ms: 500, "
                           "max_backoff_ms: 60000"))
                STEP("b", AFTER("a") RETRY("max_attempts: 9, backoff: none")),
        HEAD("keyed") "identity_strategy: caller_provided\nsteps:\n" STEP("a", "")
                STEP("b", AFTER("a")),
        HEAD("unique") "identity_strategy: always_unique\nsteps:\n" STEP("a", "") STEP("b", "")
                STEP("c", AFTER("a, b")) STEP("d", AFTER("b")),
};

static char *
canonical(const char *yaml, struct template **out, size_t *len)
{
	struct buf json = BUF(TEMPLATE_JSON_MAX);
	struct err e = {0};
	char *text;

	if (!template_parse(yaml, strlen(yaml), out, NULL, &e)) {
		buf_text(&json, e.text);
		buf_free(&json);
		__builtin_trap();
	}
	template_to_json(*out, &json);
	*len = json.len;
	text = buf_take_text(&json);
	if (text == NULL)
		__builtin_trap();
	return text;
}

static void
fill(struct shape *s, const char *yaml)
{
	AUTO(template) struct template *changed = NULL;
	struct buf text = BUF(KIB(64));
	char *other;

	s->json = canonical(yaml, &s->t, &s->json_len);
	buf_text(&text, yaml);
	buf_text(&text, "description: it means something else now\n");
	other = buf_take_text(&text);
	if (other == NULL)
		__builtin_trap();
	s->other = canonical(other, &changed, &s->other_len);
	free(other);
}

OWNED struct shapes *
shapes_new(void)
{
	struct shapes *s = calloc(1, sizeof(*s));

	if (s == NULL)
		__builtin_trap();
	for (size_t i = 0; i < SHAPES; i++)
		fill(&s->items[i], yamls[i]);
	return s;
}

void
shapes_free(struct shapes *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < SHAPES; i++) {
		template_free(s->items[i].t);
		free(s->items[i].json);
		free(s->items[i].other);
	}
	free(s);
}
