/* The templates that simulated tasks are made from. Read once, shared by all seeds. */
#ifndef TESTS_SIM_SHAPES_H
#define TESTS_SIM_SHAPES_H

#include "shared/template/template.h"

enum { SHAPES = 8, SHAPE_STEPS_MAX = 8 };

struct shape {
	struct template *t;
	char *json;  /* what is registered */
	char *other; /* the same name and version with another content */
	size_t json_len, other_len;
};

struct shapes {
	struct shape items[SHAPES];
};

OWNED struct shapes *shapes_new(void);
void shapes_free(struct shapes *s);

AUTO_DEFINE(shapes, struct shapes, shapes_free)

#endif
