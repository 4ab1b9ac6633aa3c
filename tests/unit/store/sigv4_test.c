#include "store/sigv4.h"

#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *store_sigv4_suite(void);

/* The examples of the S3 manual: 2013-05-24 00:00 UTC, in us-east-1. */
static const struct {
    const char *query;
    const char *signature;
} examples[] = {
    {"lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static struct sigv4_key example_key(void)
{
    return (struct sigv4_key){
        .access_key_id = "AKIAIOSFODNN7EXAMPLE",
        .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        .region = "us-east-1",
        .service = "s3",
    };
}

START_TEST(the_examples_of_the_manual_are_signed_as_there)
{
    struct sigv4_key key = example_key();
    struct sigv4_request request = {
        .method = "GET",
        .host = "examplebucket.s3.amazonaws.com",
        .path = "/",
        .query = examples[_i].query,
    };
    auto_strlist struct strlist headers = STRLIST_INIT;
    auto_free char *expected =
        xasprintf("Authorization: AWS4-HMAC-SHA256 "
                  "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                  "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=%s",
                  examples[_i].signature);

    sigv4_sign(&key, &request, INT64_C(1369353600000000), &headers);
    ck_assert_uint_eq(headers.count, 3);
    ck_assert_str_eq(headers.items[0], "x-amz-date: 20130524T000000Z");
    ck_assert_str_eq(headers.items[1], "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb924"
                                       "27ae41e4649b934ca495991b7852b855");
    ck_assert_str_eq(headers.items[2], expected);
}
END_TEST

START_TEST(a_session_token_is_sent_and_signed)
{
    struct sigv4_key key = example_key();
    struct sigv4_request request = {
        .method = "PUT", .host = "h", .path = "/k", .query = "", .body = "{}", .body_length = 2};
    auto_strlist struct strlist headers = STRLIST_INIT;

    key.session_token = "token";
    sigv4_sign(&key, &request, 0, &headers);
    ck_assert_uint_eq(headers.count, 4);
    ck_assert_str_eq(headers.items[2], "x-amz-security-token: token");
    ck_assert_ptr_nonnull(strstr(headers.items[3], "x-amz-date;x-amz-security-token, "));
}
END_TEST

START_TEST(a_uri_is_encoded_as_it_is_signed)
{
    auto_strbuf struct strbuf path = STRBUF_INIT, query = STRBUF_INIT;

    strbuf_add_uri(&path, "pre fix/dev:é+~_.-/state.json", true);
    ck_assert_str_eq(path.text, "pre%20fix/dev%3A%C3%A9%2B~_.-/state.json");
    strbuf_add_uri(&query, "a/b=", false);
    ck_assert_str_eq(query.text, "a%2Fb%3D");
}
END_TEST

Suite *store_sigv4_suite(void)
{
    Suite *suite = suite_create("store/sigv4");
    TCase *tcase = tcase_create("sigv4");

    tcase_add_loop_test(tcase, the_examples_of_the_manual_are_signed_as_there, 0,
                        ARRAY_LEN(examples));
    tcase_add_test(tcase, a_session_token_is_sent_and_signed);
    tcase_add_test(tcase, a_uri_is_encoded_as_it_is_signed);
    suite_add_tcase(suite, tcase);
    return suite;
}
