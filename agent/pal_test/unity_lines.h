/*
 * Results as lines of text, in the format of the Unity test framework.
 *
 *   struct unity_group group = {.name = "Full_OTA_PAL", .file = "ota_pal_test.c"};
 *   for each case:  unity_begin_case(&group, name, line);  ... unity_expect_equal(...) ...;
 * unity_end_case(&group); unity_end_group(&group);
 *
 * A case fails once: what is expected after the first failure is not looked at. Output goes to
 * UNITY_OUTPUT_CHAR. Nothing is allocated.
 */
#ifndef UNITY_LINES_H
#define UNITY_LINES_H

#include <stdbool.h>
#include <stdint.h>

struct unity_group {
  const char* name;
  const char* file;
  const char* case_name; /* of the case that runs */
  int case_line;
  bool case_failed;
  unsigned tests;
  unsigned failures;
};

void unity_begin_case(struct unity_group* group, const char* name, int line);

/* Fails the case, and prints so, unless the two are equal. Returns whether the case may go on. */
bool unity_expect_equal(struct unity_group* group, uint32_t expected, uint32_t actual, int line);

void unity_end_case(struct unity_group* group);

/* Prints the summary. */
void unity_end_group(const struct unity_group* group);

#endif /* UNITY_LINES_H */
