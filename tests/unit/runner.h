/* tests/unit/runner.h - the list of suites; unit_suites.c is made by the Makefile. */
#ifndef TESTS_UNIT_RUNNER_H
#define TESTS_UNIT_RUNNER_H

#include <check.h>

typedef Suite *suite_maker(void);

extern suite_maker *const unit_suites[];

#endif
