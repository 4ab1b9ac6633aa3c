/* process/message_scan.h - counts the Singer messages in a stream of bytes, cut anywhere. Private
 * to src/process; what is counted is in relay.h. */
#ifndef PROCESS_MESSAGE_SCAN_H
#define PROCESS_MESSAGE_SCAN_H

#include "process/message_ring.h"
#include "process/relay.h"

#include <stddef.h>
#include <stdint.h>

struct message_scan;

struct message_scan *message_scan_new(struct relay_counts *counts);
/* From now on the last messages are kept in the ring, which is the caller's. */
void message_scan_keep(struct message_scan *scan, struct message_ring *ring);
void message_scan_free(struct message_scan *scan);
/* now_us: when these bytes passed. */
void message_scan_bytes(struct message_scan *scan, const char *bytes, size_t size, int64_t now_us);
/* Keeps the line that has not ended yet. */
void message_scan_keep_unfinished(struct message_scan *scan);
/* At the end of input: a last line without a line feed is a line. */
void message_scan_end(struct message_scan *scan, int64_t now_us);

#endif
