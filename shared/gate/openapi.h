/*
 * The route table as an OpenAPI 3.1 document, so that what is described is what is served: every
 * row is an operation, and there is no other. What a row does not know, the parameters of a query
 * or the members of a body, a daemon adds as details.
 */
#ifndef SHARED_GATE_OPENAPI_H
#define SHARED_GATE_OPENAPI_H

#include "shared/base/buf.h"
#include "shared/gate/route.h"

enum openapi_place { OPENAPI_QUERY = 1, OPENAPI_BODY, OPENAPI_ANSWER };

/* Belongs to the row of that method and path. */
struct openapi_detail {
	enum method method;
	const char *path;
	enum openapi_place place;
	const char *name;   /* of the parameter or member; of an answer its status: "201" */
	const char *schema; /* compact JSON Schema of our own; NULL for an answer */
	bool required;
	const char *what; /* one line */
};

/* DETAIL(method, path, place, name, schema, required, what), for .def files, and their schemas: */
#define OPENAPI_DETAIL(m, p, where, n, s, must, w)                                                 \
	{.method = METHOD_##m,                                                                     \
	        .path = (p),                                                                       \
	        .place = OPENAPI_##where,                                                          \
	        .name = (n),                                                                       \
	        .schema = (s),                                                                     \
	        .required = (must),                                                                \
	        .what = (w)},
#define SCHEMA_OBJECT "{\"type\":\"object\"}"
#define SCHEMA_STRING "{\"type\":\"string\"}"
#define SCHEMA_BOOLEAN "{\"type\":\"boolean\"}"
#define SCHEMA_UUID "{\"type\":\"string\",\"format\":\"uuid\"}"
#define SCHEMA_TEXT(max) "{\"type\":\"string\",\"minLength\":1,\"maxLength\":" #max "}"
#define SCHEMA_TEXTS(most, max)                                                                    \
	"{\"type\":\"array\",\"maxItems\":" #most                                                  \
	",\"items\":{\"type\":\"string\",\"maxLength\":" #max "}}"
#define SCHEMA_INTEGER(min, max) "{\"type\":\"integer\",\"minimum\":" #min ",\"maximum\":" #max "}"

/* Plain data, all borrowed. */
struct openapi {
	const char *title, *version; /* of the API, not of the program */
	const char *api_key_header;
	const struct route *routes; /* body_max as real bytes */
	size_t route_count;
	const struct openapi_detail *details;
	size_t detail_count;
};

enum { OPENAPI_MAX = 256 * 1024 }; /* bytes; what to give the buffer */

/* Appends the document; check buf_ok(out). */
void openapi_write(const struct openapi *api, struct buf *out);

#endif
