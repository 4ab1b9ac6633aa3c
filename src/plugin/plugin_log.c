#include "plugin/plugin_log.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"

#include <string.h>
#include <strings.h>

void plugin_log_record_clear(struct plugin_log_record *record)
{
    free(record->message);
    value_free(record->fields);
    *record = (struct plugin_log_record){.level = LOG_INFO};
}

static enum log_level parse_level(const char *word)
{
    static const struct {
        const char *word;
        enum log_level level;
    } levels[] = {
        {"notset", LOG_DEBUG},   {"debug", LOG_DEBUG},       {"info", LOG_INFO},
        {"warn", LOG_WARNING},   {"error", LOG_ERROR},       {"warning", LOG_WARNING},
        {"fatal", LOG_CRITICAL}, {"critical", LOG_CRITICAL},
    };

    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        if (!strcasecmp(levels[i].word, word))
            return levels[i].level;
    return LOG_INFO;
}

static bool has_all(const struct value *map, const char *const *keys)
{
    for (; *keys; keys++)
        if (!value_find(map, *keys))
            return false;
    return true;
}

static void copy_keys(struct value *to, const struct value *from, const char *const *keys)
{
    for (; *keys; keys++)
        if (!value_is_null(value_get(from, *keys)))
            value_set_take(to, *keys, value_copy(value_get(from, *keys)));
}

static bool copy_traceback(struct value *to, const struct value *frames)
{
    static const char *const keys[] = {"filename", "function", "lineno", "line", NULL};
    struct value *copy;

    if (!value_is_truthy(frames))
        return true;
    if (!value_is_list(frames))
        return false;
    copy = value_new_list();
    value_set_take(to, "traceback", copy);
    for (size_t i = 0; i < value_count(frames); i++) {
        if (!has_all(value_at(frames, i), keys))
            return false;
        value_append_take(copy, value_new_map());
        copy_keys(value_at(copy, i), value_at(frames, i), keys);
    }
    return true;
}

/* What is known of an exception, its causes included; false when it lacks something. */
static bool copy_exception(const struct value *exception, struct value **out)
{
    static const char *const required[] = {"type", "module", "message", NULL};
    static const char *const nested[] = {"cause", "context"};
    static const char *const optional[] = {"notes", NULL};
    auto_value struct value *copy = value_new_map();

    if (!has_all(exception, required))
        return false;
    copy_keys(copy, exception, required);
    if (!copy_traceback(copy, value_get(exception, "traceback")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(nested); i++) {
        const struct value *inner = value_get(exception, nested[i]);
        struct value *inner_copy = NULL;

        if (!value_is_truthy(inner))
            continue;
        if (!copy_exception(inner, &inner_copy))
            return false;
        value_set_take(copy, nested[i], inner_copy);
    }
    copy_keys(copy, exception, optional);
    *out = take(copy);
    return true;
}

static void add_fields(struct value *to, const struct value *from, const char *const *except)
{
    for (size_t i = 0; i < value_count(from); i++) {
        const struct value_member *member = value_member_at(from, i);
        const char *const *key = except;

        while (*key && strcmp(*key, member->key) != 0)
            key++;
        if (!*key)
            value_set_take(to, member->key, value_copy(member->value));
    }
}

static void remove_nulls(struct value *map)
{
    for (size_t i = value_count(map); i-- > 0;)
        if (value_is_null(value_member_at(map, i)->value))
            value_remove(map, value_member_at(map, i)->key);
}

static char *message_of(const struct value *message)
{
    return value_is_string(message) ? xstrdup(value_text(message))
                                    : json_to_text(message, &json_python);
}

static bool parse_record(const struct value *data, struct plugin_log_record *out)
{
    static const char *const required[] = {"level",       "pid",      "logger_name", "ts",
                                           "thread_name", "app_name", "message",     NULL};
    static const char *const consumed[] = {"level",   "logger_name", "stream_name", "ts",
                                           "message", "exception",   "extra",       NULL};
    static const char *const nothing[] = {NULL};
    auto_value struct value *fields = value_new_map();
    const struct value *extra = value_get(data, "extra");
    struct value *exception = NULL;

    if (!has_all(data, required) || !value_is_string(value_get(data, "level")))
        return false;
    if (value_find(data, "extra") && !value_is_map(extra))
        return false;
    if (value_is_truthy(value_get(data, "exception")) &&
        !copy_exception(value_get(data, "exception"), &exception))
        return false;
    add_fields(fields, data, consumed);
    add_fields(fields, extra, nothing);
    value_set_take(fields, "plugin_logger", value_copy(value_get(data, "logger_name")));
    value_set_take(fields, "stream_name", value_copy(value_get(data, "stream_name")));
    if (exception)
        value_set_take(fields, "plugin_exception", exception);
    remove_nulls(fields);
    out->level = parse_level(value_get_text(data, "level"));
    out->message = message_of(value_get(data, "message"));
    out->fields = take(fields);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t length_without_blanks(const char *line, size_t length)
{
    while (length && is_blank(line[length - 1]))
        length--;
    return length;
}

bool plugin_log_parse(const char *line, size_t length, struct plugin_log_record *out)
{
    auto_value struct value *data = NULL;
    struct error ignored = {0};

    for (; length && is_blank(*line); length--)
        line++;
    length = length_without_blanks(line, length);
    /* Most lines are no JSON; they need not go through the parser. */
    if (length < 2 || *line != '{' || line[length - 1] != '}')
        return false;
    return !json_parse(line, length, NULL, &data, &ignored) && parse_record(data, out);
}

static char *printable_line(const char *line, size_t length)
{
    struct strbuf text = STRBUF_INIT;

    strbuf_add_bytes(&text, line, length_without_blanks(line, length));
    strbuf_blank_nuls(&text);
    return strbuf_take(&text);
}

void plugin_log_line_with(const struct plugin *plugin, const struct value *context,
                          const char *line, size_t length)
{
    struct plugin_log_record record ATTR_CLEANUP(plugin_log_record_clear) = {.level = LOG_INFO};

    if (plugin_has_capability(plugin, "structured-logging") &&
        plugin_log_parse(line, length, &record)) {
        static const char *const nothing[] = {NULL};

        add_fields(record.fields, context, nothing);
        log_chatter(record.level, plugin->name, record.fields, "%s", record.message);
        return;
    }
    record.message = printable_line(line, length);
    if (*record.message)
        log_chatter(LOG_INFO, plugin->name, context, "%s", record.message);
}

void plugin_log_line(const struct plugin *plugin, const char *line, size_t length)
{
    plugin_log_line_with(plugin, NULL, line, length);
}
