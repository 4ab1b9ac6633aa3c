#include "shim/app.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/redact.h"
#include "base/terminal.h"
#include "process/process.h"
#include "shim/airflow_invoke.h"
#include "shim/help.h"
#include "shim/python_meltano.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The names we go by: our own, Meltano's, and the link .meltano/run/bin by which Meltano and the
 * DAG files of its projects call it. */
static bool is_meltano_name(const char *name)
{
    return !strcmp(name, "meltano") || !strcmp(name, "bin");
}

void app_print(struct app *app, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    strbuf_vaddf(&app->out, format, args);
    va_end(args);
}

void app_print_json(struct app *app, const struct value *value)
{
    json_write(&app->out, value, &json_indented);
    strbuf_add_char(&app->out, '\n');
}

/* A program that reads us gets every byte as it is; a terminal gets nothing that steers it. */
static int write_result(int fd, const struct strbuf *text)
{
    auto_strbuf struct strbuf visible = STRBUF_INIT;

    if (isatty(fd)) {
        strbuf_add_visible(&visible, strbuf_text(text), text->length,
                           TERMINAL_KEEP_LINES | TERMINAL_KEEP_COLORS);
        text = &visible;
    }
    return fd_write_all(fd, strbuf_text(text), text->length);
}

int app_flush(struct app *app, struct error *err)
{
    bool failed = write_result(STDOUT_FILENO, &app->out) < 0;

    strbuf_reset(&app->out);
    if (failed && errno != EPIPE)
        return error_set_errno(err, ERR_IO, "cannot write to standard output");
    return 0;
}

enum plugin_type app_plugin_type(int choice)
{
    return (enum plugin_type)((choice - 1) / 2);
}

bool app_wants_color(const struct app *app)
{
    const char *no_color = strmap_get(&app->environment, "NO_COLOR");

    return isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

bool app_confirm(const char *question)
{
    char answer[16];

    fprintf(stderr, "%s [y/N]: ", question);
    if (!fgets(answer, sizeof answer, stdin)) {
        fputc('\n', stderr);
        return false;
    }
    return !strcasecmp(answer, "y\n") || !strcasecmp(answer, "yes\n");
}

/* --- errors ------------------------------------------------------------------------------- */

/* Upper case at the beginning of a sentence, but not of "tap-x", "meltano.yml" or a path. */
static void add_sentence(struct strbuf *out, const char *text)
{
    size_t letters = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    size_t at = out->length, length;

    strbuf_add(out, text);
    if (letters && (!text[letters] || strchr(" ,:", text[letters])))
        out->text[at] = (char)toupper((unsigned char)out->text[at]);
    length = strlen(text);
    if (length && !strchr(".!?:", text[length - 1]) && !strchr(text, '\n'))
        strbuf_add_char(out, '.');
}

/* How a wrong command line is answered: as click does, without a time stamp. */
static void report_usage_error(const struct app *app, const struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT, visible = STRBUF_INIT;

    if (!app->parsed.command->is_passed_on) {
        help_add_usage(&text, app->program, app->parsed.path, app->parsed.depth);
        strbuf_add(&text, "Try '");
        help_add_path(&text, app->program, app->parsed.path, app->parsed.depth);
        strbuf_add(&text, " --help' for help.\n\n");
    }
    strbuf_add(&text, "Error: ");
    add_sentence(&text, err->message);
    strbuf_add_char(&text, '\n');
    if (err->hint[0])
        strbuf_addf(&text, "%s\n", err->hint);
    redact_strbuf(&text, 0);
    strbuf_add_visible(&visible, text.text, text.length, TERMINAL_KEEP_LINES);
    fd_write_all(STDERR_FILENO, visible.text, visible.length);
}

static void report_error(const struct app *app, const struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_value struct value *fields = value_new_map();

    if (err->code == ERR_USAGE) {
        report_usage_error(app, err);
        return;
    }
    add_sentence(&text, err->message);
    if (err->hint[0])
        strbuf_addf(&text, "%c%s", strchr(err->message, '\n') ? '\n' : ' ', err->hint);
    value_set_string(fields, "error_class", error_class(err->code));
    value_set_int(fields, "exit_status", error_exit_status(err->code));
    log_event(err->code == ERR_SKIPPED ? LOG_WARNING : LOG_ERROR, NULL, fields, "%s",
              strbuf_text(&text));
}

/* --- commands ----------------------------------------------------------------------------- */

static int print_help(struct app *app)
{
    help_add_text(&app->out, app->program, app->parsed.path, app->parsed.depth);
    return 0;
}

/* A group alone: its help, but it was not asked for. */
static int explain_group(struct app *app)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    help_add_text(&text, app->program, app->parsed.path, app->parsed.depth);
    fd_write_all(STDERR_FILENO, text.text, text.length);
    app->exit_status = app->parsed.command->status_when_bare;
    return 0;
}

/* The program that reads the second form takes the third word for Meltano's version. */
static int print_version(struct app *app)
{
    if (app->is_meltano)
        app_print(app, "meltano, version %s (meltshim %s)\n", MELTANO_VERSION, MELTSHIM_VERSION);
    else
        app_print(app, "meltshim %s\n", MELTSHIM_VERSION);
    return 0;
}

static void set_override(struct app *app, const char *setting, const char *value)
{
    if (value)
        strmap_set(&app->overrides, setting, value);
}

/* The global options that hold before the project is known. */
static void apply_globals(struct app *app)
{
    const struct global_options *globals = &app->parsed.globals;

    if (globals->log_level) {
        log_set_level((enum log_level)(globals->log_level - 1));
        set_override(app, "cli.log_level",
                     log_level_name((enum log_level)(globals->log_level - 1)));
    }
    if (globals->log_format) {
        log_set_format((enum log_format)(globals->log_format - 1));
        set_override(app, "cli.log_format",
                     log_format_name((enum log_format)(globals->log_format - 1)));
    }
    set_override(app, "cli.log_config", globals->log_config);
    set_override(app, "database_uri", globals->database_uri);
}

static int run_command(struct app *app, struct error *err)
{
    const struct parsed *parsed = &app->parsed;

    if (parsed->globals.help)
        return print_help(app);
    if (parsed->globals.version)
        return print_version(app);
    if (parsed->command->is_passed_on)
        return python_meltano_exec(&app->argv, &app->environment, err);
    if (!parsed->command->run)
        return explain_group(app);
    apply_globals(app);
    if (app_enter_directory(app, err) < 0)
        return -1;
    return parsed->command->run(app, parsed->args, err);
}

static void app_init(struct app *app, int argc, char **argv)
{
    const char *name = argc ? path_name(argv[0]) : "meltshim";

    *app = (struct app){.is_meltano = is_meltano_name(name)};
    app->program = app->is_meltano ? "meltano" : "meltshim";
    app->is_airflow = !strcmp(name, AIRFLOW_PROGRAM_NAME);
    /* Meltano has said already which environment is active. */
    app->is_known = app->is_airflow;
    for (int i = 0; i < argc; i++)
        strlist_add(&app->argv, argv[i]);
    strmap_from_environ(&app->environment, environ);
}

static void app_clear(struct app *app)
{
    app_close(app);
    parsed_clear(&app->parsed);
    strlist_clear(&app->argv);
    strmap_clear(&app->environment);
    strmap_clear(&app->overrides);
    strbuf_clear(&app->out);
}

/* Its words are in words, which has to live as long as what is parsed from it. */
static int parse(struct app *app, int argc, char **argv, struct strlist *words, struct error *err)
{
    if (app->is_airflow)
        airflow_rewrite_command_line(app, argc, argv, words);
    for (int i = 1; !app->is_airflow && i < argc; i++)
        strlist_add(words, argv[i]);
    return parse_command_line(app, &root_command, (int)words->count, words->items, &app->parsed,
                              err);
}

int app_main(int argc, char **argv)
{
    auto_strlist struct strlist words = STRLIST_INIT;
    struct app app;
    struct error err = {0};
    int status;

    app_init(&app, argc, argv);
    if (parse(&app, argc, argv, &words, &err) < 0 || run_command(&app, &err) < 0) {
        struct error flush_error = {0};

        app_flush(&app, &flush_error);
        report_error(&app, &err);
        status = error_exit_status(err.code);
    } else if (app_flush(&app, &err) < 0) {
        report_error(&app, &err);
        status = error_exit_status(err.code);
    } else {
        status = app.exit_status;
    }
    app_clear(&app);
    return status;
}
