/* tests/unit/plugin/plugin_fixture.h - a project whose plugins are shell scripts. */
#ifndef TESTS_UNIT_PLUGIN_FIXTURE_H
#define TESTS_UNIT_PLUGIN_FIXTURE_H

#include "base/strmap.h"
#include "config/config.h"
#include "project/project.h"

struct plugin_fixture {
    struct project *project;
    struct config *config;
    struct strmap environment; /* to be filled before plugin_fixture_open() */
};

/* An empty directory (tests/unit/tempdir.h), a quiet log, a PATH. */
void plugin_fixture_make(struct plugin_fixture *fixture);
void plugin_fixture_remove(struct plugin_fixture *fixture);

/* A file below the directory that can be executed. */
void plugin_fixture_write_program(const char *name, const char *text);
/* Writes meltano.yml and opens the project. */
void plugin_fixture_open(struct plugin_fixture *fixture, const char *yaml);
struct plugin *plugin_fixture_plugin(const struct plugin_fixture *fixture, const char *name);

/* From now on standard output is kept; the text so far, borrowed until the next call. */
void stdout_capture(void);
const char *stdout_text(void);
/* Gives standard output back. */
void stdout_release(void);

#endif
