/* shim/config_subject.h - whose settings the commands of the group 'config' are about. */
#ifndef SHIM_CONFIG_SUBJECT_H
#define SHIM_CONFIG_SUBJECT_H

#include "shim/app.h"

/* *out is NULL for the project itself, which goes by the name "meltano" unless a plugin does. */
int config_subject_find(const struct project *project, const char *name, int plugin_type,
                        struct plugin **out, struct error *err);

#endif
