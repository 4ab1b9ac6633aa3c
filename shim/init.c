#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/uuid.h"
#include "shim/app.h"
#include "shim/commands.h"

#include <string.h>
#include <strings.h>

/* What Meltano puts into a new project, meltano.yml aside. */
static const struct skeleton_file {
    const char *path, *text;
} skeleton[] = {
    {"README.md", ""},
    {"requirements.txt", ""},
    {"output/.gitignore", "*\n!.gitignore\n"},
    {".gitignore", "/venv\n/.meltano\n.env\n"},
    {"extract/.gitkeep", ""},
    {"load/.gitkeep", ""},
    {"transform/.gitkeep", ""},
    {"analyze/.gitkeep", ""},
    {"notebook/.gitkeep", ""},
    {"orchestrate/.gitkeep", ""},
};

struct init_args {
    const char *directory;
    bool no_usage_stats, force;
};

/* We report nothing to anybody, but the Python Meltano will read this, too. */
static bool refuses_usage_stats(const struct app *app, const struct init_args *args)
{
    const char *setting = strmap_get(&app->environment, "MELTANO_SEND_ANONYMOUS_USAGE_STATS");

    return args->no_usage_stats ||
           (setting && (!strcasecmp(setting, "false") || !strcmp(setting, "0")));
}

static int write_project_file(const struct app *app, const struct init_args *args,
                              struct error *err)
{
    auto_free char *path = path_join(args->directory, "meltano.yml");
    auto_strbuf struct strbuf text = STRBUF_INIT;
    char project_id[UUID_TEXT_SIZE];

    if (!args->force && file_exists(path)) {
        error_set(err, ERR_CONFIG, "%s exists already", path);
        return error_hint(err, "Use --force to overwrite it.");
    }
    uuid_new_v7(project_id);
    strbuf_addf(&text,
                "default_environment: dev\n"
                "project_id: %s\n"
                "environments:\n"
                "- name: dev\n"
                "- name: staging\n"
                "- name: prod\n",
                project_id);
    if (refuses_usage_stats(app, args))
        strbuf_add(&text, "send_anonymous_usage_stats: false\n");
    return file_replace(path, &text, 0644, NULL, err);
}

static int write_skeleton_file(struct app *app, const char *directory,
                               const struct skeleton_file *file, struct error *err)
{
    auto_free char *path = path_join(directory, file->path);
    auto_free char *parent = path_parent(path);
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (file_exists(path)) {
        app_print(app, "   |-- %s (skipped)\n", file->path);
        return 0;
    }
    strbuf_add(&text, file->text);
    if (dir_make_all(parent, 0777, err) < 0 || file_write(path, &text, 0644, err) < 0)
        return -1;
    app_print(app, "   |-- %s\n", file->path);
    return 0;
}

static int run_init(struct app *app, void *data, struct error *err)
{
    const struct init_args *args = data;

    if (dir_make_all(args->directory, 0777, err) < 0 || write_project_file(app, args, err) < 0)
        return -1;
    app_print(app, "Creating project files...\n  %s/\n   |-- meltano.yml\n", args->directory);
    for (size_t i = 0; i < ARRAY_LEN(skeleton); i++)
        if (write_skeleton_file(app, args->directory, &skeleton[i], err) < 0)
            return -1;
    app_print(app,
              "Your project has been created, with the environments dev, staging and prod.\n"
              "Describe its plugins in %s/meltano.yml, then run '%s install' there.\n",
              args->directory, app->program);
    return 0;
}

static const struct option_def init_options[] = {
    OPTION_FLAG(struct init_args, no_usage_stats, "no-usage-stats",
                "Tell the Python Meltano to report nothing either."),
    OPTION_FLAG(struct init_args, force, "force", "Overwrite a meltano.yml that is there."),
    {0},
};

static const struct argument_def init_arguments[] = {
    ARGUMENT_ONE(struct init_args, directory, "PROJECT_DIRECTORY", .word = WORD_DIRECTORY),
    {0},
};

const struct command init_command = {
    .name = "init",
    .summary = "Make a new project.",
    .options = init_options,
    .arguments = init_arguments,
    .args_size = sizeof(struct init_args),
    .run = run_init,
    .stands_alone = true,
};
