/* pipeline/run_log.h - where the log and the record of a run are kept. */
#ifndef PIPELINE_RUN_LOG_H
#define PIPELINE_RUN_LOG_H

#include "base/error.h"
#include "base/strmap.h"
#include "project/project.h"

/* Creates the directory and the log, sends further log events there, and leaves a symlink where
 * Meltano's own 'logs' command looks (when that can be made). *log_path is the caller's. */
int run_log_open(const struct project *project, const struct strmap *environ_map,
                 const char *state_id, const char *run_id, char **log_path, struct error *err);
/* Under Airflow it is said where the whole log is. */
void run_log_close(const char *log_path);
/* run.json beside the log; the caller frees it. */
char *run_log_record_path(const char *log_path);
/* Writes it; a failure is only warned about. */
void run_log_write_record(const char *log_path, const char *record_json);

#endif
