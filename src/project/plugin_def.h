/* project/plugin_def.h - what is known of a plugin: its settings, commands and capabilities,
 * from meltano.yml, a lock file or the hub, resolved through inherit_from. */
#ifndef PROJECT_PLUGIN_DEF_H
#define PROJECT_PLUGIN_DEF_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/value.h"
#include "project/plugin_type.h"

#include <stdbool.h>

enum setting_kind {
    SETTING_NONE, /* not given: treated as a string */
    SETTING_STRING,
    SETTING_INTEGER,
    SETTING_BOOLEAN,
    SETTING_DECIMAL,
    SETTING_DATE,
    SETTING_EMAIL,
    SETTING_PASSWORD, /* read from "kind: password"; becomes SETTING_STRING + sensitive */
    SETTING_OAUTH,    /* likewise sensitive */
    SETTING_OPTIONS,
    SETTING_FILE,
    SETTING_ARRAY,
    SETTING_OBJECT,
    SETTING_HIDDEN, /* read from "kind: hidden"; becomes SETTING_STRING */
    SETTING_KIND_COUNT,
};

/* One entry of settings:, or one that Meltano defines for extras and for the project. */
struct setting_def {
    char *name; /* dots nest; "\." is a literal dot; a leading '_' marks an extra */
    struct strlist aliases;
    char *env; /* an additional variable that is written to the plugin, never read */
    struct strlist env_aliases;
    enum setting_kind kind;
    struct value *value;   /* the default, NULL when there is none */
    struct value *options; /* list of {label, value} */
    bool sensitive, env_specific;
    bool is_custom; /* no definition: the key stands only in a config: block */
    char *value_processor, *value_post_processor;
    char *label, *description;
};

struct setting_def_list {
    struct setting_def **items;
    size_t count, capacity;
};

bool setting_kind_parse(const char *word, enum setting_kind *out);

/* From an entry of settings: ({name: ..., kind: ...}). Errors name file and line. */
int setting_def_from_value(const struct value *entry, struct setting_def **out, struct error *err);
struct setting_def *setting_def_new(const char *name, enum setting_kind kind);
struct setting_def *setting_def_copy(const struct setting_def *def);
void setting_def_free(struct setting_def *def);

/* The list owns what is added. */
void setting_def_list_add_take(struct setting_def_list *list, struct setting_def *def);
void setting_def_list_clear(struct setting_def_list *list);
/* By canonical name; NULL when there is none. */
struct setting_def *setting_def_list_find(const struct setting_def_list *list, const char *name);

struct plugin_command {
    char *name;
    char *args;        /* unsplit, unexpanded */
    char *description; /* NULL when there is none */
    char *executable;  /* NULL: the plugin's */
    struct value *container_spec;
};

#endif
