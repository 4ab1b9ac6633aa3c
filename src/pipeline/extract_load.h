/* pipeline/extract_load.h - one extractor, its mappers and its loader, from start to end. */
#ifndef PIPELINE_EXTRACT_LOAD_H
#define PIPELINE_EXTRACT_LOAD_H

#include "base/error.h"
#include "config/config.h"
#include "pipeline/plan.h"
#include "pipeline/run_record.h"
#include "pipeline/run_settings.h"
#include "pipeline/state_writer.h"
#include "plugin/plugin_run.h"

#include <stdbool.h>
#include <stdint.h>

struct extract_load {
    struct config *config;
    const struct block *block;
    struct invocation_options invocation; /* of the extractor; others use its run directory */
    struct state_writer *states;          /* is ended and closed */
    const struct run_settings *settings;
    int64_t deadline_ms; /* clock_monotonic_ms() at which --timeout runs out; 0: never */
    /* The record of the run if it were killed now; asked for while record is being filled in. The
     * result is freed. */
    char *(*record_if_killed)(void *context);
    void *context;
};

/* Prepares, starts and supervises the processes, and fills record in. Returns when every process
 * was waited for and everything the loader confirmed is committed, or kept where the error says: 0
 * when all of them ended with exit status 0 and nothing had to be kept, else -1 with the culprit
 * named. */
int extract_load_run(const struct extract_load *run, struct block_record *record,
                     struct error *err);

#endif
