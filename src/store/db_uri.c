#include "store/db_uri.h"

#include "base/memory.h"
#include "base/redact.h"
#include "base/strbuf.h"

#include <ctype.h>
#include <string.h>

void db_uri_free(struct db_uri *uri)
{
    if (!uri)
        return;
    free(uri->dialect);
    free(uri->user);
    free(uri->password);
    free(uri->host);
    free(uri->port);
    free(uri->database);
    strmap_clear(&uri->query);
    free(uri);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX; a '%' that begins none stays, as in Python. plus_is_blank: the form of queries. */
static char *decode(const char *text, size_t length, bool plus_is_blank)
{
    struct strbuf out = STRBUF_INIT;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '%' && i + 2 < length && hex_digit(text[i + 1]) >= 0 &&
            hex_digit(text[i + 2]) >= 0) {
            strbuf_add_char(&out, (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
            i += 2;
        } else if (plus_is_blank && text[i] == '+') {
            strbuf_add_char(&out, ' ');
        } else {
            strbuf_add_char(&out, text[i]);
        }
    }
    return strbuf_take(&out);
}

static int fail(struct error *err, const char *what)
{
    error_set(err, ERR_CONFIG, "the setting database_uri is not a database URL: %s", what);
    return error_hint(err, "Write sqlite:////path/to/meltano.db or "
                           "postgresql://user:password@host:5432/database, with special characters "
                           "in user and password as %%XX.");
}

static void parse_query(struct db_uri *uri, const char *at)
{
    while (*at) {
        size_t length = strcspn(at, "&"), name_length = strcspn(at, "=&");
        auto_free char *name = decode(at, name_length, true);

        if (name_length < length) {
            auto_free char *value = decode(at + name_length + 1, length - name_length - 1, true);
            const char *before = strmap_get(&uri->query, name);

            if (before)
                strmap_setf(&uri->query, name, "%s,%s", before, value);
            else
                strmap_set(&uri->query, name, value);
        }
        at += length + (at[length] == '&');
    }
}

/* user:password@ at the start of text, if it is there; returns what follows. As in SQLAlchemy, a
 * password ends at the first '@' and may hold '/' and '?'. */
static const char *parse_user(struct db_uri *uri, const char *text)
{
    const char *colon = text + strcspn(text, ":/"), *sign;

    sign = *colon == ':' ? strchr(colon, '@') : NULL;
    if (sign) {
        uri->user = decode(text, (size_t)(colon - text), false);
        uri->password = decode(colon + 1, (size_t)(sign - colon - 1), false);
        redact_add_secret(uri->password);
        return sign + 1;
    }
    sign = memrchr(text, '@', (size_t)(colon - text));
    if (!sign)
        return text;
    uri->user = decode(text, (size_t)(sign - text), false);
    return sign + 1;
}

/* host:port, the length bytes at the start of at. */
static int parse_host(struct db_uri *uri, const char *at, size_t length, struct error *err)
{
    const char *end = at + length, *host_end;

    if (memchr(at, '@', length))
        return fail(err, "there are two '@' before the host; one in a password is %40");
    if (length && *at == '[') {
        host_end = memchr(++at, ']', length - 1);
        if (!host_end)
            return fail(err, "the '[' of an IPv6 address is not closed");
    } else {
        host_end = memchr(at, ':', length);
        if (!host_end)
            host_end = end;
    }
    if (host_end > at)
        uri->host = xstrndup(at, (size_t)(host_end - at));
    at = host_end + (host_end < end && *host_end == ']');
    if (at == end)
        return 0;
    if (*at++ != ':' || strspn(at, "0123456789") != (size_t)(end - at) || end - at > 5)
        return fail(err, "the port is not a number");
    if (at < end)
        uri->port = xstrndup(at, (size_t)(end - at));
    return 0;
}

struct db_uri *db_uri_parse(const char *text, struct error *err)
{
    auto_db_uri struct db_uri *uri = xcalloc(1, sizeof *uri);
    const char *scheme_end = strstr(text, "://"), *at;
    size_t length;

    if (!scheme_end || scheme_end == text) {
        fail(err, "it does not begin with a scheme and '://'");
        return NULL;
    }
    uri->dialect = xstrndup(text, strcspn(text, "+:"));
    at = parse_user(uri, scheme_end + 3);
    length = strcspn(at, "/?");
    if (parse_host(uri, at, length, err) < 0)
        return NULL;
    at += length;
    if (*at == '/') {
        length = strcspn(++at, "?");
        if (length)
            uri->database = xstrndup(at, length);
        at += length;
    }
    if (*at == '?')
        parse_query(uri, at + 1);
    return take(uri);
}
