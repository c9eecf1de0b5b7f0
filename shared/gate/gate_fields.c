#include "shared/gate/gate_fields.h"

#include <string.h>

#include "shared/http/token.h"

enum { ID_MAX = 64 };

#define IS(span, literal) token_same((span), (literal), sizeof(literal) - 1)

void
gate_fields_read(const struct http_head *head, const char *api_key_header, struct gate_fields *out)
{
	const size_t api_key_len = api_key_header == NULL ? 0 : strlen(api_key_header);

	*out = (struct gate_fields){0};
	for (size_t i = 0; i < head->field_count; i++) {
		const struct span name = head->fields[i].name, value = head->fields[i].value;

		if (IS(name, "authorization")) {
			out->credential_repeated |= out->credentials.authorization != NULL;
			out->credentials.authorization = value.text;
			out->credentials.authorization_len = value.len;
		} else if (api_key_len > 0 && token_same(name, api_key_header, api_key_len)) {
			out->credential_repeated |= out->credentials.api_key != NULL;
			out->credentials.api_key = value.text;
			out->credentials.api_key_len = value.len;
		} else if (IS(name, "content-type")) {
			out->content_repeated |= out->content_type.text != NULL;
			out->content_type = value;
		} else if (IS(name, "content-encoding")) {
			out->encoded |= !IS(value, "identity");
		} else if (IS(name, "x-request-id")) {
			out->id_repeated |= out->request_id.text != NULL;
			out->request_id = value;
		} else if (IS(name, "origin")) {
			out->origin_repeated |= out->origin.text != NULL;
			out->origin = value;
		} else if (IS(name, "access-control-request-method")) {
			out->preflight = true;
		}
	}
	if (out->origin_repeated)
		out->origin = (struct span){0};
	if (out->id_repeated)
		out->request_id = (struct span){0};
}

bool
gate_fields_json(const struct gate_fields *f)
{
	const struct span all = f->content_type;
	struct span type = all, parameter;
	const char *semicolon;

	if (all.text == NULL || f->content_repeated || f->encoded)
		return false;
	semicolon = memchr(all.text, ';', all.len);
	if (semicolon == NULL)
		return IS(all, "application/json");
	type.len = (size_t)(semicolon - all.text);
	parameter = token_trimmed(semicolon + 1, all.len - type.len - 1);
	return IS(token_trimmed(type.text, type.len), "application/json") &&
	       (IS(parameter, "charset=utf-8") || IS(parameter, "charset=\"utf-8\""));
}

bool
gate_fields_id_fit(struct span id)
{
	if (id.len == 0 || id.len > ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		const char c = id.text[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		        c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}
