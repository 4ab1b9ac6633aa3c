/* base/line_budget.h - how many lines of a flood are let through: a burst, and then so many as its
 * room grows again. */
#ifndef BASE_LINE_BUDGET_H
#define BASE_LINE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A few hundred lines an hour in all: the burst, then one for each half minute. */
#define LINE_BUDGET_BURST     100
#define LINE_BUDGET_REGAIN_US (30 * INT64_C(1000000))
/* Once it is used up, nothing passes until there is room for so many again: a flood is then shown
 * in pieces that can be read, and not as single lines. */
#define LINE_BUDGET_PIECE 20

/* Zeroed: unused, with all its room. */
struct line_budget {
    int64_t spent_us; /* what the lines have cost in time, less what has passed */
    int64_t seen_us;  /* when that was last worked out */
    bool is_closed;   /* lines are left out at present */
    uint64_t left_out;
};

/* Takes lines out of the budget at a time (clock_now_us()). False: they are to be left out. */
bool line_budget_take(struct line_budget *budget, unsigned lines, int64_t now_us);

#endif
