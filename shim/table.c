#include "shim/table.h"

#include "base/memory.h"
#include "base/terminal.h"

#include <assert.h>
#include <string.h>

static size_t count_characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

void table_init(struct table *table, const char *const *titles, size_t count)
{
    *table = (struct table){.columns = count};
    for (size_t i = 0; i < count; i++)
        table_add(table, titles[i]);
}

void table_clear(struct table *table)
{
    strlist_clear(&table->cells);
}

void table_add(struct table *table, const char *cell)
{
    struct strbuf visible = STRBUF_INIT;

    strbuf_add_visible(&visible, cell, strlen(cell), TERMINAL_KEEP_NOTHING);
    strlist_add_take(&table->cells, strbuf_take(&visible));
}

void table_addf(struct table *table, const char *format, ...)
{
    auto_free char *cell = NULL;
    va_list args;

    va_start(args, format);
    cell = xvasprintf(format, args);
    va_end(args);
    table_add(table, cell);
}

void table_print(const struct table *table, struct strbuf *out)
{
    auto_free size_t *widths = xcalloc(table->columns, sizeof *widths);

    assert(table->cells.count % table->columns == 0);
    for (size_t i = 0; i < table->cells.count; i++) {
        size_t width = count_characters(table->cells.items[i]);

        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
    for (size_t i = 0; i < table->cells.count; i++) {
        const char *cell = table->cells.items[i];
        size_t column = i % table->columns;

        strbuf_add(out, cell);
        if (column + 1 < table->columns)
            strbuf_add_repeat(out, ' ', widths[column] - count_characters(cell) + 2);
        else
            strbuf_add_char(out, '\n');
    }
}
