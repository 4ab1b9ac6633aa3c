#include "dag_generator/dag_builder.h"

#include "base/memory.h"
#include "base/position.h"

#include <string.h>

/* Where the sidecar of a pod looks for what becomes the XCom. */
#define XCOM_FILE "/airflow/xcom/return.json"

#define FIRST_OPTION DAG_OPTION_IMAGE
#define LAST_OPTION  DAG_OPTION_IMAGE_PULL_SECRETS

static const struct dag_origin from_default = {.source = DAG_FROM_DEFAULT};

static struct value *call(const char *name)
{
    struct value *tree = value_new_map();

    value_set_string(tree, DAG_CALL, name);
    return tree;
}

/* A call with one argument. */
static struct value *call_with(const char *name, const char *argument, struct value *value)
{
    struct value *tree = call(name);

    value_set_take(tree, argument, value);
    return tree;
}

/* A task that says something of the option, else its DAG. */
static const struct dag_choices *chooser(const struct dag_builder *build,
                                         const struct dag_choices *task, enum dag_option option)
{
    return task && dag_choice(task, option, NULL) ? task : &build->choices;
}

static struct value *resources_tree(const struct value *resources)
{
    struct value *tree = call("k8s.V1ResourceRequirements");

    for (size_t i = 0; i < value_count(resources); i++) {
        const struct value_member *kind = value_member_at(resources, i);
        struct value *quantities = value_new_map();

        for (size_t j = 0; j < value_count(kind->value); j++)
            value_set_string(quantities, value_member_at(kind->value, j)->key,
                             value_text(value_member_at(kind->value, j)->value));
        value_set_take(tree, kind->key, quantities);
    }
    return tree;
}

static struct value *reference_tree(const char *name, enum dag_option option)
{
    if (option == DAG_OPTION_IMAGE_PULL_SECRETS)
        return call_with("k8s.V1LocalObjectReference", "name", value_new_string(name));
    return call_with("k8s.V1EnvFromSource", "secret_ref",
                     call_with("k8s.V1SecretEnvSource", "name", value_new_string(name)));
}

static struct value *option_tree(enum dag_option option, const struct value *value)
{
    auto_strlist struct strlist names = STRLIST_INIT;
    struct value *tree;

    if (option == DAG_OPTION_RESOURCES)
        return resources_tree(value);
    if (option != DAG_OPTION_SECRETS && option != DAG_OPTION_IMAGE_PULL_SECRETS)
        return value_new_string(value_text(value));
    tree = value_new_list();
    dag_texts_add(&names, value);
    for (size_t i = 0; i < names.count; i++)
        value_append_take(tree, reference_tree(names.items[i], option));
    return tree;
}

/* Where an option stands in KubernetesPodOperator(), and where in a V1Pod. */
static const struct {
    const char *argument, *in_container, *in_spec, *in_metadata;
} names[] = {
    [DAG_OPTION_IMAGE] = {"image", "image", NULL, NULL},
    [DAG_OPTION_NAMESPACE] = {"namespace", NULL, NULL, "namespace"},
    [DAG_OPTION_SERVICE_ACCOUNT_NAME] = {"service_account_name", NULL, "service_account_name",
                                         NULL},
    [DAG_OPTION_RESOURCES] = {"container_resources", "resources", NULL, NULL},
    [DAG_OPTION_SECRETS] = {"env_from", "env_from", NULL, NULL},
    [DAG_OPTION_IMAGE_PULL_SECRETS] = {"image_pull_secrets", NULL, "image_pull_secrets", NULL},
};

static void add_to(struct value *map, const char *name, enum dag_option option,
                   const struct value *value)
{
    if (name)
        value_set_take(map, name, option_tree(option, value));
}

/* For the KubernetesExecutor: it lays this over the pod of its worker, whose container is "base".
 */
static void add_override(const struct dag_builder *build, const struct dag_choices *task,
                         struct dag_argument_list *out)
{
    struct value *container = call_with("k8s.V1Container", "name", value_new_string("base"));
    struct value *spec = call("k8s.V1PodSpec"), *metadata = call("k8s.V1ObjectMeta");
    struct value *pod = call("k8s.V1Pod"), *containers = value_new_list();
    struct dag_argument *argument =
        dag_argument_add(out, "executor_config", DAG_TREE, from_default);

    for (int i = FIRST_OPTION; i <= (int)LAST_OPTION; i++) {
        const struct dag_choices *choices = chooser(build, task, (enum dag_option)i);
        const struct value *value = dag_choice(choices, (enum dag_option)i, NULL);

        if (!value)
            continue;
        dag_argument_add_part(argument, choices, (enum dag_option)i);
        add_to(container, names[i].in_container, (enum dag_option)i, value);
        add_to(spec, names[i].in_spec, (enum dag_option)i, value);
        add_to(metadata, names[i].in_metadata, (enum dag_option)i, value);
    }
    value_append_take(containers, container);
    value_set_take(spec, "containers", containers);
    if (value_count(metadata) > 1)
        value_set_take(pod, "metadata", metadata);
    else
        value_free(metadata);
    value_set_take(pod, "spec", spec);
    argument->tree = value_new_map();
    value_set_take(argument->tree, "pod_override", pod);
}

static bool has_choice(const struct dag_choices *choices)
{
    for (int i = FIRST_OPTION; i <= (int)LAST_OPTION; i++)
        if (dag_choice(choices, (enum dag_option)i, NULL))
            return true;
    return false;
}

void dag_pod_add_arguments(const struct dag_builder *build, const struct dag_choices *task,
                           struct dag_argument_list *out)
{
    const struct dag_choices *choices = task ? task : &build->choices;

    if (!build->dag->in_pods) {
        if (has_choice(choices))
            add_override(build, task, out);
        return;
    }
    for (int i = FIRST_OPTION; i <= (int)LAST_OPTION; i++) {
        enum dag_source source;
        const struct value *value = dag_choice(choices, (enum dag_option)i, &source);

        if (value)
            dag_argument_add(out, names[i].argument, DAG_TREE, dag_origin_of(source, value))->tree =
                option_tree((enum dag_option)i, value);
    }
}

int dag_pod_check(const struct dag_builder *build, const struct dag_choices *task,
                  const struct dag_task *where, struct error *err)
{
    const struct value *mode = dag_choice(&build->choices, DAG_OPTION_MODE, NULL);

    if (!build->dag->in_pods ||
        dag_choice(chooser(build, task, DAG_OPTION_IMAGE), DAG_OPTION_IMAGE, NULL))
        return 0;
    error_set_at(err, ERR_CONFIG, mode, "schedule '%s': task '%s' is to be a pod and has no image",
                 build->schedule->name, where->label);
    return error_hint(err, "Name the project's image with 'image'.");
}

void dag_pod_add_variables(struct dag_variable_list *env)
{
    static const char *const variables[][2] = {
        {"AIRFLOW_CTX_DAG_ID", "{{ dag.dag_id }}"},
        {"AIRFLOW_CTX_TASK_ID", "{{ task.task_id }}"},
        {"AIRFLOW_CTX_DAG_RUN_ID", "{{ run_id }}"},
        {"AIRFLOW_CTX_TRY_NUMBER", "{{ ti.try_number }}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        dag_variable_set(env, variables[i][0], variables[i][1], true, from_default);
    dag_variable_set(env, "MELTSHIM_XCOM_FILE", XCOM_FILE, false, from_default);
}
