/* Quoting what a file says without letting it forge or flood a message. */
#ifndef SHARED_TEMPLATE_SHOW_H
#define SHARED_TEMPLATE_SHOW_H

enum { SHOW_MAX = 40 }; /* bytes */

struct show {
	char text[SHOW_MAX + 4];
};

/* The text with control characters as '?'; a long one ends at a whole character and "...". */
struct show show_text(const char *text);

#endif
