#include "project/project.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *project_project_suite(void);

static void set_up(void)
{
    unsetenv("MELTANO_PROJECT_ROOT");
    unsetenv("MELTANO_SYS_DIR_ROOT");
    tempdir_make();
}

static struct project *load(const char *meltano_yml)
{
    struct error err = {0};
    struct project *project = NULL;

    if (meltano_yml)
        tempdir_write("meltano.yml", meltano_yml);
    ck_assert_msg(!project_load(tempdir_path(), &project, &err), "%s", err.message);
    return project;
}

/* The root --------------------------------------------------------------------------------- */

START_TEST(the_root_is_the_first_directory_upwards_with_a_project_file)
{
    auto_free char *root = NULL;
    struct error err = {0};

    tempdir_write("meltano.yml", "version: 1\n");
    tempdir_write("a/b/c.txt", "");
    ck_assert_int_eq(project_find_root(tempdir_join("a/b"), &root, &err), 0);
    ck_assert_str_eq(root, tempdir_path());
}
END_TEST

START_TEST(without_a_project_file_there_is_no_root)
{
    auto_free char *message =
        xasprintf("there is no meltano.yml in %s or a directory above it", tempdir_path());
    char *root = NULL;
    struct error err = {0};

    ck_assert_int_eq(chdir(tempdir_path()), 0);
    ck_assert_int_eq(project_find_root(".", &root, &err), -1);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(err.code, ERR_USAGE);
    ck_assert_str_eq(err.message, message);
    ck_assert_str_eq(err.hint, "Run this inside a Meltano project, or create one with "
                               "'meltshim init <project_directory>'.");
}
END_TEST

START_TEST(a_fixed_root_is_not_searched_for)
{
    auto_free char *root = NULL;
    struct error err = {0};

    tempdir_write("meltano.yml", "version: 1\n");
    tempdir_write("a/b/c.txt", "");
    setenv("MELTANO_PROJECT_ROOT", tempdir_path(), 1);
    ck_assert_int_eq(project_find_root("/", &root, &err), 0);
    ck_assert_str_eq(root, tempdir_path());
    setenv("MELTANO_PROJECT_ROOT", tempdir_join("a"), 1);
    ck_assert_int_eq(project_find_root(tempdir_path(), &root, &err), -1);
    ck_assert_int_eq(err.code, ERR_USAGE);
    ck_assert_str_eq(err.hint, "Correct or unset MELTANO_PROJECT_ROOT.");
}
END_TEST

START_TEST(the_system_directory_can_be_elsewhere)
{
    struct error err = {0};
    auto_project struct project *project = load("version: 1\n");
    auto_project struct project *other = NULL;

    ck_assert_str_eq(project->sys_dir, tempdir_join(".meltano"));
    setenv("MELTANO_SYS_DIR_ROOT", "/nowhere/sys", 1);
    ck_assert_int_eq(project_load(tempdir_path(), &other, &err), 0);
    ck_assert_str_eq(other->sys_dir, "/nowhere/sys");
}
END_TEST

/* What a file says ------------------------------------------------------------------------- */

static const char whole_project[] = "version: 1\n"
                                    "requires_meltano: '>=3'\n"
                                    "env: {A: 1, B: null}\n"
                                    "annotations: {x: y}\n"
                                    "plugins:\n"
                                    "  utilities:\n"
                                    "  - name: dbt\n"
                                    "    namespace: dbt\n"
                                    "    commands:\n"
                                    "      run: run --all\n"
                                    "      test: {args: test, description: d, executable: e}\n"
                                    "  mappers:\n"
                                    "  - name: meltano-map\n"
                                    "    namespace: map\n"
                                    "    pip_url: map\n"
                                    "    mappings:\n"
                                    "    - name: hide\n"
                                    "      config: {a: 1}\n"
                                    "    - name: show\n"
                                    "  extractors:\n"
                                    "  - name: tap-a\n"
                                    "    namespace: tap_a\n"
                                    "    python: 3.10\n"
                                    "    capabilities: [state, discover]\n"
                                    "    config: {x: 1}\n"
                                    "    select: [a.*]\n"
                                    "    annotations: {not: an extra}\n"
                                    "    docs: d\n"
                                    "environments:\n"
                                    "- name: dev\n"
                                    "  state_id_suffix: $X\n"
                                    "  env: {C: c}\n"
                                    "  config:\n"
                                    "    plugins:\n"
                                    "      extractors:\n"
                                    "      - name: tap-a\n"
                                    "        config: {x: 2}\n"
                                    "        select: [b.*]\n"
                                    "      mappers:\n"
                                    "      - name: meltano-map\n"
                                    "- name: prod\n"
                                    "jobs:\n"
                                    "- name: j\n"
                                    "  tasks: [tap-a target-b, [dbt:run, dbt:test]]\n"
                                    "- name: single\n"
                                    "  tasks: tap-a target-b\n"
                                    "schedules:\n"
                                    "- name: s1\n"
                                    "  interval: '@daily'\n"
                                    "  job: j\n"
                                    "  env: {E: 1}\n"
                                    "  start_date: 2020-01-01\n"
                                    "- name: s2\n"
                                    "  interval: null\n"
                                    "  extractor: tap-a\n"
                                    "  loader: target-b\n"
                                    "  transform: skip\n";

START_TEST(a_project_is_read_as_it_is_written)
{
    auto_project struct project *project = load(whole_project);
    const struct environment *dev = project_find_environment(project, "dev");
    struct plugin *tap = project_find_plugin(project, "tap-a");
    struct plugin *hide = project_find_plugin(project, "hide");
    const struct job *job = project_find_job(project, "j");
    auto_free char *tasks = json_to_text(job->tasks, &json_compact);
    auto_free char *single =
        json_to_text(project_find_job(project, "single")->tasks, &json_compact);

    ck_assert_str_eq(project->requires_meltano, ">=3");
    ck_assert_str_eq(value_text(value_get(project->env, "A")), "1");
    ck_assert_str_eq(value_get_text(project->annotations, "x"), "y");

    ck_assert_uint_eq(project->plugin_count, 5);
    ck_assert_str_eq(project->plugins[0]->name, "tap-a");
    ck_assert_str_eq(project->plugins[1]->name, "dbt");
    ck_assert_str_eq(project->plugins[2]->name, "meltano-map");
    ck_assert_str_eq(project->plugins[3]->name, "hide");
    ck_assert_str_eq(project->plugins[4]->name, "show");
    ck_assert_str_eq(tap->python, "3.1");
    ck_assert_uint_eq(value_count(tap->extras), 1);
    ck_assert_ptr_nonnull(value_get(tap->extras, "select"));
    ck_assert_ptr_eq(hide->mapper, project->plugins[2]);
    ck_assert_str_eq(value_get_text(hide->extras, "mapping_name"), "hide");
    ck_assert_str_eq(value_get_text(hide->config, "a"), "1");
    ck_assert_ptr_null(project->plugins[4]->config);

    ck_assert_str_eq(dev->state_id_suffix, "$X");
    ck_assert_str_eq(value_get_text(dev->env, "C"), "c");
    ck_assert_ptr_nonnull(value_get(environment_plugin_entry(dev, tap), "select"));
    ck_assert_ptr_nonnull(environment_plugin_entry(dev, hide));
    ck_assert_ptr_null(environment_plugin_entry(project_find_environment(project, "prod"), tap));

    ck_assert_str_eq(tasks, "[\"tap-a target-b\",[\"dbt:run\",\"dbt:test\"]]");
    ck_assert_str_eq(single, "[\"tap-a target-b\"]");
    ck_assert_str_eq(project_find_schedule(project, "s1")->job, "j");
    ck_assert_ptr_null(project_find_schedule(project, "s2")->interval);
    ck_assert_str_eq(project_find_schedule(project, "s2")->loader, "target-b");
    ck_assert_ptr_null(project_find_schedule(project, "s3"));
}
END_TEST

START_TEST(values_that_count_as_false_stand_for_absent_ones)
{
    auto_project struct project *project =
        load("plugins: []\nenvironments: null\njobs: ''\nschedules: {}\nenv: false\n");

    ck_assert_uint_eq(project->plugin_count, 0);
    ck_assert_uint_eq(project->schedule_count, 0);
    ck_assert_ptr_null(project->env);
    project_free(take(project));
    project = load("plugins: {models: [], loaders: {}, extractors: '', mappers: []}\n"
                   "environments: [{name: dev, config: {plugins: {loaders: ''}}}]\n"
                   "annotations: 5\n"
                   "schedules: [{name: s, interval: x, extractor: a, loader: b, transform: }]\n");
    ck_assert_uint_eq(project->plugin_count, 0);
    ck_assert_ptr_null(project->annotations);
    ck_assert_str_eq(project->schedules[0].transform, "skip");
}
END_TEST

/* What is refused -------------------------------------------------------------------------- */

#define LEADS_OUT                                                                                  \
    "Choose a text without '..' and without '/' at its beginning: files and directories are "      \
    "named "                                                                                       \
    "after it."

static const struct {
    const char *yaml;
    const char *message;
    const char *hint;
} refused[] = {
    {"- a\n", "meltano.yml:1:1: the file holds a list, not a mapping",
     "Write keys such as 'plugins:' at the top level."},
    {"plugins:\n  models:\n  - name: a\n  - name: b\n    x: y\n  files: []\n",
     "meltano.yml:2:3: 'models' is not a type of plugin",
     "Meltano has given up this type: remove 'models:' and what is below it, lines 2 to 5 of "
     "meltano.yml."},
    {"plugins: {extractor: [x]}\n", "meltano.yml:1:11: 'extractor' is not a type of plugin",
     "Did you mean 'extractors'?"},
    {"plugins: {mappings: [x]}\n", "meltano.yml:1:11: 'mappings' is not a type of plugin",
     "Write 'mappings:' below its mapper, in the list 'mappers'."},
    {"plugins:\n  extractors:\n",
     "meltano.yml:2:3: 'extractors' of 'plugins' must be a list, not null",
     "List the entries below it, each as '- name: ...', or remove the line."},
    {"plugins:\n  mappers:\n  - name: m\n    mappings:\n",
     "meltano.yml:4:5: 'mappings' of mapper 'm' must be a list, not null",
     "List the entries below it, each as '- name: ...', or remove the line."},
    {"environments:\n- name: dev\n  config: {plugins: {loaders: 5}}\n",
     "meltano.yml:3:22: 'loaders' of environment 'dev' must be a list, not an integer",
     "List the entries below it, each as '- name: ...', or remove the line."},
    {"plugins:\n- a\n", "meltano.yml:2:1: 'plugins' of meltano.yml must be a mapping, not a list",
     "Write the keys below 'plugins:', indented, each as 'key: value'."},
    {"plugins:\n  loaders:\n  - target-x\n",
     "meltano.yml:3:5: an entry of loaders must be a mapping, not a string",
     "Write 'name: ...' and its other keys below it."},
    {"plugins:\n  loaders:\n  - variant: x\n", "meltano.yml:3:5: an entry of loaders has no name",
     "Add 'name: ...'."},
    {"plugins:\n  loaders:\n  - name: 12\n",
     "meltano.yml:3:11: 'name' of an entry of loaders must be a text, not an integer",
     "Put the name in quotes."},
    {"plugins:\n  loaders:\n  - name: a:b\n",
     "meltano.yml:3:11: the name 'a:b' of an entry of loaders contains ':'",
     "Choose a name without ':', which separates the parts of a state ID."},
    {"plugins:\n  loaders:\n  - name: a/../../b\n",
     "meltano.yml:3:11: 'name' of an entry of loaders leads out of the project: 'a/../../b'",
     LEADS_OUT},
    {"plugins:\n  loaders:\n  - name: /tmp/b\n",
     "meltano.yml:3:11: 'name' of an entry of loaders leads out of the project: '/tmp/b'",
     LEADS_OUT},
    {"plugins:\n  loaders:\n  - name: t\n    variant: ..\n",
     "meltano.yml:4:14: 'variant' of loader 't' leads out of the project: '..'", LEADS_OUT},
    {"plugins:\n  loaders:\n  - name: t\n    inherit_from: ../u\n",
     "meltano.yml:4:19: 'inherit_from' of loader 't' leads out of the project: '../u'", LEADS_OUT},
    {"plugins:\n  loaders:\n  - name: t\n    config: [a]\n",
     "meltano.yml:4:13: 'config' of loader 't' must be a mapping, not a list",
     "Write the keys below 'config:', indented, each as 'key: value'."},
    {"plugins:\n  loaders:\n  - name: t\n    settings:\n    - kind: string\n",
     "meltano.yml:5:7: a setting has no 'name'", "Add 'name: ...'."},
    {"plugins:\n  loaders:\n  - name: t\n    settings:\n    - {name: a, kind: txt}\n",
     "meltano.yml:5:23: 'txt' is not a kind of setting (setting 'a')",
     "Use string, integer, boolean, decimal, date_iso8601, email, options, file, array or "
     "object."},
    {"plugins:\n  loaders:\n  - name: t\n    commands:\n      go: {arg: x}\n",
     "meltano.yml:5:12: unknown key 'arg' in command 'go' of loader 't'",
     "Remove it; the keys are args, description, executable, container_spec, annotations."},
    {"plugins:\n  loaders:\n  - name: t\n    commands:\n      go: {container_spec: {cmd: x}}\n",
     "meltano.yml:5:29: unknown key 'cmd' in the container_spec of command 'go' of loader 't'",
     "Remove it; the keys are image, command, entrypoint, ports, volumes, env, annotations."},
    {"plugins:\n  loaders:\n  - name: t\n    commands:\n      go: [x]\n",
     "meltano.yml:5:11: command 'go' of loader 't' must be a text or a mapping, not a list",
     "Write its arguments as a text, or 'args: ...' below it."},
    {"plugins:\n  loaders:\n  - name: t\n    pip_url: [x]\n",
     "meltano.yml:4:14: 'pip_url' of loader 't' must be a text, not a list",
     "Put a text that begins with [ or { in quotes."},
    {"plugins:\n  loaders:\n  - name: t\n    capabilities: [{a: b}]\n",
     "meltano.yml:4:20: 'capabilities' of loader 't' must be a list of texts; this is a mapping",
     "Write one text after each '- '."},
    {"plugins:\n  loaders:\n  - name: t\n    requires: {files: [{nam: x}]}\n",
     "meltano.yml:4:25: unknown key 'nam' in a requirement of loader 't'",
     "Remove it; the keys are name, variant, annotations."},
    {"plugins:\n  mappers:\n  - name: m\n    mappings: [{config: {}}]\n",
     "meltano.yml:4:16: a mapping of mapper 'm' has no 'name'", "Add 'name: ...'."},
    {"environments:\n- name: dev\n  envs: {}\n",
     "meltano.yml:3:3: unknown key 'envs' in environment 'dev'",
     "Remove it; the keys are name, config, env, state_id_suffix, annotations."},
    {"environments:\n- name: a:b\n",
     "meltano.yml:2:9: the name 'a:b' of an environment contains ':'",
     "Choose a name without ':', which separates the parts of a state ID."},
    {"environments:\n- name: dev\n  config: {plugins: {taps: []}}\n",
     "meltano.yml:3:22: 'taps' is not a type of plugin (config of environment 'dev')",
     "Use extractors, loaders, transforms, orchestrators, transformers, files, utilities or "
     "mappers."},
    {"environments:\n- name: dev\n  config: {plugins: {loaders: [{config: {}}]}}\n",
     "meltano.yml:3:32: a plugin in environment 'dev' has no name", "Add 'name: ...'."},
    {"jobs:\n- name: j\n  tasks: [a]\n  env: {}\n", "meltano.yml:4:3: unknown key 'env' in job 'j'",
     "Remove it; the keys are name, tasks, annotations."},
    {"jobs:\n- name: j\n", "meltano.yml:2:3: job 'j' has no 'tasks'",
     "Add 'tasks:' with a list such as '- tap-x target-y'."},
    {"jobs:\n- name: j\n  tasks: [{a: b}]\n",
     "meltano.yml:3:11: a task of job 'j' must be a text or a list of texts",
     "Write tasks as '- tap-x target-y' or '- [tap-x target-y, dbt:run]'."},
    {"schedules:\n- name: s\n  job: j\n", "meltano.yml:2:3: schedule 's' has no 'interval'",
     "Add \"interval: '@daily'\" or another alias or cron expression; '@once' runs only by hand."},
    {"schedules:\n- name: s\n  interval: 0 0 * * *\n  extractor: a\n  loader: b\n",
     "meltano.yml:2:3: schedule 's' has no 'transform'",
     "Give it a 'job:', or 'extractor:', 'loader:' and 'transform: skip'."},
    {"schedules: {a: b}\n",
     "meltano.yml:1:12: 'schedules' of meltano.yml must be a list, not a mapping",
     "Write the items below 'schedules:', each after '- '."},
    {"a: 1\na: 2\n", "meltano.yml:2:1: duplicate key 'a', first given on line 1, column 1",
     "Keep one of the two."},
    {"include_paths: x.yml\n", "meltano.yml:1:16: 'include_paths' must be a list, not a string",
     "Write one pattern after each '- '."},
    {"include_paths: [/etc/x.yml]\n", "meltano.yml:1:17: the include path '/etc/x.yml' is absolute",
     "Give it relative to the project root."},
    {"include_paths: [a**/x.yml]\n",
     "meltano.yml:1:17: '**' must stand alone between slashes in the include path 'a**/x.yml'",
     "Write it as '**/*.yml', for example."},
    {"include_paths: ['']\n", "meltano.yml:1:17: the include path '' names no file",
     "Remove it, or name a file."},
    {"include_paths: [{a: b}]\n",
     "meltano.yml:1:17: an entry of 'include_paths' must be a text, not a mapping",
     "Write one pattern after each '- '."},
};

START_TEST(a_bad_project_is_refused_with_place_and_remedy)
{
    struct error err = {0};
    struct project *project = NULL;

    tempdir_write("meltano.yml", refused[_i].yaml);
    ck_assert_int_eq(project_load(tempdir_path(), &project, &err), -1);
    ck_assert_str_eq(err.message, refused[_i].message);
    ck_assert_str_eq(err.hint, refused[_i].hint);
    ck_assert_int_eq(err.code, ERR_CONFIG);
    ck_assert_ptr_null(project);
}
END_TEST

START_TEST(an_empty_file_is_refused)
{
    struct error err = {0};
    struct project *project = NULL;
    auto_free char *message = NULL;

    tempdir_write("meltano.yml", "# nothing\n");
    message = xasprintf("%s is empty", tempdir_join("meltano.yml"));
    ck_assert_int_eq(project_load(tempdir_path(), &project, &err), -1);
    ck_assert_str_eq(err.message, message);
}
END_TEST

/* Looking up ------------------------------------------------------------------------------- */

START_TEST(an_unknown_plugin_suggests_the_nearest)
{
    struct error err = {0};
    auto_project struct project *project = load(whole_project);

    ck_assert_ptr_nonnull(project_require_plugin(project, "show", &err));
    ck_assert_ptr_null(project_require_plugin(project, "tap-b", &err));
    ck_assert_str_eq(err.message, "Plugin 'tap-b' is not known to Meltano");
    ck_assert_str_eq(err.hint, "Did you mean 'tap-a'?");
    ck_assert_ptr_null(project_require_plugin(project, "something-else", &err));
    ck_assert_str_eq(err.hint, "Describe it below 'plugins:' in meltano.yml, or let the Python "
                               "Meltano do so: 'meltano add something-else'.");
}
END_TEST

START_TEST(a_mapping_name_of_two_mappers_is_ambiguous)
{
    struct error err = {0};
    auto_project struct project *project = load("plugins:\n  mappers:\n"
                                                "  - {name: m1, mappings: [{name: x}]}\n"
                                                "  - {name: m2, mappings: [{name: x}]}\n");

    ck_assert_ptr_null(project_require_plugin(project, "x", &err));
    ck_assert_str_eq(err.message, "Ambiguous mapping name x, found multiple matches");
    ck_assert_str_eq(err.hint, "Rename the mapping of mapper 'm1' or that of mapper 'm2'.");
}
END_TEST

START_TEST(a_schedule_with_a_missing_job_names_its_line)
{
    struct error err = {0};
    auto_project struct project *project =
        load("schedules:\n- name: s\n  interval: '@daily'\n  job: nosuch\n");

    ck_assert_ptr_null(schedule_require_job(project, &project->schedules[0], &err));
    ck_assert_str_eq(err.message,
                     "meltano.yml:4:3: Job 'nosuch' was not found; schedule 's' names it");
    ck_assert_str_eq(err.hint, "Add the job with 'meltano job add nosuch --tasks ...'.");
}
END_TEST

/* Included files --------------------------------------------------------------------------- */

START_TEST(included_files_are_merged_in_order)
{
    auto_project struct project *project = NULL;

    tempdir_write("parts/deep/er/b.yml",
                  "env: {A: b, B: b}\nplugins: {extractors: [{name: tap-b}]}\nsetting: b\n");
    tempdir_write("parts/a.yml", "env: {A: a}\nplugins: {extractors: [{name: tap-a}], "
                                 "loaders: [{name: target-a}]}\njobs: [{name: j, tasks: [x]}]\n");
    tempdir_write("parts/.hidden.yml", "schedules: [{name: s, interval: x, job: j}]\n");
    tempdir_write("parts/not.txt", "plugins: 1");
    project = load("include_paths: ['parts/**/*.yml', 'meltano.yml', nothing.yml]\n"
                   "env: {A: m, C: m}\nsetting: m\njobs:\nplugins:\n  extractors:\n"
                   "  - name: tap-m\n");
    ck_assert_uint_eq(project->included_files.count, 3);
    ck_assert_str_eq(project->included_files.items[0], tempdir_join("parts/.hidden.yml"));
    ck_assert_str_eq(project->included_files.items[1], tempdir_join("parts/a.yml"));
    ck_assert_str_eq(project->included_files.items[2], tempdir_join("parts/deep/er/b.yml"));
    ck_assert_str_eq(value_get_text(project->env, "A"), "b");
    ck_assert_str_eq(value_get_text(project->env, "B"), "b");
    ck_assert_str_eq(value_get_text(project->env, "C"), "m");
    ck_assert_str_eq(value_get_text(project->document, "setting"), "b");
    ck_assert_uint_eq(project->plugin_count, 4);
    ck_assert_str_eq(project->plugins[0]->name, "tap-m");
    ck_assert_str_eq(project->plugins[1]->name, "tap-a");
    ck_assert_str_eq(project->plugins[2]->name, "tap-b");
    ck_assert_str_eq(project->plugins[2]->entry->file, "parts/deep/er/b.yml");
    ck_assert_uint_eq(project->job_count, 1);
    ck_assert_uint_eq(project->schedule_count, 1);
}
END_TEST

/* The pattern, what it finds (sorted, joined by blanks). What Python's Path.glob() finds, too. */
static const struct {
    const char *pattern;
    const char *found;
} patterns[] = {
    {"*.yml", "a.yml b.yml"},
    {"?.yml", "a.yml b.yml"},
    {"[!a].yml", "b.yml"},
    {"d/e/*.yml", "d/e/x.yml"},
    {"./d//e/x.yml", "d/e/x.yml"},
    {"d/*/x.yml", "d/e/x.yml"},
    {"**/x.yml", "d/e/x.yml d/x.yml"},
    {"d/**/x.yml", "d/e/x.yml d/x.yml"},
    {"**/**/x.yml", "d/e/x.yml d/x.yml"},
    {"d/../a.yml", "d/../a.yml"},
    {"link/x.yml", "link/x.yml"},
    {"l*/x.yml", "link/x.yml"},
    {"A.yml", ""},
    {"dangling.yml", ""},
    {"[", ""},
};

START_TEST(a_pattern_finds_what_python_finds)
{
    auto_project struct project *project = NULL;
    auto_strbuf struct strbuf found = STRBUF_INIT;
    auto_free char *yaml = xasprintf("include_paths: ['%s']\n", patterns[_i].pattern);

    tempdir_write("a.yml", "a: 1\n");
    tempdir_write("b.yml", "a: 1\n");
    tempdir_write("d/x.yml", "a: 1\n");
    tempdir_write("d/e/x.yml", "a: 1\n");
    ck_assert_int_eq(symlink("d", tempdir_join("link")), 0);
    ck_assert_int_eq(symlink("nowhere", tempdir_join("dangling.yml")), 0);
    if (strstr(patterns[_i].pattern, ".yml") && strpbrk(patterns[_i].pattern, "?*[") &&
        !strchr(patterns[_i].pattern, '/'))
        ck_assert_int_eq(unlink(tempdir_join("dangling.yml")), 0);
    project = load(yaml);
    for (size_t i = 0; i < project->included_files.count; i++)
        strbuf_addf(&found, "%s%s", i ? " " : "",
                    project->included_files.items[i] + strlen(tempdir_path()) + 1);
    ck_assert_str_eq(strbuf_text(&found), patterns[_i].found);
}
END_TEST

START_TEST(a_pattern_that_matches_a_directory_is_refused)
{
    struct error err = {0};
    struct project *project = NULL;
    auto_free char *message = NULL;

    tempdir_write("d/x.yml", "a: 1\n");
    tempdir_write("meltano.yml", "include_paths: ['d*']\n");
    message = xasprintf("meltano.yml:1:17: included path '%s' is not a file", tempdir_join("d"));
    ck_assert_int_eq(project_load(tempdir_path(), &project, &err), -1);
    ck_assert_str_eq(err.message, message);
    ck_assert_str_eq(err.hint, "Change the pattern 'd*' so that it matches files only.");
}
END_TEST

START_TEST(a_file_outside_the_root_is_refused)
{
    struct error err = {0};
    struct project *project = NULL;

    tempdir_write("meltano.yml", "include_paths: [link.yml]\n");
    ck_assert_int_eq(symlink("/etc/passwd", tempdir_join("link.yml")), 0);
    ck_assert_int_eq(project_load(tempdir_path(), &project, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "is outside the project root"));
    ck_assert_str_eq(err.hint, "Include only files below the project root.");
}
END_TEST

START_TEST(an_entry_in_two_included_files_is_refused)
{
    struct error err = {0};
    struct project *project = NULL;

    tempdir_write("a.yml", "environments: [{name: e}]\n");
    tempdir_write("b.yml", "environments:\n- name: f\n- name: e\n");
    tempdir_write("meltano.yml", "include_paths: ['?.yml']\nenvironments: [{name: e}]\n");
    ck_assert_int_eq(project_load(tempdir_path(), &project, &err), -1);
    ck_assert_str_eq(err.message, "b.yml:3:3: 'e' of environments is already in a.yml on line 1");
    ck_assert_str_eq(err.hint, "Remove one of the two.");
}
END_TEST

static const struct {
    const char *included;
    const char *message;
} bad_includes[] = {
    {"", "x.yml:1:1: the included file holds nothing, not a mapping"},
    {"- a\n", "x.yml:1:1: the included file holds a list, not a mapping"},
    {"a: [\n", "x.yml:2:1: did not find expected node content while parsing a flow node"},
    {"plugins: {loaders: {a: b}}\n",
     "x.yml:1:20: 'loaders' is a mapping here, but a list in meltano.yml on line 3"},
    {"plugins: {loaders: [{name: t, config: 5}]}\n",
     "x.yml:1:39: 'config' of loader 't' must be a mapping, not an integer"},
};

START_TEST(a_bad_included_file_is_refused_by_its_name)
{
    struct error err = {0};
    struct project *project = NULL;

    tempdir_write("x.yml", bad_includes[_i].included);
    tempdir_write("meltano.yml", "include_paths: [x.yml]\nplugins:\n  loaders: [{name: a}]\n");
    ck_assert_int_eq(project_load(tempdir_path(), &project, &err), -1);
    ck_assert_str_eq(err.message, bad_includes[_i].message);
}
END_TEST

/* Real projects ---------------------------------------------------------------------------- */

START_TEST(every_real_project_loads)
{
    const char *projects = shared_data("projects");
    DIR *stream = projects ? opendir(projects) : NULL;
    struct dirent *entry;
    size_t count = 0;

    while (stream && (entry = readdir(stream))) {
        auto_free char *root = path_join(projects, entry->d_name);
        auto_project struct project *project = NULL;
        struct error err = {0};

        if (entry->d_name[0] == '.')
            continue;
        ck_assert_msg(!project_load(root, &project, &err), "%s: %s", entry->d_name, err.message);
        ck_assert_uint_gt(project->plugin_count, 0);
        count++;
    }
    if (stream)
        closedir(stream);
    ck_assert_msg(!projects || count >= 19, "%zu projects", count);
}
END_TEST

Suite *project_project_suite(void)
{
    Suite *suite = suite_create("project/project");
    TCase *tcase = tcase_create("project");

    tcase_add_checked_fixture(tcase, set_up, tempdir_remove);
    tcase_add_test(tcase, the_root_is_the_first_directory_upwards_with_a_project_file);
    tcase_add_test(tcase, without_a_project_file_there_is_no_root);
    tcase_add_test(tcase, a_fixed_root_is_not_searched_for);
    tcase_add_test(tcase, the_system_directory_can_be_elsewhere);
    tcase_add_test(tcase, a_project_is_read_as_it_is_written);
    tcase_add_test(tcase, values_that_count_as_false_stand_for_absent_ones);
    tcase_add_loop_test(tcase, a_bad_project_is_refused_with_place_and_remedy, 0,
                        ARRAY_LEN(refused));
    tcase_add_test(tcase, an_empty_file_is_refused);
    tcase_add_test(tcase, an_unknown_plugin_suggests_the_nearest);
    tcase_add_test(tcase, a_mapping_name_of_two_mappers_is_ambiguous);
    tcase_add_test(tcase, a_schedule_with_a_missing_job_names_its_line);
    tcase_add_test(tcase, included_files_are_merged_in_order);
    tcase_add_loop_test(tcase, a_pattern_finds_what_python_finds, 0, ARRAY_LEN(patterns));
    tcase_add_test(tcase, a_pattern_that_matches_a_directory_is_refused);
    tcase_add_test(tcase, a_file_outside_the_root_is_refused);
    tcase_add_test(tcase, an_entry_in_two_included_files_is_refused);
    tcase_add_loop_test(tcase, a_bad_included_file_is_refused_by_its_name, 0,
                        ARRAY_LEN(bad_includes));
    tcase_add_test(tcase, every_real_project_loads);
    suite_add_tcase(suite, tcase);
    return suite;
}
