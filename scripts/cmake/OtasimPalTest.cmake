# Sample data of the PAL's qualification group (agent/pal_test): 84 bytes, and signatures over them by a signer that the
# code-signing root issued. Made once for each build folder; what no longer fits its key or root is made anew.
#
#   OTASIM_PAL_TEST_SIGNER          X.509 certificate, PEM: provisioned on the device under test (P-256)
#   OTASIM_PAL_TEST_SIGNER_KEY      PEM, private: signs the samples
#   OTASIM_PAL_TEST_RSA_SIGNER      the same two for a PAL that verifies RSA
#   OTASIM_PAL_TEST_RSA_SIGNER_KEY
#
# Give others with -D<NAME>=FILE; one that is given is never written. Include after OtasimKeys.
set(pal_test ${OTASIM_KEYS_DIR}/pal_test)
set(OTASIM_PAL_TEST_SIGNER ${pal_test}/signer.pem CACHE FILEPATH "Signer of the PAL's qualification")
set(OTASIM_PAL_TEST_SIGNER_KEY ${pal_test}/signer_key.pem CACHE FILEPATH "Its key")
set(OTASIM_PAL_TEST_RSA_SIGNER ${pal_test}/rsa_signer.pem CACHE FILEPATH "Signer of the PAL's qualification with RSA")
set(OTASIM_PAL_TEST_RSA_SIGNER_KEY ${pal_test}/rsa_signer_key.pem CACHE FILEPATH "Its key")
file(MAKE_DIRECTORY ${pal_test})

# Whether openssl says yes.
function(otasim_openssl_agrees out)
  execute_process(COMMAND ${OPENSSL} ${ARGN} OUTPUT_QUIET ERROR_QUIET RESULT_VARIABLE code)
  if(code EQUAL 0)
    set(${out} TRUE PARENT_SCOPE)
  else()
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Writes a file of any bytes, given as hexadecimal digits.
function(otasim_write_bytes hex file)
  string(REGEX MATCHALL ".." bytes "${hex}")
  set(text "")
  foreach(byte ${bytes})
    math(EXPR a "0x${byte} / 64")
    math(EXPR b "0x${byte} / 8 % 8")
    math(EXPR c "0x${byte} % 8")
    string(APPEND text "\\${a}${b}${c}")
  endforeach()
  execute_process(COMMAND printf "${text}" OUTPUT_FILE ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# A file's bytes as elements of an initialiser, and their number.
function(otasim_file_bytes file out)
  file(READ ${file} hex HEX)
  file(SIZE ${file} size)
  otasim_bytes("${hex}" bytes)
  set(${out} "${bytes}" PARENT_SCOPE)
  set(${out}_SIZE ${size} PARENT_SCOPE)
endfunction()

set(root_pem ${pal_test}/root.pem)
otasim_openssl(x509 -in ${OTASIM_CODE_SIGNING_ROOT} -out ${root_pem})

# Makes the signer `certificate` with `key`, unless there is one that the root issued.
function(otasim_pal_test_signer certificate key)
  if(NOT EXISTS ${key})
    otasim_openssl(genpkey ${ARGN} -out ${key})
  endif()
  otasim_openssl_agrees(is_issued verify -partial_chain -no_check_time -trusted ${root_pem} ${certificate})
  if(is_issued)
    return()
  endif()
  cmake_path(IS_PREFIX pal_test ${certificate} is_ours)
  if(EXISTS ${certificate} AND NOT is_ours)
    message(WARNING "${certificate} is not issued by ${OTASIM_CODE_SIGNING_ROOT}: the PAL will refuse it.")
    return()
  endif()
  set(request ${pal_test}/request.pem)
  set(extensions ${pal_test}/extensions.cnf)
  file(WRITE ${extensions}
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n")
  otasim_openssl(req -new -key ${key} -subj "/CN=otasim PAL test signer" -out ${request})
  string(RANDOM LENGTH 16 ALPHABET 123456789abcdef serial)
  set(issue x509 -req -in ${request} -sha256 -days 18250 -set_serial 0x${serial} -extfile ${extensions} -out ${certificate})
  if(EXISTS ${OTASIM_CODE_SIGNING_ROOT_KEY})
    otasim_openssl(${issue} -CA ${root_pem} -CAkey ${OTASIM_CODE_SIGNING_ROOT_KEY})
  else()
    message(WARNING "Without OTASIM_CODE_SIGNING_ROOT_KEY there is no signer for the PAL's qualification, which will "
                    "fail. Give one with OTASIM_PAL_TEST_SIGNER and OTASIM_PAL_TEST_SIGNER_KEY (and ..._RSA_...).")
    otasim_openssl(${issue} -signkey ${key})
  endif()
endfunction()

# Gives ${prefix}_VALID and ${prefix}_INVALID: signatures by `key` over the sample, and over something else.
function(otasim_pal_test_signatures prefix key digest)
  set(public ${pal_test}/public.pem)
  otasim_openssl(pkey -in ${key} -pubout -out ${public})
  foreach(kind VALID INVALID)
    string(TOLOWER ${prefix}_${kind}.sig name)
    set(signature ${pal_test}/${name})
    set(signed ${pal_test}/${kind}.bin)
    otasim_openssl_agrees(holds dgst ${digest} -verify ${public} -signature ${signature} ${signed})
    if(NOT holds)
      otasim_openssl(dgst ${digest} -sign ${key} -out ${signature} ${signed})
    endif()
    otasim_file_bytes(${signature} bytes)
    set(${prefix}_${kind} "${bytes}" PARENT_SCOPE)
  endforeach()
endfunction()

string(SHA1 hash "otasim")
set(counting "")
foreach(i RANGE 63)
  if(i EQUAL 11)
    set(i 12)
  endif()
  math(EXPR digits "256 + ${i}" OUTPUT_FORMAT HEXADECIMAL)
  string(SUBSTRING ${digits} 3 2 digits)
  string(APPEND counting ${digits})
endforeach()
otasim_write_bytes(${hash}${counting} ${pal_test}/VALID.bin)
otasim_write_bytes(${counting}${hash} ${pal_test}/INVALID.bin)

otasim_pal_test_signer(${OTASIM_PAL_TEST_SIGNER} ${OTASIM_PAL_TEST_SIGNER_KEY}
                       -algorithm EC -pkeyopt ec_paramgen_curve:P-256)
otasim_pal_test_signer(${OTASIM_PAL_TEST_RSA_SIGNER} ${OTASIM_PAL_TEST_RSA_SIGNER_KEY}
                       -algorithm RSA -pkeyopt rsa_keygen_bits:2048)
otasim_pal_test_signatures(PAL_TEST_ECDSA_SHA256 ${OTASIM_PAL_TEST_SIGNER_KEY} -sha256)
otasim_pal_test_signatures(PAL_TEST_RSA_SHA256 ${OTASIM_PAL_TEST_RSA_SIGNER_KEY} -sha256)
otasim_pal_test_signatures(PAL_TEST_RSA_SHA1 ${OTASIM_PAL_TEST_RSA_SIGNER_KEY} -sha1)
otasim_file_bytes(${pal_test}/VALID.bin PAL_TEST_SAMPLE)

# What the device is provisioned with, where otasim finds it.
otasim_openssl(x509 -in ${OTASIM_PAL_TEST_SIGNER} -outform DER -out ${pal_test}/ecdsa.der)
otasim_openssl(x509 -in ${OTASIM_PAL_TEST_RSA_SIGNER} -outform DER -out ${pal_test}/rsa.der)
otasim_file_bytes(${pal_test}/ecdsa.der PAL_TEST_ECDSA_CERTIFICATE)
otasim_file_bytes(${pal_test}/rsa.der PAL_TEST_RSA_CERTIFICATE)
if(OTASIM_PAL_RSA)
  file(COPY_FILE ${pal_test}/rsa.der ${pal_test}/provisioned.der ONLY_IF_DIFFERENT)
else()
  file(COPY_FILE ${pal_test}/ecdsa.der ${pal_test}/provisioned.der ONLY_IF_DIFFERENT)
endif()

foreach(header pal_test_samples pal_test_signers)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${header}.h.in ${OTASIM_KEYS_DIR}/include/${header}.h @ONLY
                 FILE_PERMISSIONS OWNER_READ OWNER_WRITE)
endforeach()
