/* shim/commands.h - the tables and handlers that the root table brings together. */
#ifndef SHIM_COMMANDS_H
#define SHIM_COMMANDS_H

#include "shim/command.h"

/* completion.c */
extern const struct command completion_command, complete_command;
/* reference.c */
extern const struct command reference_command;

#endif
