// What the C and C++ libraries would bring in for cases this program does not have: a heap, an exit, streams
// for a failed assertion. Each is replaced by one that stops the device and says why.
//
// The libraries' own would pull in newlib's allocator and stdio through references that are never followed:
// mbedTLS names calloc() as the default before its static pool is set, virtual destructors name operator
// delete, checked accesses name std::__throw_*.
#include <cstddef>
#include <new>

#include "agent/app/fatal.h"

struct _reent;

extern "C" {

void* malloc(std::size_t) {
  app::fatal("malloc() was called");
}
void* calloc(std::size_t, std::size_t) {
  app::fatal("calloc() was called");
}
void* realloc(void*, std::size_t) {
  app::fatal("realloc() was called");
}
void free(void* block) {
  if (block != nullptr) app::fatal("free() was called");
}

void* _malloc_r(_reent*, std::size_t) {
  app::fatal("malloc() was called");
}
void* _calloc_r(_reent*, std::size_t, std::size_t) {
  app::fatal("calloc() was called");
}
void* _realloc_r(_reent*, void*, std::size_t) {
  app::fatal("realloc() was called");
}
void _free_r(_reent*, void* block) {
  if (block != nullptr) app::fatal("free() was called");
}

[[noreturn]] void abort() {
  app::fatal("abort() was called");
}
[[noreturn]] void exit(int) {
  app::fatal("exit() was called");
}

/// The program never ends, so nothing is destroyed.
int atexit(void (*)()) {
  return 0;
}

[[noreturn]] void __assert_func(const char*, int, const char*, const char* expression) {
  app::fatal(expression);
}

[[noreturn]] void __cxa_pure_virtual() {
  app::fatal("a pure virtual function was called");
}

}  // extern "C"

void operator delete(void*) noexcept {
  app::fatal("operator delete was called");
}
void operator delete(void*, std::size_t) noexcept {
  app::fatal("operator delete was called");
}

namespace std {

[[noreturn]] void __throw_out_of_range_fmt(const char* message, ...) {
  app::fatal(message);
}
[[noreturn]] void __throw_length_error(const char* message) {
  app::fatal(message);
}

}  // namespace std
