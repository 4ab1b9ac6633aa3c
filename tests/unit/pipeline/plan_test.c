#include "pipeline/plan.h"

#include "base/memory.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <string.h>

Suite *pipeline_plan_suite(void);

static const char project_text[] =
    "plugins:\n"
    "  extractors:\n"
    "  - {name: tap-a, namespace: tap_a, executable: a}\n"
    "  - {name: tap-b, namespace: tap_b, executable: b}\n"
    "  loaders:\n"
    "  - {name: target-x, namespace: target_x, executable: x}\n"
    "  mappers:\n"
    "  - name: mapper\n"
    "    namespace: mapper\n"
    "    executable: m\n"
    "    mappings: [{name: m1, config: {}}, {name: m2, config: {}}]\n"
    "  utilities:\n"
    "  - {name: util, namespace: util, executable: u, commands: {hello: hi}}\n"
    "  - {name: unlocked}\n"
    "jobs:\n"
    "- {name: j1, tasks: [tap-a m1  target-x, [util:hello]]}\n"
    "- {name: j2, tasks: [j1]}\n"
    "- {name: all-commented-out, tasks: }\n";

static struct project *project;

static void set_up(void)
{
    struct error err = {0};

    tempdir_make();
    tempdir_write("meltano.yml", project_text);
    ck_assert_msg(!project_load(tempdir_path(), &project, &err), "%s", err.message);
}

static void tear_down(void)
{
    project_free(project);
    project = NULL;
    tempdir_remove();
}

static int make_plan(const char *words, struct plan *plan, struct error *err)
{
    auto_strlist struct strlist list = STRLIST_INIT;

    strlist_split(&list, words, ' ');
    return plan_from_words(project, &list, plan, err);
}

/* "tap-a,m1,target-x util:hello" */
static char *describe(const struct plan *plan)
{
    struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < plan->count; i++) {
        const struct block *block = &plan->blocks[i];

        strbuf_add(&text, i ? " " : "");
        for (size_t j = 0; j < block->plugin_count; j++)
            strbuf_addf(&text, "%s%s", j ? "," : "", block->plugins[j]->name);
        if (block->command)
            strbuf_addf(&text, ":%s", block->command);
    }
    return strbuf_take(&text);
}

static const struct {
    const char *words, *blocks;
} good_plans[] = {
    {"tap-a target-x", "tap-a,target-x"},
    {"tap-a m1 m2 m1 target-x", "tap-a,m1,m2,m1,target-x"},
    {"util", "util"},
    {"util:hello tap-a target-x tap-b m2 target-x", "util:hello tap-a,target-x tap-b,m2,target-x"},
    {"j1 tap-b target-x", "tap-a,m1,target-x util:hello tap-b,target-x"},
    {"tap-a:foo target-x", "tap-a,target-x"},
};

START_TEST(words_become_blocks_from_left_to_right)
{
    auto_plan struct plan plan = PLAN_INIT;
    auto_free char *text = NULL;
    struct error err = {0};

    ck_assert_msg(!make_plan(good_plans[_i].words, &plan, &err), "%s", err.message);
    text = describe(&plan);
    ck_assert_str_eq(text, good_plans[_i].blocks);
}
END_TEST

static const struct {
    const char *words, *message;
} bad_plans[] = {
    {"nope", "block nope not found"},
    {"util:a:b", "block util:a:b not found"},
    {"j2", "block j1 not found"},
    {"all-commented-out", "meltano.yml:18:3: job 'all-commented-out' has no tasks"},
    {"tap-a", "block violates set requirements: Loader missing in block set!"},
    {"tap-a m1", "block violates set requirements: Loader missing in block set!"},
    {"tap-a util", "block violates set requirements: Unknown command type or bad block sequence at "
                   "index 1, starting block 'tap-a'"},
    {"util tap-a tap-b target-x",
     "block violates set requirements: Unknown command type or bad block sequence at index 2, "
     "starting block 'tap-a'"},
    {"target-x", "block violates set requirements: Unknown command type or bad block sequence at "
                 "index 1, starting block 'target-x'"},
    {"m1 target-x", "block violates set requirements: Unknown command type or bad block sequence "
                    "at index 1, starting block 'm1'"},
    {"tap-a mapper target-x", "block violates set requirements: Expected unique mappings name not "
                              "the mapper plugin name: mapper."},
};

static const struct {
    const char *words, *hint;
} unknown_blocks[] = {
    {"something-else", "It is no job and no plugin of this project; 'meltshim plugin list' and "
                       "'meltshim job list' show them."},
    {"utli:hello", "Did you mean 'util'?"},
    {"all-comented-out", "Did you mean 'all-commented-out'?"},
    {"j2",
     "The job 'j2' names it (meltano.yml:17). A job cannot be a task of another job: list its "
     "tasks."},
};

START_TEST(an_unknown_block_is_traced_to_its_job_and_to_what_may_be_meant)
{
    auto_plan struct plan plan = PLAN_INIT;
    struct error err = {0};

    ck_assert_int_eq(make_plan(unknown_blocks[_i].words, &plan, &err), -1);
    ck_assert_str_eq(err.hint, unknown_blocks[_i].hint);
}
END_TEST

START_TEST(a_bad_sequence_is_refused_as_a_whole)
{
    auto_plan struct plan plan = PLAN_INIT;
    struct error err = {0};

    ck_assert_int_eq(make_plan(bad_plans[_i].words, &plan, &err), -1);
    ck_assert_str_eq(err.message, bad_plans[_i].message);
    ck_assert_str_ne(err.hint, "");
    ck_assert_uint_eq(plan.count, 0);
}
END_TEST

START_TEST(a_missing_definition_is_known_before_the_first_block)
{
    auto_plan struct plan good = PLAN_INIT, bad = PLAN_INIT;
    struct error err = {0};

    ck_assert_int_eq(make_plan("tap-a m1 target-x util:hello", &good, &err), 0);
    ck_assert_msg(!plan_resolve(&good, &err), "%s", err.message);
    ck_assert_int_eq(make_plan("tap-a target-x unlocked:run", &bad, &err), 0);
    ck_assert_int_eq(plan_resolve(&bad, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "utility 'unlocked'"));
}
END_TEST

START_TEST(a_state_id_is_made_of_environment_plugins_and_suffix)
{
    auto_plan struct plan plan = PLAN_INIT;
    auto_free char *plain = NULL, *suffixed = NULL;
    char *refused = NULL;
    struct error err = {0};

    ck_assert_int_eq(make_plan("tap-a m1 target-x", &plan, &err), 0);
    ck_assert_int_eq(plan_make_state_id("dev", &plan.blocks[0], "", &plain, &err), 0);
    ck_assert_str_eq(plain, "dev:tap-a-to-target-x");
    ck_assert_int_eq(plan_make_state_id("dev", &plan.blocks[0], "s", &suffixed, &err), 0);
    ck_assert_str_eq(suffixed, "dev:tap-a-to-target-x:s");
    ck_assert_int_eq(plan_make_state_id("dev", &plan.blocks[0], "a:b", &refused, &err), -1);
    ck_assert_str_eq(err.hint, "Remove the colon from 'a:b'.");
    ck_assert_ptr_null(refused);
}
END_TEST

START_TEST(el_takes_only_an_extractor_and_a_loader)
{
    auto_plan struct plan plan = PLAN_INIT;
    struct error err = {0};

    ck_assert_int_eq(plan_from_pair(project, "tap-a", "tap-b", &plan, &err), -1);
    ck_assert_str_eq(err.message, "loader 'tap-b' is not known to Meltano");
    ck_assert_int_eq(plan_from_pair(project, "m1", "target-x", &plan, &err), -1);
    ck_assert_str_eq(err.message, "extractor 'm1' is not known to Meltano");
    ck_assert_int_eq(plan_from_pair(project, "tap-a", "target-x", &plan, &err), 0);
    ck_assert_uint_eq(plan.count, 1);
}
END_TEST

Suite *pipeline_plan_suite(void)
{
    Suite *suite = suite_create("pipeline/plan");
    TCase *tcase = tcase_create("plan");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, words_become_blocks_from_left_to_right, 0, ARRAY_LEN(good_plans));
    tcase_add_loop_test(tcase, an_unknown_block_is_traced_to_its_job_and_to_what_may_be_meant, 0,
                        ARRAY_LEN(unknown_blocks));
    tcase_add_loop_test(tcase, a_bad_sequence_is_refused_as_a_whole, 0, ARRAY_LEN(bad_plans));
    tcase_add_test(tcase, a_missing_definition_is_known_before_the_first_block);
    tcase_add_test(tcase, a_state_id_is_made_of_environment_plugins_and_suffix);
    tcase_add_test(tcase, el_takes_only_an_extractor_and_a_loader);
    suite_add_tcase(suite, tcase);
    return suite;
}
