/* pipeline/flight_recorder.h - what passed last in a load that failed, in a file beside its log.
 *
 * The file can hold personal data, for it has records as they passed, so nobody but its owner may
 * read it, it is written for failed runs only, and a setting turns it off (run_settings.h). */
#ifndef PIPELINE_FLIGHT_RECORDER_H
#define PIPELINE_FLIGHT_RECORDER_H

#include "base/strlist.h"
#include "pipeline/run_record.h"
#include "process/message_ring.h"

/* What one process wrote last. Everything is borrowed. */
struct flight_process {
    const char *plugin;
    enum process_role role;
    const struct message_ring *messages; /* its standard output; NULL: nothing was kept */
    const struct strlist *error_lines;
};

/* Writes flight.json (meltshim.flight/1) into the directory of the log, known secrets masked. The
 * caller frees the path; NULL, and a warning, when it cannot be written. */
char *flight_recorder_write(const char *log_path, const char *run_id,
                            const struct flight_process *processes, size_t count);

#endif
