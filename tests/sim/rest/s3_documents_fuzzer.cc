// XML from clients, whatever it is: read within its limits, or refused in S3's words.
#include <cstdlib>
#include <string>

#include "sim/rest/s3_documents.h"

namespace {

using namespace otasim;
using namespace otasim::rest;

template <typename T>
void check(const cloud::S3Result<T>& read) {
  if (!read && (read.error().status != 400 || read.error().code.empty())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string document(reinterpret_cast<const char*>(data), size);
  const auto to_delete = read_delete_request(document);
  check(to_delete);
  if (to_delete) {
    if (to_delete->entries.empty() || to_delete->entries.size() > kMaxDeletedAtOnce) std::abort();
    for (const auto& entry : to_delete->entries) {
      if (entry.key.empty()) std::abort();
    }
  }
  const auto parts = read_complete_upload(document);
  check(parts);
  if (parts) {
    for (const auto& part : *parts) {
      if (part.number < 1 || part.number > cloud::kMaxPartNumber || part.etag.empty()) std::abort();
    }
  }
  check(read_versioning(document));
  check(read_create_bucket(document));
  return 0;
}
