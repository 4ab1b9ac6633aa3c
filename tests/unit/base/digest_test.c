#include "base/digest.h"

#include "base/attrs.h"

#include <check.h>
#include <string.h>

Suite *base_digest_suite(void);

/* FIPS 180-4's examples, as published with it. */
static const struct {
    const char *text, *sha1, *sha256;
} examples[] = {
    {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

START_TEST(the_published_examples_have_their_digests)
{
    const char *text = examples[_i].text;
    char sha1[DIGEST_SHA1_HEX_SIZE], sha256[DIGEST_HEX_SIZE];

    digest_sha1_hex(text, strlen(text), sha1);
    digest_sha256_hex(text, strlen(text), sha256);
    ck_assert_str_eq(sha1, examples[_i].sha1);
    ck_assert_str_eq(sha256, examples[_i].sha256);
}
END_TEST

/* RFC 4231, test cases 2 and 6: a short key, and one that is longer than a block. */
START_TEST(the_published_examples_have_their_hmac)
{
    static const char question[] = "what do ya want for nothing?";
    static const char hash_key_first[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    char key[131], hex[DIGEST_HEX_SIZE];
    uint8_t out[DIGEST_SIZE];

    digest_hmac_sha256("Jefe", 4, question, strlen(question), out);
    digest_to_hex(out, hex);
    ck_assert_str_eq(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    digest_hmac_sha256(key, sizeof key, hash_key_first, strlen(hash_key_first), out);
    digest_to_hex(out, hex);
    ck_assert_str_eq(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

START_TEST(a_key_may_be_overwritten_by_what_it_signs)
{
    uint8_t key[DIGEST_SIZE] = "key", apart[DIGEST_SIZE];

    digest_hmac_sha256(key, sizeof key, "day", 3, apart);
    digest_hmac_sha256(key, sizeof key, "day", 3, key);
    ck_assert_mem_eq(key, apart, sizeof key);
}
END_TEST

Suite *base_digest_suite(void)
{
    Suite *suite = suite_create("base/digest");
    TCase *tcase = tcase_create("digest");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, the_published_examples_have_their_digests, 0, ARRAY_LEN(examples));
    tcase_add_test(tcase, the_published_examples_have_their_hmac);
    tcase_add_test(tcase, a_key_may_be_overwritten_by_what_it_signs);
    return suite;
}
