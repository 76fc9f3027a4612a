/*
 * What the qualification tests are run with. The macros are those of AWS's test_param_config.h; a build may
 * set each from outside, except UNITY_OUTPUT_CHAR.
 */
#ifndef TEST_PARAM_CONFIG_H
#define TEST_PARAM_CONFIG_H

/* Wait before the first line, for a host that attaches late. Here it is attached before power-on. */
#ifndef TEST_START_DELAY_MS
#define TEST_START_DELAY_MS 0
#endif

/* Takes the tests' output, character by character; the application supplies it (pal_test_port.h). */
#include "agent/pal_test/pal_test_port.h"
#define UNITY_OUTPUT_CHAR(c) pal_test_output_char(c)

/* The kind of signature that the PAL verifies. */
#define OTA_RSA_SHA1 1
#define OTA_RSA_SHA256 2
#define OTA_ECDSA_SHA256 3
#ifndef OTA_PAL_TEST_CERT_TYPE
#define OTA_PAL_TEST_CERT_TYPE OTA_ECDSA_SHA256
#endif

/* The name under which the signer's certificate is provisioned (lab::kPalTestSignerName on the host). */
#ifndef OTA_PAL_CERTIFICATE_FILE
#define OTA_PAL_CERTIFICATE_FILE "/otasim/pal-test-signer.pem"
#endif

/* The name of a received file; this PAL has one place for all. */
#ifndef OTA_PAL_FIRMWARE_FILE
#define OTA_PAL_FIRMWARE_FILE "firmware.bin"
#endif

/* 1: certificates have names, so one may be missing. */
#ifndef OTA_PAL_USE_FILE_SYSTEM
#define OTA_PAL_USE_FILE_SYSTEM 1
#endif

/* For the end-to-end tests. Devices of a lab are provisioned with their thing's name, and take their version
 * from the header of the image that runs; these are what the tests' first image is built with. */
#ifndef IOT_THING_NAME
#define IOT_THING_NAME "thing-1"
#endif
#ifndef OTA_APP_VERSION_MAJOR
#define OTA_APP_VERSION_MAJOR 0
#define OTA_APP_VERSION_MINOR 9
#define OTA_APP_VERSION_BUILD 1
#endif

#endif /* TEST_PARAM_CONFIG_H */
