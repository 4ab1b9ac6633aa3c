/* shim/command.h - commands, their options and arguments, as rows of tables.
 *
 * The parser, --help, the shell completion and docs/cli.md all read the same rows; nothing about
 * a command is written down twice. */
#ifndef SHIM_COMMAND_H
#define SHIM_COMMAND_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct app;

enum option_kind {
    OPT_FLAG,   /* bool: true when given */
    OPT_UNFLAG, /* bool: false when given */
    OPT_VALUE,  /* int: the row's value when given; several names for one choice */
    OPT_STRING, /* const char * */
    OPT_LIST,   /* struct strlist: may be given several times */
    OPT_NUMBER, /* long: the row's value when not given */
    OPT_CHOICE, /* int: 1 for the first of the choices, ..., 0 when not given */
    OPT_UUID,   /* const char *, in any form */
    OPT_KIND_COUNT,
};

/* What a word stands for: the completion offers such names. */
enum word_kind {
    WORD_TEXT,
    WORD_FILE,
    WORD_DIRECTORY,
    WORD_PLUGIN,
    WORD_CONFIGURABLE, /* a plugin, a mapping or "meltano" */
    WORD_EXTRACTOR,
    WORD_LOADER,
    WORD_PLUGIN_COMMAND, /* PLUGIN or PLUGIN:COMMAND */
    WORD_BLOCK,          /* what 'run' takes: plugins, mappings, jobs */
    WORD_JOB,
    WORD_SCHEDULE,
    WORD_ENVIRONMENT,
    WORD_STATE_ID,
};

struct option_def {
    const char *name; /* without dashes; '_' is accepted for '-' */
    char letter;      /* 0: no short form */
    enum option_kind kind;
    size_t offset; /* of the field in the command's arguments; for a group, in global_options */
    const char *help;
    const char *metavar;        /* NULL: by kind */
    const char *const *choices; /* OPT_CHOICE: ends in NULL */
    const char *env;            /* a variable that gives it as well */
    const char *alias;          /* a second name */
    long value;                 /* OPT_VALUE, OPT_NUMBER */
    long minimum;               /* OPT_NUMBER with has_minimum */
    bool has_minimum, is_required, is_hidden;
    enum word_kind word;
};

/* Rows, for example OPTION_FLAG(struct run_args, force, "force", "start anyway", .letter = 'f').
 * A field of another type than the kind of the option needs does not compile. */
#define FIELD_OFFSET(args, field, type)                                                            \
    (offsetof(args, field) + _Generic(((args *)0)->field, type : 0))
#define OPTION_ROW(row_kind, type, args, field, row_name, ...)                                     \
    {                                                                                              \
        .name = row_name, .kind = row_kind, .offset = FIELD_OFFSET(args, field, type),             \
        .help = __VA_ARGS__                                                                        \
    }
#define OPTION_FLAG(...)   OPTION_ROW(OPT_FLAG, bool, __VA_ARGS__)
#define OPTION_UNFLAG(...) OPTION_ROW(OPT_UNFLAG, bool, __VA_ARGS__)
#define OPTION_VALUE(...)  OPTION_ROW(OPT_VALUE, int, __VA_ARGS__)
#define OPTION_STRING(...) OPTION_ROW(OPT_STRING, const char *, __VA_ARGS__)
#define OPTION_LIST(...)   OPTION_ROW(OPT_LIST, struct strlist, __VA_ARGS__)
#define OPTION_NUMBER(...) OPTION_ROW(OPT_NUMBER, long, __VA_ARGS__)
#define OPTION_CHOICE(...) OPTION_ROW(OPT_CHOICE, int, __VA_ARGS__)
#define OPTION_UUID(...)   OPTION_ROW(OPT_UUID, const char *, __VA_ARGS__)

enum argument_kind { ARG_ONE, ARG_OPTIONAL, ARG_MANY, ARG_AT_LEAST_ONE };

struct argument_def {
    const char *name; /* in capitals */
    enum argument_kind kind;
    size_t offset; /* const char *; struct strlist for the last two kinds */
    enum word_kind word;
};

#define ARGUMENT_ROW(row_kind, type, args, field, ...)                                             \
    {                                                                                              \
        .kind = row_kind, .offset = FIELD_OFFSET(args, field, type), .name = __VA_ARGS__           \
    }
#define ARGUMENT_ONE(...)          ARGUMENT_ROW(ARG_ONE, const char *, __VA_ARGS__)
#define ARGUMENT_OPTIONAL(...)     ARGUMENT_ROW(ARG_OPTIONAL, const char *, __VA_ARGS__)
#define ARGUMENT_MANY(...)         ARGUMENT_ROW(ARG_MANY, struct strlist, __VA_ARGS__)
#define ARGUMENT_AT_LEAST_ONE(...) ARGUMENT_ROW(ARG_AT_LEAST_ONE, struct strlist, __VA_ARGS__)

/* --format, as most commands that print a list have it. */
enum { OUTPUT_TEXT = 1, OUTPUT_JSON };
extern const char *const output_formats[];
#define FORMAT_OPTION(args)                                                                        \
    OPTION_CHOICE(args, format, "format", "Form of the output; text if not given.",                \
                  .choices = output_formats)

/* --plugin-type: "extractor", "extractors", "loader", ... */
extern const char *const plugin_type_choices[];
#define PLUGIN_TYPE_OPTION(args)                                                                   \
    OPTION_CHOICE(args, plugin_type, "plugin-type", "Only plugins of this type.",                  \
                  .choices = plugin_type_choices, .metavar = "TYPE")

/* A command of Meltano that is not ours: the Python Meltano runs it. */
#define PASSED_ON(command_name, command_summary)                                                   \
    &(const struct command)                                                                        \
    {                                                                                              \
        .name = command_name, .summary = command_summary, .is_passed_on = true                     \
    }

/* Which environment of the project a command works in. */
enum environment_policy {
    ENVIRONMENT_UNUSED,   /* none, whatever is chosen */
    ENVIRONMENT_EXPLICIT, /* the one that was chosen, but not the default */
    ENVIRONMENT_DEFAULT,  /* the one that was chosen, else the default */
    ENVIRONMENT_REQUIRED, /* likewise, and it is an error when there is none */
};

struct command {
    const char *name;
    const char *summary; /* a sentence */
    const char *details; /* further paragraphs of --help, may be NULL */
    const struct option_def *options;
    const struct argument_def *arguments;
    size_t args_size;
    /* The fields that the tables name are filled in, everything else is zero. */
    int (*run)(struct app *app, void *args, struct error *err);

    const struct command *const *subcommands; /* ends in NULL; a group has no run() of its own */
    /* Asked when the words after the group's name do not begin with a subcommand: which one do they
     * mean? It may take words off the front or swap them (older forms). NULL: none. */
    const struct command *(*guess)(struct app *app, const struct command *group, int *count,
                                   char ***words);
    int status_when_bare; /* of a group without subcommand, which prints its help */

    enum environment_policy environment; /* a subcommand has its group's */
    bool stops_at_argument;              /* what follows the first argument is never an option */
    bool stands_alone;                   /* needs no project; so do its subcommands */
    bool is_passed_on;                   /* the Python Meltano runs it */
    bool is_hidden;
};

/* The whole tree; its options are the global ones. */
extern const struct command root_command;

/* What the options of the root and of groups fill in. */
struct global_options {
    const char *project_root;
    const char *environment;
    bool no_environment;
    const char *env_file;
    int log_level, log_format; /* one more than the enums of base/log.h; 0: not given */
    const char *log_config;
    const char *database_uri;
    bool unsafe;
    bool version, help;
};

/* "--database-uri", understood by every command that works in a project. */
extern const struct option_def database_options[];

#endif
