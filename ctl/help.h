/* The texts of --help and of refused command lines, made from commands.def. */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include "ctl/command.h"
#include "shared/base/buf.h"

/* Appends the help of a command, of a group, or (both NULL) of the program. */
void help_show(struct buf *text, const char *group, const struct command_row *command);

/* Appends what is wrong and where help is; which is somebody's word and is shown harmless. command
 * may be NULL. */
void help_refuse(
        struct buf *text, const struct command_row *command, const char *what, const char *which);

#endif
