/* shim/table.h - rows of text in aligned columns, for people. */
#ifndef SHIM_TABLE_H
#define SHIM_TABLE_H

#include "base/attrs.h"
#include "base/strbuf.h"
#include "base/strlist.h"

/* Cells row by row; the first row are the titles. */
struct table {
    size_t columns;
    struct strlist cells;
};

void table_init(struct table *table, const char *const *titles, size_t count);
#define TABLE_INIT(table, titles) table_init(table, titles, ARRAY_LEN(titles))
void table_clear(struct table *table);
#define auto_table ATTR_CLEANUP(table_clear)

void table_add(struct table *table, const char *cell);
void table_addf(struct table *table, const char *format, ...) ATTR_PRINTF(2, 3);
/* Columns are as wide as their widest cell, counted in characters, two blanks apart. */
void table_print(const struct table *table, struct strbuf *out);

#endif
