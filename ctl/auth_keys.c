/* auth generate-keys, generate-api-key, show-permissions: what makes and names credentials. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/sign.h"
#include "shared/base/json_out.h"
#include "shared/security/digest.h"
#include "shared/security/key_pair.h"
#include "shared/security/key_vet.h"
#include "shared/security/permission.h"
#include "shared/security/secret_token.h"

enum { PATH_LEN = 4096, DIR_MODE = 0700, PRIVATE_MODE = 0600, PUBLIC_MODE = 0644 };

/* Where the two files of a pair go. */
struct places {
	char private_path[PATH_LEN], public_path[PATH_LEN];
};

static bool
places_in(const char *dir, struct places *out, struct err *e)
{
	int a = snprintf(out->private_path, PATH_LEN, "%s/jwt-private-key.pem", dir);
	int b = snprintf(out->public_path, PATH_LEN, "%s/jwt-public-key.pem", dir);

	return (a > 0 && a < PATH_LEN && b > 0 && b < PATH_LEN) ||
	       err_set(e, ERR_LIMIT, "a path of more than %d bytes", PATH_LEN - 32);
}

static bool
make_dir(const char *dir, struct err *e)
{
	return mkdir(dir, DIR_MODE) == 0 || errno == EEXIST ||
	       err_set(e, ERR_IO, "cannot make %s: %s", dir, strerror(errno));
}

static bool
free_to_write(const struct places *p, bool force, struct err *e)
{
	const char *const paths[] = {p->private_path, p->public_path};
	struct stat st;

	for (size_t i = 0; !force && i < COUNT(paths); i++)
		if (lstat(paths[i], &st) == 0)
			return err_set(e, ERR_CONFLICT, "%s exists already", paths[i]);
	return true;
}

static bool
write_pair(
        const struct places *p, enum algorithm algorithm, unsigned bits, bool force, struct err *e)
{
	AUTO(secret) struct secret *private_pem = NULL;
	char *public_pem = NULL;
	struct files_content content = {.replace = force};
	bool ok;

	if (!key_pair_make(algorithm, bits, &private_pem, &public_pem, e))
		return false;
	content.bytes = secret_bytes(private_pem);
	content.len = secret_len(private_pem);
	content.mode = PRIVATE_MODE;
	ok = files_write(p->private_path, &content, e);
	content.bytes = public_pem;
	content.len = strlen(public_pem);
	content.mode = PUBLIC_MODE;
	ok = ok && files_write(p->public_path, &content, e);
	free(public_pem);
	return ok;
}

enum exit_status
run_auth_generate_keys(struct ctl *ctl)
{
	const char *dir = args_text(&ctl->args, "output-dir");
	const char *name = args_text(&ctl->args, "algorithm");
	enum algorithm algorithm = algorithm_named(name, strlen(name));
	bool force = args_given(&ctl->args, "force");
	struct places places;
	struct err e = {0};
	int64_t bits;

	if (algorithm == ALGORITHM_NONE)
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "no algorithm is called %s", name);
	if (!args_int(&ctl->args, "key-size", RSA_BITS_MIN, RSA_BITS_MAX, &bits, &e) ||
	        !places_in(dir, &places, &e))
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "%s", e.text);
	if (!make_dir(dir, &e) || !free_to_write(&places, force, &e) ||
	        !write_pair(&places, algorithm, (unsigned)bits, force, &e)) {
		if (e.code != ERR_CONFLICT)
			return ctl_fail(ctl, EXIT_STATUS_NO, "%s", e.text);
		(void)ctl_fail(ctl, EXIT_STATUS_CONFLICT, "%s", e.text);
		ctl_hint(
		        ctl, "--force replaces both keys; tokens signed with the old one end then");
		return EXIT_STATUS_CONFLICT;
	}
	(void)fprintf(ctl->world->out, "Private key: %s\nPublic key:  %s\n", places.private_path,
	        places.public_path);
	ctl_note(ctl, "Keep the private key where only you can read it. For the daemons, under "
	              "[web.auth]:");
	ctl_note(ctl, "  enabled = true");
	ctl_note(ctl, "  jwt_public_key_path = \"%s\"", places.public_path);
	if (algorithm != ALGORITHM_RS256)
		ctl_note(ctl, "  jwt_allowed_algorithms = [\"%s\"]", algorithm_name(algorithm));
	return EXIT_STATUS_OK;
}

/* Words in quotes for TOML, whose basic strings JSON's spelling fits. */
static OWNED char *
toml_list(const struct sign_list *list)
{
	struct buf text = BUF(KIB(64));
	struct json_out w = json_out_on(&text);

	json_open(&w, NULL, '[');
	for (size_t i = 0; i < list->count; i++)
		json_put_text(&w, NULL, list->words[i]);
	json_close(&w, ']');
	return buf_take_text(&text);
}

static OWNED char *
toml_text(const char *text)
{
	struct buf b = BUF(KIB(64));
	struct json_out w = json_out_on(&b);

	json_put_text(&w, NULL, text);
	return buf_take_text(&b);
}

static bool
permissions_known(struct ctl *ctl, const struct sign_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct permission_set set = {0};
		struct err e = {0};

		if (permission_set_add(&set, list->words[i], strlen(list->words[i]), &e))
			continue;
		(void)ctl_fail(
		        ctl, EXIT_STATUS_USAGE, "no permission is spelled %s", list->words[i]);
		ctl_hint(ctl,
		        "`tasker-ctl auth show-permissions` lists them; a daemon refuses a key "
		        "with others");
		return false;
	}
	return true;
}

/* The block for the daemons' configuration. */
static enum exit_status
tell_block(struct ctl *ctl, const char *hex, const struct sign_list *permissions)
{
	const char *id = args_text(&ctl->args, "id");
	const char *about = args_text(&ctl->args, "description");
	char short_id[9];
	char *id_text, *about_text, *list;
	bool ok;

	(void)snprintf(short_id, sizeof(short_id), "%.8s", hex);
	id_text = toml_text(id != NULL ? id : short_id);
	about_text = toml_text(about != NULL ? about : "");
	list = toml_list(permissions);
	ok = id_text != NULL && about_text != NULL && list != NULL;
	if (ok) {
		(void)fprintf(ctl->world->err,
		        "# The key is shown once. For the daemons' configuration:\n"
		        "[[web.auth.api_keys]]\nid = %s\n",
		        id_text);
		if (about != NULL)
			(void)fprintf(ctl->world->err, "description = %s\n", about_text);
		(void)fprintf(
		        ctl->world->err, "key_sha256 = \"%s\"\npermissions = %s\n", hex, list);
	}
	free(id_text);
	free(about_text);
	free(list);
	return ok ? EXIT_STATUS_OK : ctl_fail(ctl, EXIT_STATUS_NO, "out of memory");
}

enum exit_status
run_auth_generate_api_key(struct ctl *ctl)
{
	AUTO(sign_list) struct sign_list permissions = {0};
	unsigned char digest[DIGEST_BYTES];
	char key[SECRET_TOKEN_SIZE], hex[DIGEST_HEX];
	struct err e = {0};

	if (!sign_list_split(args_text(&ctl->args, "permissions"), &permissions, &e))
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "%s", e.text);
	if (!permissions_known(ctl, &permissions))
		return EXIT_STATUS_USAGE;
	if (permissions.count == 0)
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "an API key needs at least one permission");
	secret_token_make(SECRET_TOKEN_API_KEY, key);
	if (!digest_of(key, SECRET_TOKEN_LEN, digest)) {
		secret_wipe(key, sizeof(key));
		return ctl_fail(ctl, EXIT_STATUS_NO, "OpenSSL cannot hash the key");
	}
	digest_hex(digest, hex);
	(void)fprintf(ctl->world->out, "%s\n", key);
	(void)fflush(ctl->world->out);
	secret_wipe(key, sizeof(key));
	return tell_block(ctl, hex, &permissions);
}

static void
add_permission(struct table *t, enum permission p)
{
	struct table_line *line = table_add(t, NULL);
	size_t len = 0;
	const char *resource = permission_resource(p, &len);

	table_text(t, line, permission_spelled(p));
	table_format(t, line, "%.*s", (int)len, resource);
	table_text(t, line, permission_meaning(p));
}

/* "resource:*" once for each resource, in the order of the table. */
static void
add_wildcards(struct table *t)
{
	for (int p = 0; p < PERMISSION__COUNT; p++) {
		size_t len = 0, other_len = 0;
		const char *resource = permission_resource((enum permission)p, &len);
		struct table_line *line;
		bool first = true;

		for (int q = 0; q < p; q++) {
			const char *other = permission_resource((enum permission)q, &other_len);

			first = first && (len != other_len || memcmp(resource, other, len) != 0);
		}
		if (!first)
			continue;
		line = table_add(t, NULL);
		table_format(t, line, "%.*s:*", (int)len, resource);
		table_format(t, line, "%.*s", (int)len, resource);
		table_format(t, line, "every permission of %.*s", (int)len, resource);
	}
}

static enum exit_status
print_permissions_json(struct ctl *ctl)
{
	AUTO(buf) struct buf text = BUF(KIB(64));
	struct json_out w = json_out_on(&text);

	json_open(&w, NULL, '[');
	for (int p = 0; p < PERMISSION__COUNT; p++) {
		json_open(&w, NULL, '{');
		json_put_text(&w, "permission", permission_spelled((enum permission)p));
		json_put_text(&w, "description", permission_meaning((enum permission)p));
		json_close(&w, '}');
	}
	json_close(&w, ']');
	buf_char(&text, '\n');
	if (!buf_ok(&text))
		return ctl_fail(ctl, EXIT_STATUS_NO, "out of memory");
	(void)fwrite(text.data, 1, text.len, ctl->world->out);
	return EXIT_STATUS_OK;
}

enum exit_status
run_auth_show_permissions(struct ctl *ctl)
{
	static const struct table_column columns[] = {
	        {"PERMISSION",  0        },
                {"RESOURCE",    0        },
                {"DESCRIPTION", TABLE_CUT}
        };
	struct table *t;
	enum exit_status status;

	if (ctl->json)
		return print_permissions_json(ctl);
	t = table_new(columns, COUNT(columns), ctl_look(ctl));
	for (int p = 0; p < PERMISSION__COUNT; p++)
		add_permission(t, (enum permission)p);
	add_wildcards(t);
	status = ctl_print(ctl, t);
	(void)fprintf(
	        ctl->world->out, "\nA bare * grants nothing. any:* is in no other wildcard.\n");
	return status;
}
