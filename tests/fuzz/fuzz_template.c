/* sees: template */
/* No file may crash the reader, and an accepted one survives its canonical JSON unchanged. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(template) struct template *t = NULL;
	AUTO(template) struct template *again = NULL;
	AUTO(buf) struct buf first = BUF(TEMPLATE_JSON_MAX);
	AUTO(buf) struct buf second = BUF(TEMPLATE_JSON_MAX);
	struct template_report report;
	struct err e = {0};

	if (!template_parse((const char *)data, size, &t, &report, &e)) {
		if (t != NULL || e.code == ERR_NONE || report.count > TEMPLATE_WARNINGS_MAX)
			abort();
		return 0;
	}
	for (size_t i = 0; i < t->step_count; i++)
		for (size_t p = 0; p < t->steps[i].parent_count; p++)
			if (t->steps[i].parents[p] >= i)
				abort();
	template_to_json(t, &first);
	if (!buf_ok(&first) || memchr(first.data, '\n', first.len) != NULL)
		abort();
	if (!template_from_json(first.data, first.len, &again, &e))
		abort();
	template_to_json(again, &second);
	if (!buf_ok(&second) || first.len != second.len ||
	        memcmp(first.data, second.data, first.len) != 0)
		abort();
	return 0;
}
