/* What a tap prints. The first byte says where it is cut into pieces; what is counted must not
 * depend on that. */
#include "process/message_scan.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

static void scan(const char *bytes, size_t size, size_t piece, struct relay_counts *counts)
{
    struct message_scan *scanner = message_scan_new(counts);

    for (size_t at = 0; at < size; at += piece)
        message_scan_bytes(scanner, bytes + at, size - at < piece ? size - at : piece, 1);
    message_scan_end(scanner, 1);
    message_scan_free(scanner);
}

static void compare_streams(const struct stream_count *a, const struct stream_count *b)
{
    assert(!strcmp(a->name, b->name));
    assert(a->records == b->records && a->record_bytes == b->record_bytes);
    assert(a->schemas == b->schemas && a->schema_changes == b->schema_changes);
    assert(a->batches == b->batches && a->record_before_schema == b->record_before_schema);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct relay_counts whole = {0}, pieces = {0};

    if (!size)
        return 0;
    scan((const char *)bytes + 1, size - 1, size, &whole);
    scan((const char *)bytes + 1, size - 1, 1 + bytes[0] % 64, &pieces);
    assert(whole.bytes == size - 1 && pieces.bytes == size - 1);
    assert(whole.lines == pieces.lines && whole.states == pieces.states);
    assert(whole.activate_versions == pieces.activate_versions);
    assert(whole.garbage_lines == pieces.garbage_lines);
    assert(whole.unknown_types == pieces.unknown_types);
    assert(whole.invalid_utf8_lines == pieces.invalid_utf8_lines);
    assert(whole.longest_line == pieces.longest_line);
    assert(whole.first_garbage.length == pieces.first_garbage.length);
    assert(whole.stream_count == pieces.stream_count);
    for (size_t i = 0; i < whole.stream_count; i++)
        compare_streams(&whole.streams[i], &pieces.streams[i]);
    relay_counts_clear(&whole);
    relay_counts_clear(&pieces);
    return 0;
}
