/* auth generate-token: a signed token on stdout, everything about it on stderr. */
#include <string.h>
#include <sys/stat.h>

#include "ctl/ctl.h"
#include "ctl/sign.h"
#include "shared/base/clock.h"
#include "shared/security/key.h"
#include "shared/security/permission.h"
#include "shared/security/trust.h"

enum { HOURS_MAX = TRUST_LIFETIME_MAX_S / 3600, HOURS_USUAL = TRUST_LIFETIME_DEFAULT_S / 3600 };

static const char internal[] = "tasker-internal";

/* Unknown permissions stay in the token: a daemon of another version may know them. */
static void
warn_unknown(struct ctl *ctl, const struct sign_list *permissions)
{
	for (size_t i = 0; i < permissions->count; i++) {
		const char *word = permissions->words[i];
		struct permission_set set = {0};
		struct err e = {0};

		if (strcmp(word, "*") == 0)
			ctl_note(ctl, "warning: a bare * grants nothing; name resources, such as "
			              "tasks:*");
		else if (!permission_set_add(&set, word, strlen(word), &e))
			ctl_note(ctl,
			        "warning: unknown permission %s; strict daemons refuse the token",
			        word);
	}
}

static void
warn_readable(struct ctl *ctl, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		ctl_note(ctl, "warning: %s can be read by others; chmod 600 it", path);
}

/* What the options are read into; the claims point here. */
struct reading {
	struct sign_list permissions, namespaces;
	struct sign_extra extras[SIGN_EXTRA_MAX];
	struct sign_claims claims;
};

static void
reading_clear(struct reading *r)
{
	sign_list_clear(&r->permissions);
	sign_list_clear(&r->namespaces);
}

static inline void
auto_reading_(struct reading *r)
{
	reading_clear(r);
}

static bool
read_extras(const struct args *a, struct reading *r, struct err *e)
{
	const char *given;

	for (size_t n = 0; (given = args_repeated(a, "claim", n)) != NULL; n++) {
		if (n == SIGN_EXTRA_MAX)
			return err_set(e, ERR_LIMIT, "more than %d claims", SIGN_EXTRA_MAX);
		if (!sign_extra_split(given, &r->extras[n], e))
			return false;
		r->claims.extra_count = n + 1;
	}
	r->claims.extras = r->extras;
	return true;
}

static bool
read_key_options(const struct args *a, struct sign_claims *c, struct err *e)
{
	const char *algorithm = args_text(a, "algorithm");

	c->kid = args_text(a, "kid");
	if (c->kid != NULL && (c->kid[0] == '\0' || strlen(c->kid) > KEY_ID_MAX))
		return err_set(e, ERR_LIMIT, "a kid has 1 to %d characters", KEY_ID_MAX);
	if (algorithm == NULL)
		return true;
	c->algorithm = algorithm_named(algorithm, strlen(algorithm));
	return c->algorithm != ALGORITHM_NONE ||
	       err_set(e, ERR_FORMAT, "no algorithm is called %.32s", algorithm);
}

static bool
read_times(const struct args *a, struct sign_claims *c, int64_t *hours, struct err *e)
{
	int64_t wait_s = 0;

	if (!args_int(a, "expiry-hours", 1, HOURS_MAX, hours, e) ||
	        (args_given(a, "not-before") &&
	                !args_int(a, "not-before", 0, *hours * 3600 - 1, &wait_s, e)))
		return false;
	c->issued_s = clock_wall_us() / 1000000;
	c->expires_s = c->issued_s + *hours * 3600;
	c->not_before_s = args_given(a, "not-before") ? c->issued_s + wait_s : 0;
	return true;
}

static void
warn_odd(struct ctl *ctl, const struct sign_claims *c, bool worker, int64_t hours)
{
	if (worker && strncmp(c->subject, "wrk:", 4) != 0)
		ctl_note(ctl,
		        "warning: a worker's subject is wrk:ID; daemons refuse others for this "
		        "audience");
	if (hours > HOURS_USUAL)
		ctl_note(ctl,
		        "warning: daemons refuse a lifetime above web.auth.jwt_max_lifetime_hours "
		        "(%d)",
		        HOURS_USUAL);
}

/* Reads the options; what r points to is in the arguments. */
static enum exit_status
read_claims(struct ctl *ctl, struct reading *r)
{
	const struct args *a = &ctl->args;
	bool worker = strcmp(args_text(a, "audience"), internal) == 0;
	struct sign_claims *c = &r->claims;
	struct err e = {0};
	int64_t hours;

	if (!read_times(a, c, &hours, &e) || !read_key_options(a, c, &e) ||
	        !sign_list_split(args_text(a, "permissions"), &r->permissions, &e) ||
	        !sign_list_split(args_text(a, "namespaces"), &r->namespaces, &e) ||
	        !read_extras(a, r, &e))
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "%s", e.text);
	if (r->permissions.count == 0 && c->extra_count == 0 && !worker) {
		(void)ctl_fail(
		        ctl, EXIT_STATUS_USAGE, "a token needs permissions: --permissions LIST");
		ctl_hint(ctl, "`tasker-ctl auth show-permissions` lists them");
		return EXIT_STATUS_USAGE;
	}
	c->subject = args_text(a, "subject");
	c->issuer = args_text(a, "issuer");
	c->audience = args_text(a, "audience");
	c->permissions = &r->permissions;
	c->namespaces = &r->namespaces;
	c->tenant = args_text(a, "tenant");
	c->tenant_claim = args_text(a, "tenant-claim");
	warn_odd(ctl, c, worker, hours);
	return EXIT_STATUS_OK;
}

static void
tell(struct ctl *ctl, const struct sign_claims *c)
{
	char until[CLOCK_TEXT];

	clock_text(c->expires_s * 1000000, until);
	ctl_note(ctl, "Subject:     %s", c->subject);
	ctl_note(ctl, "Audience:    %s, issuer %s", c->audience, c->issuer);
	if (c->kid != NULL)
		ctl_note(ctl, "Key:         %s", c->kid);
	ctl_note(ctl, "Expires:     %s", until);
	for (size_t i = 0; i < c->permissions->count; i++)
		ctl_note(ctl, "%s%s", i == 0 ? "Permissions: " : "             ",
		        c->permissions->words[i]);
	for (size_t i = 0; i < c->namespaces->count; i++)
		ctl_note(ctl, "%s%s", i == 0 ? "Namespaces:  " : "             ",
		        c->namespaces->words[i]);
}

enum exit_status
run_auth_generate_token(struct ctl *ctl)
{
	AUTO(reading) struct reading read = {0};
	AUTO(secret) struct secret *key = NULL;
	AUTO(secret) struct secret *token = NULL;
	const char *path = args_text(&ctl->args, "private-key");
	struct err e = {0};
	enum exit_status status = read_claims(ctl, &read);

	if (status != EXIT_STATUS_OK)
		return status;
	if (!sign_key_read(path, &key, &e)) {
		(void)ctl_fail(ctl, EXIT_STATUS_NO, "%s", e.text);
		if (e.code == ERR_MISSING)
			ctl_hint(ctl, "`tasker-ctl auth generate-keys` makes a key pair");
		return EXIT_STATUS_NO;
	}
	if (!sign_token(&read.claims, key, &token, &e))
		return ctl_fail(ctl, EXIT_STATUS_NO, "%s: %s", path, e.text);
	warn_readable(ctl, path);
	warn_unknown(ctl, &read.permissions);
	(void)fprintf(ctl->world->out, "%s\n", (const char *)secret_bytes(token));
	tell(ctl, &read.claims);
	return EXIT_STATUS_OK;
}
