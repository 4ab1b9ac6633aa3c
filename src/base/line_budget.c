#include "base/line_budget.h"

static void regain(struct line_budget *budget, int64_t now_us)
{
    int64_t passed = now_us - budget->seen_us;

    /* A clock that was set back takes nothing away. */
    if (passed > 0)
        budget->spent_us = budget->spent_us > passed ? budget->spent_us - passed : 0;
    budget->seen_us = now_us;
}

static bool has_room(const struct line_budget *budget, unsigned lines)
{
    return budget->spent_us + lines * LINE_BUDGET_REGAIN_US <=
           LINE_BUDGET_BURST * LINE_BUDGET_REGAIN_US;
}

bool line_budget_take(struct line_budget *budget, unsigned lines, int64_t now_us)
{
    unsigned needed = budget->is_closed && lines < LINE_BUDGET_PIECE ? LINE_BUDGET_PIECE : lines;

    regain(budget, now_us);
    budget->is_closed = !has_room(budget, needed);
    if (budget->is_closed)
        budget->left_out += lines;
    else
        budget->spent_us += lines * LINE_BUDGET_REGAIN_US;
    return !budget->is_closed;
}
