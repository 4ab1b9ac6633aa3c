#include "dag_generator/dag_model.h"

#include "base/memory.h"
#include "dag_generator/dag_render.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *dag_generator_dag_model_suite(void);

static const struct dag_request plain_request = {.default_program = "meltshim"};

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

    tempdir_write("meltano.yml", meltano_yml);
    ck_assert_msg(!project_load(tempdir_path(), &project, &err), "%s", err.message);
    return project;
}

static struct dag_list *build(const struct project *project, const struct dag_request *request)
{
    struct error err = {0};
    struct dag_list *list = NULL;

    ck_assert_msg(!dag_list_build(project, request, &list, NULL, &err), "%s", err.message);
    return list;
}

#define JOB "jobs:\n- name: j\n  tasks: [tap target, 'dbt:run', 'dbt:run']\n"

/* What is refused -------------------------------------------------------------------------- */

static const struct {
    const char *meltano_yml;
    const char *message; /* after the project's directory */
    const char *hint;
} refused[] = {
    {"schedules:\n- name: s\n  interval: 61 * * * *\n  job: j\n" JOB,
     "meltano.yml:3:3: schedule 's': the interval '61 * * * *' is nothing that Airflow can follow: "
     "the minute '61' is not within 0-59",
     "Write five cron fields, such as '30 6 * * mon-fri', or one of @hourly, @daily, @weekly, "
     "@monthly, @yearly, @manual."},
    {"schedules:\n- name: s\n  interval: '@reboot'\n  job: j\n" JOB,
     "meltano.yml:3:3: schedule 's': the interval '@reboot' is nothing that Airflow can follow: a "
     "cron expression has 5 fields (minute, hour, day, month, day of the week), this one has 1",
     NULL},
    {"schedules:\n- name: s\n  interval: '@daily'\n  job: gone\n" JOB,
     "meltano.yml:4:3: schedule 's': job 'gone' was not found",
     "Add it under jobs:, or name another one."},
    {"schedules:\n- name: s\n  interval: '@daily'\n  job: e\njobs:\n- name: e\n  tasks: []\n",
     "meltano.yml:6:3: job 'e', which schedule 's' runs, has no tasks", ""},
    {"schedules:\n- name: s\n  interval: '@daily'\n  job: e\njobs:\n- name: e\n  tasks: [a, ' ']\n",
     "meltano.yml:7:14: task 2 of job 'e' is empty", ""},
    {"schedules:\n- name: a b\n  interval: '@daily'\n  job: j\n"
     "- name: a_b\n  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:5:3: schedule 'a_b' would become the DAG 'a_b', as would schedule 'a b' "
     "(meltano.yml:2)",
     "Rename one of them, or give it a dag_id of its own under annotations: {meltshim: {airflow: "
     "{dag_id: ...}}}."},
    {"schedules:\n- name: s\n  interval: '@daily'\n  job: j\n  env: {A: [1]}\n" JOB,
     "meltano.yml:5:9: the variable 'A' must have a text, not a list", ""},
    {"schedules:\n- name: s\n  interval: '@daily'\n  job: j\n  env: {A: null}\n" JOB,
     "meltano.yml:5:9: the variable 'A' must have a text, not null", ""},
    {"schedules:\n- name: s\n  interval: '@daily'\n  job: j\n  env: {A=B: x}\n" JOB,
     "meltano.yml:5:9: 'A=B' cannot be the name of an environment variable", ""},
    {"schedules:\n- name: s\n  interval: '@daily'\n  job: j\n  env: {IFS: x}\n" JOB,
     "meltano.yml:5:9: bash, which starts the task, sets the variable 'IFS' itself", ""},
    {"schedules:\n- name: s\n  interval: '@daily'\n  job: j\n  env: {A: \"x\\0y\"}\n" JOB,
     "meltano.yml:5:9: the variable 'A' holds a NUL, which no process can be given", ""},
    /* Annotations, in the third line of a schedule. */
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {retires: 3}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:38: unknown key 'retires' in annotations.meltshim.airflow",
     "Did you mean 'retries'?"},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {colour: red}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:38: unknown key 'colour' in annotations.meltshim.airflow",
     "docs/airflow.md lists the keys."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {program: x}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:38: 'program' has no meaning for a schedule",
     "docs/airflow.md says where each key of annotations.meltshim.airflow may stand."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airlfow: {}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:28: unknown key 'airlfow' in annotations.meltshim",
     "Known are 'airflow' and, for the whole project, 'run'."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {retries: many}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:47: 'retries' must be an integer from 0 to 1000, not 'many'", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {retries: '3'}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:47: 'retries' must be an integer from 0 to 1000, not '3'",
     "Without the quotes it is a number."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {catchup: true}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:38: 'catchup' cannot be chosen",
     "The state says where the next load goes on, not the date of the run: one run at a time, and "
     "no catching up."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {retries: -1}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:47: 'retries' must be an integer from 0 to 1000, not '-1'", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {retry_delay: 5 minutes}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:51: 'retry_delay' must be a duration such as 90s, 5m, 1h30m or 2d, or a number "
     "of seconds, not '5 minutes'",
     ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {execution_timeout: 0}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:57: 'execution_timeout' must be a duration such as 90s, 5m, 1h30m or 2d, or a "
     "number of seconds, not '0'",
     ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {start_date: '2023-02-29'}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:50: 'start_date' must be a date from 1970 on, such as 2024-01-31 or "
     "2024-01-31T06:00:00, without a zone, not '2023-02-29'",
     ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {timezone: Berlin}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:48: 'timezone' must be a time zone such as UTC or Europe/Berlin, not 'Berlin'",
     ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {pool: ''}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:44: 'pool' must be a text, not ''", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {tags: [a, {b: c}]}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:48: 'tags' must be a text, not a mapping", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {on_failure_callback: alert}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:59: 'on_failure_callback' must be a dotted Python name such as "
     "alerts.on_failure, not 'alert'",
     ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {env: {DAY: '{{ ds }'}}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:44: the template in the variable 'DAY' is not closed: {{ ds }",
     "Airflow reads it by Jinja, such as '{{ ds }}'."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {outlets: a b}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:47: 'outlets' must be a URI such as x-warehouse://sales/orders, not 'a b'", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {assets: []}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:46: 'assets' is an empty list", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {environment: []}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:51: 'environment' is an empty list", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {timezone: Europe}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:48: 'timezone' must be a time zone such as UTC or Europe/Berlin, not 'Europe'",
     ""},
    {"schedules:\n- name: s\n"
     "  annotations: {meltshim: {airflow: {on_failure_callback: timedelta.x}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:59: 'on_failure_callback': the DAG file uses the name 'timedelta' for "
     "something else than the module of 'timedelta.x'",
     ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {mode: kubernetes_pod}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:44: schedule 's': task 'tap target' is to be a pod and has no image",
     "Name the project's image with 'image'."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {mode: pod}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:44: 'mode' must be one of bash, kubernetes_pod, not 'pod'", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {namespace: My_Space}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:49: 'namespace' must be a name of Kubernetes: a-z, 0-9 and '-', not "
     "'My_Space'",
     ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {namespace: a.b}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:49: 'namespace' must be a name of Kubernetes: a-z, 0-9 and '-', not 'a.b'", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {image: shop 1}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:45: 'image' must be the name of an image, without blanks, not 'shop 1'", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {secrets: [a, -b]}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:51: 'secrets' must be a name of Kubernetes: a-z, 0-9, '-' and '.', not '-b'",
     ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {resources: {memory: 1Gi}}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:50: 'resources' holds requests and limits, not 'memory'", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {resources: {limits: {-cpu: 1}}}}}"
     "\n  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:59: 'resources' holds resources such as cpu and memory, not '-cpu'", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {resources: {limits: {memory: "
     "1 GB}}}}}\n  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:67: 'resources' must be made of quantities such as 500m, 2 or 1.5Gi, not "
     "'1 GB'",
     ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {weight_rule: up}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:51: 'weight_rule' must be one of downstream, upstream, absolute, not 'up'", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {cwd: here}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:43: 'cwd' must be an absolute path, not 'here'", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {dag_id: 'x_{stage}'}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:46: schedule 's': no DAG id: unknown name {stage} in 'x_{stage}'",
     "A dag_id may use {schedule}, {job}, {project}, and {environment} when one is chosen."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {environment: prod}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:51: schedule 's': environment 'prod' was not found",
     "Add it with 'meltano environment add prod'."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {tasks: {dbt_rum: {}}}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:46: schedule 's' has no task 'dbt_rum'", "Did you mean 'dbt_run'?"},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {tasks: {'dbt:run': {retris: "
     "1}}}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:58: unknown key 'retris' in annotations.meltshim.airflow",
     "Did you mean 'retries'?"},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {tasks: {dbt_run: {after: x}}}}}\n"
     "  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:63: schedule 's' has no task 'x'", "Its first task is 'tap target'."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {tasks: {dbt_run: {after: "
     "dbt_run}}}}}\n  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:63: the task 'dbt_run' cannot wait for itself", ""},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {tasks: {tap_target: {after: "
     "dbt_run_2}}}}}\n  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:66: schedule 's': tasks wait in a circle: 'tap target' waits for 'dbt:run' "
     "waits "
     "for 'dbt:run' waits for 'tap target'",
     "Take one 'after' out of the circle."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {tasks: {tap_target: {group: g}, "
     "dbt_run_2: {group: g}}}}}\n  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:66: schedule 's': the task group 'g' would wait for itself, because 'dbt:run', "
     "outside of it, stands between its tasks; Airflow cannot show such a DAG",
     "Put that task into the group, too, or make it two groups."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {tasks: {tap_target: {task_id: "
     "dbt_run}}}}}\n  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:68: schedule 's': the tasks 'tap target' and 'dbt:run' both have the id "
     "'dbt_run'",
     "Give one of them another task_id."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {tasks: {tap_target: {task_id: "
     "a b}}}}}\n  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:68: 'a b' cannot be the id of a task",
     "Use letters, digits, '_', '-' and '.', and a letter first."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {tasks: {tap_target: {group: "
     "dbt_run}}}}}\n  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:66: schedule 's': 'dbt_run' is the name of a task group and of a task",
     "Give the group another name."},
    {"schedules:\n- name: s\n  annotations: {meltshim: {airflow: {tasks: {tap_target: {group: "
     "a.b}}}}}\n  interval: '@daily'\n  job: j\n" JOB,
     "meltano.yml:3:66: 'a.b' cannot be the name of a task group",
     "Use letters, digits, '_' and '-'."},
};

START_TEST(what_airflow_could_not_run_is_refused_with_its_place)
{
    auto_project struct project *project = load(refused[_i].meltano_yml);
    struct dag_list *list = NULL;
    struct error err = {0};

    ck_assert_int_eq(dag_list_build(project, &plain_request, &list, NULL, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFIG);
    ck_assert_str_eq(err.message, refused[_i].message);
    if (refused[_i].hint)
        ck_assert_str_eq(err.hint, refused[_i].hint);
    ck_assert_ptr_null(list);
}
END_TEST

START_TEST(all_that_is_wrong_is_told_at_once)
{
    auto_project struct project *project =
        load("annotations: {meltshim: {airflow: {retris: 1, pool: ''}}}\n"
             "jobs:\n- name: j\n  tasks: [tap target]\n"
             "  annotations: {meltshim: {airflow: {tasks: {tap target: {retries: x}}}}}\n"
             "schedules:\n"
             "- {name: a, interval: 61 * * * *, job: j, env: {IFS: x}}\n"
             "- {name: b, interval: '@daily', job: gone}\n"
             "- {name: c d, interval: '@daily', job: j}\n"
             "- {name: c_d, interval: '@daily', job: j}\n");
    auto_strlist struct strlist more = STRLIST_INIT;
    struct dag_list *list = NULL;
    struct error err = {0};
    static const char *const expected[] = {
        "meltano.yml:1:53: 'pool' must be a text, not ''",
        "meltano.yml:5:68: 'retries' must be an integer from 0 to 1000, not 'x'",
        "meltano.yml:8:33: schedule 'b': job 'gone' was not found. Add it under jobs:, or name "
        "another one.",
    };

    ck_assert_int_eq(dag_list_build(project, &plain_request, &list, &more, &err), -1);
    ck_assert_str_eq(err.message,
                     "meltano.yml:1:36: unknown key 'retris' in annotations.meltshim.airflow");
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        ck_assert_msg(strlist_contains(&more, expected[i]), "%s", expected[i]);
    ck_assert_ptr_nonnull(strstr(more.items[2], "schedule 'a': the interval '61 * * * *'"));
    ck_assert_ptr_nonnull(strstr(more.items[3], "the variable 'IFS' itself"));
    ck_assert_ptr_nonnull(strstr(more.items[5], "'c_d' would become the DAG 'c_d', as would"));
    ck_assert_uint_eq(more.count, 6);
}
END_TEST

START_TEST(choices_that_nobody_would_read_are_refused)
{
    auto_project struct project *project =
        load("plugins:\n  extractors:\n"
             "  - {name: tap, namespace: t, annotations: {meltshim: {airflow: {queue: x}}}}\n"
             "environments:\n- {name: dev, annotations: {meltshim: {airflow: {}}}}\n"
             "jobs:\n- {name: unused, tasks: [a], annotations: {meltshim: {airflow: {x: 1}}}}\n");
    auto_strlist struct strlist more = STRLIST_INIT;
    struct dag_list *list = NULL;
    struct error err = {0};

    ck_assert_int_eq(dag_list_build(project, &plain_request, &list, &more, &err), -1);
    ck_assert_str_eq(err.message,
                     "meltano.yml:7:65: unknown key 'x' in annotations.meltshim.airflow");
    ck_assert_uint_eq(more.count, 2);
    ck_assert_str_eq(more.items[0],
                     "meltano.yml:3:56: annotations.meltshim.airflow has no meaning for plugin "
                     "'tap'. It may stand at the top of meltano.yml, in a job and in a schedule.");
    ck_assert_ptr_nonnull(strstr(more.items[1], "has no meaning for environment 'dev'"));
}
END_TEST

START_TEST(a_command_that_linux_cannot_start_is_refused)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_project struct project *project = NULL;
    struct dag_list *list = NULL;
    struct error err = {0};

    strbuf_add(&text, "schedules: [{name: s, interval: '@daily', job: j}]\n"
                      "jobs: [{name: j, tasks: [[");
    for (int i = 0; i < 30000; i++)
        strbuf_add(&text, "word,");
    strbuf_add(&text, "word]]}]\n");
    project = load(strbuf_text(&text));
    ck_assert_int_eq(dag_list_build(project, &plain_request, &list, NULL, &err), -1);
    ck_assert_str_eq(err.message,
                     "schedule 's': the command of task 'word word word word word word word "
                     "word ...' has 150022 bytes, more than Linux hands to a process");
}
END_TEST

START_TEST(a_variable_that_linux_cannot_hand_on_is_refused)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_project struct project *project = NULL;
    struct dag_list *list = NULL;
    struct error err = {0};

    strbuf_add(&text, "schedules:\n- {name: s, interval: '@daily', job: j, env: {A: ");
    strbuf_add_repeat(&text, 'x', 131070);
    strbuf_add(&text, "}}\n" JOB);
    project = load(strbuf_text(&text));
    ck_assert_int_eq(dag_list_build(project, &plain_request, &list, NULL, &err), -1);
    ck_assert_str_eq(err.message, "meltano.yml:2:47: the variable 'A' has 131070 bytes, more than "
                                  "Linux hands to a process");
}
END_TEST

/* What is built ---------------------------------------------------------------------------- */

START_TEST(tasks_keep_their_ids_when_others_are_added_before_and_behind)
{
    auto_project struct project *project =
        load("schedules: [{name: a, interval: '@daily', job: a},"
             " {name: b, interval: '@daily', job: b}]\n"
             "jobs: [{name: a, tasks: ['dbt:run', 'x y', 'x y']},"
             " {name: b, tasks: [new, 'dbt:run', 'x:y', 'x y', new]}]\n");
    auto_dag_list struct dag_list *list = build(project, &plain_request);

    ck_assert_str_eq(list->items[0]->tasks[0].task_id, "dbt_run");
    ck_assert_str_eq(list->items[0]->tasks[1].task_id, "x_y");
    ck_assert_str_eq(list->items[0]->tasks[2].task_id, "x_y_2");
    ck_assert_str_eq(list->items[1]->tasks[1].task_id, "dbt_run");
    ck_assert_str_eq(list->items[1]->tasks[2].task_id, "x_y");
    ck_assert_str_eq(list->items[1]->tasks[3].task_id, "x_y_2");
    ck_assert_str_eq(list->items[1]->tasks[4].task_id, "new_2");
}
END_TEST

START_TEST(an_empty_list_of_callbacks_is_none)
{
    auto_project struct project *project =
        load("annotations: {meltshim: {airflow: {on_failure_callback: a.b}}}\n"
             "schedules:\n- name: s\n  interval: '@daily'\n  job: j\n"
             "  annotations: {meltshim: {airflow: {on_failure_callback: []}}}\n" JOB);
    auto_dag_list struct dag_list *list = build(project, &plain_request);
    auto_strbuf struct strbuf text = STRBUF_INIT;

    dag_render(list->items[0], &text);
    ck_assert_ptr_nonnull(strstr(strbuf_text(&text), "\"on_failure_callback\": [],\n"));
}
END_TEST

START_TEST(the_closest_place_has_the_last_word)
{
    auto_project struct project *project =
        load("annotations: {meltshim: {airflow: {retries: 1, pool: p, queue: q}}}\n"
             "schedules:\n"
             "- name: s\n"
             "  interval: '@daily'\n"
             "  job: j\n"
             "  annotations: {meltshim: {airflow: {retries: 3}}}\n"
             "jobs:\n"
             "- name: j\n"
             "  tasks: [tap target]\n"
             "  annotations: {meltshim: {airflow: {retries: 2, pool: r}}}\n");
    auto_dag_list struct dag_list *list = build(project, &plain_request);
    const struct dag_argument_list *defaults = &list->items[0]->defaults;

    ck_assert_int_eq(dag_argument_find(defaults, "retries")->number, 3);
    ck_assert_int_eq(dag_argument_find(defaults, "retries")->origin.source, DAG_FROM_SCHEDULE);
    ck_assert_uint_eq(dag_argument_find(defaults, "retries")->origin.line, 6);
    ck_assert_str_eq(dag_argument_find(defaults, "pool")->text, "r");
    ck_assert_int_eq(dag_argument_find(defaults, "pool")->origin.source, DAG_FROM_JOB);
    ck_assert_str_eq(dag_argument_find(defaults, "queue")->text, "q");
    ck_assert_int_eq(dag_argument_find(defaults, "queue")->origin.source, DAG_FROM_PROJECT);
    ck_assert_ptr_null(dag_argument_find(defaults, "owner"));
}
END_TEST

static const char *variable(const struct dag *dag, const char *name)
{
    for (size_t i = 0; i < dag->env.count; i++)
        if (!strcmp(dag->env.items[i].name, name))
            return dag->env.items[i].text;
    return NULL;
}

START_TEST(the_schedules_own_variables_win_over_what_surrounds_it)
{
    auto_project struct project *project =
        load("annotations: {meltshim: {airflow: {env: {A: project, B: project, C: project}}}}\n"
             "environments: [{name: prod}]\n"
             "schedules:\n"
             "- name: s\n"
             "  interval: '@daily'\n"
             "  job: j\n"
             "  env: {B: schedule, C: schedule, MELTANO_ENVIRONMENT: other}\n"
             "  annotations: {meltshim: {airflow: {env: {C: annotation}}}}\n" JOB);
    struct dag_request request = {.default_program = "meltshim", .environment = "prod"};
    auto_dag_list struct dag_list *list = build(project, &request);

    ck_assert_str_eq(variable(list->items[0], "SHLVL"), "1");
    ck_assert_str_eq(variable(list->items[0], "A"), "project");
    ck_assert_str_eq(variable(list->items[0], "B"), "schedule");
    ck_assert_str_eq(variable(list->items[0], "C"), "annotation");
    ck_assert_str_eq(variable(list->items[0], "MELTANO_ENVIRONMENT"), "other");
}
END_TEST

static const char environments_yml[] =
    "environments: [{name: dev}, {name: prod}, {name: test}]\n"
    "schedules:\n"
    "- {name: any, interval: '@daily', job: j}\n"
    "- name: prod\n"
    "  interval: '@daily'\n"
    "  job: j\n"
    "  annotations: {meltshim: {airflow: {environment: prod}}}\n"
    "- name: two\n"
    "  interval: '@daily'\n"
    "  job: j\n"
    "  annotations: {meltshim: {airflow: {environment: [dev, test]}}}\n" JOB;

static const struct {
    const char *environment;
    bool is_default;
    const char *any, *prod, *two; /* the environment of each DAG, "-": it has none, NULL: no DAG */
} selections[] = {
    {NULL, false, "-", "prod", NULL},      {"dev", true, "-", "prod", "dev"},
    {"prod", true, "-", "prod", NULL},     {"dev", false, "dev", NULL, "dev"},
    {"prod", false, "prod", "prod", NULL},
};

static void check_environment(const struct dag_list *list, const char *schedule,
                              const char *environment)
{
    const struct dag *dag = dag_list_find(list, schedule);

    ck_assert_int_eq(dag != NULL, environment != NULL);
    ck_assert_int_eq(strmap_has(&list->left_out, schedule), environment == NULL);
    if (dag && strcmp(environment, "-") != 0)
        ck_assert_str_eq(variable(dag, "MELTANO_ENVIRONMENT"), environment);
    else if (dag)
        ck_assert_ptr_null(variable(dag, "MELTANO_ENVIRONMENT"));
}

START_TEST(an_environment_selects_its_schedules)
{
    auto_project struct project *project = load(environments_yml);
    struct dag_request request = {.default_program = "meltshim",
                                  .environment = selections[_i].environment,
                                  .environment_is_default = selections[_i].is_default};
    auto_dag_list struct dag_list *list = build(project, &request);

    check_environment(list, "any", selections[_i].any);
    check_environment(list, "prod", selections[_i].prod);
    check_environment(list, "two", selections[_i].two);
}
END_TEST

START_TEST(a_schedule_that_is_left_out_says_where_it_belongs)
{
    auto_project struct project *project = load(environments_yml);
    auto_dag_list struct dag_list *list = build(project, &plain_request);

    ck_assert_str_eq(strmap_get(&list->left_out, "two"), "it belongs to dev, test");
}
END_TEST

START_TEST(the_program_of_the_command_line_comes_first)
{
    auto_project struct project *project =
        load("annotations: {meltshim: {airflow: {program: /opt/a b/meltshim}}}\n"
             "schedules: [{name: s, interval: '@daily', job: j}]\n" JOB);
    struct dag_request request = {.default_program = "meltshim", .program = "/usr/bin/meltshim"};
    auto_dag_list struct dag_list *annotated = build(project, &plain_request);
    auto_dag_list struct dag_list *chosen = build(project, &request);

    ck_assert_str_eq(annotated->items[0]->tasks[0].command,
                     "exec '/opt/a b/meltshim' run tap target");
    ck_assert_str_eq(chosen->items[0]->tasks[0].command, "exec /usr/bin/meltshim run tap target");
}
END_TEST

START_TEST(a_dag_outlives_the_request_that_it_was_made_for)
{
    auto_project struct project *project =
        load("schedules: [{name: s, interval: '@daily', job: j}]\n" JOB);
    char program[] = "meltshim";
    struct dag_request request = {.default_program = program};
    auto_dag_list struct dag_list *list = build(project, &request);

    memset(program, 'x', strlen(program));
    ck_assert_str_eq(list->items[0]->program, "meltshim");
}
END_TEST

START_TEST(a_start_date_of_old_is_used_when_it_is_a_date)
{
    auto_project struct project *project =
        load("schedules:\n"
             "- {name: a, interval: '@daily', job: j, start_date: 2021-10-01 02:03:04.5}\n"
             "- {name: b, interval: '@daily', job: j, start_date: '2021-10-01'}\n"
             "- {name: c, interval: '@daily', job: j, start_date: soon}\n" JOB);
    auto_dag_list struct dag_list *list = build(project, &plain_request);
    const struct dag_argument *a = dag_argument_find(&list->items[0]->arguments, "start_date");
    const struct dag_argument *b = dag_argument_find(&list->items[1]->arguments, "start_date");
    const struct dag_argument *c = dag_argument_find(&list->items[2]->arguments, "start_date");

    ck_assert_int_eq(a->date.year, 2021);
    ck_assert_int_eq(a->date.second, 4);
    ck_assert_str_eq(a->text, "UTC");
    ck_assert_int_eq(b->date.month, 10);
    ck_assert_int_eq(b->date.hour, 0);
    ck_assert_int_eq(c->date.year, 2024);
    ck_assert_int_eq(c->origin.source, DAG_FROM_DEFAULT);
}
END_TEST

START_TEST(a_tag_of_a_long_name_is_cut_between_two_characters)
{
    auto_strbuf struct strbuf text = STRBUF_INIT, tag = STRBUF_INIT;
    auto_project struct project *project = NULL;
    auto_dag_list struct dag_list *list = NULL;

    strbuf_add(&text, "schedules: [{interval: '@daily', job: j, name: ");
    strbuf_add(&tag, "schedule:");
    for (int i = 0; i < 95; i++)
        strbuf_add(&text, "\xc3\xa9");
    for (int i = 0; i < 91; i++)
        strbuf_add(&tag, "\xc3\xa9");
    strbuf_add(&text, "}]\n" JOB);
    project = load(strbuf_text(&text));
    list = build(project, &plain_request);
    ck_assert_str_eq(dag_argument_find(&list->items[0]->arguments, "tags")->texts.items[1],
                     strbuf_text(&tag));
}
END_TEST

Suite *dag_generator_dag_model_suite(void)
{
    Suite *suite = suite_create("dag_generator/dag_model");
    TCase *tcase = tcase_create("dag_model");

    tcase_add_checked_fixture(tcase, set_up, tempdir_remove);
    tcase_add_loop_test(tcase, what_airflow_could_not_run_is_refused_with_its_place, 0,
                        ARRAY_LEN(refused));
    tcase_add_test(tcase, all_that_is_wrong_is_told_at_once);
    tcase_add_test(tcase, choices_that_nobody_would_read_are_refused);
    tcase_add_test(tcase, a_command_that_linux_cannot_start_is_refused);
    tcase_add_test(tcase, a_variable_that_linux_cannot_hand_on_is_refused);
    tcase_add_test(tcase, tasks_keep_their_ids_when_others_are_added_before_and_behind);
    tcase_add_test(tcase, an_empty_list_of_callbacks_is_none);
    tcase_add_test(tcase, the_closest_place_has_the_last_word);
    tcase_add_test(tcase, the_schedules_own_variables_win_over_what_surrounds_it);
    tcase_add_loop_test(tcase, an_environment_selects_its_schedules, 0, ARRAY_LEN(selections));
    tcase_add_test(tcase, a_schedule_that_is_left_out_says_where_it_belongs);
    tcase_add_test(tcase, the_program_of_the_command_line_comes_first);
    tcase_add_test(tcase, a_dag_outlives_the_request_that_it_was_made_for);
    tcase_add_test(tcase, a_tag_of_a_long_name_is_cut_between_two_characters);
    tcase_add_test(tcase, a_start_date_of_old_is_used_when_it_is_a_date);
    suite_add_tcase(suite, tcase);
    return suite;
}
