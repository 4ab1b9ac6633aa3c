/* plugin/singer_args.h - the arguments that a Singer plugin gets, by its capabilities. */
#ifndef PLUGIN_SINGER_ARGS_H
#define PLUGIN_SINGER_ARGS_H

#include "plugin/plugin_run.h"

/* Looks which of catalog and state are there (an empty file is none), and makes argv of the
 * executable, the configuration, and those of the files that the plugin can take. With warn, it
 * says which ones it passes over for want of a capability. */
void singer_args_set(struct invocation *invocation, bool warn);

#endif
