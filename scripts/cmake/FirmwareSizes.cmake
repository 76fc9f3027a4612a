# Writes the table of the firmware's sizes, docs/sizes.md, if it changed. Run by the build, as a script:
#
#   cmake -DSIZE=arm-none-eabi-size -DFIRMWARE=<folder of the programs> -DBOARDS=a,b -DOUT=docs/sizes.md -P FirmwareSizes.cmake
set(table "# Sizes of the firmware

Bytes, by board. The build writes this page when a size changes (`scripts/build`). Code is what stands in the boot ROM or in the
image: instructions, constants and the first values of data. RAM is data and zeroed data, without the stack, which has what is
left.

| Board | Bootloader: code | RAM | Demo application: code | RAM | Recovery application: code | RAM |
|---|---|---|---|---|---|---|
")
string(REPLACE "," ";" boards "${BOARDS}")
foreach(board ${boards})
  string(APPEND table "| ${board}")
  foreach(program bootloader demo recovery)
    execute_process(COMMAND ${SIZE} ${FIRMWARE}/${program}-${board}.elf OUTPUT_VARIABLE size COMMAND_ERROR_IS_FATAL ANY)
    if(NOT size MATCHES "\n *([0-9]+)[ \t]+([0-9]+)[ \t]+([0-9]+)")
      message(FATAL_ERROR "${SIZE} says of ${program}-${board}.elf: ${size}")
    endif()
    math(EXPR code "${CMAKE_MATCH_1} + ${CMAKE_MATCH_2}")
    math(EXPR ram "${CMAKE_MATCH_2} + ${CMAKE_MATCH_3}")
    string(APPEND table " | ${code} | ${ram}")
  endforeach()
  string(APPEND table " |\n")
endforeach()
set(old "")
if(EXISTS ${OUT})
  file(READ ${OUT} old)
endif()
if(NOT old STREQUAL table)
  file(WRITE ${OUT} "${table}")
endif()
