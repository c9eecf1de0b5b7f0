/* The fenced blocks of a Markdown file, each with the paragraph behind it. */
#ifndef TESTS_LIB_FENCES_H
#define TESTS_LIB_FENCES_H

#include <stddef.h>

struct fence {
	const char *file; /* borrowed from the caller */
	int line;         /* of the opening fence */
	char kind[16];    /* "sh", "toml", "" */
	char *text;       /* with its last newline; owned */
	char *after;      /* up to the next empty line; "" if there is none; owned */
};

/* Reads the blocks of path into out; how many there are. Ends the test past max or if there is no
 * such file. */
size_t fences_read(const char *path, struct fence *out, size_t max);
void fences_free(struct fence *fences, size_t count);

#endif
