# OTASIM_BUILD_TIME: seconds since 1970 that the firmware takes for the time of its build. SOURCE_DATE_EPOCH if it is set,
# else the last commit's time, else 0; read when the build is configured, so the same sources give the same firmware.
set(OTASIM_BUILD_TIME "$ENV{SOURCE_DATE_EPOCH}")
if(NOT OTASIM_BUILD_TIME MATCHES "^[0-9]+$")
  execute_process(COMMAND git -C ${CMAKE_CURRENT_LIST_DIR} log -1 --format=%ct
    OUTPUT_VARIABLE OTASIM_BUILD_TIME OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT OTASIM_BUILD_TIME MATCHES "^[0-9]+$")
  set(OTASIM_BUILD_TIME 0)
endif()
