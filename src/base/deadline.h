/* base/deadline.h - the time at which this process gives up waiting for others.
 *
 * A run that was told to end has seconds to do so, whatever a server does. Everything that waits
 * for one asks here how long it may. One deadline for the whole process, set from any thread: waits
 * that have begun notice it within DEADLINE_SLICE_MS. */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#define DEADLINE_SLICE_MS 100

/* clock_monotonic_ms(); 0: none. */
void deadline_set(int64_t at_ms);
/* Until it is set to NULL, the deadline has passed as soon as was_interrupted() is true, too: for
 * the time in which nobody looks after signals. Not while there are other threads. */
void deadline_set_interruption(bool (*was_interrupted)(void));
bool deadline_has_passed(void);
/* limit_ms, or less when the deadline comes before; never negative. */
int64_t deadline_left_ms(int64_t limit_ms);
/* Sleeps until the deadline at most. */
void deadline_sleep_ms(int64_t ms);

#endif
