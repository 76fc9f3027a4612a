# What every family of boards needs (mps2, emcraft_sf2): its drivers as a library, its bootloader as programs.
#
# otasim_board(board SOURCES driver... LINK library...), called in the family's folder, which has this_board.h,
# bootloader.ld and application.ld, makes for a board named x-y
#
#   drivers_x_y                                what both kinds of program link
#   one_world_x_y                              boot control and identity, in the application's own program
#   board_x_y                                  what an application links to run on the board
#   bootloader-x-y.elf, bootloader-keep-x-y.elf
set(OTASIM_BOARDS_COMMON ${CMAKE_CURRENT_LIST_DIR})

# One bootloader program, and its map (scripts/bench boot).
function(otasim_bootloader name drivers keeps_previous_image)
  add_executable(${name} ${OTASIM_BOARDS_COMMON}/bootloader_main.cc ${OTASIM_BOARDS_COMMON}/runtime_guard.cc)
  target_include_directories(${name} PRIVATE ${OTASIM_KEYS_DIR}/include)
  target_compile_options(${name} PRIVATE -Os)
  target_compile_definitions(${name} PRIVATE $<$<BOOL:${keeps_previous_image}>:OTASIM_KEEP_PREVIOUS_IMAGE>)
  target_link_libraries(${name} PRIVATE boot ${drivers} otasim_warnings)
  target_link_options(${name} PRIVATE -L${CMAKE_CURRENT_SOURCE_DIR} -L${OTASIM_BOARDS_COMMON} -T bootloader.ld
    -Wl,-Map=${OTASIM_FIRMWARE_DIR}/${name}.map)
  otasim_program(${name})
endfunction()

function(otasim_board board)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  string(REPLACE "-" "_" suffix ${board})
  set(drivers drivers_${suffix})
  set(common board.cc faults.cc idle.cc kept_memory.cc startup.cc sys_tick.cc)
  list(TRANSFORM common PREPEND ${OTASIM_BOARDS_COMMON}/)
  # Of use for size in the boot ROM; what moves data, flash and network, is built for speed.
  set_source_files_properties(${common} PROPERTIES COMPILE_OPTIONS -Os)
  add_library(${drivers} STATIC ${common} ${ARG_SOURCES})
  target_link_libraries(${drivers} PUBLIC flash ${ARG_LINK} PRIVATE otasim_warnings)
  target_include_directories(${drivers} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/../.. ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_definitions(${drivers} PUBLIC OTASIM_BOARD="${board}")

  add_library(one_world_${suffix} STATIC ${OTASIM_BOARDS_COMMON}/one_world.cc)
  target_link_libraries(one_world_${suffix} PUBLIC ${drivers} boot provisioning PRIVATE otasim_warnings)

  add_library(board_${suffix} INTERFACE)
  target_link_libraries(board_${suffix} INTERFACE one_world_${suffix} ${drivers})
  target_link_options(board_${suffix} INTERFACE -L${CMAKE_CURRENT_SOURCE_DIR} -L${OTASIM_BOARDS_COMMON} -T application.ld)

  otasim_bootloader(bootloader-${board} ${drivers} "${OTASIM_KEEP_PREVIOUS_IMAGE}")
  # What the option makes, for its tests, whatever this build chose.
  otasim_bootloader(bootloader-keep-${board} ${drivers} ON)
endfunction()
