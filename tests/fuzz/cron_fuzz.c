/* The interval of a schedule. What is accepted is accepted again as it is: there is nothing left to
 * rewrite. */
#include "dag_generator/dag_cron.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    auto_free char *text = xstrndup((const char *)bytes, size);
    auto_strbuf struct strbuf cron = STRBUF_INIT, again = STRBUF_INIT;
    struct error err = {0};

    if (dag_cron_check(text, &cron, &err) < 0) {
        if (!err.message[0] || cron.length)
            abort();
        return 0;
    }
    if (dag_cron_check(strbuf_text(&cron), &again, &err) < 0 ||
        strcmp(strbuf_text(&cron), strbuf_text(&again)) != 0)
        abort();
    return 0;
}
