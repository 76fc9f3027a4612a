// What the C and C++ libraries would bring in for cases firmware does not have: a heap, an exit, streams for
// a failed assertion. Each is replaced by one that says so and resets the device.
//
// The libraries' own would pull in newlib's allocator and stdio through references that are never followed:
// virtual destructors name operator delete, checked accesses name std::__throw_*.
#include <cstddef>
#include <new>
#include <string_view>

#include "qemu_boards/common/board.h"

struct _reent;

namespace {

[[noreturn]] void panic(std::string_view what) {
  board::console_write("\nboard: ");
  board::console_write(what);
  board::console_write(", resetting\n");
  board::reset();
}

}  // namespace

extern "C" {

void* malloc(std::size_t) {
  panic("malloc() was called");
}
void* calloc(std::size_t, std::size_t) {
  panic("calloc() was called");
}
void* realloc(void*, std::size_t) {
  panic("realloc() was called");
}
void free(void* block) {
  if (block != nullptr) panic("free() was called");
}

void* _malloc_r(_reent*, std::size_t) {
  panic("malloc() was called");
}
void* _calloc_r(_reent*, std::size_t, std::size_t) {
  panic("calloc() was called");
}
void* _realloc_r(_reent*, void*, std::size_t) {
  panic("realloc() was called");
}
void _free_r(_reent*, void* block) {
  if (block != nullptr) panic("free() was called");
}

[[noreturn]] void abort() {
  panic("abort() was called");
}
[[noreturn]] void exit(int) {
  panic("exit() was called");
}

/// The program never ends, so nothing is destroyed.
int atexit(void (*)()) {
  return 0;
}

[[noreturn]] void __assert_func(const char*, int, const char*, const char* expression) {
  panic(expression);
}

[[noreturn]] void __cxa_pure_virtual() {
  panic("a pure virtual function was called");
}

}  // extern "C"

void operator delete(void*) noexcept {
  panic("operator delete was called");
}
void operator delete(void*, std::size_t) noexcept {
  panic("operator delete was called");
}

namespace std {

[[noreturn]] void __throw_out_of_range_fmt(const char* message, ...) {
  panic(message);
}
[[noreturn]] void __throw_length_error(const char* message) {
  panic(message);
}

}  // namespace std
