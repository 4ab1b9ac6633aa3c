/* process/loop.h - one thread that waits for everything: descriptors, timers, ends of processes
 * and signals.
 *
 * A watch belongs to the loop until it is removed with loop_unwatch(), which any callback may do,
 * to its own watch or to another. Descriptors are never owned. Callbacks run one at a time, from
 * loop_run() or loop_run_once(), which they must not call. A descriptor may have several watches.
 */
#ifndef PROCESS_LOOP_H
#define PROCESS_LOOP_H

#include "process/process.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_watch;

struct loop *loop_new(void);
/* Removes all watches. NULL is fine. */
void loop_free(struct loop *loop);

/* What a descriptor is watched for, and what a callback is told. A read watch is also told
 * LOOP_READ at the end of input, a write watch LOOP_WRITE when the reader went away: the next
 * read() or write() says so. LOOP_HANGUP alone waits for just that: on the writing end of a pipe
 * it comes when the last reader has closed it. Regular files are always ready. */
#define LOOP_READ   1u
#define LOOP_WRITE  2u
#define LOOP_HANGUP 4u

struct loop_watch *loop_watch_fd(struct loop *loop, int fd, unsigned events,
                                 void (*notify)(void *context, unsigned events), void *context);
/* events 0: pause; the watch stays. */
void loop_watch_set_events(struct loop_watch *watch, unsigned events);

/* Calls after delay_ms, then every period_ms (0: only once; the watch stays and can be set anew).
 * delay_ms < 0: does not run yet. A period that was missed is not made up for. */
struct loop_watch *loop_watch_timer(struct loop *loop, int64_t delay_ms, int64_t period_ms,
                                    void (*notify)(void *context), void *context);
void loop_timer_set(struct loop_watch *watch, int64_t delay_ms);

/* Calls once when the process has ended (process->end is filled); the watch is removed then. */
struct loop_watch *loop_watch_process(struct loop *loop, struct process *process,
                                      void (*notify)(void *context, struct process *process),
                                      void *context);

/* Calls for every SIGTERM, SIGINT and SIGHUP from now on until the watch is removed. */
struct loop_watch *loop_watch_signals(struct loop *loop,
                                      void (*notify)(void *context, int signal_number),
                                      void *context);

/* NULL is fine. */
void loop_unwatch(struct loop_watch *watch);

/* Waits until something happens (at most timeout_ms; < 0: without limit) and tells everyone whom
 * it concerns. True when anything happened. */
bool loop_run_once(struct loop *loop, int64_t timeout_ms);
/* Runs until loop_stop() was called or nothing is watched any more. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
