#include "base/http.h"

#include "base/module.h"

typedef int http_performer(const struct http_request *request, struct http_response *response,
                           struct error *err);

void http_response_clear(struct http_response *response)
{
    strmap_clear(&response->headers);
    strbuf_clear(&response->body);
    response->status = 0;
}

int http_perform(const struct http_request *request, struct http_response *response,
                 struct error *err)
{
    static http_performer *perform;

    if (!perform) {
        /* POSIX lets a function's address come as a pointer to data, ISO C does not. */
        void *symbol = module_symbol("http", "http_module_perform", err);

        if (!symbol)
            return -1;
        *(void **)&perform = symbol;
    }
    return perform(request, response, err);
}
