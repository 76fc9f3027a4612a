#include "agent/pal_test/unity_lines.h"

#include "agent/pal_test/test_param_config.h"

static void put_text(const char* text) {
  for (; *text != '\0'; ++text) UNITY_OUTPUT_CHAR(*text);
}

static void put_number(unsigned value) {
  char digits[12];
  unsigned at = sizeof(digits) - 1;
  digits[at] = '\0';
  do {
    digits[--at] = (char)('0' + value % 10U);
    value /= 10U;
  } while (value != 0);
  put_text(digits + at);
}

static void put_hex(uint32_t value) {
  put_text("0x");
  for (int shift = 28; shift >= 0; shift -= 4) {
    UNITY_OUTPUT_CHAR("0123456789abcdef"[(value >> shift) & 0xFU]);
  }
}

static void put_result(const struct unity_group* group, int line, const char* result) {
  put_text(group->file);
  put_text(":");
  put_number((unsigned)line);
  put_text(":TEST(");
  put_text(group->name);
  put_text(", ");
  put_text(group->case_name);
  put_text("):");
  put_text(result);
}

void unity_begin_case(struct unity_group* group, const char* name, int line) {
  group->case_name = name;
  group->case_line = line;
  group->case_failed = false;
  ++group->tests;
}

bool unity_expect_equal(struct unity_group* group, uint32_t expected, uint32_t actual, int line) {
  if (group->case_failed || expected == actual) return !group->case_failed;
  group->case_failed = true;
  ++group->failures;
  put_result(group, line, "FAIL: Expected ");
  put_hex(expected);
  put_text(" Was ");
  put_hex(actual);
  put_text("\n");
  return false;
}

void unity_end_case(struct unity_group* group) {
  if (!group->case_failed) put_result(group, group->case_line, "PASS\n");
}

void unity_end_group(const struct unity_group* group) {
  put_text("\n-----------------------\n");
  put_number(group->tests);
  put_text(" Tests ");
  put_number(group->failures);
  put_text(" Failures 0 Ignored\n");
  put_text(group->failures == 0 ? "OK\n" : "FAIL\n");
}
