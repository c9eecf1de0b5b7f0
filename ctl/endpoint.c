#include "ctl/endpoint.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *program, *variable, *timeout, *fallback;
} rows[ENDPOINTS] = {
        [ENDPOINT_ORCHESTRATION] = {.name = "orchestration",
                                    .program = "tasker-orchestration",
                                    .variable = "TASKER_ORCHESTRATION_URL",
                                    .timeout = "TASKER_ORCHESTRATION_TIMEOUT_MS",
                                    .fallback = "http://localhost:8080"},
        [ENDPOINT_WORKER] = {.name = "worker",
                                    .program = "tasker-worker",
                                    .variable = "TASKER_WORKER_URL",
                                    .timeout = "TASKER_WORKER_TIMEOUT_MS",
                                    .fallback = "http://localhost:8081"},
};

const char *
endpoint_name(enum endpoint endpoint)
{
	return rows[endpoint].name;
}

const char *
endpoint_program(enum endpoint endpoint)
{
	return rows[endpoint].program;
}

const char *
endpoint_env(const char *const *env, const char *name)
{
	size_t len = strlen(name);

	for (; env != NULL && *env != NULL; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return (*env)[len + 1] != '\0' ? *env + len + 1 : NULL;
	return NULL;
}

bool
endpoint_timeout(enum endpoint endpoint, const char *const *env, int *milliseconds, struct err *e)
{
	const char *text = endpoint_env(env, rows[endpoint].timeout);
	char *end = NULL;
	long n;

	if (text == NULL) {
		*milliseconds = 0;
		return true;
	}
	n = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || n < 1 || n > ENDPOINT_TIMEOUT_MAX_MS)
		return err_set(e, ERR_FORMAT, "%s takes 1 to %d milliseconds",
		        rows[endpoint].timeout, ENDPOINT_TIMEOUT_MAX_MS);
	*milliseconds = (int)n;
	return true;
}

bool
endpoint_url(enum endpoint endpoint, const char *flag, const char *const *env,
        char out[ENDPOINT_URL_MAX], struct err *e)
{
	const char *url = flag != NULL ? flag : endpoint_env(env, rows[endpoint].variable);
	size_t len;

	if (url == NULL)
		url = rows[endpoint].fallback;
	len = strlen(url);
	while (len > 0 && url[len - 1] == '/')
		len--;
	if (len >= ENDPOINT_URL_MAX)
		return err_set(e, ERR_LIMIT, "the address of the %s is longer than %d bytes",
		        rows[endpoint].name, ENDPOINT_URL_MAX - 1);
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return err_set(e, ERR_FORMAT,
		        "the address of the %s does not begin with http:// or https://: %.80s",
		        rows[endpoint].name, url);
	if (strcspn(url, "?# \t\r\n") < len)
		return err_set(e, ERR_FORMAT,
		        "the address of the %s ends with its host, port and path",
		        rows[endpoint].name);
	memcpy(out, url, len);
	out[len] = '\0';
	return true;
}
