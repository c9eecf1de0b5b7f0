#include "worker/runner/environment.h"

#include <stdlib.h>
#include <string.h>

static const char *const inherited[] = {"PATH", "HOME", "LANG", "TZ"};

/* The place of name (len bytes), or that of the end. */
static char **
place(struct environment *env, const char *name, size_t len)
{
	size_t i = 0;

	while (i < env->count &&
	        (strncmp(env->items[i], name, len) != 0 || env->items[i][len] != '='))
		i++;
	return &env->items[i];
}

static void
put(struct environment *env, const char *name, size_t len, const char *value)
{
	char **at = place(env, name, len);
	const size_t value_len = strlen(value);
	char *item = malloc(len + value_len + 2);

	if (item == NULL || at == &env->items[ENVIRONMENT_MAX]) {
		free(item);
		env->failed = true;
		return;
	}
	memcpy(item, name, len);
	item[len] = '=';
	memcpy(item + len + 1, value, value_len + 1);
	if (*at == NULL)
		env->count++;
	free(*at);
	*at = item;
}

void
environment_put(struct environment *env, const char *name, const char *value)
{
	put(env, name, strlen(name), value);
}

void
environment_put_all(struct environment *env, const char *const *items)
{
	for (size_t i = 0; items != NULL && items[i] != NULL; i++) {
		const char *equals = strchr(items[i], '=');

		if (equals != NULL)
			put(env, items[i], (size_t)(equals - items[i]), equals + 1);
	}
}

void
environment_inherit(struct environment *env)
{
	for (size_t i = 0; i < COUNT(inherited); i++) {
		const char *value = getenv(inherited[i]);

		if (value != NULL)
			environment_put(env, inherited[i], value);
	}
}

void
environment_free(struct environment *env)
{
	for (size_t i = 0; i < env->count; i++)
		free(env->items[i]);
	*env = (struct environment){0};
}
