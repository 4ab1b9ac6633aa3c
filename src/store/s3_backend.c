/* State in S3: objects PREFIX/<state id>/state.json, and "lock" beside it while somebody writes. */
#include "store/aws_credentials.h"
#include "store/sigv4.h"
#include "store/state_backend_impl.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/http.h"
#include "base/memory.h"
#include "base/redact.h"

#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 5000
#define SILENCE_MS         20000
/* A request is made so often in all when the server is busy or away, after 0.2 s, 0.4 s, ... */
#define MAX_ATTEMPTS   4
#define FIRST_PAUSE_MS 200
/* Keys with an end are replaced that long before it. */
#define EXPIRY_MARGIN_US (INT64_C(300) * 1000000)
#define LOCK_POLL_MS     250

struct s3_backend {
    char *bucket;
    char *prefix; /* without slashes at its ends; empty for the bucket's top */
    char *region;
    char *endpoint; /* scheme and host, without a slash at its end; NULL: AWS */
    struct aws_credentials credentials;
    bool has_own_keys; /* from the settings, not from the surroundings */
    int64_t lock_timeout_us;
    int64_t lock_taken_ms; /* clock_monotonic_ms() */
};

/* --- requests --------------------------------------------------------------------------------- */

static int ensure_credentials(struct s3_backend *backend, struct error *err)
{
    const struct aws_credentials *known = &backend->credentials;
    struct aws_credentials fresh = {0};

    if (backend->has_own_keys ||
        (known->access_key_id &&
         (!known->expires_at_us || known->expires_at_us - EXPIRY_MARGIN_US > clock_now_us())))
        return 0;
    if (aws_credentials_find(backend->region, &fresh, err) < 0)
        return -1;
    aws_credentials_clear(&backend->credentials);
    backend->credentials = fresh;
    return 0;
}

/* What is asked of S3; the key is empty for the bucket itself. */
struct s3_request {
    const char *method;
    const char *key;
    const char *query; /* encoded and sorted */
    const struct strbuf *body;
    const char *header; /* one more, or NULL */
};

/* Custom servers, and names with dots (of which no certificate is), have the bucket in the path. */
static void locate(const struct s3_backend *backend, const struct s3_request *request,
                   struct strbuf *host, struct strbuf *path, const char **scheme)
{
    *scheme = "https";
    if (backend->endpoint) {
        const char *name = strstr(backend->endpoint, "://") + 3;

        *scheme = strncmp(backend->endpoint, "http:", 5) ? "https" : "http";
        strbuf_add(host, name);
    } else if (strchr(backend->bucket, '.')) {
        strbuf_addf(host, "s3.%s.amazonaws.com", backend->region);
    } else {
        strbuf_addf(host, "%s.s3.%s.amazonaws.com", backend->bucket, backend->region);
    }
    if (backend->endpoint || strchr(backend->bucket, '.')) {
        strbuf_add_char(path, '/');
        strbuf_add_uri(path, backend->bucket, false);
    }
    strbuf_add_char(path, '/');
    strbuf_add_uri(path, request->key, true);
}

static int send_once(struct s3_backend *backend, const struct s3_request *request,
                     struct http_response *response, struct error *err)
{
    auto_strbuf struct strbuf host = STRBUF_INIT, path = STRBUF_INIT, url = STRBUF_INIT;
    struct sigv4_key key = {
        .access_key_id = backend->credentials.access_key_id,
        .secret_access_key = backend->credentials.secret_access_key,
        .session_token = backend->credentials.session_token,
        .region = backend->region,
        .service = "s3",
    };
    struct sigv4_request to_sign = {.method = request->method, .query = request->query};
    struct http_request http = {
        .method = request->method,
        .body = request->body,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .silence_ms = SILENCE_MS,
    };
    const char *scheme;
    int failed;

    locate(backend, request, &host, &path, &scheme);
    to_sign.host = strbuf_text(&host);
    to_sign.path = strbuf_text(&path);
    if (request->body) {
        to_sign.body = strbuf_text(request->body);
        to_sign.body_length = request->body->length;
        strlist_add(&http.headers, "Content-Type: application/json");
    }
    if (request->header)
        strlist_add(&http.headers, request->header);
    sigv4_sign(&key, &to_sign, clock_now_us(), &http.headers);
    strbuf_addf(&url, "%s://%s%s%s%s", scheme, strbuf_text(&host), strbuf_text(&path),
                *request->query ? "?" : "", request->query);
    http.url = strbuf_text(&url);
    failed = http_perform(&http, response, err);
    strlist_clear(&http.headers);
    return failed;
}

static bool is_worth_another_try(int failed, const struct http_response *response)
{
    return failed || response->status == 429 || response->status >= 500;
}

/* A bucket of another region says so; it is asked there. */
static bool moves_to_its_region(struct s3_backend *backend, const struct http_response *response)
{
    const char *region = strmap_get(&response->headers, "x-amz-bucket-region");

    if (backend->endpoint || !region || !strcmp(region, backend->region) || response->status < 300)
        return false;
    free(backend->region);
    backend->region = xstrdup(region);
    return true;
}

/* 0 when an answer arrived, whatever its status. */
static int send_request(struct s3_backend *backend, const struct s3_request *request,
                        struct http_response *response, struct error *err)
{
    int64_t pause_ms = FIRST_PAUSE_MS;
    bool has_moved = false;

    if (ensure_credentials(backend, err) < 0)
        return -1;
    for (int attempt = 1;; attempt++) {
        int failed;

        http_response_clear(response);
        failed = send_once(backend, request, response, err);
        if (!failed && !has_moved && moves_to_its_region(backend, response)) {
            has_moved = true;
            continue;
        }
        if (!is_worth_another_try(failed, response) || attempt == MAX_ATTEMPTS ||
            deadline_has_passed()) {
            if (failed) {
                err->code = ERR_STATE;
                error_hint(err, "Is the service up, and is state_backend.s3.endpoint_url right?");
            }
            return failed;
        }
        deadline_sleep_ms(pause_ms);
        pause_ms *= 2;
    }
}

/* The text of an XML element, decoded, from at on; NULL when there is none. *end is behind it. */
static char *xml_text(const char *at, const char *element, const char **end)
{
    static const struct {
        const char *name;
        char sign;
    } entities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    auto_free char *opening = xasprintf("<%s>", element);
    auto_free char *closing = xasprintf("</%s>", element);
    const char *start = strstr(at, opening), *stop = start ? strstr(start, closing) : NULL;
    struct strbuf out = STRBUF_INIT;

    if (!stop)
        return NULL;
    for (start += strlen(opening); start < stop;) {
        size_t used = 1;
        char sign = *start;

        for (size_t i = 0; *start == '&' && i < ARRAY_LEN(entities); i++) {
            if (!strncmp(start, entities[i].name, strlen(entities[i].name))) {
                sign = entities[i].sign;
                used = strlen(entities[i].name);
            }
        }
        strbuf_add_char(&out, sign);
        start += used;
    }
    if (end)
        *end = stop + strlen(closing);
    return strbuf_take(&out);
}

static int refuse(const struct s3_backend *backend, const struct http_response *response,
                  const char *what, struct error *err)
{
    const char *body = strbuf_text(&response->body);
    auto_free char *code = xml_text(body, "Code", NULL);
    auto_free char *message = xml_text(body, "Message", NULL);

    error_set(err, ERR_STATE, "S3 refused to %s in the bucket '%s': status %ld%s%s%s%s", what,
              backend->bucket, response->status, code ? ", " : "", code ? code : "",
              message ? ": " : "", message ? message : "");
    if (response->status == 403)
        return error_hint(err, "The keys need s3:GetObject, s3:PutObject, s3:DeleteObject and "
                               "s3:ListBucket.");
    if (response->status == 404)
        return error_hint(err, "Create the bucket, or correct its name in state_backend.uri.");
    if (response->status >= 500)
        return error_hint(err, "The server is busy or broken; nothing was lost.");
    return -1;
}

/* A 404 for an object that is not there, and not for the bucket. */
static bool is_absent(const struct http_response *response)
{
    return response->status == 404 && !strstr(strbuf_text(&response->body), "NoSuchBucket");
}

static int get_object(struct s3_backend *backend, const char *key, struct strbuf *out, bool *found,
                      struct error *err)
{
    auto_http_response struct http_response response = {0};
    struct s3_request request = {.method = "GET", .key = key, .query = ""};

    if (send_request(backend, &request, &response, err) < 0)
        return -1;
    *found = response.status == 200;
    if (*found)
        strbuf_add_bytes(out, strbuf_text(&response.body), response.body.length);
    return *found || is_absent(&response) ? 0 : refuse(backend, &response, "read an object", err);
}

/* taken (may be NULL): the object must be new, and *taken says whether it was. */
static int put_object(struct s3_backend *backend, const char *key, const struct strbuf *body,
                      bool *taken, struct error *err)
{
    auto_http_response struct http_response response = {0};
    struct s3_request request = {.method = "PUT", .key = key, .query = "", .body = body};

    if (taken)
        request.header = "If-None-Match: *";
    if (send_request(backend, &request, &response, err) < 0)
        return -1;
    if (taken)
        *taken = response.status == 200;
    /* 409: another request for the same object was faster. */
    if (taken && (response.status == 412 || response.status == 409))
        return 0;
    return response.status == 200 ? 0 : refuse(backend, &response, "write an object", err);
}

static int delete_object(struct s3_backend *backend, const char *key, struct error *err)
{
    auto_http_response struct http_response response = {0};
    struct s3_request request = {.method = "DELETE", .key = key, .query = ""};

    if (send_request(backend, &request, &response, err) < 0)
        return -1;
    return response.status < 300 || is_absent(&response)
               ? 0
               : refuse(backend, &response, "delete an object", err);
}

/* --- the medium ------------------------------------------------------------------------------- */

static char *object_key(const struct s3_backend *backend, const char *state_id, const char *name)
{
    return xasprintf("%s%s%s/%s", backend->prefix, *backend->prefix ? "/" : "", state_id, name);
}

static int s3_read_state(void *context, const char *state_id, struct state_parts *parts,
                         bool *found, int64_t *stamp_us, struct error *err)
{
    struct s3_backend *backend = context;
    auto_free char *key = NULL, *place = NULL;
    auto_strbuf struct strbuf text = STRBUF_INIT;
    bool exists;

    *stamp_us = 0;
    if (state_id_check_path(state_id, err) < 0)
        return -1;
    key = object_key(backend, state_id, "state.json");
    place = xasprintf("the state object 's3://%s/%s'", backend->bucket, key);
    if (get_object(backend, key, &text, &exists, err) < 0 ||
        (exists && state_document_parse(strbuf_text(&text), text.length, place, parts, err) < 0))
        return -1;
    *found = exists;
    if (!exists)
        *parts = (struct state_parts){xstrdup("{}"), xstrdup("{}")};
    return 0;
}

static int s3_write_state(void *context, const char *state_id, const struct state_parts *parts,
                          int64_t stamp_us, struct error *err)
{
    struct s3_backend *backend = context;
    auto_free char *key = object_key(backend, state_id, "state.json");
    auto_strbuf struct strbuf text = STRBUF_INIT;

    (void)stamp_us;
    if (!parts)
        return delete_object(backend, key, err);
    state_document_render(&text, parts);
    return put_object(backend, key, &text, NULL, err);
}

/* Removes a lock that its owner left behind. */
static int break_old_lock(struct s3_backend *backend, const char *key, bool *is_free,
                          struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    int64_t taken_us;
    bool exists;

    if (get_object(backend, key, &text, &exists, err) < 0)
        return -1;
    *is_free = !exists;
    if (!exists)
        return 0;
    if (state_lock_parse(strbuf_text(&text), text.length, &taken_us) < 0) {
        error_set(err, ERR_STATE, "the lock object 's3://%s/%s' does not hold a time",
                  backend->bucket, key);
        return error_hint(err, "Remove it when no Meltano is writing this state.");
    }
    *is_free = clock_now_us() - taken_us > backend->lock_timeout_us;
    return *is_free ? delete_object(backend, key, err) : 0;
}

static int s3_lock_state(void *context, const char *state_id, struct error *err)
{
    struct s3_backend *backend = context;
    auto_free char *key = object_key(backend, state_id, "lock");
    int64_t deadline = clock_monotonic_ms() + 2 * backend->lock_timeout_us / 1000 + 1000;

    if (state_id_check_path(state_id, err) < 0)
        return -1;
    do {
        auto_strbuf struct strbuf text = STRBUF_INIT;
        bool is_free, taken = false;

        /* Looked at first as well: not every server knows If-None-Match. */
        if (break_old_lock(backend, key, &is_free, err) < 0)
            return -1;
        state_lock_render(&text, clock_now_us());
        if (is_free && put_object(backend, key, &text, &taken, err) < 0)
            return -1;
        backend->lock_taken_ms = clock_monotonic_ms();
        if (taken)
            return 0;
        deadline_sleep_ms(LOCK_POLL_MS);
    } while (clock_monotonic_ms() < deadline);
    error_set(err, ERR_STATE, "the state of '%s' stayed locked by another program", state_id);
    return error_hint(err, "Its lock is the object 's3://%s/%s'.", backend->bucket, key);
}

static void s3_unlock_state(void *context, const char *state_id)
{
    struct s3_backend *backend = context;
    auto_free char *key = object_key(backend, state_id, "lock");
    struct error ignored = {0};

    /* One that has grown old may be another program's by now. */
    if ((clock_monotonic_ms() - backend->lock_taken_ms) * 1000 < backend->lock_timeout_us)
        delete_object(backend, key, &ignored);
}

/* --- listing ---------------------------------------------------------------------------------- */

/* The id in ".../<state id>/state.json", as Meltano finds it: the last but one part. */
static void add_state_id(const char *key, struct strlist *out)
{
    auto_strlist struct strlist parts = STRLIST_INIT;

    strlist_split(&parts, key, '/');
    if (parts.count >= 2 && !strcmp(parts.items[parts.count - 1], "state.json"))
        strlist_add_unique(out, parts.items[parts.count - 2]);
}

static char *list_query(const struct s3_backend *backend, const char *token)
{
    struct strbuf query = STRBUF_INIT;

    if (token) {
        strbuf_add(&query, "continuation-token=");
        strbuf_add_uri(&query, token, false);
        strbuf_add_char(&query, '&');
    }
    strbuf_add(&query, "list-type=2&prefix=");
    strbuf_add_uri(&query, backend->prefix, false);
    if (*backend->prefix)
        strbuf_add(&query, "%2F");
    return strbuf_take(&query);
}

static int s3_list_states(void *context, struct strlist *out, struct error *err)
{
    struct s3_backend *backend = context;
    auto_free char *token = NULL;

    do {
        auto_http_response struct http_response response = {0};
        auto_free char *query = list_query(backend, token);
        struct s3_request request = {.method = "GET", .key = "", .query = query};
        const char *at;

        if (send_request(backend, &request, &response, err) < 0)
            return -1;
        if (response.status != 200)
            return refuse(backend, &response, "list the objects", err);
        at = strbuf_text(&response.body);
        free(token);
        token = xml_text(at, "NextContinuationToken", NULL);
        for (;;) {
            auto_free char *key = xml_text(at, "Key", &at);

            if (!key)
                break;
            add_state_id(key, out);
        }
    } while (token);
    return 0;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void s3_close(void *context)
{
    struct s3_backend *backend = context;

    free(backend->bucket);
    free(backend->prefix);
    free(backend->region);
    free(backend->endpoint);
    aws_credentials_clear(&backend->credentials);
    free(backend);
}

/* s3://[key id:secret@]bucket/prefix */
static void parse_uri(struct s3_backend *backend, const char *uri)
{
    const char *at = uri + strlen("s3:"), *slash, *sign;

    if (!strncmp(at, "//", 2))
        at += 2;
    slash = at + strcspn(at, "/?#");
    sign = memrchr(at, '@', (size_t)(slash - at));
    if (sign) {
        const char *colon = memchr(at, ':', (size_t)(sign - at));

        backend->credentials.access_key_id = xstrndup(at, (size_t)((colon ? colon : sign) - at));
        if (colon)
            backend->credentials.secret_access_key =
                xstrndup(colon + 1, (size_t)(sign - colon - 1));
        at = sign + 1;
    }
    backend->bucket = xstrndup(at, (size_t)(slash - at));
    at = slash + strspn(slash, "/");
    backend->prefix = xstrndup(at, strcspn(at, "?#"));
    for (size_t length = strlen(backend->prefix); length && backend->prefix[length - 1] == '/';)
        backend->prefix[--length] = '\0';
}

/* The settings go before what the URI has; one half alone is a mistake. */
static int take_keys(struct s3_backend *backend, const struct state_backend_options *options,
                     struct error *err)
{
    struct aws_credentials *keys = &backend->credentials;

    if (options->s3_access_key_id) {
        free(keys->access_key_id);
        keys->access_key_id = xstrdup(options->s3_access_key_id);
    }
    if (options->s3_secret_access_key) {
        free(keys->secret_access_key);
        keys->secret_access_key = xstrdup(options->s3_secret_access_key);
    }
    if (keys->access_key_id && !keys->secret_access_key)
        return error_set(err, ERR_CONFIG,
                         "AWS access key ID configured, but no AWS secret access key.");
    if (keys->secret_access_key && !keys->access_key_id)
        return error_set(err, ERR_CONFIG,
                         "AWS secret access key configured, but not AWS access key ID.");
    backend->has_own_keys = keys->access_key_id != NULL;
    if (backend->has_own_keys)
        redact_add_secret(keys->secret_access_key);
    return 0;
}

static int take_endpoint(struct s3_backend *backend, const char *endpoint, struct error *err)
{
    if (!endpoint || !*endpoint)
        endpoint = getenv("AWS_ENDPOINT_URL_S3");
    if (!endpoint || !*endpoint)
        endpoint = getenv("AWS_ENDPOINT_URL");
    if (!endpoint || !*endpoint)
        return 0;
    if (strncmp(endpoint, "http://", 7) && strncmp(endpoint, "https://", 8)) {
        error_set(err, ERR_CONFIG, "the endpoint of S3 '%s' is no URL", endpoint);
        return error_hint(err, "Write state_backend.s3.endpoint_url as https://host:port.");
    }
    backend->endpoint = xstrdup(endpoint);
    for (size_t length = strlen(endpoint); backend->endpoint[length - 1] == '/';)
        backend->endpoint[--length] = '\0';
    return 0;
}

int s3_backend_init(const struct state_backend_options *options, struct state_backend *out,
                    struct error *err)
{
    struct s3_backend *backend = xcalloc(1, sizeof *backend);

    parse_uri(backend, options->uri);
    if (!*backend->bucket) {
        s3_close(backend);
        error_set(err, ERR_CONFIG, "the setting state_backend.uri names no bucket");
        return error_hint(err, "Write s3://bucket/prefix.");
    }
    if (take_keys(backend, options, err) < 0 ||
        take_endpoint(backend, options->s3_endpoint_url, err) < 0) {
        s3_close(backend);
        return -1;
    }
    backend->region = aws_region_find();
    if (!backend->region)
        backend->region = xstrdup("us-east-1");
    backend->lock_timeout_us = state_lock_timeout_us(options);
    out->medium = (struct state_medium){
        .context = backend,
        .read = s3_read_state,
        .write = s3_write_state,
        .lock = s3_lock_state,
        .unlock = s3_unlock_state,
        .is_slow = true,
    };
    out->list = s3_list_states;
    out->close = s3_close;
    return 0;
}
