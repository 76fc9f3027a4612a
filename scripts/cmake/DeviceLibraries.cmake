# Third-party code of the device, from the source packages scripts/setup put into .deps/.
# Built the same way for the host (native board, tests) and for the firmware.
get_filename_component(OTASIM_DEPS ${CMAKE_CURRENT_LIST_DIR}/../../.deps ABSOLUTE)
get_filename_component(OTASIM_ROOT ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
foreach(library lwip mbedtls bearssl tinycbor jsmn)
  if(NOT EXISTS ${OTASIM_DEPS}/${library}/.unpacked)
    message(FATAL_ERROR "${library} is missing from ${OTASIM_DEPS}. Run scripts/setup first.")
  endif()
endforeach()

# mbedTLS: for the application's TLS and X.509.
file(GLOB mbedtls_sources ${OTASIM_DEPS}/mbedtls/library/*.c)
add_library(device_mbedtls STATIC ${mbedtls_sources} ${OTASIM_ROOT}/agent/crypto/mbedtls_ecdsa_sign.cc
                                  ${OTASIM_ROOT}/agent/crypto/mbedtls_platform.cc)
target_include_directories(device_mbedtls SYSTEM PUBLIC ${OTASIM_DEPS}/mbedtls/include ${OTASIM_ROOT})
target_compile_definitions(device_mbedtls PUBLIC MBEDTLS_CONFIG_FILE="agent/crypto/mbedtls_config.h")
target_compile_options(device_mbedtls PRIVATE -w -O2)
if(OTASIM_PAL_RSA OR NOT CMAKE_CROSSCOMPILING)
  # For code signers with RSA keys (pal_sim/pal); on the host both kinds are tested.
  target_compile_definitions(device_mbedtls PUBLIC MBEDTLS_RSA_C MBEDTLS_PKCS1_V15)
endif()
if(CMAKE_CROSSCOMPILING)
  # A device has no malloc() and no stdio: the memory pool must be handed over before anything is used.
  target_compile_definitions(device_mbedtls PUBLIC MBEDTLS_PLATFORM_NO_STD_FUNCTIONS)
endif()

# BearSSL: SHA-256, P-256, HMAC, HKDF and AES-CTR for the bootloader and the PAL (agent/crypto). The library's own choices
# of implementation suit a Cortex-M: 32-bit multiplications for P-256, bitsliced AES.
set(bearssl_sources
  codec/ccopy.c codec/dec32be.c codec/enc32be.c codec/enc32le.c codec/dec32le.c
  ec/ec_secp256r1.c ec/ec_secp384r1.c ec/ec_secp521r1.c ec/ecdsa_i31_bits.c ec/ecdsa_i31_sign_raw.c ec/ecdsa_i31_vrfy_raw.c
  hash/dig_size.c hash/sha2small.c kdf/hkdf.c mac/hmac.c rand/hmac_drbg.c
  symcipher/aes_ct.c symcipher/aes_ct_ctr.c symcipher/aes_ct_enc.c)
list(TRANSFORM bearssl_sources PREPEND ${OTASIM_DEPS}/bearssl/src/)
file(GLOB bearssl_numbers ${OTASIM_DEPS}/bearssl/src/int/i31_*.c ${OTASIM_DEPS}/bearssl/src/int/i32_div32.c)
# Its P-256 (ec/ec_p256_m31.c) is part of ours.
set(bearssl_p256 ${OTASIM_ROOT}/agent/crypto/p256.c)
add_library(device_bearssl STATIC ${bearssl_sources} ${bearssl_numbers} ${bearssl_p256})
target_include_directories(device_bearssl SYSTEM PUBLIC ${OTASIM_DEPS}/bearssl/inc PRIVATE ${OTASIM_DEPS}/bearssl/src ${OTASIM_ROOT})
if(CMAKE_CROSSCOMPILING)
  # For size, but for what a boot's two verifications spend their time in (docs/benchmarks.md, "The bootloader"): a
  # tenth fewer instructions than at -O2. P-256 at -O3 would take the bootloader beyond its 32 KB and save no time.
  target_compile_options(device_bearssl PRIVATE -w -Os)
  set_source_files_properties(${bearssl_p256}
    PROPERTIES COMPILE_OPTIONS "-O2;-fpeel-loops;-fno-schedule-insns;-fno-schedule-insns2;-fno-inline-small-functions")
  set_source_files_properties(${OTASIM_DEPS}/bearssl/src/hash/sha2small.c
    PROPERTIES COMPILE_OPTIONS "-O2;-funroll-loops;-fno-schedule-insns")
else()
  target_compile_options(device_bearssl PRIVATE -w -O2)
endif()
if(OTASIM_SANITIZE)
  # Its tables of functions hold ones whose context has another type: the library's way, and not ours to judge.
  target_compile_options(device_bearssl PRIVATE -fno-sanitize=function)
endif()

add_library(device_tinycbor STATIC
  ${OTASIM_DEPS}/tinycbor/src/cborencoder.c
  ${OTASIM_DEPS}/tinycbor/src/cborencoder_close_container_checked.c
  ${OTASIM_DEPS}/tinycbor/src/cborparser.c)
target_include_directories(device_tinycbor SYSTEM PUBLIC ${OTASIM_DEPS}/tinycbor/src)
target_compile_options(device_tinycbor PRIVATE -w)

add_library(device_jsmn INTERFACE)
target_include_directories(device_jsmn SYSTEM INTERFACE ${OTASIM_DEPS}/jsmn)
