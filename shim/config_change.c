#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/config_print.h"
#include "config/setting_write.h"
#include "shim/commands.h"
#include "shim/config_subject.h"
#include "shim/plugins.h"

#include <string.h>
#include <unistd.h>

#define REDACTED "(redacted)"

static const char *const places[] = {"dotenv", "meltano-yml",         "db",
                                     "auto",   "meltano-environment", NULL};

static const enum setting_source place_sources[] = {SOURCE_DOTENV, SOURCE_MELTANO_YML, SOURCE_DB,
                                                    SETTING_ANYWHERE, SOURCE_MELTANO_ENVIRONMENT};
_Static_assert(ARRAY_LEN(places) == ARRAY_LEN(place_sources) + 1, "a place has no source");

struct change_args {
    const char *name;
    struct strlist words; /* the setting, and its value */
    const char *from_file;
    int plugin_type, store;
    bool yes;
};

/* "meltano_yml" means the environment's part of it when an environment was asked for. */
static enum setting_source chosen_place(const struct setting_subject *subject, int choice)
{
    enum setting_source place = choice ? place_sources[choice - 1] : SETTING_ANYWHERE;

    if (place == SOURCE_MELTANO_YML && subject->plugin && config_environment(subject->config))
        return SOURCE_MELTANO_ENVIRONMENT;
    return place;
}

static struct store *open_store(void *context, bool for_writing, struct error *err)
{
    return app_store(context, for_writing ? STORE_WRITE : STORE_READ, err);
}

static int find_subject(struct app *app, const struct change_args *args,
                        struct setting_subject *out, struct error *err)
{
    struct config *config = app_config(app, err);

    *out = (struct setting_subject){.config = config, .open_store = open_store, .context = app};
    if (!config)
        return -1;
    return config_subject_find(config_project(config), args->name, args->plugin_type, &out->plugin,
                               err);
}

static void print_subject(struct app *app, const struct plugin *plugin)
{
    if (plugin)
        plugins_add_subject(&app->out, plugin);
    else
        app_print(app, "Meltano");
}

static bool is_hidden(const struct app *app, const struct setting *setting)
{
    return setting && setting->def->sensitive && !app->parsed.globals.unsafe;
}

static void print_value(struct app *app, const struct setting *setting)
{
    if (is_hidden(app, setting) && !value_is_null(setting->value))
        app_print(app, REDACTED);
    else
        strbuf_add_setting_repr(&app->out, setting);
}

/* --- the value afterwards ----------------------------------------------------------------- */

static const struct setting *find_setting(const struct setting_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i].def->name, name) ||
            strlist_contains(&list->items[i].def->aliases, name))
            return &list->items[i];
    return NULL;
}

/* Reads the project again. *setting is NULL when nothing is known of it any more; *resolved keeps
 * it alive. */
static int read_again(struct app *app, const struct change_args *args, const char *name,
                      struct plugin_config **resolved, const struct setting **setting,
                      struct error *err)
{
    const struct setting_list *settings;
    struct setting_subject subject;

    app_close(app);
    if (find_subject(app, args, &subject, err) < 0)
        return -1;
    if (!subject.plugin) {
        if (config_project_settings(subject.config, &settings, err) < 0)
            return -1;
        *setting = find_setting(settings, name);
        return 0;
    }
    if (config_resolve_plugin(subject.config, subject.plugin, NULL, NULL, resolved, err) < 0)
        return -1;
    *setting = find_setting(&(*resolved)->settings, name);
    if (!*setting)
        *setting = find_setting(&(*resolved)->extras, name);
    return 0;
}

/* --- set ---------------------------------------------------------------------------------- */

static int read_value_file(const char *path, char **out, struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    size_t begin, end;

    if (strcmp(path, "-") != 0) {
        if (file_read(path, &text, err) < 0)
            return -1;
    } else if (fd_read_all(STDIN_FILENO, &text) < 0) {
        return error_set_errno(err, ERR_IO, "cannot read standard input");
    }
    begin = strspn(strbuf_text(&text), " \t\r\n");
    for (end = text.length; end > begin && strchr(" \t\r\n", text.text[end - 1]);)
        end--;
    *out = xstrndup(strbuf_text(&text) + begin, end - begin);
    return 0;
}

/* The last word is the value, unless that comes from a file. */
static int split_words(const struct change_args *args, struct strlist *path, char **value,
                       struct error *err)
{
    size_t names = args->words.count - (args->from_file ? 0 : 1);

    if (args->words.count < (args->from_file ? 1u : 2u))
        return error_set(err, ERR_USAGE,
                         args->from_file ? "Missing argument 'SETTING_NAME...'."
                                         : "Missing argument 'VALUE'.");
    for (size_t i = 0; i < names; i++)
        strlist_add(path, args->words.items[i]);
    if (args->from_file)
        return read_value_file(args->from_file, value, err);
    *value = xstrdup(args->words.items[names]);
    return 0;
}

static int report_set(struct app *app, const struct change_args *args, const char *name,
                      enum setting_source where, const struct value *value, struct error *err)
{
    auto_plugin_config struct plugin_config *resolved = NULL;
    const struct setting *setting = NULL;
    struct setting_subject subject;

    if (read_again(app, args, name, &resolved, &setting, err) < 0 ||
        find_subject(app, args, &subject, err) < 0)
        return -1;
    print_subject(app, subject.plugin);
    app_print(app, " setting '%s' was set in %s: ", name, setting_source_label(where));
    if (is_hidden(app, setting))
        app_print(app, REDACTED);
    else
        strbuf_add_py_repr(&app->out, value);
    app_print(app, "\n");
    if (!setting || setting->source == where)
        return 0;
    app_print(app, "Current value is still: ");
    print_value(app, setting);
    app_print(app, " (from %s)\n", setting_source_label(setting->source));
    return 0;
}

static int run_set(struct app *app, void *data, struct error *err)
{
    const struct change_args *args = data;
    auto_strlist struct strlist path = STRLIST_INIT;
    auto_free char *text = NULL, *name = NULL;
    auto_value struct value *value = NULL;
    struct setting_subject subject;
    enum setting_source where;

    if (split_words(args, &path, &text, err) < 0 || find_subject(app, args, &subject, err) < 0)
        return -1;
    if (!strcmp(text, REDACTED)) {
        log_warning("%s stands for a secret that is not shown; nothing was changed.", REDACTED);
        return 0;
    }
    name = strlist_join(&path, ".");
    if (setting_set(&subject, &path, text, chosen_place(&subject, args->store), &where, &value,
                    err) < 0)
        return -1;
    return report_set(app, args, name, where, value, err);
}

#define STORE_OPTION                                                                               \
    OPTION_CHOICE(struct change_args, store, "store",                                              \
                  "Where: the place that suits the setting (auto, the default), .env, "            \
                  "meltano.yml, or the system database.",                                          \
                  .choices = places)

static const struct option_def set_options[] = {
    STORE_OPTION,
    OPTION_STRING(struct change_args, from_file, "from-file",
                  "Read the value from this file; '-' is standard input.", .metavar = "FILE",
                  .word = WORD_FILE),
    PLUGIN_TYPE_OPTION(struct change_args),
    {0},
};

static const struct argument_def set_arguments[] = {
    ARGUMENT_ONE(struct change_args, name, "PLUGIN_NAME", .word = WORD_CONFIGURABLE),
    ARGUMENT_AT_LEAST_ONE(struct change_args, words, "SETTING_NAME_AND_VALUE"),
    {0},
};

const struct command config_set_command = {
    .name = "set",
    .summary = "Change a setting.",
    .details = "Several words before the value are a path: 'set tap-x auth token secret' means "
               "'set tap-x auth.token secret'. Secrets go to .env.",
    .options = set_options,
    .arguments = set_arguments,
    .args_size = sizeof(struct change_args),
    .run = run_set,
};

/* --- unset -------------------------------------------------------------------------------- */

static int run_unset(struct app *app, void *data, struct error *err)
{
    const struct change_args *args = data;
    auto_plugin_config struct plugin_config *resolved = NULL;
    auto_free char *name = strlist_join(&args->words, ".");
    const struct setting *setting = NULL;
    struct setting_subject subject;
    enum setting_source where;

    if (find_subject(app, args, &subject, err) < 0 ||
        setting_unset(&subject, &args->words, chosen_place(&subject, args->store), &where, err) <
            0 ||
        read_again(app, args, name, &resolved, &setting, err) < 0 ||
        find_subject(app, args, &subject, err) < 0)
        return -1;
    print_subject(app, subject.plugin);
    app_print(app, " setting '%s' in %s was unset\n", name, setting_source_label(where));
    if (!setting || setting->source == SOURCE_DEFAULT)
        return 0;
    app_print(app, "Current value is now: ");
    print_value(app, setting);
    app_print(app, " (");
    strbuf_add_setting_origin(&app->out, setting);
    app_print(app, ")\n");
    return 0;
}

static const struct option_def unset_options[] = {
    STORE_OPTION,
    PLUGIN_TYPE_OPTION(struct change_args),
    {0},
};

static const struct argument_def unset_arguments[] = {
    ARGUMENT_ONE(struct change_args, name, "PLUGIN_NAME", .word = WORD_CONFIGURABLE),
    ARGUMENT_AT_LEAST_ONE(struct change_args, words, "SETTING_NAME"),
    {0},
};

const struct command config_unset_command = {
    .name = "unset",
    .summary = "Remove a setting, from everywhere unless --store says from where.",
    .options = unset_options,
    .arguments = unset_arguments,
    .args_size = sizeof(struct change_args),
    .run = run_unset,
};

/* --- reset -------------------------------------------------------------------------------- */

static int run_reset(struct app *app, void *data, struct error *err)
{
    const struct change_args *args = data;
    struct setting_subject subject;
    enum setting_source from;

    if (!args->yes && !app_confirm("Do you want to continue?"))
        return error_set(err, ERR_FAILED, "aborted");
    if (find_subject(app, args, &subject, err) < 0)
        return -1;
    from = chosen_place(&subject, args->store);
    if (settings_reset(&subject, from, err) < 0)
        return -1;
    print_subject(app, subject.plugin);
    app_print(app, " settings in %s were reset\n",
              from == SETTING_ANYWHERE ? "the system database, `meltano.yml`, and `.env`"
                                       : setting_source_label(from));
    return 0;
}

static const struct option_def reset_options[] = {
    STORE_OPTION,
    OPTION_FLAG(struct change_args, yes, "yes", "Do not ask."),
    PLUGIN_TYPE_OPTION(struct change_args),
    {0},
};

static const struct argument_def reset_arguments[] = {
    ARGUMENT_ONE(struct change_args, name, "PLUGIN_NAME", .word = WORD_CONFIGURABLE),
    {0},
};

const struct command config_reset_command = {
    .name = "reset",
    .summary = "Remove all settings and extras of a plugin.",
    .details = "Other than Meltano, which removes the whole .env, this removes only the variables "
               "of the plugin's own settings from it.",
    .options = reset_options,
    .arguments = reset_arguments,
    .args_size = sizeof(struct change_args),
    .run = run_reset,
};
