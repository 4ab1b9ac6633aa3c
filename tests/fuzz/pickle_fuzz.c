/* Bytes of a database that anybody may have written, read as a Python pickle. What is read is
 * written and read again, and must be the same. */
#include "store/pickle.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct error err = {0};
    auto_strbuf struct strbuf again = STRBUF_INIT;
    auto_value struct value *value = NULL, *second = NULL;

    if (pickle_read(bytes, size, &value, &err) < 0)
        return 0;
    pickle_write(&again, value);
    assert(!pickle_read(again.text, again.length, &second, &err));
    assert(value_is_equal(value, second));
    return 0;
}
