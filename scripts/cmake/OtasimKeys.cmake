# The lab's image-signing key: made once per build folder, its public half built into the boot ROM.
#
# Give another with -DOTASIM_BOOT_KEY=FILE (a PEM P-256 private key).
set(OTASIM_KEYS_DIR ${CMAKE_BINARY_DIR}/keys CACHE PATH "Where the lab's build-time keys stand")
set(OTASIM_BOOT_KEY ${OTASIM_KEYS_DIR}/boot_signing_key.pem CACHE FILEPATH "Image-signing key")

find_program(OPENSSL openssl REQUIRED)
if(NOT EXISTS ${OTASIM_BOOT_KEY})
  file(MAKE_DIRECTORY ${OTASIM_KEYS_DIR})
  execute_process(COMMAND sh -c "umask 077 && exec \"$0\" ecparam -name prime256v1 -genkey -noout -out \"$1\""
                          ${OPENSSL} ${OTASIM_BOOT_KEY} COMMAND_ERROR_IS_FATAL ANY)
endif()
execute_process(COMMAND ${OPENSSL} ec -in ${OTASIM_BOOT_KEY} -pubout -outform DER -out ${OTASIM_KEYS_DIR}/boot_public_key.der
                ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)

# SubjectPublicKeyInfo of a P-256 key ends with the uncompressed point: 0x04, X, Y.
file(READ ${OTASIM_KEYS_DIR}/boot_public_key.der spki HEX)
string(LENGTH "${spki}" spki_length)
if(NOT spki_length EQUAL 182)
  message(FATAL_ERROR "${OTASIM_BOOT_KEY} is not a P-256 key.")
endif()
file(SHA256 ${OTASIM_KEYS_DIR}/boot_public_key.der spki_hash)
string(SUBSTRING "${spki}" 52 130 point)
string(REGEX REPLACE "(..)" "0x\\1, " OTASIM_BOOT_KEY_POINT "${point}")
string(REGEX REPLACE "(..)" "0x\\1, " OTASIM_BOOT_KEY_HASH "${spki_hash}")
configure_file(${CMAKE_CURRENT_LIST_DIR}/boot_keys.h.in ${OTASIM_KEYS_DIR}/include/boot_keys.h @ONLY)
