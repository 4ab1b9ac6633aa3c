#include "base/deadline.h"

#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t give_up_ms;
static bool (*interruption)(void);

void deadline_set(int64_t at_ms)
{
    atomic_store(&give_up_ms, at_ms);
}

void deadline_set_interruption(bool (*was_interrupted)(void))
{
    interruption = was_interrupted;
}

int64_t deadline_left_ms(int64_t limit_ms)
{
    int64_t at_ms = atomic_load(&give_up_ms), left_ms;

    if (interruption && interruption())
        return 0;
    if (!at_ms)
        return limit_ms;
    left_ms = at_ms - clock_monotonic_ms();
    if (left_ms > limit_ms)
        return limit_ms;
    return left_ms > 0 ? left_ms : 0;
}

bool deadline_has_passed(void)
{
    return deadline_left_ms(1) == 0;
}

void deadline_sleep_ms(int64_t ms)
{
    int64_t until_ms = clock_monotonic_ms() + ms, left_ms;

    while ((left_ms = deadline_left_ms(until_ms - clock_monotonic_ms())) > 0) {
        int64_t slice_ms = left_ms < DEADLINE_SLICE_MS ? left_ms : DEADLINE_SLICE_MS;

        nanosleep(&(struct timespec){.tv_nsec = slice_ms * 1000000}, NULL);
    }
}
