#include "shared/base/clock.h"

#include <string.h>
#include <time.h>

enum { SECOND_US = 1000000, DAY_S = 86400 };

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what four digits of a year can say. */
static const int64_t first_s = -62135596800, last_s = 253402300799;

static int64_t
now_us(clockid_t which)
{
	struct timespec now = {0};

	(void)clock_gettime(which, &now); /* cannot fail for the two clocks below */
	return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

int64_t
clock_wall_us(void)
{
	return now_us(CLOCK_REALTIME);
}

int64_t
clock_mono_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

struct date {
	int64_t year;
	unsigned month, day;
};

/*
 * Days since 1970-01-01 and back, by eras of 400 years that begin on the first of March,
 * so that the leap day is the last one of a year and no table of month lengths is needed.
 */
static int64_t
days_of(struct date d)
{
	int64_t year = d.year - (d.month <= 2 ? 1 : 0);
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (int64_t)((d.month + 9) % 12) + 2) / 5 + d.day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct date
date_of(int64_t days)
{
	int64_t since = days + 719468;
	int64_t era = (since >= 0 ? since : since - 146096) / 146097;
	int64_t day = since - era * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t of_year = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	struct date d = {.day = (unsigned)(of_year - (153 * month + 2) / 5 + 1),
	        .month = (unsigned)(month < 10 ? month + 3 : month - 9)};

	d.year = year + era * 400 + (d.month <= 2 ? 1 : 0);
	return d;
}

/* The last count digits of n. */
static void
put_number(char *at, int count, int64_t n)
{
	for (; count > 0; n /= 10)
		at[--count] = (char)('0' + n % 10);
}

void
clock_text(int64_t wall_us, char out[CLOCK_TEXT])
{
	int64_t us = wall_us % SECOND_US, s = wall_us / SECOND_US;
	int64_t of_day;
	struct date d;

	if (us < 0) {
		us += SECOND_US;
		s--;
	}
	s = s < first_s ? first_s : s > last_s ? last_s : s;
	of_day = ((s % DAY_S) + DAY_S) % DAY_S;
	d = date_of((s - of_day) / DAY_S);
	memcpy(out, "0000-00-00T00:00:00.000000Z", CLOCK_TEXT);
	put_number(out, 4, d.year);
	put_number(out + 5, 2, d.month);
	put_number(out + 8, 2, d.day);
	put_number(out + 11, 2, of_day / 3600);
	put_number(out + 14, 2, of_day / 60 % 60);
	put_number(out + 17, 2, of_day % 60);
	put_number(out + 20, 6, us);
}

/* count digits at text as a number, or -1. */
static int64_t
digits(const char *text, size_t count)
{
	int64_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		n = n * 10 + (text[i] - '0');
	}
	return n;
}

/* Microseconds of ".123"; false unless it is a dot and 1 to 9 digits. Finer ones are cut off. */
static bool
fraction(const char *text, size_t len, int64_t *us)
{
	int64_t n;

	if (len < 2 || len > 10 || text[0] != '.')
		return false;
	n = digits(text + 1, len - 1);
	if (n < 0)
		return false;
	for (size_t i = len - 1; i < 6; i++)
		n *= 10;
	for (size_t i = 6; i < len - 1; i++)
		n /= 10;
	*us = n;
	return true;
}

bool
clock_parse(const char *text, size_t len, int64_t *wall_us)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	enum { SHAPE = sizeof(shape) - 1 };
	struct date d, same;
	int64_t hour, minute, second, us = 0, days;

	if (len > 0 && text[len - 1] == 'Z')
		len--;
	if (len < SHAPE || (len > SHAPE && !fraction(text + SHAPE, len - SHAPE, &us)))
		return false;
	for (size_t i = 0; i < SHAPE; i++)
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return false;
	d = (struct date){
	        digits(text, 4), (unsigned)digits(text + 5, 2), (unsigned)digits(text + 8, 2)};
	hour = digits(text + 11, 2);
	minute = digits(text + 14, 2);
	second = digits(text + 17, 2);
	if (d.year < 1 || d.month < 1 || d.month > 12 || hour > 23 || minute > 59 || second > 59)
		return false;
	days = days_of(d);
	same = date_of(days); /* 30 February comes back as a day of March */
	if (same.month != d.month || same.day != d.day)
		return false;
	*wall_us = ((days * DAY_S) + hour * 3600 + minute * 60 + second) * SECOND_US + us;
	return true;
}
