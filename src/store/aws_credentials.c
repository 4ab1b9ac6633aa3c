#include "store/aws_credentials.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/http.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/redact.h"
#include "store/sigv4.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A metadata service is near or not there at all. */
#define METADATA_TIMEOUT_MS 2000

/* found tells a source that is not set up from one that failed (-1). */
typedef int credential_source(const char *region, struct aws_credentials *out, bool *found,
                              struct error *err);

void aws_credentials_clear(struct aws_credentials *credentials)
{
    free(credentials->access_key_id);
    free(credentials->secret_access_key);
    free(credentials->session_token);
    *credentials = (struct aws_credentials){0};
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static void set_keys(struct aws_credentials *out, const char *id, const char *secret,
                     const char *token)
{
    out->access_key_id = xstrdup(id);
    out->secret_access_key = xstrdup(secret);
    out->session_token = xstrdup_or_null(token);
    redact_add_secret(secret);
    if (token)
        redact_add_secret(token);
}

static int from_environment(const char *region, struct aws_credentials *out, bool *found,
                            struct error *err)
{
    const char *id = variable("AWS_ACCESS_KEY_ID"), *secret = variable("AWS_SECRET_ACCESS_KEY");

    (void)region;
    (void)err;
    *found = id && secret;
    if (*found)
        set_keys(out, id, secret, variable("AWS_SESSION_TOKEN"));
    return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

static char *home_file(const char *override, const char *name)
{
    const char *path = variable(override), *home = variable("HOME");

    if (path)
        return xstrdup(path);
    return home ? path_joinf(home, ".aws/%s", name) : NULL;
}

static char *trimmed(const char *text, size_t length)
{
    while (length && strchr(" \t\r", *text)) {
        text++;
        length--;
    }
    while (length && strchr(" \t\r", text[length - 1]))
        length--;
    return xstrndup(text, length);
}

/* The entries of one section of an INI file. */
static void read_section(const char *text, const char *section, struct strmap *out)
{
    auto_strlist struct strlist lines = STRLIST_INIT;
    auto_free char *wanted = xasprintf("[%s]", section);
    bool inside = false;

    strlist_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        auto_free char *line = trimmed(lines.items[i], strlen(lines.items[i]));
        char *equals = strchr(line, '=');

        if (*line == '[') {
            inside = !strcmp(line, wanted);
        } else if (inside && equals && *line != '#' && *line != ';') {
            auto_free char *key = trimmed(line, (size_t)(equals - line));
            auto_free char *value = trimmed(equals + 1, strlen(equals + 1));

            strmap_set(out, key, value);
        }
    }
}

static const char *profile_name(void)
{
    const char *profile = variable("AWS_PROFILE");

    return profile ? profile : "default";
}

/* What both files say about the profile; the credentials file wins. */
static void read_profile(struct strmap *out)
{
    auto_free char *config = home_file("AWS_CONFIG_FILE", "config");
    auto_free char *credentials = home_file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    auto_free char *section = strcmp(profile_name(), "default")
                                  ? xasprintf("profile %s", profile_name())
                                  : xstrdup("default");
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct error ignored = {0};

    if (config && !file_read(config, &text, &ignored))
        read_section(strbuf_text(&text), section, out);
    strbuf_reset(&text);
    if (credentials && !file_read(credentials, &text, &ignored))
        read_section(strbuf_text(&text), profile_name(), out);
}

static int from_profile(const char *region, struct aws_credentials *out, bool *found,
                        struct error *err)
{
    auto_strmap struct strmap profile = STRMAP_INIT;
    const char *id, *secret;

    (void)region;
    (void)err;
    read_profile(&profile);
    id = strmap_get(&profile, "aws_access_key_id");
    secret = strmap_get(&profile, "aws_secret_access_key");
    *found = id && secret;
    if (*found)
        set_keys(out, id, secret, strmap_get(&profile, "aws_session_token"));
    return 0;
}

char *aws_region_find(void)
{
    auto_strmap struct strmap profile = STRMAP_INIT;
    const char *region = variable("AWS_REGION");

    if (!region)
        region = variable("AWS_DEFAULT_REGION");
    if (region)
        return xstrdup(region);
    read_profile(&profile);
    return xstrdup_or_null(strmap_get(&profile, "region"));
}

/* --- services --------------------------------------------------------------------------------- */

static int fetch(const char *method, const char *url, const char *header, const char *what,
                 struct strbuf *out, struct error *err)
{
    auto_http_response struct http_response response = {0};
    struct http_request request = {
        .method = method,
        .url = url,
        .connect_timeout_ms = METADATA_TIMEOUT_MS,
        .timeout_ms = 3 * METADATA_TIMEOUT_MS,
    };
    int failed;

    if (header)
        strlist_add(&request.headers, header);
    failed = http_perform(&request, &response, err);
    strlist_clear(&request.headers);
    if (failed)
        return error_wrap(err, "%s", what);
    if (response.status != 200)
        return error_set(err, ERR_CONFIG, "%s answered with status %ld", what, response.status);
    strbuf_add_bytes(out, strbuf_text(&response.body), response.body.length);
    return 0;
}

/* The document that both metadata services answer with; the service for web identities has other
 * names for the same. */
static int read_document(const struct strbuf *text, const char *what, struct aws_credentials *out,
                         struct error *err)
{
    auto_value struct value *document = NULL;
    const struct value *keys;
    const char *id, *secret, *token, *expiration;

    if (json_parse(strbuf_text(text), text->length, NULL, &document, err) < 0)
        return error_wrap(err, "%s", what);
    keys = value_get(value_get(value_get(document, "AssumeRoleWithWebIdentityResponse"),
                               "AssumeRoleWithWebIdentityResult"),
                     "Credentials");
    if (!keys)
        keys = document;
    id = value_get_text(keys, "AccessKeyId");
    secret = value_get_text(keys, "SecretAccessKey");
    token = value_get_text(keys, "Token");
    if (!token)
        token = value_get_text(keys, "SessionToken");
    if (!id || !secret)
        return error_set(err, ERR_CONFIG, "%s answered without keys", what);
    set_keys(out, id, secret, token);
    expiration = value_get_text(keys, "Expiration");
    /* A date, or seconds since 1970. */
    if (expiration && clock_parse(expiration, &out->expires_at_us) < 0)
        out->expires_at_us = (int64_t)(strtod(expiration, NULL) * 1e6);
    return 0;
}

static int from_web_identity(const char *region, struct aws_credentials *out, bool *found,
                             struct error *err)
{
    static const char what[] = "the AWS service for web identities";
    const char *file = variable("AWS_WEB_IDENTITY_TOKEN_FILE"), *role = variable("AWS_ROLE_ARN");
    const char *session = variable("AWS_ROLE_SESSION_NAME");
    const char *endpoint = variable("AWS_ENDPOINT_URL_STS");
    auto_strbuf struct strbuf token = STRBUF_INIT, url = STRBUF_INIT, answer = STRBUF_INIT;

    *found = file && role;
    if (!*found)
        return 0;
    if (file_read(file, &token, err) < 0)
        return error_wrap(err, "AWS_WEB_IDENTITY_TOKEN_FILE");
    while (token.length && strchr("\r\n ", token.text[token.length - 1]))
        strbuf_truncate(&token, token.length - 1);
    if (endpoint)
        strbuf_add(&url, endpoint);
    else
        strbuf_addf(&url, "https://sts.%s.amazonaws.com", region);
    strbuf_add(&url, "/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=");
    strbuf_add_uri(&url, role, false);
    strbuf_add(&url, "&RoleSessionName=");
    strbuf_add_uri(&url, session ? session : "meltshim", false);
    strbuf_add(&url, "&WebIdentityToken=");
    strbuf_add_uri(&url, strbuf_text(&token), false);
    if (fetch("GET", strbuf_text(&url), "Accept: application/json", what, &answer, err) < 0)
        return -1;
    return read_document(&answer, what, out, err);
}

static int from_container(const char *region, struct aws_credentials *out, bool *found,
                          struct error *err)
{
    static const char what[] = "the container's credential service";
    const char *relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    auto_free char *url = NULL, *header = NULL;
    auto_strbuf struct strbuf content = STRBUF_INIT, answer = STRBUF_INIT;

    (void)region;
    *found = relative || full;
    if (!*found)
        return 0;
    url = relative ? xasprintf("http://169.254.170.2%s", relative) : xstrdup(full);
    if (file) {
        if (file_read(file, &content, err) < 0)
            return error_wrap(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        token = strbuf_text(&content);
    }
    if (token)
        header = xasprintf("Authorization: %.*s", (int)strcspn(token, "\r\n"), token);
    if (fetch("GET", url, header, what, &answer, err) < 0)
        return -1;
    return read_document(&answer, what, out, err);
}

static int from_machine(const char *region, struct aws_credentials *out, bool *found,
                        struct error *err)
{
    static const char what[] = "the machine's metadata service";
    static const char path[] = "latest/meta-data/iam/security-credentials";
    const char *disabled = variable("AWS_EC2_METADATA_DISABLED");
    const char *endpoint = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    auto_strbuf struct strbuf token = STRBUF_INIT, role = STRBUF_INIT, answer = STRBUF_INIT;
    auto_free char *token_url = NULL, *header = NULL, *list_url = NULL, *role_url = NULL;
    struct error absent = {0};

    (void)region;
    *found = false;
    if (disabled && !strcasecmp(disabled, "true"))
        return 0;
    if (!endpoint)
        endpoint = "http://169.254.169.254";
    token_url = xasprintf("%s/latest/api/token", endpoint);
    /* Outside of AWS nobody answers: then there are no keys here, which is no failure. */
    if (fetch("PUT", token_url, "X-aws-ec2-metadata-token-ttl-seconds: 300", what, &token,
              &absent) < 0)
        return 0;
    header = xasprintf("X-aws-ec2-metadata-token: %s", strbuf_text(&token));
    list_url = xasprintf("%s/%s/", endpoint, path);
    if (fetch("GET", list_url, header, what, &role, &absent) < 0)
        return 0;
    *found = true;
    role_url = xasprintf("%s/%s/%.*s", endpoint, path, (int)strcspn(strbuf_text(&role), "\r\n"),
                         strbuf_text(&role));
    if (fetch("GET", role_url, header, what, &answer, err) < 0)
        return -1;
    return read_document(&answer, what, out, err);
}

int aws_credentials_find(const char *region, struct aws_credentials *out, struct error *err)
{
    static credential_source *const sources[] = {
        from_environment, from_web_identity, from_profile, from_container, from_machine,
    };

    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        bool found;

        if (sources[i](region, out, &found, err) < 0)
            return -1;
        if (found)
            return 0;
    }
    error_set(err, ERR_CONFIG, "there are no AWS keys for the state backend");
    return error_hint(err, "Set state_backend.s3.aws_access_key_id and .aws_secret_access_key, or "
                           "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.");
}
