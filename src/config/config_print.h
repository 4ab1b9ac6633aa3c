/* config/config_print.h - what 'config print' and 'config list' show. */
#ifndef CONFIG_CONFIG_PRINT_H
#define CONFIG_CONFIG_PRINT_H

#include "base/error.h"
#include "base/strbuf.h"
#include "config/config.h"

#include <stdbool.h>

struct config_print_options {
    bool as_env; /* KEY='value' lines instead of JSON */
    bool extras; /* extras only; else ordinary settings only */
    bool unsafe; /* show secrets */
};

/* plugin NULL: the settings of the project. Appends to out, ending in a newline. */
int config_print(struct config *config, struct plugin *plugin,
                 const struct config_print_options *options, struct strbuf *out, struct error *err);

struct config_list_options {
    bool extras;        /* extras only */
    bool all;           /* optional settings at their defaults too */
    const char *filter; /* part of a name; NULL or blank: none */
    bool unsafe;
};

int config_list(struct config *config, struct plugin *plugin,
                const struct config_list_options *options, struct strbuf *out, struct error *err);

/* "the environment", "`meltano.yml`": where a value comes from or goes to, in Meltano's words. */
const char *setting_source_label(enum setting_source source);
/* Appends "from the X variable in the environment", "inherited from 'y'", "default", ... */
void strbuf_add_setting_origin(struct strbuf *out, const struct setting *setting);
/* Python's repr() of a setting's value. */
void strbuf_add_setting_repr(struct strbuf *out, const struct setting *setting);

#endif
