#include "plugin/install.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "process/find_program.h"
#include "process/process.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *plugin_install_suite(void);

extern char **environ;

/* --- a project and its configuration ---------------------------------------------------------- */

static struct project *project;
static struct config *config;
static struct install_result result;

static void close_project(void)
{
    config_free(take(config));
    project_free(take(project));
}

/* variables: more for the environment, "KEY=value", NULL-terminated; may be NULL. */
static void open_project_with(char *const *variables)
{
    auto_strmap struct strmap env = STRMAP_INIT, more = STRMAP_INIT;
    struct config_options options = {0};
    struct error err = {0};

    close_project();
    strmap_from_environ(&env, environ);
    if (variables)
        strmap_from_environ(&more, variables);
    strmap_merge(&env, &more);
    ck_assert_msg(project_load(tempdir_path(), &project, &err) == 0, "%s", err.message);
    ck_assert_msg(config_open(project, &env, &options, &config, &err) == 0, "%s", err.message);
}

/* Programs of the tests come first on the PATH, with nothing of ours behind them. */
static void open_project(void)
{
    auto_free char *path = xasprintf("PATH=%s/bin:/usr/bin:/bin", tempdir_path());
    char *variables[] = {path, NULL};

    open_project_with(variables);
}

static void write_project(const char *plugins)
{
    auto_free char *text = xasprintf("version: 1\nplugins:\n%s", plugins);

    tempdir_write("meltano.yml", text);
}

static void write_program(const char *name, const char *text)
{
    tempdir_write(name, text);
    ck_assert_int_eq(chmod(tempdir_join(name), 0755), 0);
}

static int install_with(const struct install_options *options, struct error *err)
{
    return plugins_install(config, project->plugins, project->plugin_count, options, &result, err);
}

static void install(void)
{
    const struct install_options options = {0};
    struct error err = {0};

    ck_assert_msg(install_with(&options, &err) == 0, "%s", err.message);
}

static void refuse_install(const char *message)
{
    const struct install_options options = {0};
    struct error err = {0};

    ck_assert_int_eq(install_with(&options, &err), -1);
    ck_assert_str_eq(err.message, message);
    ck_assert_int_eq(err.code, ERR_INSTALL);
}

static bool is_installed(const char *name)
{
    struct error err = {0};
    bool installed;

    ck_assert_msg(
        plugin_is_installed(config, project_find_plugin(project, name), &installed, &err) == 0,
        "%s", err.message);
    return installed;
}

static bool exists(const char *name)
{
    return file_exists(tempdir_join(name));
}

static const char *text_of(const char *name)
{
    static char *text;

    free(text);
    text = tempdir_read(name);
    return text;
}

#define ONE_TAP                                                                                    \
    "  extractors:\n"                                                                              \
    "  - name: tap-a\n"                                                                            \
    "    namespace: tap_a\n"                                                                       \
    "    pip_url: tap-a==1.0\n"

/* Stands for uv where a test must decide what happens and when: `uv venv` makes an environment
 * that holds the arguments it was called with; `uv pip install` does what INSTALL says. */
static void write_uv(const char *install_commands)
{
    auto_free char *text =
        xasprintf("#!/bin/sh\n"
                  "if [ $1 = venv ]; then\n"
                  "    for venv in \"$@\"; do :; done\n"
                  "    mkdir -p $venv/bin && : > $venv/bin/python && echo \"$@\" > $venv/made\n"
                  "    echo made $venv; exit\n"
                  "fi\n"
                  "venv=${3#--python=}; venv=${venv%%/bin/python}\n"
                  "%s\n",
                  install_commands);

    write_program("bin/uv", text);
}

#define TAP_VENV ".meltano/extractors/tap-a/venv"

static void setup(void)
{
    tempdir_make();
    process_setup();
}

static void teardown(void)
{
    close_project();
    tempdir_remove();
}

/* --- fingerprints ----------------------------------------------------------------------------- */

/* Hashes that Meltano wrote. */
static const struct {
    const char *keys;
    const char *fingerprint;
    bool installed;
} fingerprints[] = {
    {"    pip_url: mocktool==1.0 --no-deps\n",
     "8e6f0d06c56cc6b238343ac4e0e1b17f0dbc0798461859997952702705950f7e", true},
    {"    pip_url: --no-deps 'mocktool==1.0' --no-deps\n",
     "8e6f0d06c56cc6b238343ac4e0e1b17f0dbc0798461859997952702705950f7e", true},
    {"    pip_url: $TOOL --no-deps\n    env: {TOOL: mocktool==1.0}\n",
     "8e6f0d06c56cc6b238343ac4e0e1b17f0dbc0798461859997952702705950f7e", true},
    {"    pip_url: mocktool==1.0\n",
     "8e6f0d06c56cc6b238343ac4e0e1b17f0dbc0798461859997952702705950f7e", false},
    {"    pip_url: mocktool==1.0 --no-deps\n    python: python3\n",
     "8e6f0d06c56cc6b238343ac4e0e1b17f0dbc0798461859997952702705950f7e", false},
    {"    pip_url: mocktool==1.0 --no-deps\n",
     "8e6f0d06c56cc6b238343ac4e0e1b17f0dbc0798461859997952702705950f7e\n", false},
};

START_TEST(a_fingerprint_of_meltano_is_understood)
{
    auto_free char *text = xasprintf("  extractors:\n  - name: tap-a\n    namespace: tap_a\n%s",
                                     fingerprints[_i].keys);

    write_project(text);
    tempdir_write(TAP_VENV "/.meltano_plugin_fingerprint", fingerprints[_i].fingerprint);
    open_project();
    ck_assert(!is_installed("tap-a")); /* no Python in it */
    tempdir_write(TAP_VENV "/bin/python", "");
    ck_assert(is_installed("tap-a") == fingerprints[_i].installed);
}
END_TEST

static const struct {
    const char *keys, *setting, *pinned, *python;
} pythons[] = {
    {"", NULL, NULL, NULL},
    {"    python: python3.9\n", "python3.8", "3.7", "python3.9"},
    {"", "python3.8", "3.7", "python3.8"},
    {"", NULL, " 3.7 \r\nmore\n", "3.7"},
    {"", NULL, "\n3.7\n", NULL},
};

START_TEST(the_python_is_the_plugins_then_the_projects_then_the_pinned_one)
{
    auto_free char *text = xasprintf(
        "version: 1\n%s%s\nplugins:\n" ONE_TAP "%s", pythons[_i].setting ? "python: " : "",
        pythons[_i].setting ? pythons[_i].setting : "", pythons[_i].keys);
    auto_free char *expected = xasprintf("venv --python=%s ", pythons[_i].python);

    tempdir_write("meltano.yml", text);
    if (pythons[_i].pinned)
        tempdir_write(".python-version", pythons[_i].pinned);
    write_uv("");
    write_program("bin/python3", "#!/bin/sh\n");
    open_project();
    install();
    if (pythons[_i].python)
        ck_assert_int_eq(strncmp(text_of(TAP_VENV "/made"), expected, strlen(expected)), 0);
    else
        ck_assert_ptr_nonnull(strstr(text_of(TAP_VENV "/made"), "/bin/python3 "));
    ck_assert(is_installed("tap-a"));
}
END_TEST

/* --- what an installation does ---------------------------------------------------------------- */

START_TEST(an_installation_needs_to_be_done_once)
{
    int64_t before_us;

    write_project(ONE_TAP);
    write_uv("echo \"$@\" > $venv/installed");
    open_project();
    install();
    ck_assert_uint_eq(result.installed, 1);
    ck_assert_ptr_nonnull(strstr(text_of(TAP_VENV "/installed"), "/bin/python tap-a==1.0\n"));
    write_uv("exit 1");
    before_us = clock_monotonic_us();
    install();
    ck_assert_int_lt(clock_monotonic_us() - before_us, 50000);
    ck_assert_uint_eq(result.installed, 0);
    ck_assert_uint_eq(result.up_to_date, 1);
}
END_TEST

START_TEST(another_pip_url_makes_the_environment_anew)
{
    write_project(ONE_TAP);
    write_uv("");
    open_project();
    install();
    tempdir_write(TAP_VENV "/old", "");
    write_project("  extractors:\n  - name: tap-a\n    namespace: tap_a\n    pip_url: -e ./here\n");
    open_project();
    ck_assert(!is_installed("tap-a"));
    install();
    ck_assert(!exists(TAP_VENV "/old"));
    ck_assert(!exists(".meltano/extractors/tap-a/venv.previous"));
    ck_assert(is_installed("tap-a"));
}
END_TEST

START_TEST(force_installs_again_into_what_is_there)
{
    const struct install_options force = {.force = true};
    struct error err = {0};

    write_project(ONE_TAP);
    write_uv("echo again >> $venv/installed");
    open_project();
    install();
    ck_assert_int_eq(install_with(&force, &err), 0);
    ck_assert_str_eq(text_of(TAP_VENV "/installed"), "again\nagain\n");
    ck_assert(is_installed("tap-a"));
}
END_TEST

START_TEST(clean_makes_the_environment_anew)
{
    const struct install_options clean = {.clean = true};
    struct error err = {0};

    write_project(ONE_TAP);
    write_uv("echo again >> $venv/installed");
    open_project();
    install();
    ck_assert_int_eq(install_with(&clean, &err), 0);
    ck_assert_str_eq(text_of(TAP_VENV "/installed"), "again\n");
}
END_TEST

START_TEST(files_of_earlier_runs_are_removed)
{
    write_project(ONE_TAP);
    write_uv("");
    tempdir_write(".meltano/run/tap-a/tap.properties.json", "{}");
    tempdir_write(".meltano/run/tap-a/sub/file", "");
    tempdir_write(".meltano/run/tap-b/tap.properties.json", "{}");
    open_project();
    install();
    ck_assert(exists(".meltano/run/tap-a"));
    ck_assert(!exists(".meltano/run/tap-a/tap.properties.json"));
    ck_assert(!exists(".meltano/run/tap-a/sub"));
    ck_assert(exists(".meltano/run/tap-b/tap.properties.json"));
}
END_TEST

START_TEST(an_environment_is_installed_once_for_all_who_share_it)
{
    write_project(ONE_TAP "  - name: tap-child\n"
                          "    inherit_from: tap-a\n"
                          "  - name: tap-none\n"
                          "    namespace: tap_none\n"
                          "    executable: cat\n"
                          "  mappers:\n"
                          "  - name: map\n"
                          "    namespace: map\n"
                          "    pip_url: map==1\n"
                          "    mappings: [{name: one, config: {}}, {name: two, config: {}}]\n");
    write_uv("echo x >> $venv/installed");
    open_project();
    install();
    ck_assert_uint_eq(result.installed, 2);
    ck_assert_uint_eq(result.skipped, 2);
    ck_assert_str_eq(text_of(TAP_VENV "/installed"), "x\n");
    ck_assert_str_eq(text_of(".meltano/mappers/map/venv/installed"), "x\n");
    ck_assert(is_installed("tap-child"));
    ck_assert(is_installed("tap-none"));
    ck_assert(is_installed("two"));
}
END_TEST

START_TEST(an_installer_gets_the_environment_but_not_airflows)
{
    char *variables[] = {(char[]){"AIRFLOW__CORE__FERNET_KEY=secret"}, (char[]){"SHELL_ONE=1"},
                         (char[]){"PYTHONPATH=/dags"}, NULL, NULL};
    auto_free char *path = xasprintf("PATH=%s/bin:/usr/bin:/bin", tempdir_path());

    variables[3] = path;
    tempdir_write("meltano.yml", "version: 1\nenv: {ROOT_ONE: $SHELL_ONE}\nplugins:\n" ONE_TAP);
    tempdir_write(".env", "DOT_ONE=3\n");
    write_uv("echo \"$SHELL_ONE|$DOT_ONE|$ROOT_ONE|$AIRFLOW__CORE__FERNET_KEY|$PYTHONPATH\" "
             "> $venv/env");
    open_project_with((char *[]){variables[0], variables[1], variables[2], variables[3], NULL});
    install();
    ck_assert_str_eq(text_of(TAP_VENV "/env"), "1|3|$SHELL_ONE||\n");
}
END_TEST

START_TEST(plugins_are_installed_side_by_side)
{
    /* Each waits for the other. */
    write_project("  extractors:\n"
                  "  - {name: tap-a, namespace: tap_a, pip_url: a}\n"
                  "  - {name: tap-b, namespace: tap_b, pip_url: b}\n");
    write_uv("echo x > \"$venv/../../$4.here\"\n"
             "other=b; [ $4 = b ] && other=a\n"
             "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do\n"
             "    [ -e \"$venv/../../$other.here\" ] && exit 0; sleep 0.2\n"
             "done; exit 1");
    open_project();
    {
        const struct install_options two = {.parallelism = 2};
        struct error err = {0};

        ck_assert_msg(install_with(&two, &err) == 0, "%s", err.message);
    }
    ck_assert_uint_eq(result.installed, 2);
}
END_TEST

/* --- failures --------------------------------------------------------------------------------- */

START_TEST(a_failure_leaves_no_environment_and_does_not_stop_the_others)
{
    write_project(ONE_TAP "  - {name: tap-b, namespace: tap_b, pip_url: b}\n");
    write_uv("echo \"no matching distribution\" >&2; [ $4 = b ]");
    open_project();
    refuse_install("1 of 2 plugins could not be installed: tap-a");
    ck_assert_uint_eq(result.failed, 1);
    ck_assert_uint_eq(result.installed, 1);
    ck_assert(!exists(TAP_VENV));
    ck_assert(is_installed("tap-b"));
    ck_assert_str_eq(text_of(".meltano/logs/pip/extractors/tap-b/install.log") + strlen("made ") +
                         strlen(tempdir_join(".meltano/extractors/tap-b/venv")),
                     "\nno matching distribution\n");
}
END_TEST

START_TEST(a_failure_brings_the_old_environment_back)
{
    write_project(ONE_TAP);
    write_uv("");
    open_project();
    install();
    tempdir_write(TAP_VENV "/old", "");
    write_project("  extractors:\n  - {name: tap-a, namespace: tap_a, pip_url: tap-a==2.0}\n");
    write_uv("exit 1");
    open_project();
    refuse_install("1 of 1 plugins could not be installed: tap-a");
    ck_assert(exists(TAP_VENV "/old"));
    write_project(ONE_TAP);
    open_project();
    ck_assert(is_installed("tap-a"));
}
END_TEST

START_TEST(an_environment_that_cannot_be_made_is_a_failure)
{
    write_project(ONE_TAP);
    write_program("bin/uv", "#!/bin/sh\necho no such Python; exit 2\n");
    open_project();
    refuse_install("1 of 1 plugins could not be installed: tap-a");
    ck_assert(!exists(TAP_VENV));
    ck_assert_str_eq(text_of(".meltano/logs/pip/extractors/tap-a/install.log"), "no such Python\n");
}
END_TEST

static const char *const bad_urls[] = {"\"tap-a 'b\"", "\"\"", "$NOT_SET"};

START_TEST(a_pip_url_that_makes_no_sense_is_a_failure)
{
    auto_free char *text = xasprintf("  extractors:\n  - name: tap-a\n    namespace: tap_a\n"
                                     "    pip_url: %s\n",
                                     bad_urls[_i]);

    write_project(text);
    write_uv("");
    open_project();
    refuse_install("1 of 1 plugins could not be installed: tap-a");
    ck_assert(!exists(".meltano/extractors"));
}
END_TEST

START_TEST(before_a_run_an_unset_variable_is_passed_over)
{
    const struct install_options automatic = {.automatic = true};
    struct error err = {0};

    write_project("  extractors:\n  - {name: tap-a, namespace: tap_a, pip_url: tap-a==$NOT_SET}\n");
    write_uv("");
    open_project();
    ck_assert_int_eq(install_with(&automatic, &err), 0);
    ck_assert_uint_eq(result.skipped, 1);
    ck_assert(!exists(".meltano/extractors"));
}
END_TEST

START_TEST(secrets_in_a_pip_url_are_masked)
{
    const char *log;

    write_project("  extractors:\n  - name: tap-a\n    namespace: tap_a\n"
                  "    pip_url: git+https://user:s3cr3t-token@example.com/tap.git\n");
    write_uv("echo fetching $4; exit 1");
    open_project();
    refuse_install("1 of 1 plugins could not be installed: tap-a");
    log = text_of(".meltano/logs/pip/extractors/tap-a/install.log");
    ck_assert_ptr_null(strstr(log, "s3cr3t-token"));
    ck_assert_ptr_nonnull(strstr(log, "user:(redacted)@example.com"));
}
END_TEST

/* --- killed, interrupted, twice at once ------------------------------------------------------- */

static void wait_for_file(const char *name)
{
    int64_t deadline_ms = clock_monotonic_ms() + 10000;

    while (!exists(name)) {
        ck_assert_msg(clock_monotonic_ms() < deadline_ms, "%s does not appear", name);
        usleep(5000);
    }
}

static pid_t fork_install(void)
{
    const struct install_options options = {0};
    struct error err = {0};
    pid_t pid = fork();

    if (pid)
        return pid;
    process_setup();
    _exit(install_with(&options, &err) == 0 ? 0 : (int)err.code);
}

static int wait_for_exit(pid_t pid)
{
    int status;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

START_TEST(an_interrupted_installation_is_undone)
{
    pid_t pid;

    write_project(ONE_TAP);
    write_uv("trap '' TERM; : > $venv/../begun; sleep 1000; sleep 1000");
    open_project();
    pid = fork_install();
    wait_for_file(".meltano/extractors/tap-a/begun");
    kill(pid, SIGTERM);
    ck_assert_int_eq(wait_for_exit(pid), ERR_TERMINATED);
    ck_assert(!exists(TAP_VENV));
}
END_TEST

START_TEST(what_a_killed_installation_left_is_put_right)
{
    pid_t pid;

    write_project(ONE_TAP);
    write_uv("");
    open_project();
    install();
    tempdir_write(TAP_VENV "/old", "");
    write_project("  extractors:\n  - {name: tap-a, namespace: tap_a, pip_url: tap-a==2.0}\n");
    write_uv(": > $venv/../begun; sleep 1000");
    open_project();
    pid = fork_install();
    wait_for_file(".meltano/extractors/tap-a/begun");
    kill(pid, SIGKILL);
    wait_for_exit(pid);
    ck_assert(!exists(TAP_VENV "/old"));
    write_uv("exit 1");
    refuse_install("1 of 1 plugins could not be installed: tap-a");
    ck_assert(exists(TAP_VENV "/old"));
    ck_assert(!exists(".meltano/extractors/tap-a/venv.previous"));
}
END_TEST

START_TEST(two_installations_at_once_do_the_work_once)
{
    pid_t first, second;

    write_project(ONE_TAP);
    write_uv(": > $venv/../begun; echo x >> $venv/../count; sleep 0.5");
    open_project();
    first = fork_install();
    wait_for_file(".meltano/extractors/tap-a/begun");
    second = fork_install();
    ck_assert_int_eq(wait_for_exit(first), 0);
    ck_assert_int_eq(wait_for_exit(second), 0);
    ck_assert_str_eq(text_of(".meltano/extractors/tap-a/count"), "x\n");
    ck_assert(is_installed("tap-a"));
}
END_TEST

/* --- with the real tools ---------------------------------------------------------------------- */

/* A wheel of one module with one program, made by hand: nothing is fetched. */
static const char wheel_maker[] =
    "import sys, zipfile\n"
    "name, version, requires = sys.argv[2:5]\n"
    "info = f'{name}-{version}.dist-info'\n"
    "files = {f'{name}.py': f'def main(): print(\"{name} {version}\")',\n"
    "    f'{info}/METADATA': f'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n'\n"
    "        f'Requires-Python: {requires}\\n',\n"
    "    f'{info}/WHEEL': 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n',\n"
    "    f'{info}/entry_points.txt': f'[console_scripts]\\n{name} = {name}:main\\n',\n"
    "    f'{info}/RECORD': ''}\n"
    "with zipfile.ZipFile(f'{sys.argv[1]}/{name}-{version}-py3-none-any.whl', 'w') as wheel:\n"
    "    for path, text in files.items(): wheel.writestr(path, text)\n";

static void run(const char *const *argv, struct strbuf *out)
{
    struct spawn_spec spec = {
        .argv = argv,
        .env = (const char *const *)environ,
        .fds = {SPAWN_NULL},
        .new_group = true,
    };
    struct process_end end;
    struct error err = {0};

    ck_assert_msg(process_capture(&spec, out, NULL, 0, 0, &end, &err) == 0, "%s", err.message);
    ck_assert_int_eq(process_end_to_status(&end), 0);
}

static void make_wheel(const char *name, const char *version, const char *requires)
{
    const char *argv[] = {"python3", "-c",    wheel_maker, tempdir_path(),
                          name,      version, requires,    NULL};

    run(argv, NULL);
}

static const char *run_installed(const char *program)
{
    static struct strbuf out;
    const char *argv[] = {tempdir_join(program), NULL};

    strbuf_reset(&out);
    run(argv, &out);
    return strbuf_text(&out);
}

#define REAL_TAP                                                                                   \
    "  extractors:\n"                                                                              \
    "  - name: tap-a\n"                                                                            \
    "    namespace: tap_a\n"                                                                       \
    "    pip_url: --no-index --find-links ${MELTANO_PROJECT_ROOT} tap_a==%s 'helper>=1'\n"

static void open_real_project(const char *version, const char *backend)
{
    auto_free char *text =
        xasprintf("version: 1\nvenv: {backend: %s}\nplugins:\n" REAL_TAP, backend, version);
    auto_free char *build = path_absolute("build/venv/uv/bin");
    auto_free char *path = xasprintf("PATH=%s:%s", getenv("PATH"), build);
    char *variables[] = {path, NULL};

    tempdir_write("meltano.yml", text);
    open_project_with(variables);
}

static bool has_python(void)
{
    auto_free char *python = find_other_program("python3", getenv("PATH"));

    if (!python)
        fprintf(stderr, "SKIPPED: no python3 in PATH to install with\n");
    return python != NULL;
}

static bool has_uv(void)
{
    auto_free char *build = path_absolute("build/venv/uv/bin");
    auto_free char *path = xasprintf("%s:%s", getenv("PATH"), build);
    auto_free char *uv = find_other_program("uv", path);

    if (!uv)
        fprintf(stderr, "SKIPPED: no uv in PATH or build/venv/uv to install with\n");
    return uv != NULL;
}

static void install_and_upgrade(const char *backend)
{
    make_wheel("tap_a", "1.0", ">=3");
    make_wheel("tap_a", "2.0", ">=3");
    make_wheel("helper", "1.5", ">=3");
    open_real_project("1.0", backend);
    install();
    ck_assert_str_eq(run_installed(TAP_VENV "/bin/tap_a"), "tap_a 1.0\n");
    ck_assert_str_eq(run_installed(TAP_VENV "/bin/helper"), "helper 1.5\n");
    open_real_project("2.0", backend);
    install();
    ck_assert_str_eq(run_installed(TAP_VENV "/bin/tap_a"), "tap_a 2.0\n");
    open_real_project("3.0", backend);
    refuse_install("1 of 1 plugins could not be installed: tap-a");
    ck_assert_str_eq(run_installed(TAP_VENV "/bin/tap_a"), "tap_a 2.0\n");
}

START_TEST(uv_installs_local_packages)
{
    if (has_python() && has_uv())
        install_and_upgrade("uv");
}
END_TEST

START_TEST(venv_and_pip_install_local_packages_and_force_ignores_the_python)
{
    const struct install_options force = {.force = true};
    struct error err = {0};

    if (!has_python())
        return;
    setenv("PIP_NO_INDEX", "1", 1);
    make_wheel("tap_a", "1.0", "<3");
    make_wheel("helper", "1.5", ">=3");
    open_real_project("1.0", "virtualenv");
    ck_assert_msg(install_with(&force, &err) == 0, "%s", err.message);
    ck_assert_str_eq(run_installed(TAP_VENV "/bin/tap_a"), "tap_a 1.0\n");
}
END_TEST

Suite *plugin_install_suite(void)
{
    Suite *suite = suite_create("plugin/install");
    TCase *tcase = tcase_create("install");
    TCase *real = tcase_create("real tools");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_fingerprint_of_meltano_is_understood, 0, ARRAY_LEN(fingerprints));
    tcase_add_loop_test(tcase, the_python_is_the_plugins_then_the_projects_then_the_pinned_one, 0,
                        ARRAY_LEN(pythons));
    tcase_add_test(tcase, an_installation_needs_to_be_done_once);
    tcase_add_test(tcase, another_pip_url_makes_the_environment_anew);
    tcase_add_test(tcase, force_installs_again_into_what_is_there);
    tcase_add_test(tcase, clean_makes_the_environment_anew);
    tcase_add_test(tcase, files_of_earlier_runs_are_removed);
    tcase_add_test(tcase, an_environment_is_installed_once_for_all_who_share_it);
    tcase_add_test(tcase, an_installer_gets_the_environment_but_not_airflows);
    tcase_add_test(tcase, plugins_are_installed_side_by_side);
    tcase_add_test(tcase, a_failure_leaves_no_environment_and_does_not_stop_the_others);
    tcase_add_test(tcase, a_failure_brings_the_old_environment_back);
    tcase_add_test(tcase, an_environment_that_cannot_be_made_is_a_failure);
    tcase_add_loop_test(tcase, a_pip_url_that_makes_no_sense_is_a_failure, 0, ARRAY_LEN(bad_urls));
    tcase_add_test(tcase, before_a_run_an_unset_variable_is_passed_over);
    tcase_add_test(tcase, secrets_in_a_pip_url_are_masked);
    tcase_add_test(tcase, an_interrupted_installation_is_undone);
    tcase_add_test(tcase, what_a_killed_installation_left_is_put_right);
    tcase_add_test(tcase, two_installations_at_once_do_the_work_once);
    suite_add_tcase(suite, tcase);

    tcase_add_checked_fixture(real, setup, teardown);
    tcase_set_timeout(real, 300);
    tcase_add_test(real, uv_installs_local_packages);
    tcase_add_test(real, venv_and_pip_install_local_packages_and_force_ignores_the_python);
    suite_add_tcase(suite, real);
    return suite;
}
