#include "store/aws_credentials.h"

#include "base/memory.h"
#include "tests/unit/http_server.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *store_aws_credentials_suite(void);

static struct error err;
static struct aws_credentials credentials;

/* Nothing of the machine that the tests run on. */
static void set_up(void)
{
    static const char *const variables[] = {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
    };

    tempdir_make();
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    setenv("HOME", tempdir_path(), 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
}

static void tear_down(void)
{
    aws_credentials_clear(&credentials);
    http_server_stop();
    tempdir_remove();
}

static void check_keys(const char *id, const char *secret, const char *token)
{
    ck_assert_msg(!aws_credentials_find("us-east-1", &credentials, &err), "%s", err.message);
    ck_assert_str_eq(credentials.access_key_id, id);
    ck_assert_str_eq(credentials.secret_access_key, secret);
    ck_assert_str_eq(credentials.session_token ? credentials.session_token : "none", token);
}

START_TEST(the_environment_is_asked_first)
{
    tempdir_write(".aws/credentials", "[default]\naws_access_key_id = file\n"
                                      "aws_secret_access_key = file\n");
    setenv("AWS_ACCESS_KEY_ID", "env", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "env-secret", 1);
    setenv("AWS_SESSION_TOKEN", "env-token", 1);
    check_keys("env", "env-secret", "env-token");
    ck_assert_int_eq(credentials.expires_at_us, 0);
}
END_TEST

START_TEST(a_profile_is_read_from_both_files)
{
    auto_free char *region = NULL;

    tempdir_write(".aws/config", "# a comment\n[default]\nregion = us-west-2\n"
                                 "[profile work]\nregion=eu-central-1\n"
                                 "aws_access_key_id=config\naws_secret_access_key=config\n");
    tempdir_write(".aws/credentials", "[default]\r\naws_access_key_id = one\r\n"
                                      "aws_secret_access_key = two\r\n"
                                      "[work]\n aws_access_key_id=three\n"
                                      "aws_secret_access_key=fo=ur\naws_session_token = five\n");
    check_keys("one", "two", "none");
    aws_credentials_clear(&credentials);
    setenv("AWS_PROFILE", "work", 1);
    check_keys("three", "fo=ur", "five");
    region = aws_region_find();
    ck_assert_str_eq(region, "eu-central-1");
}
END_TEST

START_TEST(a_container_asks_its_service)
{
    static const struct http_answer answers[] = {
        {"/keys", 0, 200, NULL,
         "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"bcde\",\"Token\":\"token\","
         "\"Expiration\":\"2026-11-22T12:20:00Z\"}"},
        {0}};
    auto_free char *url = xasprintf("%s/keys", http_server_start(answers, tempdir_join("log")));
    char *log;

    tempdir_write("token", "authorize me\n");
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", tempdir_join("token"), 1);
    check_keys("a", "bcde", "token");
    ck_assert_int_eq(credentials.expires_at_us, 1795350000000000);
    log = tempdir_read("log");
    ck_assert_ptr_nonnull(strstr(log, "Authorization: authorize me\r\n"));
    free(log);
}
END_TEST

START_TEST(a_web_identity_is_exchanged_for_keys)
{
    static const struct http_answer answers[] = {
        {"/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3A"
         "role%2Fr&RoleSessionName=meltshim&WebIdentityToken=who.i_am",
         0, 200, NULL,
         "{\"AssumeRoleWithWebIdentityResponse\":{\"AssumeRoleWithWebIdentityResult\":"
         "{\"Credentials\":{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"bcde\","
         "\"SessionToken\":\"token\",\"Expiration\":1.7953500e9}}}}"},
        {0}};

    tempdir_write("token", "who.i_am\n");
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", tempdir_join("token"), 1);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r", 1);
    setenv("AWS_ENDPOINT_URL_STS", http_server_start(answers, tempdir_join("log")), 1);
    check_keys("a", "bcde", "token");
    ck_assert_int_eq(credentials.expires_at_us, 1795350000000000);
}
END_TEST

START_TEST(a_machine_asks_its_metadata_service)
{
    static const struct http_answer answers[] = {
        {"/latest/api/token", 0, 200, NULL, "session"},
        {"/latest/meta-data/iam/security-credentials/", 0, 200, NULL, "my-role\n"},
        {"/latest/meta-data/iam/security-credentials/my-role", 0, 200, NULL,
         "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"bcde\",\"Token\":\"token\"}"},
        {0}};
    char *log;

    unsetenv("AWS_EC2_METADATA_DISABLED");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", http_server_start(answers, tempdir_join("log")), 1);
    check_keys("a", "bcde", "token");
    log = tempdir_read("log");
    ck_assert_ptr_nonnull(strstr(log, "PUT /latest/api/token"));
    ck_assert_ptr_nonnull(strstr(log, "X-aws-ec2-metadata-token: session\r\n"));
    free(log);
}
END_TEST

START_TEST(a_source_that_fails_is_not_passed_over)
{
    static const struct http_answer answers[] = {{"/keys", 0, 500, NULL, "sorry"}, {0}};
    auto_free char *url = xasprintf("%s/keys", http_server_start(answers, tempdir_join("log")));

    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
    ck_assert_int_eq(aws_credentials_find("us-east-1", &credentials, &err), -1);
    ck_assert_str_eq(err.message, "the container's credential service answered with status 500");
}
END_TEST

START_TEST(without_keys_it_says_where_to_put_them)
{
    ck_assert_int_eq(aws_credentials_find("us-east-1", &credentials, &err), -1);
    ck_assert_str_eq(err.message, "there are no AWS keys for the state backend");
    ck_assert_ptr_nonnull(strstr(err.hint, "AWS_ACCESS_KEY_ID"));
    ck_assert_int_eq(err.code, ERR_CONFIG);
    ck_assert_ptr_null(aws_region_find());
}
END_TEST

Suite *store_aws_credentials_suite(void)
{
    Suite *suite = suite_create("store/aws_credentials");
    TCase *tcase = tcase_create("aws_credentials");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_environment_is_asked_first);
    tcase_add_test(tcase, a_profile_is_read_from_both_files);
    tcase_add_test(tcase, a_container_asks_its_service);
    tcase_add_test(tcase, a_web_identity_is_exchanged_for_keys);
    tcase_add_test(tcase, a_machine_asks_its_metadata_service);
    tcase_add_test(tcase, a_source_that_fails_is_not_passed_over);
    tcase_add_test(tcase, without_keys_it_says_where_to_put_them);
    suite_add_tcase(suite, tcase);
    return suite;
}
