// Requests to S3 with a good signature, whatever they ask for: answered in HTTP and XML that hold, and the
// store is whole afterwards.
//
// Input, one a line: method, target, Host, x-amz-content-sha256 (`{hash}`: the body's); then further headers
// (`name: value`) up to an empty line; then the body. The bucket `firmware` has the object `app.bin` and an
// upload `upload-1` of the key `large`.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <pugixml.hpp>
#include <set>
#include <string>
#include <string_view>

#include "sim/base/temp_dir.h"
#include "sim/cloud/schema.h"
#include "sim/cloud/uri_encoding.h"
#include "sim/cloud/utc_time.h"
#include "sim/rest/object_handler.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"
#include "tests/sim/rest/signed_request.h"

namespace {

using namespace otasim;
using namespace otasim::rest;
using otasim::testing::claim;
using otasim::testing::take_line;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::size_t kPieceBytes = 100;

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// In memory, where there is such a folder.
TempDir make_folder() {
  const std::filesystem::path memory = "/dev/shm";
  if (!std::filesystem::is_directory(memory)) return TempDir::create().value();
  return TempDir::create_at(memory / std::filesystem::path(TempDir::propose()).filename()).value();
}

std::unique_ptr<cloud::Database> make_database() {
  auto database = cloud::Database::open(":memory:").value();
  claim(cloud::migrate(*database).has_value(), "the store can be made");
  return database;
}

/// Leaves nothing of the input before.
cloud::Database& emptied(cloud::Database& database) {
  claim(database
            .run_script("DELETE FROM upload_parts; DELETE FROM uploads; DELETE FROM objects;"
                        "DELETE FROM buckets;")
            .has_value(),
        "the store can be emptied");
  return database;
}

/// The same for each input; opening it removes the files of the one before.
struct Store {
  Store(cloud::Database& of_all, const std::string& folder)
      : database(&emptied(of_all)),
        objects(*database, clock, uuid(), folder),
        uploads(*database, clock, upload_ids(), objects) {
    claim(objects.put("firmware", "app.bin", bytes_of("firmware")).has_value(), "an object can be put");
    claim(uploads.create({.bucket = "firmware", .key = "large"}).has_value(), "an upload can be begun");
  }

  /// Always the same ones, in the form that names content.
  static cloud::UuidSource uuid() {
    return [next = 0]() mutable { return fmt::format("00000000-0000-0000-0000-{:012}", ++next); };
  }

  /// The upload's id, then names of its parts' content.
  static cloud::UuidSource upload_ids() {
    return [next = 0]() mutable {
      return next++ == 0 ? "upload-1" : fmt::format("11111111-0000-0000-0000-{:012}", next);
    };
  }

  cloud::ManualClock clock{kNow};
  cloud::Database* database;
  cloud::ObjectStore objects;
  cloud::MultipartUploads uploads;
};

HttpRequestHead read_head(std::string_view& rest) {
  HttpRequestHead head;
  head.method = take_line(rest);
  head.target = take_line(rest);
  head.headers = {{"Host", std::string(take_line(rest))}};
  std::string payload(take_line(rest));
  for (std::string_view line = take_line(rest); !line.empty(); line = take_line(rest)) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos || colon == 0) continue;
    head.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  head.has_body = !rest.empty();
  if (head.has_body) head.content_length = rest.size();
  if (payload == "{hash}") payload = test::sha256_hex(rest);
  head.headers.emplace_back("x-amz-content-sha256", payload);
  test::Signer signer{.access_key_id = "AKID", .secret_access_key = "secret", .service = "s3"};
  signer.date = cloud::amz_date(kNow);
  if (cloud::parse_request_target(head.target)) signer.sign(head, payload);
  return head;
}

HttpResponse send(ObjectHandler& handler, const HttpRequestHead& head, std::string_view body) {
  auto decision = handler.begin(head);
  if (auto* const early = std::get_if<HttpResponse>(&decision)) return std::move(*early);
  auto& exchange = std::get<std::unique_ptr<HttpExchange>>(decision);
  while (!body.empty()) {
    const std::string_view piece = body.substr(0, kPieceBytes);
    body.remove_prefix(piece.size());
    if (auto answer = exchange->on_body(bytes_of(piece))) return std::move(*answer);
  }
  return exchange->on_end();
}

void check_response(const HttpResponse& response) {
  claim(response.status >= 200 && response.status < 600, "a status is one");
  claim(response.status != 500, "the store does not fail");
  for (const auto& [name, value] : response.headers) {
    claim(!name.empty() && (name + value).find_first_of("\r\n") == std::string::npos, "a header is one line");
  }
  if (response.piece || response.body.empty()) return;
  pugi::xml_document document;
  claim(document.load_buffer(response.body.data(), response.body.size()).status == pugi::status_ok,
        "a document is well-formed");
}

void check_store(Store& store, const std::string& folder) {
  std::multiset<std::string> named;
  const auto read = store.database->query(
      "SELECT content FROM objects WHERE content <> '' UNION ALL SELECT content FROM upload_parts", {},
      [&named](const cloud::Row& row) { named.insert(row.text(0)); });
  claim(read.has_value(), "the store can be read");
  std::multiset<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.insert(entry.path().filename().string());
  }
  claim(named == files, "there is a file for each content and no other");
  const auto page = store.objects.list({.bucket = "firmware", .all_versions = true});
  for (const auto& object : page->objects) {
    if (object.is_delete_marker()) continue;
    const auto size = std::filesystem::file_size(folder + "/" + object.content);
    claim(static_cast<std::int64_t>(size) == object.size, "an object is as long as it says");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TempDir folder = make_folder();
  static const auto log = report::EventLog::in_memory();
  const std::string contents = folder.file("objects");
  static const auto database = make_database();
  Store store(*database, contents);
  const cloud::UrlPresigner presigner(
      {.endpoint = "localhost", .access_key_id = "AKID", .secret_access_key = "secret"}, store.clock,
      [] { return std::string("token"); });
  ObjectHandler handler({store.objects, store.uploads, presigner, store.clock, *log, Store::uuid()});
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const HttpRequestHead head = read_head(rest);
  {
    const HttpResponse response = send(handler, head, rest);
    check_response(response);
  }
  check_store(store, contents);
  return 0;
}
