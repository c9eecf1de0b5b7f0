/* auth generate-token: a signed token on stdout, everything about it on stderr. */
#include <string.h>
#include <sys/stat.h>

#include "ctl/ctl.h"
#include "ctl/sign.h"
#include "shared/base/clock.h"
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

/* Reads options into claims; what they point to is the caller's. */
static enum exit_status
read_claims(struct ctl *ctl, struct sign_list *permissions, struct sign_list *namespaces,
        struct sign_claims *out)
{
	const struct args *a = &ctl->args;
	bool worker = strcmp(args_text(a, "audience"), internal) == 0;
	struct err e = {0};
	int64_t hours;

	if (!args_int(a, "expiry-hours", 1, HOURS_MAX, &hours, &e) ||
	        !sign_list_split(args_text(a, "permissions"), permissions, &e) ||
	        !sign_list_split(args_text(a, "namespaces"), namespaces, &e))
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "%s", e.text);
	if (permissions->count == 0 && !worker) {
		(void)ctl_fail(
		        ctl, EXIT_STATUS_USAGE, "a token needs permissions: --permissions LIST");
		ctl_hint(ctl, "`tasker-ctl auth show-permissions` lists them");
		return EXIT_STATUS_USAGE;
	}
	if (worker && strncmp(args_text(a, "subject"), "wrk:", 4) != 0)
		ctl_note(ctl,
		        "warning: a worker's subject is wrk:ID; daemons refuse others for this "
		        "audience");
	if (hours > HOURS_USUAL)
		ctl_note(ctl,
		        "warning: daemons refuse a lifetime above web.auth.jwt_max_lifetime_hours "
		        "(%d)",
		        HOURS_USUAL);
	*out = (struct sign_claims){.subject = args_text(a, "subject"),
	        .issuer = args_text(a, "issuer"),
	        .audience = args_text(a, "audience"),
	        .permissions = permissions,
	        .namespaces = namespaces,
	        .tenant = args_text(a, "tenant"),
	        .tenant_claim = args_text(a, "tenant-claim"),
	        .issued_s = clock_wall_us() / 1000000};
	out->expires_s = out->issued_s + hours * 3600;
	return EXIT_STATUS_OK;
}

static void
tell(struct ctl *ctl, const struct sign_claims *c)
{
	char until[CLOCK_TEXT];

	clock_text(c->expires_s * 1000000, until);
	ctl_note(ctl, "Subject:     %s", c->subject);
	ctl_note(ctl, "Audience:    %s, issuer %s", c->audience, c->issuer);
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
	AUTO(sign_list) struct sign_list permissions = {0};
	AUTO(sign_list) struct sign_list namespaces = {0};
	AUTO(secret) struct secret *key = NULL;
	AUTO(secret) struct secret *token = NULL;
	const char *path = args_text(&ctl->args, "private-key");
	struct sign_claims claims;
	struct err e = {0};
	enum exit_status status = read_claims(ctl, &permissions, &namespaces, &claims);

	if (status != EXIT_STATUS_OK)
		return status;
	if (!sign_key_read(path, &key, &e)) {
		(void)ctl_fail(ctl, EXIT_STATUS_NO, "%s", e.text);
		if (e.code == ERR_MISSING)
			ctl_hint(ctl, "`tasker-ctl auth generate-keys` makes a key pair");
		return EXIT_STATUS_NO;
	}
	if (!sign_token(&claims, key, &token, &e))
		return ctl_fail(ctl, EXIT_STATUS_NO, "%s: %s", path, e.text);
	warn_readable(ctl, path);
	warn_unknown(ctl, &permissions);
	(void)fprintf(ctl->world->out, "%s\n", (const char *)secret_bytes(token));
	tell(ctl, &claims);
	return EXIT_STATUS_OK;
}
