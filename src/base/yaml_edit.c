#include "base/yaml_edit.h"

#include "base/memory.h"
#include "base/position.h"
#include "base/yaml.h"
#include "base/yaml_node.h"
#include "base/yaml_render.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* Lists whose differing middles are larger than this are not searched for moved items. */
#define MAX_ALIGNMENT 1000000

/* Replaces [start, end) of the old text. */
struct splice {
    size_t start, end;
    size_t sequence; /* splices at one place keep the order in which they were made */
    char *text;
};

struct editor {
    const char *text;
    size_t length;
    struct block_style style;
    struct splice *splices;
    size_t count, capacity;
};

/* Where a node stands: decides how what replaces it is written. */
enum place_kind { PLACE_ROOT, PLACE_AFTER_KEY, PLACE_IN_LIST };

struct place {
    enum place_kind kind;
    bool is_flow;                /* inside [] or {} */
    const struct text_node *key; /* of PLACE_AFTER_KEY */
    size_t column;               /* of the key, or of the dash */
};

static void reconcile(struct editor *editor, const struct place *place,
                      const struct text_node *node, const struct value *now,
                      const struct value *want);

/* Text ------------------------------------------------------------------------------------- */

static void add_splice(struct editor *editor, size_t start, size_t end, char *text)
{
    assert(start <= end && end <= editor->length);
    GROW(editor->splices, editor->count, editor->capacity);
    editor->splices[editor->count] = (struct splice){start, end, editor->count, text};
    editor->count++;
}

static void delete_text(struct editor *editor, size_t start, size_t end)
{
    add_splice(editor, start, end, xstrdup(""));
}

static size_t line_start(const struct editor *editor, size_t at)
{
    while (at > 0 && editor->text[at - 1] != '\n')
        at--;
    return at;
}

/* Where the line ends that at is in: at its line break, or at the end of the text. */
static size_t line_end(const struct editor *editor, size_t at)
{
    const char *newline = memchr(editor->text + at, '\n', editor->length - at);
    size_t end = newline ? (size_t)(newline - editor->text) : editor->length;

    return end > at && newline && editor->text[end - 1] == '\r' ? end - 1 : end;
}

static size_t next_line(const struct editor *editor, size_t at)
{
    const char *newline = memchr(editor->text + at, '\n', editor->length - at);

    return newline ? (size_t)(newline - editor->text) + 1 : editor->length;
}

static size_t column_of(const struct editor *editor, size_t at)
{
    return at - line_start(editor, at);
}

static size_t skip_blanks(const struct editor *editor, size_t at)
{
    while (at < editor->length && (editor->text[at] == ' ' || editor->text[at] == '\t'))
        at++;
    return at;
}

static bool begins_its_line(const struct editor *editor, size_t at)
{
    return skip_blanks(editor, line_start(editor, at)) == at;
}

/* Past the lines that hold nothing but a comment that is indented so far: they belong to what
 * precedes them. */
static size_t skip_comments(const struct editor *editor, size_t at, size_t column)
{
    while (at < editor->length) {
        size_t first = skip_blanks(editor, at);

        if (first >= editor->length || editor->text[first] != '#' || first - at < column)
            break;
        at = next_line(editor, at);
    }
    return at;
}

/* Inserts lines (without a line break at the end) before the line that begins at at. */
static void insert_lines(struct editor *editor, size_t at, size_t column, struct strbuf *lines)
{
    struct strbuf text = STRBUF_INIT;
    bool needs_break = at > 0 && editor->text[at - 1] != '\n';

    if (needs_break)
        strbuf_add(&text, editor->style.newline);
    strbuf_add_repeat(&text, ' ', column);
    strbuf_add(&text, strbuf_text(lines));
    if (!needs_break)
        strbuf_add(&text, editor->style.newline);
    add_splice(editor, at, at, strbuf_take(&text));
}

/* The style of the document: that of its first nested collections. ------------------------- */

struct found_style {
    bool has_map, has_list;
};

static void detect_style(struct editor *editor, const struct text_node *node,
                         struct found_style *found)
{
    if (node->is_flow)
        return;
    for (size_t i = 0; i < node->count; i++) {
        const struct text_node *item = node->items[i];
        bool is_value = node->kind == NODE_MAP && i % 2 == 1;
        size_t key_column = is_value ? column_of(editor, node->items[i - 1]->start) : 0;
        bool is_block = !item->is_flow && item->count;

        if (is_value && is_block && item->kind == NODE_MAP && !found->has_map) {
            size_t column = column_of(editor, item->items[0]->start);

            found->has_map = column > key_column;
            editor->style.map_indent = found->has_map ? column - key_column : 2;
        }
        if (is_value && is_block && item->kind == NODE_LIST && !found->has_list) {
            size_t first = skip_blanks(editor, line_start(editor, item->items[0]->start));

            found->has_list =
                editor->text[first] == '-' && first >= line_start(editor, first) + key_column;
            if (found->has_list)
                editor->style.list_indent = column_of(editor, first) - key_column;
        }
        detect_style(editor, item, found);
    }
}

/* Replacing -------------------------------------------------------------------------------- */

static char *render_inline(const struct value *want, const struct text_node *node)
{
    struct strbuf text = STRBUF_INIT;
    bool is_quoted = node && (node->quote == '\'' || node->quote == '"');

    strbuf_add_yaml_inline(&text, want, is_quoted ? node->quote : '\0');
    return strbuf_take(&text);
}

static bool is_block_collection(const struct text_node *node)
{
    return (node->kind == NODE_MAP || node->kind == NODE_LIST) && !node->is_flow;
}

/* Behind the ':' of a key. */
static size_t find_colon_end(const struct editor *editor, const struct text_node *key)
{
    size_t at = skip_blanks(editor, key->end);

    return at < editor->length && editor->text[at] == ':' ? at + 1 : key->end;
}

/* {a, b:, c: } has values that take no room. */
static void fill_empty_flow_value(struct editor *editor, const struct place *place,
                                  const struct text_node *node, const char *text)
{
    bool has_colon =
        place->kind != PLACE_AFTER_KEY || find_colon_end(editor, place->key) > place->key->end;
    bool has_blank = node->start > 0 && editor->text[node->start - 1] == ' ';

    add_splice(editor, node->start, node->end,
               xasprintf("%s%s%s", has_colon ? "" : ":", has_colon && has_blank ? "" : " ", text));
}

static void replace_with_inline(struct editor *editor, const struct place *place,
                                const struct text_node *node, const struct value *want)
{
    auto_free char *text = render_inline(want, node);
    size_t colon_end, first_line_end;

    if (place->is_flow && node->start == node->end) {
        fill_empty_flow_value(editor, place, node, text);
        return;
    }
    if (place->kind != PLACE_AFTER_KEY || (!is_block_collection(node) && node->start < node->end)) {
        /* An empty item: "-". */
        bool is_empty = place->kind == PLACE_IN_LIST && node->start == node->end &&
                        node->start > 0 && editor->text[node->start - 1] == '-';

        add_splice(editor, node->start, node->end,
                   is_empty ? xasprintf(" %s", text) : xstrdup(text));
        return;
    }
    colon_end = find_colon_end(editor, place->key);
    first_line_end = line_end(editor, colon_end);
    add_splice(editor, colon_end, colon_end, xasprintf(" %s", text));
    /* Comments between the key and a collection below it stay. */
    if (node->start > first_line_end)
        delete_text(editor, line_start(editor, node->start), next_line(editor, node->end));
    else
        delete_text(editor, colon_end, node->end);
}

static void replace_after_key(struct editor *editor, const struct place *place,
                              const struct text_node *node, const struct value *want)
{
    size_t colon_end = find_colon_end(editor, place->key);
    size_t first_line_end = line_end(editor, colon_end);
    struct strbuf text = STRBUF_INIT;

    strbuf_add_yaml_after_key(&text, want, place->column, &editor->style);
    if (node->start > first_line_end) {
        add_splice(editor, line_start(editor, node->start), node->end,
                   xstrdup(strbuf_text(&text) + strlen(editor->style.newline)));
        strbuf_clear(&text);
        return;
    }
    delete_text(editor, colon_end, node->end);
    first_line_end = line_end(editor, node->end);
    add_splice(editor, first_line_end, first_line_end, strbuf_take(&text));
}

static void replace(struct editor *editor, const struct place *place, const struct text_node *node,
                    const struct value *want)
{
    bool stays_flow = node->is_flow && node->count && value_count(want) &&
                      value_is_map(want) == (node->kind == NODE_MAP);
    struct strbuf text = STRBUF_INIT;

    if (place->is_flow || stays_flow || !value_count(want)) {
        replace_with_inline(editor, place, node, want);
    } else if (place->kind == PLACE_AFTER_KEY) {
        replace_after_key(editor, place, node, want);
    } else {
        size_t column = place->kind == PLACE_IN_LIST ? column_of(editor, node->start) : 0;

        /* An empty item takes no room behind its dash. */
        if (place->kind == PLACE_IN_LIST && column < place->column + 2) {
            column = place->column + 2;
            strbuf_add_char(&text, ' ');
        }
        strbuf_add_yaml_block(&text, want, column, &editor->style);
        add_splice(editor, node->start, node->end, strbuf_take(&text));
    }
}

/* Runs of parts: the pairs of a mapping or the items of a list ------------------------------ */

/* A pair or an item, and what becomes of it. */
struct part {
    size_t start, end; /* from its key or dash to the end of its value */
    bool is_kept;
};

/* The part is gone, up to the next one that stays, in a line that begins with something else. */
static void delete_leading_parts(struct editor *editor, const struct part *parts, size_t count)
{
    size_t kept = 0;

    while (kept < count && !parts[kept].is_kept)
        kept++;
    if (kept && kept < count)
        delete_text(editor, parts[0].start, parts[kept].start);
}

static void delete_block_parts(struct editor *editor, const struct part *parts, size_t count)
{
    bool leads = count && !begins_its_line(editor, parts[0].start);
    bool is_leading = leads;

    if (leads)
        delete_leading_parts(editor, parts, count);
    for (size_t i = 0; i < count; i++) {
        is_leading = is_leading && !parts[i].is_kept;
        if (!parts[i].is_kept && !is_leading)
            delete_text(editor, line_start(editor, parts[i].start),
                        next_line(editor, parts[i].end));
    }
}

/* Between commas: a part goes with the comma behind it, the last ones with the comma before. */
static void delete_flow_parts(struct editor *editor, const struct part *parts, size_t count)
{
    size_t last_kept = count;

    for (size_t i = 0; i < count; i++)
        if (parts[i].is_kept)
            last_kept = i;
    assert(last_kept < count);
    for (size_t i = 0; i < last_kept; i++)
        if (!parts[i].is_kept)
            delete_text(editor, parts[i].start, parts[i + 1].start);
    if (last_kept + 1 < count)
        delete_text(editor, parts[last_kept].end, parts[count - 1].end);
}

static bool keeps_any(const struct part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parts[i].is_kept)
            return true;
    return false;
}

/* Mappings --------------------------------------------------------------------------------- */

/* The members of a mapping that its own text gives, in the order of the text: all but those that
 * come out of "<<", which stand behind them. */
static size_t count_own_members(const struct text_node *node)
{
    size_t count = 0;

    for (size_t i = 0; i < node->count; i += 2)
        count += !node->items[i]->is_merge_key;
    return count;
}

static bool is_member_to_add(const struct value *now, size_t own_count,
                             const struct value_member *member)
{
    const struct value_member *there = value_find(now, member->key);

    /* What "<<" gives already needs no text of its own. */
    return !there || ((size_t)(there - now->map.members) >= own_count &&
                      !value_is_equal(there->value, member->value));
}

static void add_flow_members(struct editor *editor, const struct text_node *node,
                             const struct value *now, const struct value *want)
{
    size_t own_count = count_own_members(node);
    size_t at = node->items[node->count - 1]->end;

    for (size_t i = 0; i < value_count(want); i++) {
        const struct value_member *member = value_member_at(want, i);
        struct strbuf text = STRBUF_INIT;

        if (!is_member_to_add(now, own_count, member))
            continue;
        strbuf_add(&text, ", ");
        strbuf_add_yaml_key(&text, member->key);
        strbuf_add_char(&text, ' ');
        strbuf_add_yaml_inline(&text, member->value, '\0');
        add_splice(editor, at, at, strbuf_take(&text));
    }
}

static void add_block_members(struct editor *editor, const struct text_node *node,
                              const struct value *now, const struct value *want)
{
    size_t own_count = count_own_members(node);
    size_t column = column_of(editor, node->items[0]->start);
    size_t at = next_line(editor, node->items[node->count - 1]->end);

    at = skip_comments(editor, at, column);
    for (size_t i = 0; i < value_count(want); i++) {
        const struct value_member *member = value_member_at(want, i);
        auto_strbuf struct strbuf lines = STRBUF_INIT;

        if (!is_member_to_add(now, own_count, member))
            continue;
        strbuf_add_yaml_key(&lines, member->key);
        strbuf_add_yaml_after_key(&lines, member->value, column, &editor->style);
        insert_lines(editor, at, column, &lines);
    }
}

static void reconcile_map(struct editor *editor, const struct place *place,
                          const struct text_node *node, const struct value *now,
                          const struct value *want)
{
    auto_free struct part *parts = xcalloc(node->count / 2 + 1, sizeof *parts);
    size_t member_at = 0;

    for (size_t i = 0; i + 1 < node->count; i += 2) {
        const struct text_node *key = node->items[i];
        const struct value_member *member = NULL;

        if (!key->is_merge_key)
            member = value_member_at(now, member_at++);
        parts[i / 2] = (struct part){key->start, node->items[i + 1]->end,
                                     !member || value_find(want, member->key)};
    }
    if (!value_count(want) || !keeps_any(parts, node->count / 2)) {
        replace(editor, place, node, want);
        return;
    }
    member_at = 0;
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        const struct place below = {PLACE_AFTER_KEY, place->is_flow || node->is_flow,
                                    node->items[i], column_of(editor, node->items[i]->start)};
        const struct value_member *member;

        if (node->items[i]->is_merge_key)
            continue;
        member = value_member_at(now, member_at++);
        if (parts[i / 2].is_kept)
            reconcile(editor, &below, node->items[i + 1], member->value,
                      value_get(want, member->key));
    }
    if (node->is_flow) {
        delete_flow_parts(editor, parts, node->count / 2);
        add_flow_members(editor, node, now, want);
    } else {
        delete_block_parts(editor, parts, node->count / 2);
        add_block_members(editor, node, now, want);
    }
}

/* Lists ------------------------------------------------------------------------------------ */

/* 2: equal; 1: the same entry with changes, by its name; 0: something else. */
static int likeness(const struct value *a, const struct value *b)
{
    const char *a_name = value_get_text(a, "name"), *b_name = value_get_text(b, "name");

    if (value_is_equal(a, b))
        return 2;
    return a_name && b_name && !strcmp(a_name, b_name);
}

/* Fills partner[i] with the item of want that item i of now becomes, SIZE_MAX for none: the
 * alignment of the two lists that keeps the most, [first, now_end) against [first, want_end). */
static void align_middle(const struct value *now, const struct value *want, size_t first,
                         size_t now_end, size_t want_end, size_t *partner)
{
    size_t rows = now_end - first, columns = want_end - first;
    auto_free unsigned *score = NULL;
    size_t i = 0, k = 0;

    if (rows && columns > MAX_ALIGNMENT / rows)
        return;
    score = xcalloc((rows + 1) * (columns + 1), sizeof *score);
#define SCORE(row, column) score[(row) * (columns + 1) + (column)]
    for (size_t row = rows; row-- > 0;)
        for (size_t column = columns; column-- > 0;) {
            int like = likeness(value_at(now, first + row), value_at(want, first + column));
            unsigned best = SCORE(row + 1, column);

            if (SCORE(row, column + 1) > best)
                best = SCORE(row, column + 1);
            if (like && SCORE(row + 1, column + 1) + (unsigned)like > best)
                best = SCORE(row + 1, column + 1) + (unsigned)like;
            SCORE(row, column) = best;
        }
    while (i < rows && k < columns) {
        int like = likeness(value_at(now, first + i), value_at(want, first + k));

        if (like && SCORE(i, k) == SCORE(i + 1, k + 1) + (unsigned)like)
            partner[first + i++] = first + k++;
        else if (SCORE(i, k) == SCORE(i + 1, k))
            i++;
        else
            k++;
    }
#undef SCORE
}

/* Where one stretch of items replaces another, they replace each other one by one. */
static void pair_the_rest(size_t now_count, size_t want_count, size_t *partner)
{
    size_t next = 0;

    for (size_t i = 0; i < now_count; i++) {
        size_t gap_end = i, limit;

        if (partner[i] != SIZE_MAX) {
            next = partner[i] + 1;
            continue;
        }
        while (gap_end < now_count && partner[gap_end] == SIZE_MAX)
            gap_end++;
        limit = gap_end < now_count ? partner[gap_end] : want_count;
        for (; i < gap_end && next < limit; i++)
            partner[i] = next++;
        i = gap_end - 1;
    }
}

static void align(const struct value *now, const struct value *want, size_t *partner)
{
    size_t now_end = value_count(now), want_end = value_count(want), first = 0;

    for (size_t i = 0; i < now_end; i++)
        partner[i] = SIZE_MAX;
    while (first < now_end && first < want_end &&
           value_is_equal(value_at(now, first), value_at(want, first))) {
        partner[first] = first;
        first++;
    }
    while (now_end > first && want_end > first &&
           value_is_equal(value_at(now, now_end - 1), value_at(want, want_end - 1)))
        partner[--now_end] = --want_end;
    align_middle(now, want, first, now_end, want_end, partner);
    pair_the_rest(value_count(now), value_count(want), partner);
}

/* The dash before a block item; SIZE_MAX when something stands between. */
static size_t find_dash(const struct editor *editor, const struct text_node *item)
{
    size_t at = item->start;

    while (at > 0 && strchr(" \t\r\n", editor->text[at - 1]))
        at--;
    return at > 0 && editor->text[at - 1] == '-' ? at - 1 : SIZE_MAX;
}

static void add_block_item(struct editor *editor, const struct part *parts, size_t part_count,
                           size_t after, size_t column, size_t parent_column,
                           const struct value *item)
{
    auto_strbuf struct strbuf lines = STRBUF_INIT;
    size_t at;

    if (after == SIZE_MAX)
        at = line_start(editor, parts[0].start);
    else
        at = next_line(editor, parts[after].end);
    /* Comments between two items belong to the second, those behind the last one to it, unless
     * they are in the column of the key below which the list stands. */
    if (after != SIZE_MAX && after + 1 == part_count)
        at = skip_comments(editor, at, column > parent_column ? column : column + 1);
    strbuf_add(&lines, "- ");
    strbuf_add_yaml_block(&lines, item, column + 2, &editor->style);
    insert_lines(editor, at, column, &lines);
}

static void add_flow_item(struct editor *editor, const struct part *parts, size_t after,
                          const struct value *item)
{
    struct strbuf text = STRBUF_INIT;
    size_t at = after == SIZE_MAX ? parts[0].start : parts[after].end;

    if (after != SIZE_MAX)
        strbuf_add(&text, ", ");
    strbuf_add_yaml_inline(&text, item, '\0');
    if (after == SIZE_MAX)
        strbuf_add(&text, ", ");
    add_splice(editor, at, at, strbuf_take(&text));
}

/* Adds what has no partner, each behind the item it follows in want. */
static void add_items(struct editor *editor, const struct place *place,
                      const struct text_node *node, const struct part *parts, const size_t *partner,
                      const struct value *want)
{
    size_t column = node->is_flow ? 0 : column_of(editor, parts[0].start);
    size_t after = SIZE_MAX, next = 0;

    for (size_t k = 0; k < value_count(want); k++) {
        while (next < node->count && partner[next] == SIZE_MAX)
            next++;
        if (next < node->count && partner[next] == k) {
            after = next++;
            continue;
        }
        if (node->is_flow)
            add_flow_item(editor, parts, after, value_at(want, k));
        else
            add_block_item(editor, parts, node->count, after, column, place->column,
                           value_at(want, k));
    }
}

static bool find_parts(const struct editor *editor, const struct text_node *node,
                       const size_t *partner, struct part *parts)
{
    for (size_t i = 0; i < node->count; i++) {
        size_t start = node->is_flow ? node->items[i]->start : find_dash(editor, node->items[i]);

        if (start == SIZE_MAX)
            return false;
        parts[i] = (struct part){start, node->items[i]->end, partner[i] != SIZE_MAX};
    }
    return true;
}

static bool adds_before_first(const size_t *partner, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (partner[i] != SIZE_MAX)
            return partner[i] != 0;
    return false;
}

static void reconcile_list(struct editor *editor, const struct place *place,
                           const struct text_node *node, const struct value *now,
                           const struct value *want)
{
    auto_free struct part *parts = xcalloc(node->count + 1, sizeof *parts);
    auto_free size_t *partner = xcalloc(node->count + 1, sizeof *partner);

    align(now, want, partner);
    if (!node->count || !find_parts(editor, node, partner, parts) ||
        !keeps_any(parts, node->count) ||
        (!node->is_flow && adds_before_first(partner, node->count) &&
         !begins_its_line(editor, parts[0].start))) {
        replace(editor, place, node, want);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct place below = {PLACE_IN_LIST, place->is_flow || node->is_flow, NULL,
                                    column_of(editor, parts[i].start)};

        if (parts[i].is_kept)
            reconcile(editor, &below, node->items[i], value_at(now, i), value_at(want, partner[i]));
    }
    if (node->is_flow)
        delete_flow_parts(editor, parts, node->count);
    else
        delete_block_parts(editor, parts, node->count);
    add_items(editor, place, node, parts, partner, want);
}

static void reconcile(struct editor *editor, const struct place *place,
                      const struct text_node *node, const struct value *now,
                      const struct value *want)
{
    if (value_is_equal(now, want))
        return;
    if (node->kind == NODE_MAP && value_is_map(want))
        reconcile_map(editor, place, node, now, want);
    else if (node->kind == NODE_LIST && value_is_list(want))
        reconcile_list(editor, place, node, now, want);
    else
        replace(editor, place, node, want);
}

/* The whole text --------------------------------------------------------------------------- */

static int compare_splices(const void *a, const void *b)
{
    const struct splice *left = a, *right = b;

    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    /* What is inserted at a place comes before what is deleted from there on. */
    if ((left->end == left->start) != (right->end == right->start))
        return left->end == left->start ? -1 : 1;
    return left->sequence < right->sequence ? -1 : 1;
}

static void apply(struct editor *editor, struct strbuf *out)
{
    size_t at = 0;

    if (editor->count)
        qsort(editor->splices, editor->count, sizeof *editor->splices, compare_splices);
    for (size_t i = 0; i < editor->count; i++) {
        const struct splice *splice = &editor->splices[i];

        if (splice->start > at) {
            strbuf_add_bytes(out, editor->text + at, splice->start - at);
            at = splice->start;
        }
        strbuf_add(out, splice->text);
        if (splice->end > at)
            at = splice->end;
    }
    strbuf_add_bytes(out, editor->text + at, editor->length - at);
}

static int check_result(const struct strbuf *text, size_t offset, const char *name,
                        const struct value *want, struct error *err)
{
    auto_value struct value *result = NULL;
    struct error parse_error = {0};

    if (!value_from_yaml(strbuf_text(text) + offset, text->length - offset, name, &result,
                         &parse_error) &&
        value_is_equal(result, want))
        return 0;
    error_set(err, ERR_CONFIG, "%s cannot be changed without changing more than was asked for",
              name);
    return error_hint(err, "Change it by hand. An anchor, or a key that comes out of '<<', is the "
                           "usual reason.");
}

static void free_splices(struct editor *editor)
{
    for (size_t i = 0; i < editor->count; i++)
        free(editor->splices[i].text);
    free(editor->splices);
}

/* A text without a document gets one behind its comments. */
static void write_document(struct editor *editor, const struct value *want)
{
    auto_strbuf struct strbuf lines = STRBUF_INIT;

    strbuf_add_yaml_block(&lines, want, 0, &editor->style);
    insert_lines(editor, editor->length, 0, &lines);
}

int value_edit_yaml(const char *text, size_t length, const char *name, const struct value *want,
                    struct strbuf *out, struct error *err)
{
    const struct place root = {.kind = PLACE_ROOT};
    struct editor editor = {.style = {2, 0, "\n"}};
    auto_text_node struct text_node *node = NULL;
    auto_value struct value *now = NULL;
    struct found_style found = {0};
    const char *newline = memchr(text, '\n', length);
    size_t offset = out->length;

    if (value_from_yaml(text, length, name, &now, err) < 0)
        return -1;
    if (value_is_equal(now, want)) {
        strbuf_add_bytes(out, text, length);
        return 0;
    }
    if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
        strbuf_add_bytes(out, text, 3);
        text += 3;
        length -= 3;
    }
    editor.text = text;
    editor.length = length;
    if (newline && newline > text && newline[-1] == '\r')
        editor.style.newline = "\r\n";
    if (text_node_parse(text, length, &node, err) < 0)
        return error_wrap(err, "%s", name);
    if (node)
        detect_style(&editor, node, &found);
    if (!node || (value_is_null(now) && node->start == node->end))
        write_document(&editor, want);
    else
        reconcile(&editor, &root, node, now, want);
    apply(&editor, out);
    free_splices(&editor);
    return check_result(out, offset, name, want, err);
}
