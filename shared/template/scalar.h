/*
 * What a plain scalar means: the core schema of YAML 1.2 (section 10.3.2), so NO, yes and 1.0.0
 * are strings. Numbers come back as JSON spells them, verbatim where JSON agrees.
 */
#ifndef SHARED_TEMPLATE_SCALAR_H
#define SHARED_TEMPLATE_SCALAR_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/buf.h"
#include "shared/template/tree.h"

/*
 * Sets *kind to NULL, FALSE, TRUE, NUMBER or STRING. For a number the JSON spelling is appended to
 * json; check buf_ok(). False: a number JSON cannot say (.inf, .nan, hexadecimal beyond 64 bits).
 */
bool scalar_resolve(const char *text, size_t len, enum tree_kind *kind, struct buf *json);

#endif
