/* pipeline/record_line.h - the run record as the last line of standard output.
 *
 * Airflow keeps that line as the task's XCom, in its own database. So the line is bounded, whereas
 * the record in the system database and beside the log is always whole. */
#ifndef PIPELINE_RECORD_LINE_H
#define PIPELINE_RECORD_LINE_H

#include "base/value.h"

/* Bytes. Written as a JSON string, as Airflow does, it still fits a column of 64 KiB. */
#define RECORD_LINE_LIMIT 49152

/* The record as one line without a line feed. When it is longer than the limit, its lists keep what
 * matters most (the streams with the most records; what failed), in their order, and "left_out"
 * says how many entries are missing and that they are in the file whole_path (NULL: nowhere). The
 * caller frees it. */
char *record_line(const struct value *record, const char *whole_path);

#endif
