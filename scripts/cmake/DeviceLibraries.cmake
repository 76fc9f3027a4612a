# Third-party code of the device, from the source packages scripts/setup put into .deps/.
# Built the same way for the host (native board, tests) and for the firmware.
get_filename_component(OTASIM_DEPS ${CMAKE_CURRENT_LIST_DIR}/../../.deps ABSOLUTE)
get_filename_component(OTASIM_ROOT ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
foreach(library lwip mbedtls bearssl tinycbor jsmn)
  if(NOT EXISTS ${OTASIM_DEPS}/${library}/.unpacked)
    message(FATAL_ERROR "${library} is missing from ${OTASIM_DEPS}. Run scripts/setup first.")
  endif()
endforeach()

# mbedTLS: one configuration for bootloader and application; the linker drops what each does not use.
file(GLOB mbedtls_sources ${OTASIM_DEPS}/mbedtls/library/*.c)
add_library(device_mbedtls STATIC ${mbedtls_sources})
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

add_library(device_tinycbor STATIC
  ${OTASIM_DEPS}/tinycbor/src/cborencoder.c
  ${OTASIM_DEPS}/tinycbor/src/cborencoder_close_container_checked.c
  ${OTASIM_DEPS}/tinycbor/src/cborparser.c)
target_include_directories(device_tinycbor SYSTEM PUBLIC ${OTASIM_DEPS}/tinycbor/src)
target_compile_options(device_tinycbor PRIVATE -w)

add_library(device_jsmn INTERFACE)
target_include_directories(device_jsmn SYSTEM INTERFACE ${OTASIM_DEPS}/jsmn)
