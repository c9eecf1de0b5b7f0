#include "tests/lib/fences.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"

enum { FENCE_MAX = 65536, LINE_BYTES = 4096 };

static bool
is_fence(const char *line)
{
	return strncmp(line, "```", 3) == 0;
}

/* Appends lines up to the closing fence. */
static void
read_text(FILE *file, int *number, struct fence *f)
{
	struct buf text = BUF(FENCE_MAX);
	char line[LINE_BYTES];

	while (fgets(line, sizeof(line), file) != NULL && ++*number && !is_fence(line))
		buf_text(&text, line);
	f->text = buf_take_text(&text);
	ck_assert_msg(f->text != NULL, "%s:%d: the block is too long", f->file, f->line);
}

/* Appends lines up to an empty one; a fence that opens there is left for the caller. */
static bool
read_after(FILE *file, int *number, struct fence *f, char line[LINE_BYTES])
{
	struct buf text = BUF(FENCE_MAX);
	bool fence = false;

	while (!fence && fgets(line, LINE_BYTES, file) != NULL && ++*number &&
	        strcmp(line, "\n") != 0) {
		fence = is_fence(line);
		if (!fence)
			buf_text(&text, line);
	}
	f->after = buf_take_text(&text);
	ck_assert_ptr_nonnull(f->after);
	return fence;
}

size_t
fences_read(const char *path, struct fence *out, size_t max)
{
	FILE *file = fopen(path, "re");
	char line[LINE_BYTES];
	size_t count = 0;
	int number = 0;
	bool open = false;

	ck_assert_msg(file != NULL, "%s is not there", path);
	while (open || (fgets(line, sizeof(line), file) != NULL && ++number)) {
		struct fence *f;

		if (!is_fence(line))
			continue;
		ck_assert_msg(count < max, "%s has more than %zu blocks", path, max);
		f = &out[count++];
		*f = (struct fence){.file = path, .line = number};
		(void)snprintf(
		        f->kind, sizeof(f->kind), "%.*s", (int)strcspn(line + 3, " \n"), line + 3);
		read_text(file, &number, f);
		open = read_after(file, &number, f, line);
	}
	(void)fclose(file);
	return count;
}

void
fences_free(struct fence *fences, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(fences[i].text);
		free(fences[i].after);
	}
}
