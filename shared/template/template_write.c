/* A template → its canonical JSON: the rows of the table in their order, whatever the file's was.
 */
#include <string.h>

#include "shared/base/json_out.h"
#include "shared/template/template_fields.h"

static void
put_parents(struct json_out *w, const struct template *t, const struct template_step *step)
{
	json_open(w, "dependencies", '[');
	for (size_t i = 0; i < step->parent_count; i++)
		json_put_text(w, NULL, t->steps[step->parents[i]].name);
	json_close(w, ']');
}

/* A member that fills one place of the struct; what is unset is left out. */
static void
put_value(struct json_out *w, const struct field *f, const void *base)
{
	const unsigned char *from = (const unsigned char *)base + f->offset;
	const char *text;
	int whole;
	unsigned choice;

	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_IDENT:
		memcpy(&text, from, sizeof(text));
		if (text != NULL)
			json_put_text(w, f->member, text);
		break;
	case FIELD_WHOLE:
		memcpy(&whole, from, sizeof(whole));
		if (whole >= f->least)
			json_put_int(w, f->member, whole);
		break;
	case FIELD_BOOL:
		json_put_bool(w, f->member, *(const bool *)from);
		break;
	case FIELD_CHOICE:
		memcpy(&choice, from, sizeof(choice));
		json_put_text(w, f->member, f->choices->words[choice]);
		break;
	case FIELD_ANY:
	case FIELD_MAP:
		memcpy(&text, from, sizeof(text));
		if (text != NULL)
			json_put_raw(w, f->member, text, strlen(text));
		break;
	case FIELD_SKIP:
	case FIELD_GROUP:
	case FIELD_STEPS:
	case FIELD_PARENTS:
		break;
	}
}

static void
put_group(struct json_out *w, const struct field *group, const void *base)
{
	size_t count;
	const struct field *fields = template_fields(&count);

	json_open(w, group->member, '{');
	for (size_t i = 0; i < count; i++)
		if (fields[i].scope == group->inner)
			put_value(w, &fields[i], base);
	json_close(w, '}');
}

static void
put_step(struct json_out *w, const struct template *t, const struct template_step *step)
{
	size_t count;
	const struct field *fields = template_fields(&count);

	json_open(w, NULL, '{');
	for (size_t i = 0; i < count; i++) {
		if (fields[i].scope != SCOPE_STEP)
			continue;
		if (fields[i].kind == FIELD_GROUP)
			put_group(w, &fields[i], step);
		else if (fields[i].kind == FIELD_PARENTS)
			put_parents(w, t, step);
		else
			put_value(w, &fields[i], step);
	}
	json_close(w, '}');
}

static void
put_steps(struct json_out *w, const struct template *t)
{
	json_open(w, "steps", '[');
	for (size_t i = 0; i < t->step_count; i++)
		put_step(w, t, &t->steps[i]);
	json_close(w, ']');
}

void
template_to_json(const struct template *t, struct buf *out)
{
	struct json_out w = json_out_on(out);
	size_t count;
	const struct field *fields = template_fields(&count);

	json_open(&w, NULL, '{');
	for (size_t i = 0; i < count; i++) {
		if (fields[i].scope != SCOPE_TASK)
			continue;
		if (fields[i].kind == FIELD_GROUP)
			put_group(&w, &fields[i], t);
		else if (fields[i].kind == FIELD_STEPS)
			put_steps(&w, t);
		else
			put_value(&w, &fields[i], t);
	}
	json_close(&w, '}');
}
