/* A document that anybody may have written. Reading it and copying it unread must accept the same,
 * and what either writes reads back as what was there. */
#include "base/json.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    auto_strbuf struct strbuf copy = STRBUF_INIT, again = STRBUF_INIT;
    auto_value struct value *value = NULL, *copied = NULL, *second = NULL;
    struct error read_error = {0}, copy_error = {0}, err = {0};
    int refused = json_parse(text, size, NULL, &value, &read_error);

    if (json_copy_as_member("m", text, size, &json_python, &copy, &copy_error) < 0) {
        /* The copy is one level deeper, and refuses that first. */
        assert(strstr(copy_error.message, "nested too deeply") ||
               (refused && !strcmp(read_error.message, copy_error.message)));
        return 0;
    }
    assert(!refused);
    assert(!json_parse(copy.text, copy.length, NULL, &copied, &err));
    assert(value_is_equal(value_get(copied, "m"), value));
    json_write(&again, value, &json_compact);
    assert(!json_parse(again.text, again.length, NULL, &second, &err));
    assert(value_is_equal(second, value));
    return 0;
}
