# Language level, warnings, sanitizers and the helper every test folder uses; shared by host and firmware.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE} CACHE STRING "")
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE} CACHE STRING "")
endif()

# Debug information without inlined-call detail: half the link time, and stack traces stay readable.
# Under sanitizers without optimisation: a quarter of the compile time, and nothing is optimised away unseen.
# For coverage, too: then a line is a line.
if(OTASIM_SANITIZE OR OTASIM_COVERAGE)
  set(otasim_optimise "-O0")
else()
  set(otasim_optimise "-O2")
endif()
set(CMAKE_C_FLAGS_RELWITHDEBINFO "${otasim_optimise} -g1")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "${otasim_optimise} -g1")

# Of the linkers at hand the one that takes a third of the time; the cross compiler has its own.
find_program(OTASIM_GOLD ld.gold)
if(OTASIM_GOLD AND NOT CMAKE_CROSSCOMPILING)
  add_link_options(-fuse-ld=gold)
endif()

# Our own code links this; third-party code does not.
add_library(otasim_warnings INTERFACE)
target_compile_options(otasim_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
target_include_directories(otasim_warnings INTERFACE ${CMAKE_CURRENT_LIST_DIR}/../..)

# The library's assertions too: an empty optional or an index beyond the end stops the program.
if(OTASIM_SANITIZE)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

# otasim_host_only(): for folders whose code no device runs, without the two checks of every access, a quarter of the
# compile time. A null pointer stops the program all the same, and its processor takes data wherever they are.
macro(otasim_host_only)
  if(OTASIM_SANITIZE)
    add_compile_options(-fno-sanitize=null,alignment)
  endif()
endmacro()

# clang counts regions of the source, not of machine code: a branch is a condition somebody wrote.
if(OTASIM_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()

# otasim_precompile(name OPTIONS option... LINK lib... HEADERS <header>...): headers that many targets read, precompiled
# once: half their compile time. Only with clang: g++ takes a second to load them. The build for coverage does without,
# too, and shows includes that are missing.
# otasim_use_precompiled(target name) has a target compiled with the same options read them.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND NOT OTASIM_COVERAGE)
  set(otasim_precompiles ON)
endif()
function(otasim_precompile name)
  if(NOT otasim_precompiles)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "OPTIONS;LINK;HEADERS" ${ARGN})
  file(CONFIGURE OUTPUT ${name}.cc CONTENT "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cc)
  target_link_libraries(${name} PRIVATE otasim_warnings ${ARG_LINK})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
  target_compile_options(${name} PRIVATE ${ARG_OPTIONS} "SHELL:-Xclang -fno-pch-timestamp")
  # What ccache takes for the file, which names this folder.
  set(content "${ARG_HEADERS} GoogleTest ${GTest_VERSION} nlohmann ${nlohmann_json_VERSION} fmt ${fmt_VERSION}")
  string(APPEND content " Boost ${Boost_VERSION} CLI11 ${CLI11_VERSION}")
  file(CONFIGURE OUTPUT CMakeFiles/${name}.dir/cmake_pch.hxx.pch.sum CONTENT "${content}")
endfunction()
# By our own hand, because CMake names the file by its whole path, which ccache takes for part of the command.
function(otasim_use_precompiled target name)
  if(NOT otasim_precompiles)
    return()
  endif()
  set(headers CMakeFiles/${name}.dir/cmake_pch.hxx.pch)
  get_target_property(sources ${target} SOURCES)
  set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${CMAKE_BINARY_DIR}/${headers})
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -include-pch -Xclang ${headers} -Xclang -fno-pch-timestamp>")
endfunction()

# otasim_library(name SOURCES a.cc ... [LINK libs...] [HEADERS name]): a static library of our own code.
# HEADERS: the precompiled ones that it reads in sim/, instead of otasim_host_headers.
function(otasim_library name)
  cmake_parse_arguments(ARG "" "HEADERS" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_HEADERS)
    set(ARG_HEADERS otasim_host_headers)
  endif()
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE otasim_warnings)
  get_filename_component(root ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../.. ABSOLUTE)
  target_include_directories(${name} PUBLIC ${root})
  if(OTASIM_SANITIZE)
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer-no-link)  # fuzzers see where their inputs get to
  endif()
  if(CMAKE_CURRENT_SOURCE_DIR MATCHES "^${CMAKE_SOURCE_DIR}/sim/")
    target_link_libraries(${name} PRIVATE fmt::fmt)  # its headers are read with the same definitions everywhere
    otasim_use_precompiled(${name} ${ARG_HEADERS})
  endif()
endfunction()

# tests_<label> builds all that the label's tests need.
foreach(label unit quick full)
  add_custom_target(tests_${label})
endforeach()

# otasim_test(name LABEL unit|quick|full SOURCES ... LINK ... [EVIDENCE]): one GoogleTest program, one ctest entry.
# EVIDENCE: it drives clients that we did not write; what they do is in docs/aws-conformance.md (tests/conformance).
function(otasim_test name)
  cmake_parse_arguments(ARG "EVIDENCE" "LABEL;TIMEOUT" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} otasim_warnings GTest::gmock GTest::gtest_main)
  otasim_use_precompiled(${name} otasim_test_headers)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 600)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
  if(ARG_EVIDENCE)
    target_link_libraries(${name} PRIVATE conformance_evidence)
    set_tests_properties(${name} PROPERTIES FIXTURES_SETUP aws_evidence)
  endif()
  add_dependencies(tests_${ARG_LABEL} ${name})
endfunction()

# otasim_other_boards(out): every board but the first, which quick tests run on (qemu_boards/boards.cmake).
function(otasim_other_boards out)
  set(boards)
  foreach(cpu ${OTASIM_CPUS})
    list(APPEND boards ${OTASIM_BOARDS_${cpu}})
  endforeach()
  list(POP_FRONT boards)
  set(${out} ${boards} PARENT_SCOPE)
endfunction()

# otasim_board_test(test [BOARDS board...] [ARGS arg...] [TIMEOUT s]): runs a test program on more boards than the first,
# each as a ctest entry <test>/<board> (full). Without BOARDS on all of them. The program asks tests/board_under_test.h.
function(otasim_board_test test)
  cmake_parse_arguments(ARG "" "TIMEOUT" "BOARDS;ARGS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 600)
  endif()
  if(NOT ARG_BOARDS)
    otasim_other_boards(ARG_BOARDS)
  endif()
  foreach(board ${ARG_BOARDS})
    string(REGEX REPLACE "^[^-]*-" "" short_name ${board})
    add_test(NAME ${test}/${board} COMMAND ${test} ${ARG_ARGS})
    set_tests_properties(${test}/${board} PROPERTIES
      LABELS "full;${short_name}" TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT OTASIM_TEST_BOARD=${board})
  endforeach()
endfunction()

# otasim_fuzzer(name SOURCES ... LINK ... [RUNS n] [MAX_LEN bytes]): one libFuzzer program, under sanitizers only, and
# two ctest entries: <name> (unit) takes every file of corpus/<name>/ and goes on to RUNS inputs in all, always the same
# ones; <name>_long (full) to thirty times as many. See docs/fuzzing.md.
function(otasim_fuzzer name)
  if(NOT OTASIM_SANITIZE)
    return()
  endif()
  cmake_parse_arguments(ARG "" "RUNS;MAX_LEN" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_RUNS)
    set(ARG_RUNS 5000)
  endif()
  if(NOT ARG_MAX_LEN)
    set(ARG_MAX_LEN 4096)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} otasim_warnings)
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set(folder ${CMAKE_BINARY_DIR}/fuzzers)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${folder})
  add_dependencies(tests_unit ${name})

  # A list of files, not a folder: libFuzzer adds what it finds to a folder, and no two runs would be the same.
  file(GLOB corpus CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}/*)
  if(NOT corpus)
    message(FATAL_ERROR "${name} needs inputs to start from in ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}.")
  endif()
  list(JOIN corpus "," inputs)
  file(WRITE ${folder}/${name}.inputs "${inputs}")
  math(EXPR long_runs "${ARG_RUNS} * 30")
  foreach(entry "${name} unit ${ARG_RUNS} 300" "${name}_long full ${long_runs} 7200")
    separate_arguments(entry)
    list(POP_FRONT entry test label runs timeout)
    set(failing ${folder}/${test}.failing)
    add_test(NAME ${test}
      COMMAND sh -c "\"$0\" \"$@\" || (echo 'To repeat it: ${folder}/${name} ${failing}' && false)"
              $<TARGET_FILE:${name}> -seed=1 -runs=${runs} -max_len=${ARG_MAX_LEN} -timeout=60 -rss_limit_mb=1024
              -seed_inputs=@${folder}/${name}.inputs -exact_artifact_path=${failing} -print_final_stats=1)
    set_tests_properties(${test} PROPERTIES LABELS ${label} TIMEOUT ${timeout})
  endforeach()
endfunction()
