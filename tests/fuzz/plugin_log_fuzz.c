/* A line of a plugin's standard error. */
#include "plugin/plugin_log.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct plugin_log_record record ATTR_CLEANUP(plugin_log_record_clear) = {.level = LOG_INFO};

    if (plugin_log_parse((const char *)bytes, size, &record))
        assert(record.message && value_is_map(record.fields));
    return 0;
}
