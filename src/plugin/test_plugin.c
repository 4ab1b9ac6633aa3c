#include "plugin/test_plugin.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "plugin/attend.h"
#include "plugin/plugin_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* From SIGTERM to SIGKILL. */
#define STOP_GRACE_MS 3500
/* A record longer than this is not recognised. */
#define MAX_RECORD_BYTES ((size_t)64 * 1024 * 1024)
#define DEFAULT_COLUMNS  80
#define RESULT_COLUMNS   52
#define TEST_STREAM      "meltano_test_stream"
#define MAX_SHOWN_BYTES  400

/* --- config test ---------------------------------------------------------------------------- */

struct observation {
    char *last_line;
    bool has_record;  /* of a tap */
    char *error_line; /* of a target: the first line that speaks of an error */
    bool looks_for_errors;
};

static void observation_clear(struct observation *observation)
{
    free(observation->last_line);
    free(observation->error_line);
}

static bool is_record(const char *line, size_t length)
{
    auto_value struct value *message = NULL;
    struct error ignored = {0};
    const char *type;

    if (!length || json_parse(line, length, NULL, &message, &ignored) < 0)
        return false;
    type = value_get_text(message, "type");
    return type && (!strcmp(type, "RECORD") || !strcmp(type, "BATCH"));
}

static void see_line(void *context, const char *line, size_t length)
{
    struct observation *observation = context;

    if (!length)
        return;
    free(observation->last_line);
    observation->last_line = xstrndup(line, length < MAX_SHOWN_BYTES ? length : MAX_SHOWN_BYTES);
    if (observation->looks_for_errors && !observation->error_line &&
        (strcasestr(line, "error") || strcasestr(line, "exception")))
        observation->error_line = xstrdup(observation->last_line);
}

static bool take_tap_line(void *context, const char *line, size_t length)
{
    struct observation *observation = context;

    see_line(context, line, length);
    observation->has_record = is_record(line, length);
    return !observation->has_record;
}

static bool take_target_line(void *context, const char *line, size_t length)
{
    see_line(context, line, length);
    return true;
}

static int set_invalid(const struct plugin *plugin, const char *detail, struct error *err)
{
    error_set(err, plugin->type == PLUGIN_EXTRACTOR ? ERR_TAP : ERR_TARGET,
              "plugin configuration is invalid: %s", detail);
    return error_hint(err, "Run 'meltano config list %s' to review the plugin settings.",
                      plugin->name);
}

/* What it said last, else how it ended. */
static int set_failure(const struct plugin *plugin, const struct process_end *end,
                       const char *last_line, struct error *err)
{
    char how[128];

    process_end_describe(end, how, sizeof how);
    if (!last_line)
        return set_invalid(plugin, how, err);
    set_invalid(plugin, last_line, err);
    return error_hint(err,
                      "It ended with %s. Run 'meltano config list %s' to review the plugin "
                      "settings.",
                      how, plugin->name);
}

static int judge_tap(const struct plugin *plugin, const struct observation *observation,
                     const struct attend_result *result, struct error *err)
{
    if (observation->has_record)
        return 0;
    if (process_end_to_status(&result->end) != 0)
        return set_failure(plugin, &result->end, observation->last_line, err);
    set_invalid(plugin, "no RECORD or BATCH message received", err);
    return error_hint(err,
                      "Verify that at least one stream is selected using 'meltano select %s "
                      "--list', and run 'meltano config list %s' to review the settings.",
                      plugin->name, plugin->name);
}

static int judge_target(const struct plugin *plugin, const struct observation *observation,
                        const struct attend_result *result, struct error *err)
{
    if (process_end_to_status(&result->end) != 0)
        return set_failure(plugin, &result->end, observation->last_line, err);
    if (observation->error_line)
        return set_invalid(plugin, observation->error_line, err);
    log_info(
        "Test data was written to your target system. You may want to clean up the '" TEST_STREAM
        "' table or collection.");
    return 0;
}

/* What the loader reads: small enough to lie ready in the pipe before it starts. */
static int write_test_messages(const struct plugin *plugin, int *input, struct error *err)
{
    static const char messages[] =
        "{\"type\": \"SCHEMA\", \"stream\": \"" TEST_STREAM
        "\", \"schema\": {\"type\": \"object\", "
        "\"properties\": {\"id\": {\"type\": \"integer\"}, \"name\": {\"type\": \"string\"}, "
        "\"created_at\": {\"type\": \"string\", \"format\": \"date-time\"}}}, "
        "\"key_properties\": [\"id\"]}\n"
        "{\"type\": \"RECORD\", \"stream\": \"" TEST_STREAM "\", \"record\": {\"id\": 1, "
        "\"name\": \"A record for a test\", \"created_at\": \"2025-01-31T12:00:00Z\"}}\n"
        "{\"type\": \"STATE\", \"value\": {\"bookmarks\": {\"" TEST_STREAM "\": "
        "{\"last_record\": 1}}}}\n";
    static const char activation[] =
        "{\"type\": \"ACTIVATE_VERSION\", \"stream\": \"" TEST_STREAM "\", \"version\": 1}\n";
    int fds[2];

    if (process_pipe(fds, err) < 0)
        return -1;
    *input = fds[0];
    if (fd_write_all(fds[1], messages, strlen(messages)) < 0 ||
        (plugin_has_capability(plugin, "activate-version") &&
         fd_write_all(fds[1], activation, strlen(activation)) < 0)) {
        fd_close(&fds[1]);
        return error_set_errno(err, ERR_IO, "cannot write the messages for the test");
    }
    fd_close(&fds[1]);
    return 0;
}

static int observe(const struct invocation *invocation, int input, struct error *err)
{
    const struct plugin *plugin = invocation->plugin;
    bool is_tap = plugin->type == PLUGIN_EXTRACTOR;
    struct observation observation ATTR_CLEANUP(observation_clear) = {
        .looks_for_errors = !is_tap,
    };
    auto_attend_result struct attend_result result = {0};
    struct attend_spec spec = {
        .plugin = plugin,
        .argv = &invocation->argv,
        .env = &invocation->env,
        .cwd = invocation->cwd,
        .input_fd = input,
        .take_line = is_tap ? take_tap_line : take_target_line,
        .max_line_bytes = MAX_RECORD_BYTES,
        .see_error_line = see_line,
        .context = &observation,
        .grace_ms = STOP_GRACE_MS,
    };

    if (attend(&spec, &result, err) < 0)
        return -1;
    if (result.signal_number)
        return attend_signal_error(&result, "the test", err);
    return is_tap ? judge_tap(plugin, &observation, &result, err)
                  : judge_target(plugin, &observation, &result, err);
}

static int test_tap(struct config *config, struct invocation *invocation,
                    const struct invocation_options *options, struct error *err)
{
    return invocation_prepare_sync(config, invocation, options, err) < 0
               ? -1
               : observe(invocation, SPAWN_INHERIT, err);
}

static int test_target(const struct invocation *invocation, struct error *err)
{
    auto_fd int input = -1;

    log_warning("Testing a loader writes test data to your target system: a table or collection "
                "called '" TEST_STREAM "', which you may need to remove after the test.");
    if (write_test_messages(invocation->plugin, &input, err) < 0)
        return -1;
    return observe(invocation, input, err);
}

int plugin_test_config(struct config *config, struct plugin *plugin, struct error *err)
{
    const struct invocation_options options = {.is_stateless = true};
    struct invocation invocation;
    char name[256];
    int result;

    if (plugin->type != PLUGIN_EXTRACTOR && plugin->type != PLUGIN_LOADER)
        return error_set(err, ERR_USAGE, "operation not supported for %s",
                         plugin_describe(plugin, name, sizeof name));
    if (invocation_prepare(config, plugin, &options, &invocation, err) < 0)
        return -1;
    plugin_config_register_secrets(invocation.config);
    if (plugin->type == PLUGIN_EXTRACTOR)
        result = test_tap(config, &invocation, &options, err);
    else
        result = test_target(&invocation, err);
    invocation_end(&invocation);
    return result;
}

/* --- test ----------------------------------------------------------------------------------- */

void plugin_test_list_clear(struct plugin_test_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].command);
    free(list->items);
    *list = (struct plugin_test_list)PLUGIN_TEST_LIST_INIT;
}

static bool is_listed(const struct plugin_test_list *list, const struct plugin *plugin,
                      const char *command)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].plugin == plugin && !strcmp(list->items[i].command, command))
            return true;
    return false;
}

static void add_test(struct plugin_test_list *list, struct plugin *plugin, const char *command)
{
    if (is_listed(list, plugin, command))
        return;
    GROW(list->items, list->count, list->capacity);
    list->items[list->count++] = (struct plugin_test){plugin, xstrdup(command)};
}

static void add_all_tests(struct plugin_test_list *list, struct plugin *plugin)
{
    for (size_t i = 0; i < plugin->command_count; i++)
        if (!strncmp(plugin->commands[i].name, "test", strlen("test")))
            add_test(list, plugin, plugin->commands[i].name);
}

static int add_asked_for(struct plugin_test_list *list, struct plugin *plugin, const char *name,
                         struct error *err)
{
    size_t length = strlen(plugin->name);

    if (!strcmp(name, plugin->name)) {
        add_all_tests(list, plugin);
        return 0;
    }
    if (strncmp(name, plugin->name, length) != 0 || name[length] != ':')
        return 0;
    if (!plugin_require_command(plugin, name + length + 1, err))
        return -1;
    add_test(list, plugin, name + length + 1);
    return 0;
}

static bool is_wanted(const struct plugin *plugin, bool all, const struct strlist *names)
{
    size_t length = strlen(plugin->name);

    if (plugin->mapper || plugin->type == PLUGIN_FILE)
        return false;
    for (size_t i = 0; !all && names && i < names->count; i++)
        if (!strncmp(names->items[i], plugin->name, length) &&
            (!names->items[i][length] || names->items[i][length] == ':'))
            return true;
    return all;
}

static int check_names(const struct project *project, const struct strlist *names,
                       struct error *err)
{
    for (size_t i = 0; names && i < names->count; i++) {
        auto_free char *name = xstrndup(names->items[i], strcspn(names->items[i], ":"));

        if (!project_require_plugin(project, name, err))
            return -1;
    }
    return 0;
}

int plugin_tests_collect(struct project *project, bool all, const struct strlist *names,
                         struct plugin_test_list *out, struct error *err)
{
    auto_plugin_test_list struct plugin_test_list list = PLUGIN_TEST_LIST_INIT;

    if (check_names(project, names, err) < 0)
        return -1;
    for (size_t i = 0; i < project->plugin_count; i++) {
        struct plugin *plugin = project->plugins[i];

        if (!is_wanted(plugin, all, names))
            continue;
        if (plugin_resolve(plugin, err) < 0)
            return -1;
        if (all)
            add_all_tests(&list, plugin);
        for (size_t j = 0; names && j < names->count; j++)
            if (add_asked_for(&list, plugin, names->items[j], err) < 0)
                return -1;
    }
    *out = list;
    list = (struct plugin_test_list)PLUGIN_TEST_LIST_INIT;
    return 0;
}

static size_t terminal_columns(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col
                                                                       : DEFAULT_COLUMNS;
}

static void print_repeated(char c, size_t times)
{
    while (times--)
        putchar(c);
}

/* "==== title ====", as wide as the terminal. */
static void print_rule(const char *title)
{
    size_t columns = terminal_columns(), length = strlen(title);
    size_t fill = columns > length + 4 ? (columns - length - 2) / 2 : 1;

    putchar('\n');
    print_repeated('=', fill);
    printf(" %s ", title);
    print_repeated('=', fill);
    putchar('\n');
    fflush(stdout);
}

static int run_one(struct invocation *invocation, const struct plugin_test *test, bool *passed,
                   struct error *err)
{
    auto_attend_result struct attend_result result = {0};
    struct attend_spec spec = {
        .plugin = test->plugin,
        .argv = &invocation->argv,
        .env = &invocation->env,
        .cwd = invocation->cwd,
        .input_fd = SPAWN_INHERIT,
        .output_fd = SPAWN_INHERIT,
        .uses_terminal = true,
        .grace_ms = STOP_GRACE_MS,
    };
    auto_free char *title = xasprintf("%s:%s", test->plugin->name, test->command);

    if (invocation_set_command(invocation, test->command, NULL, err) < 0)
        return -1;
    print_rule(title);
    if (attend(&spec, &result, err) < 0)
        return -1;
    if (result.signal_number)
        return attend_signal_error(&result, title, err);
    *passed = process_end_to_status(&result.end) == 0;
    return 0;
}

/* Those from first on that are of the same plugin, which is prepared once for all of them. */
static int run_plugin(struct config *config, const struct plugin_test_list *tests, size_t first,
                      size_t end, bool *passed, struct error *err)
{
    const struct invocation_options options = {.is_stateless = true};
    struct invocation invocation;
    int result;

    if (invocation_prepare(config, tests->items[first].plugin, &options, &invocation, err) < 0)
        return -1;
    plugin_config_register_secrets(invocation.config);
    result = invocation_prepare_sync(config, &invocation, &options, err);
    for (size_t i = first; !result && i < end; i++)
        result = run_one(&invocation, &tests->items[i], &passed[i], err);
    invocation_end(&invocation);
    return result;
}

static int report(const struct plugin_test_list *tests, const bool *passed, struct error *err)
{
    size_t failed = 0;
    auto_free char *summary = NULL;

    putchar('\n');
    for (size_t i = 0; i < tests->count; i++) {
        const struct plugin_test *test = &tests->items[i];
        size_t length = strlen(test->plugin->name) + 1 + strlen(test->command);

        printf("%s:%s", test->plugin->name, test->command);
        print_repeated('.', length < RESULT_COLUMNS ? RESULT_COLUMNS - length : 0);
        printf(" %s\n", passed[i] ? "success" : "failure");
        failed += !passed[i];
    }
    summary = xasprintf("Testing completed %s. %zu test(s) successful. %zu test(s) failed.",
                        failed ? "with failures" : "successfully", tests->count - failed, failed);
    print_rule(summary);
    if (ferror(stdout))
        return error_set(err, ERR_IO, "cannot write to standard output");
    if (failed)
        return error_set(err, ERR_COMMAND, "%zu of %zu tests failed", failed, tests->count);
    return 0;
}

int plugin_tests_run(struct config *config, const struct plugin_test_list *tests, struct error *err)
{
    auto_free bool *passed = xcalloc(tests->count + 1, sizeof *passed);
    size_t end;

    for (size_t first = 0; first < tests->count; first = end) {
        for (end = first + 1;
             end < tests->count && tests->items[end].plugin == tests->items[first].plugin;)
            end++;
        if (run_plugin(config, tests, first, end, passed, err) < 0)
            return -1;
    }
    return report(tests, passed, err);
}
