# Debian's gcc-arm-none-eabi with newlib-nano. The board folder adds its -mcpu.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
# _POSIX_C_SOURCE: newlib hides strnlen() from strict ISO C++ otherwise.
set(CMAKE_C_FLAGS_INIT "-mthumb -D_POSIX_C_SOURCE=200809L -ffunction-sections -fdata-sections -fno-common --specs=nano.specs")
set(CMAKE_CXX_FLAGS_INIT "-mthumb -D_POSIX_C_SOURCE=200809L -ffunction-sections -fdata-sections -fno-common --specs=nano.specs -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-use-cxa-atexit")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostartfiles -Wl,-n -Wl,--gc-sections -Wl,--fatal-warnings -Wl,--no-warn-rwx-segments")
