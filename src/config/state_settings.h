/* config/state_settings.h - the state backend that the project's settings choose. */
#ifndef CONFIG_STATE_SETTINGS_H
#define CONFIG_STATE_SETTINGS_H

#include "base/error.h"
#include "config/config.h"
#include "store/state_backend.h"

#include <stdbool.h>

/* Opens the backend of the setting state_backend.uri. store must outlive it. The caller owns
 * *out. */
int config_open_state_backend(struct config *config, struct store *store,
                              struct state_backend **out, struct error *err);

/* Whether it is one of the Python Meltano only. */
int config_state_backend_is_foreign(struct config *config, bool *out, struct error *err);

#endif
