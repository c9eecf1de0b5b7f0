#include <locale.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "shared/base/clock.h"

extern char **environ;

/* Nothing here needs tidying: files appear whole or not at all, and the terminal is left as it was.
 */
static void
interrupted(int number)
{
	(void)number;
	_exit(EXIT_STATUS_INTERRUPTED);
}

static void
pause_for(int milliseconds)
{
	const struct timespec t = {
	        .tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000};

	(void)nanosleep(&t, NULL);
}

/* How wide characters are, as the user's locale says. Only that: numbers keep their spelling. */
static void
use_characters(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);

	if (locale != (locale_t)0)
		(void)uselocale(locale);
}

static size_t
terminal_rows(void)
{
	struct winsize size = {0};

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

int
main(int argc, char **argv)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, end = {.sa_handler = interrupted};
	const struct ctl_world world = {.in = stdin,
	        .out = stdout,
	        .err = stderr,
	        .env = (const char *const *)environ,
	        .out_tty = isatty(STDOUT_FILENO) == 1,
	        .err_tty = isatty(STDERR_FILENO) == 1,
	        .rows = terminal_rows(),
	        .pause = pause_for,
	        .mono_us = clock_mono_us};

	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGINT, &end, NULL);
	use_characters();
	return (int)ctl_run(&world, argc, argv);
}
