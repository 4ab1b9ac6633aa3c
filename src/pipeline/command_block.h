/* pipeline/command_block.h - one command of a plugin within a run ("dbt:run"). */
#ifndef PIPELINE_COMMAND_BLOCK_H
#define PIPELINE_COMMAND_BLOCK_H

#include "base/error.h"
#include "config/config.h"
#include "pipeline/plan.h"
#include "pipeline/run_record.h"
#include "pipeline/run_settings.h"

#include <stdint.h>

/* Runs the command with its output going to the log. deadline_ms as in extract_load.h. */
int command_block_run(struct config *config, const struct block *block,
                      const struct run_settings *settings, int64_t deadline_ms,
                      struct block_record *record, struct error *err);

#endif
