/* plugin/test_plugin.h - `config test`: does a plugin work as it is configured? And `test`: the
 * commands of plugins whose names begin with "test". */
#ifndef PLUGIN_TEST_PLUGIN_H
#define PLUGIN_TEST_PLUGIN_H

#include "base/error.h"
#include "base/strlist.h"
#include "config/config.h"
#include "project/project.h"

#include <stdbool.h>
#include <stddef.h>

/* An extractor is run until its first RECORD or BATCH message. A loader is given a schema, a
 * record and a state of the stream meltano_test_stream, which it writes to where it is configured
 * to; it must end with 0 and say nothing of an error or exception. Nothing else can be tested.
 * -1: it cannot, with what it said last. */
int plugin_test_config(struct config *config, struct plugin *plugin, struct error *err);

struct plugin_test {
    struct plugin *plugin;
    char *command;
};

/* Those of one plugin stand together. */
struct plugin_test_list {
    struct plugin_test *items;
    size_t count, capacity;
};

#define PLUGIN_TEST_LIST_INIT                                                                      \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }
void plugin_test_list_clear(struct plugin_test_list *list);
#define auto_plugin_test_list ATTR_CLEANUP(plugin_test_list_clear)

/* All tests of all plugins, or those that names ("PLUGIN" or "PLUGIN:COMMAND", any command) ask
 * for, in the order of the project. */
int plugin_tests_collect(struct project *project, bool all, const struct strlist *names,
                         struct plugin_test_list *out, struct error *err);

/* Runs them one after the other and prints a line for each and a summary. -1 (ERR_COMMAND) when
 * one failed. */
int plugin_tests_run(struct config *config, const struct plugin_test_list *tests,
                     struct error *err);

#endif
