/* project/entries.h - one entry of a project file at a time: checked and turned into a struct.
 * The values that entries are made of stay where they are; the structs borrow them. */
#ifndef PROJECT_ENTRIES_H
#define PROJECT_ENTRIES_H

#include "base/error.h"
#include "base/value.h"
#include "project/project.h"

/* Plugins ---------------------------------------------------------------------------------- */

/* An entry of plugins.<plural> with its own attributes only. is_definition: it comes from a lock
 * file or the hub instead, where a namespace is required and the extras are defaults. */
int plugin_from_entry(enum plugin_type type, const struct value *entry, bool is_definition,
                      struct plugin **out, struct error *err);
/* The mapping of a mapper's entry: as the mapper, with its own name and config. */
int plugin_from_mapping(struct plugin *mapper, const struct value *mapping, struct plugin **out,
                        struct error *err);
void plugin_free(struct plugin *plugin);
DEFINE_AUTO_FREE(struct plugin, plugin, plugin_free)
#define auto_plugin ATTR_CLEANUP(plugin_auto)

void plugin_command_copy(struct plugin_command *copy, const struct plugin_command *command);
void plugin_commands_free(struct plugin_command *commands, size_t count);

/* The others ------------------------------------------------------------------------------- */

int environment_from_entry(const struct value *entry, struct environment *out, struct error *err);
void environment_clear(struct environment *environment);
/* A single string as tasks becomes a list of one, in entry itself. */
int job_from_entry(struct value *entry, struct job *out, struct error *err);
void job_clear(struct job *job);
int schedule_from_entry(const struct value *entry, struct schedule *out, struct error *err);
void schedule_clear(struct schedule *schedule);

#endif
