#include "shared/config/config_time.h"

#include <stdio.h>
#include <string.h>

#include "shared/base/clock.h"

/* "+02:00" at the end of a time, in minutes; false if there is none. */
static bool
parse_offset(const char *sign, int64_t *minutes)
{
	const char *digits = "0123456789";
	int64_t hour, minute;

	if ((sign[0] != '+' && sign[0] != '-') || strspn(sign + 1, digits) != 2 || sign[3] != ':' ||
	        strspn(sign + 4, digits) != 2)
		return false;
	hour = (sign[1] - '0') * 10 + (sign[2] - '0');
	minute = (sign[4] - '0') * 10 + (sign[5] - '0');
	if (hour > 23 || minute > 59)
		return false;
	*minutes = (sign[0] == '-' ? -1 : 1) * (hour * 60 + minute);
	return true;
}

bool
config_time_parse(const char *text, int64_t *us)
{
	enum {
		DATE = 10,
		OFFSET = 6,
		SHORTEST = DATE + OFFSET,
		TEXT_MAX = 40,
		MINUTE_US = 60000000
	};
	char whole[TEXT_MAX + sizeof("T00:00:00Z")];
	size_t len = strlen(text);
	int64_t wall_us = 0, minutes = 0;

	if (len > TEXT_MAX)
		return false;
	(void)snprintf(whole, sizeof(whole), "%s%s", text, len == DATE ? "T00:00:00Z" : "");
	if (len > SHORTEST && parse_offset(whole + len - OFFSET, &minutes))
		whole[len - OFFSET] = '\0';
	if (len > 0 && !clock_parse(whole, strlen(whole), &wall_us))
		return false;
	wall_us -= minutes * MINUTE_US;
	if (len > 0 && wall_us <= 0)
		return false;
	*us = wall_us;
	return true;
}
