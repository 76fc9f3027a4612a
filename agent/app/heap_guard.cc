// No heap: the C library's allocator is replaced by one that stops the device.
//
// mbedTLS names calloc() and free() as defaults before its static pool is set, and parts of newlib refer to
// malloc(); without these definitions the linker would take in newlib's heap.
#include <cstddef>

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

}  // extern "C"
