/* plugin/install.h - the virtual environments of plugins: at Meltano's paths and with Meltano's
 * fingerprints, so that either program accepts what the other installed.
 *
 * uv makes the environments when it is on the PATH or beside a Python Meltano, unless venv.backend
 * says virtualenv; else the Python's own venv and pip do. What an installer prints goes to
 * <sys>/logs/pip/<plural>/<dir name>/install.log. The environment that was there before stays until
 * the new one is complete, and comes back when that fails. */
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

/* Installs the plugins (each environment once, a mapping with its mapper), several at a time. Logs
 * what it does in Meltano's words, but for "Installing N plugins", which is the command's; on a
 * terminal it also shows a live line for each installer that runs. A failure does not stop the
 * others: it is counted and reported when it happens, with the installer's last lines. -1 when any
 * failed (ERR_INSTALL), or after SIGINT (ERR_INTERRUPTED) or SIGTERM (ERR_TERMINATED), which end
 * the installers and undo what they did. */
int plugins_install(struct config *config, struct plugin *const *plugins, size_t count,
                    const struct install_options *options, struct install_result *result,
                    struct error *err);

/* Whether the plugin's environment is there with the right fingerprint, or it needs none. */
int plugin_is_installed(struct config *config, struct plugin *plugin, bool *out, struct error *err);

#endif
