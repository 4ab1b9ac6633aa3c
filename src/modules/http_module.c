/* modules/http_module.c - base/http.h on libcurl; becomes meltshim-http.so. */
#include "base/attrs.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/http.h"
#include "base/memory.h"

#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 10000L
#define TIMEOUT_MS         30000L
#define MAX_REDIRECTS      10L
/* Nothing we ask for comes near this; a server gone mad must not eat the memory. */
#define MAX_BODY (256 * 1024 * 1024)

int http_module_perform(const struct http_request *request, struct http_response *response,
                        struct error *err);

struct exchange {
    struct http_response *response;
    bool is_too_large;
};

static size_t receive_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;

    if (exchange->response->body.length + size * count > MAX_BODY) {
        exchange->is_too_large = true;
        return 0;
    }
    strbuf_add_bytes(&exchange->response->body, bytes, size * count);
    return size * count;
}

static void add_header(struct http_response *response, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    auto_free char *name = NULL;
    auto_free char *value = NULL;

    if (!colon)
        return;
    name = xstrndup(line, (size_t)(colon - line));
    for (char *at = name; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    length -= (size_t)(colon + 1 - line);
    line = colon + 1;
    while (length && strchr(" \t\r\n", line[length - 1]))
        length--;
    while (length && strchr(" \t", *line)) {
        line++;
        length--;
    }
    value = xstrndup(line, length);
    strmap_set(&response->headers, name, value);
}

static size_t receive_header(char *line, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;

    /* After a redirection the headers of the next answer follow. */
    if (size * count >= 5 && !strncmp(line, "HTTP/", 5)) {
        strmap_clear(&exchange->response->headers);
        strbuf_reset(&exchange->response->body);
    } else {
        add_header(exchange->response, line, size * count);
    }
    return size * count;
}

/* https://host:port: the path and the query can hold what must not be shown. */
static char *describe_server(const char *url)
{
    const char *host = strstr(url, "://");
    const char *start = host ? host + 3 : url;
    size_t length = strcspn(start, "/?#");
    const char *at_sign = memrchr(start, '@', length);

    if (at_sign)
        return xstrndup(at_sign + 1, length - (size_t)(at_sign + 1 - start));
    return xstrndup(url, (size_t)(start - url) + length);
}

static long connect_timeout_ms(const struct http_request *request)
{
    return request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_TIMEOUT_MS;
}

static long timeout_ms(const struct http_request *request)
{
    return request->timeout_ms ? request->timeout_ms : TIMEOUT_MS;
}

static int fail(CURLcode code, const char *detail, const struct http_request *request,
                const struct exchange *exchange, struct error *err)
{
    auto_free char *server = describe_server(request->url);

    if (exchange->is_too_large)
        return error_set(err, ERR_HUB, "the answer of %s is larger than 256 MiB", server);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return error_set(err, ERR_HUB, "%s did not answer before this program had to end", server);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return error_set(err, ERR_HUB, "%s did not answer in time (%ld ms to connect, %ld ms %s)",
                         server, connect_timeout_ms(request),
                         request->silence_ms ? request->silence_ms : timeout_ms(request),
                         request->silence_ms ? "without a byte" : "in all");
    return error_set(err, ERR_HUB, "cannot reach %s: %s", server,
                     *detail ? detail : curl_easy_strerror(code));
}

static struct curl_slist *list_headers(const struct http_request *request)
{
    struct curl_slist *headers = NULL;

    for (size_t i = 0; i < request->headers.count; i++)
        headers = curl_slist_append(headers, request->headers.items[i]);
    return headers;
}

/* What one request at a time uses. Its connections stay open for the next request to the same
 * server, of whatever thread. */
struct client {
    CURL *handle;
    CURLM *connections;
    struct client *next;
};

static pthread_mutex_t idle_lock = PTHREAD_MUTEX_INITIALIZER;
static struct client *idle_clients;

static struct client *make_client(void)
{
    struct client *client = xcalloc(1, sizeof *client);

    client->handle = curl_easy_init();
    client->connections = curl_multi_init();
    if (!client->handle || !client->connections)
        abort();
    return client;
}

static struct client *take_client(void)
{
    struct client *client;

    pthread_mutex_lock(&idle_lock);
    client = idle_clients;
    if (client)
        idle_clients = client->next;
    pthread_mutex_unlock(&idle_lock);
    return client ? client : make_client();
}

static void give_back(struct client *client)
{
    curl_easy_reset(client->handle);
    pthread_mutex_lock(&idle_lock);
    client->next = idle_clients;
    idle_clients = client;
    pthread_mutex_unlock(&idle_lock);
}

/* The bytes that have passed, both ways. */
static curl_off_t count_bytes(CURL *handle)
{
    curl_off_t down = 0, up = 0;
    long headers = 0;

    curl_easy_getinfo(handle, CURLINFO_SIZE_DOWNLOAD_T, &down);
    curl_easy_getinfo(handle, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(handle, CURLINFO_HEADER_SIZE, &headers);
    return down + up + headers;
}

/* Like curl_easy_perform(), which would look at the deadline once a second only. */
static CURLcode perform(const struct client *client, long silence_ms)
{
    CURLM *connections = client->connections;
    CURL *handle = client->handle;
    int64_t moved_ms = clock_monotonic_ms();
    curl_off_t passed = 0;
    CURLcode code = CURLE_OK;
    const CURLMsg *message;
    int running = 1;

    curl_multi_add_handle(connections, handle);
    while (code == CURLE_OK) {
        if (curl_multi_perform(connections, &running) != CURLM_OK)
            code = CURLE_FAILED_INIT;
        if (!running)
            break;
        if (count_bytes(handle) != passed) {
            passed = count_bytes(handle);
            moved_ms = clock_monotonic_ms();
        }
        if (deadline_has_passed())
            code = CURLE_ABORTED_BY_CALLBACK;
        else if (silence_ms && clock_monotonic_ms() - moved_ms >= silence_ms)
            code = CURLE_OPERATION_TIMEDOUT;
        else
            curl_multi_poll(connections, NULL, 0, DEADLINE_SLICE_MS, NULL);
    }
    message = curl_multi_info_read(connections, &running);
    if (message)
        code = message->data.result;
    curl_multi_remove_handle(connections, handle);
    return code;
}

static void trust_named_certificates(CURL *handle)
{
    static const char *const variables[] = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
                                            "SSL_CERT_FILE"};

    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        const char *bundle = getenv(variables[i]);

        if (bundle && *bundle) {
            curl_easy_setopt(handle, CURLOPT_CAINFO, bundle);
            return;
        }
    }
}

static void set_method_and_body(CURL *handle, const struct http_request *request)
{
    const char *method = request->method ? request->method : "GET";

    if (!strcmp(method, "HEAD"))
        curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method);
    if (!request->body)
        return;
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body->length);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, strbuf_text(request->body));
}

int http_module_perform(const struct http_request *request, struct http_response *response,
                        struct error *err)
{
    struct client *client = take_client();
    CURL *handle = client->handle;
    struct curl_slist *headers = list_headers(request);
    struct exchange exchange = {.response = response};
    char detail[CURL_ERROR_SIZE] = "";
    CURLcode code;

    curl_easy_setopt(handle, CURLOPT_URL, request->url);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(handle, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, receive_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms(request));
    if (!request->silence_ms)
        curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, timeout_ms(request));
    set_method_and_body(handle, request);
    trust_named_certificates(handle);
    code = perform(client, request->silence_ms);
    if (code == CURLE_OK)
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &response->status);
    give_back(client);
    curl_slist_free_all(headers);
    return code == CURLE_OK ? 0 : fail(code, detail, request, &exchange, err);
}
