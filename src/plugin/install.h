/* plugin/install.h - the virtual environments of plugins (spec 8.1). */
#ifndef PLUGIN_INSTALL_H
#define PLUGIN_INSTALL_H

#include "base/error.h"
#include "config/config.h"

#include <stdbool.h>

struct install_options {
    bool clean;      /* make the environment anew */
    bool force;      /* install although it is up to date; --ignore-requires-python with pip */
    int parallelism; /* 0: as many as there are processors; < 0: no limit */
    bool automatic;  /* before a run: silent when there is nothing to do; a pip_url with an unset
                        variable is passed over with a warning */
};

struct install_result {
    size_t installed, up_to_date, skipped, failed;
};

/* Installs the plugins (each at most once per directory), several at a time. Failures of single
 * plugins are counted in result and reported as they happen; -1 (ERR_INSTALL) when any failed. */
int plugins_install(struct config *config, struct plugin *const *plugins, size_t count,
                    const struct install_options *options, struct install_result *result,
                    struct error *err);

/* Whether the plugin's environment is there with the right fingerprint. */
int plugin_is_installed(struct config *config, struct plugin *plugin, bool *out, struct error *err);

#endif
