#include "base/diff.h"

#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CONTEXT 3
/* Beyond this many pairs of lines the whole middle counts as replaced. */
#define MOST_PAIRS 4000000

struct line {
    const char *text; /* not terminated */
    size_t length;    /* with its newline, if it has one */
};

struct lines {
    struct line *items;
    size_t count, capacity;
};

/* One step from the old text to the new one: keep (' '), remove ('-') or add ('+') a line. */
struct step {
    char sign;
    struct line line;
};

struct steps {
    struct step *items;
    size_t count, capacity;
};

static void split(struct lines *lines, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        length += text[length] == '\n';
        GROW(lines->items, lines->count, lines->capacity);
        lines->items[lines->count++] = (struct line){text, length};
        text += length;
    }
}

static bool is_same(const struct line *a, const struct line *b)
{
    return a->length == b->length && !memcmp(a->text, b->text, a->length);
}

static void add_step(struct steps *steps, char sign, struct line line)
{
    GROW(steps->items, steps->count, steps->capacity);
    steps->items[steps->count++] = (struct step){sign, line};
}

/* The longest common subsequence: common[i][j] is its length from lines i and j on. */
static void compare_middle(struct steps *steps, const struct line *old, size_t old_count,
                           const struct line *new, size_t new_count)
{
    size_t width = new_count + 1, i = 0, j = 0;
    bool is_small = old_count * new_count <= MOST_PAIRS;
    auto_free uint32_t *common = xcalloc(is_small ? (old_count + 1) * width : 1, sizeof *common);

    for (size_t row = old_count; is_small && row-- > 0;)
        for (size_t column = new_count; column-- > 0;) {
            uint32_t below = common[(row + 1) * width + column];
            uint32_t right = common[row * width + column + 1];

            if (is_same(&old[row], &new[column]))
                common[row * width + column] = common[(row + 1) * width + column + 1] + 1;
            else
                common[row * width + column] = below > right ? below : right;
        }
    while (i < old_count || j < new_count) {
        if (is_small && i < old_count && j < new_count && is_same(&old[i], &new[j])) {
            add_step(steps, ' ', old[i++]);
            j++;
        } else if (i < old_count && (!is_small || j == new_count ||
                                     common[(i + 1) * width + j] >= common[i * width + j + 1])) {
            add_step(steps, '-', old[i++]);
        } else {
            add_step(steps, '+', new[j++]);
        }
    }
}

static void compare(struct steps *steps, const struct lines *old, const struct lines *new)
{
    size_t least = old->count < new->count ? old->count : new->count;
    size_t head = 0, tail = 0;

    while (head < least && is_same(&old->items[head], &new->items[head]))
        head++;
    while (tail < least - head &&
           is_same(&old->items[old->count - 1 - tail], &new->items[new->count - 1 - tail]))
        tail++;
    for (size_t i = 0; i < head; i++)
        add_step(steps, ' ', old->items[i]);
    compare_middle(steps, old->items ? old->items + head : NULL, old->count - head - tail,
                   new->items ? new->items + head : NULL, new->count - head - tail);
    for (size_t i = old->count - tail; i < old->count; i++)
        add_step(steps, ' ', old->items[i]);
}

static void print_step(struct strbuf *out, const struct step *step)
{
    strbuf_add_char(out, step->sign);
    strbuf_add_bytes(out, step->line.text, step->line.length);
    if (step->line.text[step->line.length - 1] != '\n')
        strbuf_add(out, "\n\\ No newline at end of file\n");
}

/* "12,3"; the line before the first one when there is none. */
static void print_range(struct strbuf *out, size_t first, size_t count)
{
    strbuf_addf(out, "%zu", count ? first : first - 1);
    if (count != 1)
        strbuf_addf(out, ",%zu", count);
}

/* The steps from begin to end, of which the first are lines old_line and new_line. */
static void print_hunk(struct strbuf *out, const struct steps *steps, size_t begin, size_t end,
                       size_t old_line, size_t new_line)
{
    size_t old_count = 0, new_count = 0;

    for (size_t i = begin; i < end; i++) {
        old_count += steps->items[i].sign != '+';
        new_count += steps->items[i].sign != '-';
    }
    strbuf_add(out, "@@ -");
    print_range(out, old_line, old_count);
    strbuf_add(out, " +");
    print_range(out, new_line, new_count);
    strbuf_add(out, " @@\n");
    for (size_t i = begin; i < end; i++)
        print_step(out, &steps->items[i]);
}

/* Where the hunk that begins at `at` ends: after the last change that has no gap wider than two
 * contexts before it. */
static size_t find_hunk_end(const struct steps *steps, size_t at)
{
    size_t last_change = at;

    for (size_t i = at; i < steps->count && i - last_change <= 2 * CONTEXT; i++)
        if (steps->items[i].sign != ' ')
            last_change = i;
    return last_change + 1 + CONTEXT < steps->count ? last_change + 1 + CONTEXT : steps->count;
}

static void print_hunks(struct strbuf *out, const struct steps *steps)
{
    size_t old_line = 1, new_line = 1, at = 0;

    while (at < steps->count) {
        size_t change = at, begin, end;

        while (change < steps->count && steps->items[change].sign == ' ')
            change++;
        if (change == steps->count)
            return;
        begin = change - at > CONTEXT ? change - CONTEXT : at;
        old_line += begin - at;
        new_line += begin - at;
        end = find_hunk_end(steps, change);
        print_hunk(out, steps, begin, end, old_line, new_line);
        for (at = begin; at < end; at++) {
            old_line += steps->items[at].sign != '+';
            new_line += steps->items[at].sign != '-';
        }
    }
}

void strbuf_add_diff(struct strbuf *out, const char *old_name, const char *old_text,
                     const char *new_name, const char *new_text)
{
    struct lines old = {NULL, 0, 0}, new = {NULL, 0, 0};
    struct steps steps = {NULL, 0, 0};

    if (!strcmp(old_text, new_text))
        return;
    split(&old, old_text);
    split(&new, new_text);
    compare(&steps, &old, &new);
    strbuf_addf(out, "--- %s\n+++ %s\n", old_name ? old_name : "/dev/null",
                new_name ? new_name : "/dev/null");
    print_hunks(out, &steps);
    free(old.items);
    free(new.items);
    free(steps.items);
}
