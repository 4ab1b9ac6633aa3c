/* airflow/options.h - what the project says about Airflow, in the names that the installed version
 * has for it.
 *
 * Options come from the settings of the plugin ("core.executor", or any name whose variable is
 * AIRFLOW__SECTION__KEY) and from such variables in the environment. Where several name the same
 * option, a variable wins over a setting that somebody gave, and that over a default of the plugin;
 * among equals the current name wins over an older one. */
#ifndef AIRFLOW_OPTIONS_H
#define AIRFLOW_OPTIONS_H

#include "base/error.h"
#include "base/strmap.h"
#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>

enum airflow_origin {
    AIRFLOW_DEFAULT,  /* of the plugin's definition */
    AIRFLOW_SETTING,  /* given in meltano.yml, .env, ... */
    AIRFLOW_VARIABLE, /* AIRFLOW__SECTION__KEY in the environment */
};

struct airflow_option {
    char *section, *key; /* as the installed version has them */
    char *value;
    char *source; /* the name of the setting or of the variable, for messages */
    enum airflow_origin origin;
    bool is_renamed;
    bool is_by_hand; /* a default that gave way to what somebody wrote into airflow.cfg */
};

struct airflow_options {
    struct airflow_option *items; /* in order of section and key */
    size_t count, capacity;
};

void airflow_options_clear(struct airflow_options *options);

/* The name that version has for an option, where it changed its name: core.sql_alchemy_conn is
 * database.sql_alchemy_conn from 2.3 on. Both strings are replaced; true when they were. An option
 * whose name ends in _cmd or _secret, from which Airflow gets the value of another, follows it. */
bool airflow_option_rename(const char *version, char **section, char **key);

/* "AIRFLOW__CORE__EXECUTOR" is section "core" and key "executor"; false for any other variable. The
 * caller frees both. */
bool airflow_variable_parse(const char *variable, char **section, char **key);
char *airflow_variable_name(const char *section, const char *key);

/* env is the environment of the plugin's process, out must be zeroed. */
void airflow_options_collect(const struct plugin_config *resolved, const struct strmap *env,
                             const char *version, struct airflow_options *out);

const struct airflow_option *airflow_options_find(const struct airflow_options *options,
                                                  const char *section, const char *key);
/* The value; NULL when there is none. */
const char *airflow_options_get(const struct airflow_options *options, const char *section,
                                const char *key);
/* Adds an option of ours, unless there is one. */
void airflow_options_add_default(struct airflow_options *options, const char *section,
                                 const char *key, const char *value);

/* Sets a variable for every option, and removes those that go by an older name. */
void airflow_options_export(const struct airflow_options *options, const char *version,
                            struct strmap *env);

#endif
