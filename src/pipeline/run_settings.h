/* pipeline/run_settings.h - how runs of a project are watched and ended:
 *
 *     annotations:
 *       meltshim:
 *         run:
 *           idle_timeout: 900     # seconds without a byte; 0, the default: no limit
 *           stop_grace: 5         # seconds from a signal to the end of everything
 *           database_patience: 30 # seconds to wait at the end for a database that is away
 *           state_versions: 10000 # how many versions of a state the ledger keeps; 0: all
 *           flight_recorder: true # keep the last messages of a run that failed
 *
 * Meltano ignores annotations. An option or its variable wins over them. */
#ifndef PIPELINE_RUN_SETTINGS_H
#define PIPELINE_RUN_SETTINGS_H

#include "base/error.h"
#include "pipeline/run_command.h"
#include "project/project.h"

#include <stdbool.h>
#include <stdint.h>

/* However short the patience with the database is, so long a server may take to answer at the end.
 */
#define DATABASE_ANSWER_MS 5000

/* What an option says as milliseconds; of more than ten years, those of ten years. */
int64_t run_seconds_to_ms(int64_t seconds);

struct run_settings {
    int64_t idle_timeout_ms; /* 0: none */
    int64_t stop_grace_ms;
    int64_t database_patience_ms;
    int64_t state_versions; /* 0: all */
    bool flight_recorder;
};

int run_settings_read(const struct project *project, const struct run_options *options,
                      struct run_settings *out, struct error *err);

#endif
