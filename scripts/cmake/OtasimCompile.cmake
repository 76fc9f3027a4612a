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
if(OTASIM_SANITIZE)
  set(otasim_optimise "-O0")
else()
  set(otasim_optimise "-O2")
endif()
set(CMAKE_C_FLAGS_RELWITHDEBINFO "${otasim_optimise} -g1")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "${otasim_optimise} -g1")

# Our own code links this; third-party code does not.
add_library(otasim_warnings INTERFACE)
target_compile_options(otasim_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
target_include_directories(otasim_warnings INTERFACE ${CMAKE_CURRENT_LIST_DIR}/../..)

if(OTASIM_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

# otasim_library(name SOURCES a.cc ... [LINK libs...]): a static library of our own code.
function(otasim_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE otasim_warnings)
  get_filename_component(root ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../.. ABSOLUTE)
  target_include_directories(${name} PUBLIC ${root})
endfunction()

# otasim_test(name LABEL unit|quick|full SOURCES ... LINK ...): one GoogleTest program, one ctest entry.
# The target tests_<label> builds all that the label's tests need.
function(otasim_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} otasim_warnings GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
  if(NOT TARGET tests_${ARG_LABEL})
    add_custom_target(tests_${ARG_LABEL})
  endif()
  add_dependencies(tests_${ARG_LABEL} ${name})
endfunction()
