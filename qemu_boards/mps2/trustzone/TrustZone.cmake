# Boards with TrustZone: a secure image (bootloader, services, gateway) and applications of the non-secure world, which
# link the gateway's import library.
set(trustzone ${CMAKE_CURRENT_LIST_DIR})

# otasim_secure_image(name board keeps_previous_image)
function(otasim_secure_image name board keeps_previous_image)
  set(common bootloader_main.cc kept_memory.cc runtime_guard.cc startup.cc sys_tick.cc)
  list(TRANSFORM common PREPEND ${OTASIM_BOARDS_COMMON}/)
  add_executable(${name}
    ${common} controller_flash.cc system_timer.cc uart.cc watchdog.cc
    ${trustzone}/crypto_pool.cc ${trustzone}/gateway.cc ${trustzone}/isolation.cc ${trustzone}/secure_board.cc
    ${trustzone}/secure_faults.cc)
  target_include_directories(${name} PRIVATE
    ${OTASIM_KEYS_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/../..)
  target_compile_options(${name} PRIVATE -Os -mcmse)
  target_compile_definitions(${name} PRIVATE OTASIM_BOARD="${board}"
    $<$<BOOL:${keeps_previous_image}>:OTASIM_KEEP_PREVIOUS_IMAGE>)
  target_link_libraries(${name} PRIVATE boot provisioning crypto flash otasim_warnings)
  target_link_options(${name} PRIVATE -mcmse -L${OTASIM_BOARDS_COMMON} -T ${trustzone}/bootloader.ld
    -Wl,--cmse-implib,--out-implib=${CMAKE_BINARY_DIR}/${name}-gateway.o
    -Wl,-Map=${OTASIM_FIRMWARE_DIR}/${name}.map)
  add_custom_command(TARGET ${name} POST_BUILD COMMAND ${CMAKE_COMMAND} -E true
    BYPRODUCTS ${CMAKE_BINARY_DIR}/${name}-gateway.o)
  otasim_program(${name})
endfunction()

function(otasim_mps2_trustzone_board board)
  string(REPLACE "-" "_" suffix ${board})
  otasim_secure_image(bootloader-${board} ${board} "${OTASIM_KEEP_PREVIOUS_IMAGE}")
  otasim_secure_image(bootloader-keep-${board} ${board} ON)

  # What an application links: drivers of its own devices, and the gateway for the rest.
  set(drivers drivers_${suffix})
  set(common idle.cc startup.cc sys_tick.cc)
  list(TRANSFORM common PREPEND ${OTASIM_BOARDS_COMMON}/)
  add_library(${drivers} STATIC
    ${common} lan9118.cc system_timer.cc uart.cc
    ${trustzone}/application_board.cc ${trustzone}/gateway_flash.cc ${trustzone}/gateway_services.cc)
  target_link_libraries(${drivers} PUBLIC boot flash provisioning PRIVATE otasim_warnings)
  target_include_directories(${drivers} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/../.. ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_definitions(${drivers} PUBLIC OTASIM_BOARD="${board}")

  add_library(board_${suffix} INTERFACE)
  target_link_libraries(board_${suffix} INTERFACE ${drivers} ${CMAKE_BINARY_DIR}/bootloader-${board}-gateway.o)
  target_link_options(board_${suffix} INTERFACE -L${OTASIM_BOARDS_COMMON} -T ${trustzone}/application.ld)
  add_dependencies(${drivers} bootloader-${board})
endfunction()
