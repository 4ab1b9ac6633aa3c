#include "base/log.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/line_budget.h"
#include "base/memory.h"
#include "base/redact.h"
#include "base/strmap.h"
#include "base/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* Airflow gives a task one pipe for both outputs. Writes up to PIPE_BUF are not torn apart there
 * by what the task's other processes write, so nothing longer is written at once. */
#define AIRFLOW_LINE_LIMIT 4095

#define LEVEL_WIDTH 9
#define NAME_WIDTH  12
#define EVENT_WIDTH 30

#define STYLE_RESET "\033[0m"
#define STYLE_DIM   "\033[2m"
#define STYLE_BOLD  "\033[1m"
#define STYLE_KEY   "\033[36m"
#define STYLE_VALUE "\033[35m"

struct level_row {
    const char *name;
    const char *style;
};

static const struct level_row levels[] = {
    [LOG_DEBUG] = {"debug", "\033[32m"},       [LOG_INFO] = {"info", "\033[32m"},
    [LOG_WARNING] = {"warning", "\033[33m"},   [LOG_ERROR] = {"error", "\033[31m"},
    [LOG_CRITICAL] = {"critical", "\033[31m"}, [LOG_DISABLED] = {"disabled", ""},
};

static const char *const format_names[] = {
    [LOG_COLORED] = "colored",     [LOG_UNCOLORED] = "uncolored", [LOG_JSON] = "json",
    [LOG_KEY_VALUE] = "key_value", [LOG_PLAIN] = "plain",
};

/* What is being said. */
struct event {
    enum log_level level;
    int64_t time_us;
    const char *name;           /* NULL: the program itself */
    const struct value *fields; /* a map or NULL */
    const char *text;
};

static struct {
    bool is_ready; /* the environment was looked at */
    enum log_level level;
    enum log_format format;
    bool has_colors, local_time;
    bool is_for_airflow;
    bool is_deaf; /* nobody reads standard error any more */
    int file;
    char *path;
    struct line_budget budget;
    uint64_t left_out_before; /* what the budget had left out when the file was opened */
    uint64_t left_out_told;   /* and when that was last said */
    struct strmap bound;
} sink = {.level = LOG_INFO, .file = -1};

/* As Meltano reads such variables: true, t, yes, y, on, 1. */
static bool variable_is_true(const char *name)
{
    static const char *const words[] = {"true", "t", "yes", "y", "on", "1"};
    const char *value = getenv(name);

    for (size_t i = 0; value && i < ARRAY_LEN(words); i++)
        if (!strcasecmp(value, words[i]))
            return true;
    return false;
}

static void look_at_environment(void)
{
    sink.is_for_airflow = getenv("AIRFLOW_CTX_DAG_ID") != NULL;
    sink.has_colors = (isatty(STDERR_FILENO) || variable_is_true("FORCE_COLOR")) &&
                      !variable_is_true("NO_COLOR") && !sink.is_for_airflow;
    sink.local_time = variable_is_true("NO_UTC");
    sink.is_ready = true;
}

static bool word_equals(const char *word, const char *name)
{
    for (; *word && *name; word++, name++)
        if ((*word == '-' ? '_' : *word) != *name)
            return false;
    return *word == *name;
}

bool log_level_parse(const char *word, enum log_level *out)
{
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        if (!strcasecmp(word, levels[i].name)) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

bool log_format_parse(const char *word, enum log_format *out)
{
    for (size_t i = 0; i < ARRAY_LEN(format_names); i++)
        if (word_equals(word, format_names[i])) {
            *out = (enum log_format)i;
            return true;
        }
    return false;
}

const char *log_level_name(enum log_level level)
{
    return levels[level].name;
}

const char *log_format_name(enum log_format format)
{
    return format_names[format];
}

void log_set_level(enum log_level level)
{
    sink.level = level;
}

enum log_level log_get_level(void)
{
    return sink.level;
}

void log_set_format(enum log_format format)
{
    sink.format = format;
    look_at_environment();
}

enum log_format log_get_format(void)
{
    return sink.format;
}

void log_bind(const char *key, const char *value)
{
    if (value)
        strmap_set(&sink.bound, key, value);
    else
        strmap_remove(&sink.bound, key);
}

/* --- one event as text -------------------------------------------------------------------- */

static void add_time(struct strbuf *out, int64_t time_us)
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts;
    char text[40];

    if (!sink.local_time) {
        strbuf_add_iso_time(out, time_us);
        return;
    }
    localtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    strbuf_addf(out, "%s.%06d", text, (int)(time_us % 1000000));
}

static void add_styled(struct strbuf *out, bool colors, const char *style, const char *text,
                       size_t width)
{
    size_t length = strlen(text);

    if (colors)
        strbuf_add(out, style);
    strbuf_add_bytes(out, text, length);
    if (length < width)
        strbuf_add_repeat(out, ' ', width - length);
    if (colors)
        strbuf_add(out, STYLE_RESET);
}

/* Words stay bare; whatever could be misread is written as Python would. */
static void add_console_field(struct strbuf *out, bool colors, const char *key,
                              const struct value *value)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    const char *word = value_text(value);

    if (word && !strpbrk(word, " \t=\r\n\"'"))
        strbuf_add_visible(&text, word, strlen(word), TERMINAL_KEEP_NOTHING);
    else
        strbuf_add_py_repr(&text, value);
    strbuf_add_char(out, ' ');
    add_styled(out, colors, STYLE_KEY, key, 0);
    strbuf_add_char(out, '=');
    add_styled(out, colors, STYLE_VALUE, strbuf_text(&text), 0);
}

/* The fields that the console shows: where a part of a structured plugin line goes. */
static const struct console_field {
    const char *field, *part;
    const char *shown_as;
} console_fields[] = {
    {"metric_info", "metric", "metric_name"},
    {"metric_info", "value", "metric_value"},
    {"plugin_exception", "message", "plugin_exc_message"},
    {"plugin_exception", "type", "plugin_exc_type"},
};

static void trim_blanks(struct strbuf *out)
{
    while (out->length && out->text[out->length - 1] == ' ')
        strbuf_truncate(out, out->length - 1);
}

static void add_console(struct strbuf *out, const struct event *event, bool colors)
{
    auto_strbuf struct strbuf time = STRBUF_INIT;

    add_time(&time, event->time_us);
    add_styled(out, colors, STYLE_DIM, strbuf_text(&time), 0);
    strbuf_add(out, " [");
    add_styled(out, colors, levels[event->level].style, levels[event->level].name, LEVEL_WIDTH);
    strbuf_add(out, "] ");
    add_styled(out, colors, STYLE_KEY, event->name ? event->name : "meltano", NAME_WIDTH);
    strbuf_add_char(out, ' ');
    add_styled(out, colors, STYLE_BOLD, event->text, EVENT_WIDTH);
    for (size_t i = 0; i < ARRAY_LEN(console_fields); i++) {
        const struct value *field = value_get(event->fields, console_fields[i].field);
        const struct value *part = value_get(field, console_fields[i].part);

        if (part)
            add_console_field(out, colors, console_fields[i].shown_as, part);
    }
    trim_blanks(out);
}

/* All fields in the order in which Meltano gives them: the event's, its text, bound ones. */
static struct value *event_to_value(const struct event *event)
{
    struct value *line = event->fields ? value_copy(event->fields) : value_new_map();
    struct strbuf time = STRBUF_INIT;

    if (event->name)
        value_set_string(line, "name", event->name);
    value_set_string(line, "event", event->text);
    for (size_t i = 0; i < sink.bound.count; i++)
        value_set_string(line, sink.bound.entries[i].key, sink.bound.entries[i].value);
    value_set_string(line, "level", levels[event->level].name);
    add_time(&time, event->time_us);
    value_set_take(line, "timestamp", value_new_string_take(strbuf_take(&time)));
    return line;
}

static void add_json(struct strbuf *out, const struct event *event)
{
    auto_value struct value *line = event_to_value(event);

    json_write(out, line, &json_python);
}

static void add_key_value(struct strbuf *out, const struct event *event)
{
    static const char *const first_keys[] = {"timestamp", "level", "event", "logger"};
    auto_value struct value *line = event_to_value(event);

    for (size_t i = 0; i < ARRAY_LEN(first_keys); i++) {
        strbuf_addf(out, "%s%s=", i ? " " : "", first_keys[i]);
        strbuf_add_py_repr(out, value_get(line, first_keys[i]));
        value_remove(line, first_keys[i]);
    }
    for (size_t i = 0; i < value_count(line); i++) {
        const struct value_member *member = value_member_at(line, i);

        strbuf_addf(out, " %s=", member->key);
        strbuf_add_py_repr(out, member->value);
    }
}

/* What looks like a line of its own must be one: the others are set in. */
static void add_indented(struct strbuf *out, const char *text)
{
    for (const char *feed; (feed = strchr(text, '\n')); text = feed + 1) {
        strbuf_add_bytes(out, text, (size_t)(feed - text) + 1);
        strbuf_add(out, "    ");
    }
    strbuf_add(out, text);
}

/* Names and messages can hold what steers a terminal. Colors may stay in what a plugin says, but
 * not in Airflow's logs. */
static char *visible_text(const char *text, unsigned keep)
{
    struct strbuf visible = STRBUF_INIT;

    if (text)
        strbuf_add_visible(&visible, text, strlen(text), keep);
    return text ? strbuf_take(&visible) : NULL;
}

static void render_text(struct strbuf *out, const struct event *event, enum log_format format)
{
    unsigned colors = sink.is_for_airflow ? TERMINAL_DROP_COLORS : TERMINAL_KEEP_COLORS;
    unsigned keep = TERMINAL_KEEP_LINES | (event->name ? colors : 0);
    auto_free char *name = visible_text(event->name, TERMINAL_KEEP_NOTHING);
    auto_free char *text = visible_text(event->text, keep);
    auto_strbuf struct strbuf indented = STRBUF_INIT;
    struct event visible = *event;

    if (format == LOG_PLAIN) {
        strbuf_add(out, text);
        return;
    }
    add_indented(&indented, text);
    visible.name = name;
    visible.text = strbuf_text(&indented);
    add_console(out, &visible, format == LOG_COLORED && sink.has_colors);
}

static void render(struct strbuf *out, const struct event *event, enum log_format format)
{
    strbuf_reset(out);
    switch (format) {
    case LOG_COLORED:
    case LOG_UNCOLORED:
    case LOG_PLAIN:
        render_text(out, event, format);
        break;
    case LOG_JSON:
        add_json(out, event);
        break;
    case LOG_KEY_VALUE:
        add_key_value(out, event);
        break;
    }
    redact_strbuf(out, 0);
}

/* The beginning of text with a mark that says so, cut between two characters. */
static char *cut_text(const char *text, size_t length)
{
    while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return xasprintf("%.*s... (cut)", (int)length, text);
}

/* Shortens the event's text first and gives up its fields only when that is not enough: what
 * reads JSON gets whole objects. */
static void render_within(struct strbuf *out, const struct event *event, enum log_format format,
                          size_t limit)
{
    struct event shorter = *event;
    size_t fits = 0, too_long = strlen(event->text) + 1;
    auto_free char *longest = NULL;

    render(out, event, format);
    if (!limit || out->length <= limit)
        return;
    shorter.text = "... (cut)";
    render(out, &shorter, format);
    if (out->length > limit)
        shorter.fields = NULL;
    while (fits + 1 < too_long) {
        size_t length = fits + (too_long - fits) / 2;
        auto_free char *text = cut_text(event->text, length);

        shorter.text = text;
        render(out, &shorter, format);
        if (out->length > limit)
            too_long = length;
        else
            fits = length;
    }
    longest = cut_text(event->text, fits);
    shorter.text = longest;
    render(out, &shorter, format);
    strbuf_truncate(out, limit);
}

/* --- sinks -------------------------------------------------------------------------------- */

/* Like fd_write_all(), but patient with a descriptor that somebody made non-blocking. */
static int write_line(int fd, const struct strbuf *line)
{
    size_t done = 0;

    while (done < line->length) {
        ssize_t size = write(fd, line->text + done, line->length - done);

        if (size >= 0) {
            done += (size_t)size;
        } else if (errno == EAGAIN) {
            struct pollfd writable = {.fd = fd, .events = POLLOUT};

            poll(&writable, 1, -1);
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

static void write_to_console(const struct event *event)
{
    auto_strbuf struct strbuf line = STRBUF_INIT;

    if (sink.is_deaf)
        return;
    render_within(&line, event, sink.format, sink.is_for_airflow ? AIRFLOW_LINE_LIMIT : 0);
    strbuf_add_char(&line, '\n');
    if (write_line(STDERR_FILENO, &line) < 0)
        sink.is_deaf = true;
}

static void write_to_file(const struct event *event)
{
    auto_strbuf struct strbuf line = STRBUF_INIT;

    if (sink.file < 0)
        return;
    render(&line, event, LOG_UNCOLORED);
    strbuf_add_char(&line, '\n');
    if (write_line(sink.file, &line) < 0) {
        int reason = errno;
        auto_free char *path = xstrdup(sink.path);

        log_close_file();
        log_warning("The log ends here: cannot write %s: %s", path, strerror(reason));
    }
}

static void say_on_console(enum log_level level, const char *format, ...) ATTR_PRINTF(2, 3);
static void say_on_console(enum log_level level, const char *format, ...)
{
    struct event event = {.level = level, .time_us = clock_now_us()};
    auto_free char *text = NULL;
    va_list args;

    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    event.text = text;
    write_to_console(&event);
}

static unsigned count_lines(const char *text)
{
    unsigned lines = 1;

    while ((text = strchr(text, '\n'))) {
        text++;
        lines++;
    }
    return lines;
}

/* Whether chatter does not go to standard error; where it begins and ends to be left out is said
 * there. */
static bool is_left_out(const struct event *event)
{
    bool was_closed = sink.budget.is_closed;

    if (!sink.is_for_airflow || sink.file < 0 || sink.level == LOG_DEBUG)
        return false;
    if (!line_budget_take(&sink.budget, count_lines(event->text), event->time_us)) {
        if (!was_closed)
            say_on_console(LOG_INFO, "Too many lines: from here on they are only in %s", sink.path);
        return true;
    }
    if (was_closed)
        say_on_console(LOG_INFO, "%llu lines were left out here",
                       (unsigned long long)(sink.budget.left_out - sink.left_out_told));
    sink.left_out_told = sink.budget.left_out;
    return false;
}

static void log_text(enum log_level level, const char *name, const struct value *fields,
                     bool is_chatter, const char *format, va_list args) ATTR_PRINTF(5, 0);
static void log_text(enum log_level level, const char *name, const struct value *fields,
                     bool is_chatter, const char *format, va_list args)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct event event = {level, clock_now_us(), name, fields, NULL};

    if (level < sink.level || level == LOG_DISABLED)
        return;
    if (!sink.is_ready)
        look_at_environment();
    strbuf_vaddf(&text, format, args);
    /* Before the text is cut: half a secret would not be recognised. */
    redact_strbuf(&text, 0);
    event.text = strbuf_text(&text);
    if (!is_chatter || !is_left_out(&event))
        write_to_console(&event);
    write_to_file(&event);
}

void log_event(enum log_level level, const char *name, const struct value *fields,
               const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_text(level, name, fields, false, format, args);
    va_end(args);
}

void log_chatter(enum log_level level, const char *name, const struct value *fields,
                 const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_text(level, name, fields, true, format, args);
    va_end(args);
}

#define DEFINE_LOG(function, level)                                                                \
    void function(const char *format, ...)                                                         \
    {                                                                                              \
        va_list args;                                                                              \
                                                                                                   \
        va_start(args, format);                                                                    \
        log_text(level, NULL, NULL, false, format, args);                                          \
        va_end(args);                                                                              \
    }

DEFINE_LOG(log_debug, LOG_DEBUG)
DEFINE_LOG(log_info, LOG_INFO)
DEFINE_LOG(log_warning, LOG_WARNING)
DEFINE_LOG(log_error, LOG_ERROR)

int log_open_file(const char *path, struct error *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0)
        return error_set_errno(err, ERR_IO, "cannot open the log %s", path);
    log_close_file();
    sink.file = fd;
    sink.path = xstrdup(path);
    sink.left_out_before = sink.budget.left_out;
    return 0;
}

void log_close_file(void)
{
    fd_close(&sink.file);
    free(sink.path);
    sink.path = NULL;
}

bool log_is_for_airflow(void)
{
    if (!sink.is_ready)
        look_at_environment();
    return sink.is_for_airflow;
}

uint64_t log_left_out(void)
{
    return sink.budget.left_out - sink.left_out_before;
}
