/* base/clock.h - the time, in one place, so that tests can set it. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/strbuf.h"

#include <stdint.h>

/* Microseconds since 1970-01-01 00:00 UTC. */
int64_t clock_now_us(void);
/* Milliseconds that never jump back; for durations and deadlines. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
/* Tests: clock_now_us() answers this from now on; negative gives the real clock back. */
void clock_set_for_tests(int64_t now_us);

/* 2026-11-22T12:19:01.981268Z */
void strbuf_add_iso_time(struct strbuf *out, int64_t time_us);
/* 2026-11-22 12:19:01.981268, the form of Meltano's SQLite columns (always six decimals, UTC). */
void strbuf_add_sql_time(struct strbuf *out, int64_t time_us);
/* As Python's str() of an aware UTC time prints it: with separator 'T' or ' ', "+00:00" at the
 * end, and the decimals left out when they are zero. */
void strbuf_add_py_time(struct strbuf *out, int64_t time_us, char separator);
/* Reads either of the forms above (with or without zone; none means UTC). 0 or -1. */
int clock_parse(const char *text, int64_t *time_us);

#endif
