#include "tests/unit/config/place.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char folder[] = "/tmp/tasker-config-XXXXXX";

void
place_enter(void)
{
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
place_leave(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void
place_write(const char *path, const char *text)
{
	char above[256];
	FILE *file;

	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		(void)snprintf(above, sizeof(above), "%.*s", (int)(slash - path), path);
		(void)mkdir(above, 0700);
	}
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fchmod(fileno(file), 0600), 0);
	ck_assert_uint_eq(fwrite(text, 1, strlen(text), file), strlen(text));
	ck_assert_int_eq(fclose(file), 0);
}

static struct attempt *
load(enum config_role role, const char *path, const char *const *env, const char *const *sets)
{
	struct attempt *a = calloc(1, sizeof(*a));
	struct config_source source = {.role = role, .path = path, .env = env, .etc = "etc"};

	ck_assert_ptr_nonnull(a);
	source.sets = sets;
	while (sets != NULL && sets[source.set_count] != NULL)
		source.set_count++;
	a->ok = config_load(&source, &a->notes, &a->config, &a->e);
	ck_assert_int_eq(a->ok, a->config != NULL);
	ck_assert_int_eq(a->ok, a->e.code == ERR_NONE || a->notes.problems.count == 0);
	return a;
}

struct attempt *
attempt(enum config_role role, const char *toml, const char *const *env, const char *const *sets)
{
	place_write("given.toml", toml);
	return load(role, "given.toml", env, sets);
}

struct attempt *
attempt_search(enum config_role role, const char *const *env, const char *const *sets)
{
	return load(role, NULL, env, sets);
}

void
attempt_free(struct attempt *a)
{
	if (a == NULL)
		return;
	config_free(a->config);
	free(a);
}
