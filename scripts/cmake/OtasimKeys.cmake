# The lab's build-time keys: made once per build folder, mode 0600; what a device must know of them goes into the
# boot ROM (keys/include/boot_keys.h).
#
#   OTASIM_BOOT_KEY              PEM, P-256 private: signs images
#   OTASIM_BOOT_SPARE_KEY        PEM, P-256 private: the second signer in ROM, for when the first must be revoked
#   OTASIM_IMAGE_ENCRYPTION_KEY  PEM, P-256 private: its private half stands in ROM, images are encrypted to its public one
#   OTASIM_DEVICE_KEY            32 bytes: seals provisioning; one for all devices of a build (a product fuses one per device)
#   OTASIM_CODE_SIGNING_ROOT     X.509 certificate, PEM or DER: code signers' certificates must be issued by it
#   OTASIM_CODE_SIGNING_ROOT_KEY PEM, private: issues the lab's code signers; not needed on devices
#
# Give another with -D<NAME>=FILE; one that is given is never written.
set(OTASIM_KEYS_DIR ${CMAKE_BINARY_DIR}/keys CACHE PATH "Where the lab's build-time keys stand")
set(OTASIM_BOOT_KEY ${OTASIM_KEYS_DIR}/boot_signing_key.pem CACHE FILEPATH "Image-signing key")
set(OTASIM_BOOT_SPARE_KEY ${OTASIM_KEYS_DIR}/boot_spare_key.pem CACHE FILEPATH "Second image-signing key")
set(OTASIM_IMAGE_ENCRYPTION_KEY ${OTASIM_KEYS_DIR}/image_encryption_key.pem CACHE FILEPATH "Image-encryption key")
set(OTASIM_DEVICE_KEY ${OTASIM_KEYS_DIR}/device_key.bin CACHE FILEPATH "Key that seals provisioning")
set(OTASIM_CODE_SIGNING_ROOT ${OTASIM_KEYS_DIR}/code_signing_root.pem CACHE FILEPATH "Root certificate of code signers")
set(OTASIM_CODE_SIGNING_ROOT_KEY ${OTASIM_KEYS_DIR}/code_signing_root_key.pem CACHE FILEPATH "Key of that root")

# Host programs look for the keys by name beside the build, so one that is given gets a copy there.
function(otasim_keep_key file name)
  if(EXISTS ${file} AND NOT file STREQUAL ${OTASIM_KEYS_DIR}/${name})
    configure_file(${file} ${OTASIM_KEYS_DIR}/${name} COPYONLY FILE_PERMISSIONS OWNER_READ OWNER_WRITE)
  endif()
endfunction()

find_program(OPENSSL openssl REQUIRED)
file(MAKE_DIRECTORY ${OTASIM_KEYS_DIR})
file(CHMOD ${OTASIM_KEYS_DIR} DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)

# Runs openssl; files it makes are for their owner only.
function(otasim_openssl)
  execute_process(COMMAND sh -c "umask 077 && exec \"$@\"" sh ${OPENSSL} ${ARGN} ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Hexadecimal digits as elements of a C++ initialiser.
function(otasim_bytes hex out)
  string(REGEX REPLACE "(..)" "0x\\1, " bytes "${hex}")
  set(${out} "${bytes}" PARENT_SCOPE)
endfunction()

# Makes the P-256 key `file` if it is missing, and gives its point, its hash (MCUboot's name for it) and its private half.
function(otasim_p256_key file prefix)
  get_filename_component(name ${file} NAME_WE)
  set(public ${OTASIM_KEYS_DIR}/${name}.public.der)
  set(private ${OTASIM_KEYS_DIR}/${name}.private.der)
  if(NOT EXISTS ${file})
    otasim_openssl(ecparam -name prime256v1 -genkey -noout -out ${file})
  endif()
  otasim_openssl(ec -in ${file} -pubout -outform DER -out ${public})
  # SubjectPublicKeyInfo of a P-256 key ends with the uncompressed point: 0x04, X, Y.
  file(READ ${public} spki HEX)
  string(LENGTH "${spki}" spki_length)
  if(NOT spki_length EQUAL 182)
    message(FATAL_ERROR "${file} is not a P-256 key.")
  endif()
  string(SUBSTRING "${spki}" 52 130 point)
  file(SHA256 ${public} hash)
  # ECPrivateKey (RFC 5915) begins with 30 77 02 01 01 04 20 and the scalar.
  otasim_openssl(ec -in ${file} -outform DER -out ${private})
  file(READ ${private} ec_private HEX)
  file(REMOVE ${private})
  string(SUBSTRING "${ec_private}" 14 64 scalar)
  otasim_bytes("${point}" point)
  otasim_bytes("${hash}" hash)
  otasim_bytes("${scalar}" scalar)
  set(${prefix}_POINT "${point}" PARENT_SCOPE)
  set(${prefix}_HASH "${hash}" PARENT_SCOPE)
  set(${prefix}_SCALAR "${scalar}" PARENT_SCOPE)
endfunction()

otasim_keep_key(${OTASIM_BOOT_KEY} boot_signing_key.pem)
otasim_keep_key(${OTASIM_BOOT_SPARE_KEY} boot_spare_key.pem)
otasim_keep_key(${OTASIM_IMAGE_ENCRYPTION_KEY} image_encryption_key.pem)
otasim_keep_key(${OTASIM_DEVICE_KEY} device_key.bin)
otasim_keep_key(${OTASIM_CODE_SIGNING_ROOT_KEY} code_signing_root_key.pem)
otasim_p256_key(${OTASIM_BOOT_KEY} OTASIM_BOOT_KEY)
otasim_p256_key(${OTASIM_BOOT_SPARE_KEY} OTASIM_BOOT_SPARE_KEY)
otasim_p256_key(${OTASIM_IMAGE_ENCRYPTION_KEY} OTASIM_IMAGE_ENCRYPTION_KEY)

if(NOT EXISTS ${OTASIM_DEVICE_KEY})
  otasim_openssl(rand -out ${OTASIM_DEVICE_KEY} 32)
endif()
file(READ ${OTASIM_DEVICE_KEY} device_key HEX)
string(LENGTH "${device_key}" device_key_digits)
if(NOT device_key_digits EQUAL 64)
  message(FATAL_ERROR "${OTASIM_DEVICE_KEY} must hold 32 bytes.")
endif()
otasim_bytes("${device_key}" OTASIM_DEVICE_KEY_BYTES)

if(NOT EXISTS ${OTASIM_CODE_SIGNING_ROOT})
  if(NOT EXISTS ${OTASIM_CODE_SIGNING_ROOT_KEY})
    otasim_openssl(ecparam -name prime256v1 -genkey -noout -out ${OTASIM_CODE_SIGNING_ROOT_KEY})
  endif()
  otasim_openssl(req -x509 -new -key ${OTASIM_CODE_SIGNING_ROOT_KEY} -sha256 -days 18250
                 -subj "/CN=otasim code-signing root" -addext basicConstraints=critical,CA:TRUE
                 -addext keyUsage=critical,keyCertSign,cRLSign -out ${OTASIM_CODE_SIGNING_ROOT})
endif()
set(root_der ${OTASIM_KEYS_DIR}/code_signing_root.der)
otasim_openssl(x509 -in ${OTASIM_CODE_SIGNING_ROOT} -outform DER -out ${root_der})
file(SIZE ${root_der} root_size)
if(root_size GREATER 1400)
  message(FATAL_ERROR "${OTASIM_CODE_SIGNING_ROOT} has ${root_size} bytes; the boot ROM keeps 1400 for it.")
endif()
file(READ ${root_der} root HEX)
otasim_bytes("${root}" OTASIM_CODE_SIGNING_ROOT_BYTES)
set(OTASIM_CODE_SIGNING_ROOT_SIZE ${root_size})

# Where otasim looks for the root's key, wherever the build was told it is; nowhere, if it was not.
set(root_key ${OTASIM_KEYS_DIR}/code_signing_root_key.pem)
if(EXISTS ${OTASIM_CODE_SIGNING_ROOT_KEY} AND NOT OTASIM_CODE_SIGNING_ROOT_KEY STREQUAL root_key)
  file(REMOVE ${root_key})
  file(CREATE_LINK ${OTASIM_CODE_SIGNING_ROOT_KEY} ${root_key} SYMBOLIC)
endif()

configure_file(${CMAKE_CURRENT_LIST_DIR}/boot_keys.h.in ${OTASIM_KEYS_DIR}/include/boot_keys.h @ONLY
               FILE_PERMISSIONS OWNER_READ OWNER_WRITE)
