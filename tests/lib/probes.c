#include "tests/lib/probes.h"

#define ROW(id_, status_, name_, before_, unit_, times_, after_)                                   \
	{.id = (id_),                                                                              \
	        .name = (name_),                                                                   \
	        .status = (status_),                                                               \
	        .before = (before_),                                                               \
	        .unit = (unit_),                                                                   \
	        .after = (after_),                                                                 \
	        .before_len = sizeof(before_) - 1,                                                 \
	        .unit_len = sizeof(unit_) - 1,                                                     \
	        .times = (times_),                                                                 \
	        .after_len = sizeof(after_) - 1},
#define REFUSED(id_, status_, name_, bytes_) ROW(id_, status_, name_, bytes_, "", 0, "")
#define ACCEPTED(id_, name_, bytes_) ROW(id_, 0, name_, bytes_, "", 0, "")
#define LONG_REFUSED(id_, status_, name_, before_, unit_, times_, after_)                          \
	ROW(id_, status_, name_, before_, unit_, times_, after_)
#define LONG_ACCEPTED(id_, name_, before_, unit_, times_, after_)                                  \
	ROW(id_, 0, name_, before_, unit_, times_, after_)

const struct probe probes[] = {
#include "tests/data/http_probes.def"
};
const size_t probe_count = COUNT(probes);

void
probe_bytes(const struct probe *p, struct buf *out)
{
	buf_add(out, p->before, p->before_len);
	for (size_t i = 0; i < p->times; i++)
		buf_add(out, p->unit, p->unit_len);
	buf_add(out, p->after, p->after_len);
}
