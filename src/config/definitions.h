/* config/definitions.h - settings that Meltano itself defines: extras of plugins, the project's. */
#ifndef CONFIG_DEFINITIONS_H
#define CONFIG_DEFINITIONS_H

#include "project/plugin_def.h"
#include "project/project.h"

/* Adds the definitions of the extras that every plugin of this kind has, with the defaults that the
 * plugin's own definition gives them, and of the other extras in that definition. */
void definitions_add_extras(struct setting_def_list *list, const struct plugin *plugin);

/* The settings of the project, in the order Meltano has them. */
void definitions_add_project(struct setting_def_list *list);

#endif
