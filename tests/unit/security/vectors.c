#include "tests/unit/security/vectors.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MAX = 8 * 1024 * 1024 };

static char *
read_all(FILE *file, size_t *len)
{
	char *text = malloc(FILE_MAX);

	if (text != NULL)
		*len = fread(text, 1, FILE_MAX, file);
	return text;
}

struct cJSON *
vectors_load(const char *name)
{
	const char *folder = getenv("TASKER_VECTORS");
	char path[512];
	FILE *file;
	char *text;
	size_t len = 0;
	struct cJSON *doc;

	(void)snprintf(path, sizeof(path), "%s/wycheproof/%s",
	        folder != NULL ? folder : "../shared/vectors", name);
	file = fopen(path, "rbe");
	if (file == NULL) {
		printf("wycheproof %s: skipped: no vectors\n", name);
		(void)fflush(stdout);
		return NULL;
	}
	text = read_all(file, &len);
	(void)fclose(file);
	doc = text != NULL ? cJSON_ParseWithLength(text, len) : NULL;
	free(text);
	return doc;
}
