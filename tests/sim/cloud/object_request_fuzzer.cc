// Requests to the object server: whatever is asked without the lab's key is refused in S3's words, and
// whatever range is asked with it stays within the object.
//
// Input: method, target, Host, Range and If-Range, one a line.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/cloud/database.h"
#include "sim/cloud/object_reply.h"
#include "sim/cloud/schema.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"

namespace {

using namespace otasim;
using namespace otasim::cloud;
using otasim::testing::claim;
using otasim::testing::take_line;

constexpr std::int64_t kSize = 1000;
constexpr const char* kHost = "otasim.localhost:8443";

/// One object, and a key that no input holds.
struct Store {
  Store() : database(Database::open(folder.file("cloud.sqlite")).value()) {
    claim(migrate(*database).has_value(), "the store can be made");
    objects = std::make_unique<ObjectStore>(*database, clock, random_uuid, folder.file("objects"));
    object = objects->put("firmware", "app.bin", std::vector<std::uint8_t>(kSize, 0xA5)).value().location;
  }

  TempDir folder = TempDir::create().value();
  ManualClock clock{1'700'000'000};
  std::unique_ptr<Database> database;
  std::unique_ptr<ObjectStore> objects;
  ObjectLocation object;
  UrlPresigner urls{
      {.endpoint = kHost, .access_key_id = "LAB", .secret_access_key = random_uuid()}, clock, random_uuid};
};

void check_document(const S3Error& error) {
  claim(error.status >= 400 && error.status < 600, "an error has an error's status");
  claim(!error.code.empty(), "an error has a code");
  for (const char c : s3_error_document(error, "R", "H")) {
    claim(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t' || c == '\r',
          "XML holds no control characters");
  }
}

void check_reply(const ObjectReply& reply) {
  claim(reply.first_byte >= 0 && reply.length >= 0 && reply.first_byte + reply.length <= kSize,
        "what is sent is of the object");
  if (reply.content_range) {
    claim(reply.content_range->first == reply.first_byte && reply.content_range->length() == reply.length,
          "Content-Range tells what is sent");
  } else {
    claim(reply.first_byte == 0 && reply.length == kSize, "without a range it is the whole object");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Store store;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  ObjectHttpRequest request;
  for (std::string* field :
       {&request.method, &request.target, &request.host, &request.range, &request.if_range}) {
    *field = take_line(rest);
  }
  const auto forged = answer_object_request(request, *store.objects, store.urls);
  claim(!forged, "nothing is served without the lab's signature");
  check_document(forged.error());

  const std::string url = store.urls.presign_get(store.object, 60);
  request.method = "GET";
  request.host = kHost;
  request.target = url.substr(std::string_view("https://").size() + request.host.size());
  const auto served = answer_object_request(request, *store.objects, store.urls);
  if (served) {
    check_reply(*served);
  } else {
    claim(served.error().status == 416, "a signed request fails only for its range");
    check_document(served.error());
  }
  return 0;
}
