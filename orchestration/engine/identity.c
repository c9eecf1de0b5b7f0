#include "orchestration/engine/identity.h"

#include <string.h>

enum { INDEX_BITS_HIGH = 0x03, UUID_V8 = 0x80, UUID_VARIANT = 0x80 };

struct uuid
identity_task_id(struct uuid fresh)
{
	fresh.bytes[14] = (unsigned char)(fresh.bytes[14] & ~INDEX_BITS_HIGH);
	fresh.bytes[15] = 0;
	return fresh;
}

struct uuid
identity_step_id(const struct uuid *task, unsigned index)
{
	struct uuid id = *task;
	unsigned tail = index + 1;

	id.bytes[14] = (unsigned char)(id.bytes[14] | (tail >> 8 & INDEX_BITS_HIGH));
	id.bytes[15] = (unsigned char)tail;
	return id;
}

bool
identity_split(const struct uuid *step, struct uuid *task, unsigned *index)
{
	unsigned tail = ((unsigned)step->bytes[14] & INDEX_BITS_HIGH) << 8 | step->bytes[15];

	if (tail == 0)
		return false;
	*task = identity_task_id(*step);
	*index = tail - 1;
	return true;
}

/* Lengths in front keep ("a","bc") and ("ab","c") apart. */
static void
add(struct digest *d, const void *bytes, size_t len)
{
	unsigned char head[8];

	for (size_t i = 0; i < sizeof(head); i++)
		head[i] = (unsigned char)((uint64_t)len >> (8 * i));
	digest_add(d, head, sizeof(head));
	digest_add(d, bytes, len);
}

static void
add_text(struct digest *d, const char *text)
{
	add(d, text, strlen(text));
}

bool
identity_named_step(const char *ns, const char *step, struct uuid *out)
{
	AUTO(digest) struct digest *d = NULL;
	unsigned char hash[DIGEST_BYTES];
	struct err e = {0};

	if (!digest_new(&d, &e))
		return false;
	add_text(d, "named step");
	add_text(d, ns);
	add_text(d, step);
	if (!digest_finish(d, hash))
		return false;
	memcpy(out->bytes, hash, sizeof(out->bytes));
	out->bytes[6] = (unsigned char)((out->bytes[6] & 0x0f) | UUID_V8);
	out->bytes[8] = (unsigned char)((out->bytes[8] & 0x3f) | UUID_VARIANT);
	return true;
}

bool
identity_context(const struct json *doc, const struct json_node *context,
        unsigned char out[DIGEST_BYTES], struct err *e)
{
	AUTO(buf) struct buf canonical = BUF(MIB(8));

	json_canonical(doc, context, &canonical);
	if (!buf_ok(&canonical))
		return err_set(e, ERR_NOMEM, "out of memory for a canonical context");
	if (!digest_of(canonical.data, canonical.len, out))
		return err_set(e, ERR_CRYPTO, "SHA-256 failed");
	return true;
}

enum identity_verdict
identity_of(
        struct digest *machine, const struct identity_input *in, unsigned char out[DIGEST_BYTES])
{
	bool keyed = in->idempotency_key != NULL && in->idempotency_key[0] != '\0';

	if (in->strategy == TEMPLATE_IDENTITY_ALWAYS_UNIQUE)
		return IDENTITY_UNIQUE;
	if (in->strategy == TEMPLATE_IDENTITY_CALLER_PROVIDED && !keyed)
		return IDENTITY_KEY_MISSING;
	add_text(machine, in->tenant);
	add_text(machine, in->owner);
	add_text(machine, in->ns);
	add_text(machine, in->name);
	add_text(machine, in->version);
	add_text(machine, keyed ? "key" : "context");
	if (keyed)
		add_text(machine, in->idempotency_key);
	else
		add(machine, in->context_hash, DIGEST_BYTES);
	return digest_finish(machine, out) ? IDENTITY_KEYED : IDENTITY_UNDECIDED;
}
