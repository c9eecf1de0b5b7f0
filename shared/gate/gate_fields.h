/* The request fields that the gate itself reads, found in one pass over the head. */
#ifndef SHARED_GATE_GATE_FIELDS_H
#define SHARED_GATE_GATE_FIELDS_H

#include "shared/http/head.h"
#include "shared/security/authenticator.h"

struct gate_fields {
	struct credentials credentials;
	struct span request_id; /* text is NULL where absent, and where there are two */
	struct span content_type;
	struct span origin;       /* NULL also where there are two */
	bool credential_repeated; /* CR3: two Authorization or two API key fields */
	bool content_repeated;    /* two Content-Type fields */
	bool origin_repeated;
	bool id_repeated;
	bool preflight; /* an Access-Control-Request-Method: a browser asks before it sends */
	bool encoded;   /* a Content-Encoding other than identity */
};

/* Fills *out; its spans point into head's bytes. api_key_header NULL: there is none. */
void gate_fields_read(
        const struct http_head *head, const char *api_key_header, struct gate_fields *out);

/* application/json, alone or with charset=utf-8; any case (HP19). */
bool gate_fields_json(const struct gate_fields *f);
/* 1 to 64 of A-Z a-z 0-9 . _ - (CF8). */
bool gate_fields_id_fit(struct span id);

#endif
