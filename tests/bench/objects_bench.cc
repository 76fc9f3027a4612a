// How fast one keep-alive client gets a 16 MiB object over TLS on the loopback interface: whole, and in
// ranges as devices ask for them. Prints figures; passes no judgement.
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <thread>

#include "sim/base/temp_dir.h"
#include "sim/cloud/schema.h"
#include "sim/lab/lab.h"
#include "sim/rest/http_server.h"
#include "sim/rest/object_handler.h"

namespace otasim::cloud {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr std::int64_t kObjectBytes = 16 << 20;
constexpr const char* kHost = "otasim.localhost";

/// Blocking, on a thread of its own; errors end the program.
class Client {
 public:
  explicit Client(std::uint16_t port) : stream_(io_, tls_) {
    stream_.next_layer().connect({asio::ip::address_v4::loopback(), port});
    stream_.next_layer().set_option(tcp::no_delay(true));
    stream_.handshake(asio::ssl::stream_base::client);
  }

  std::int64_t get(const std::string& target, const std::string& headers) {
    asio::write(stream_,
                asio::buffer(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", target, kHost, headers)));
    http::response_parser<http::string_body> parser;
    parser.body_limit(kObjectBytes);
    http::read(stream_, buffer_, parser);
    return static_cast<std::int64_t>(parser.get().body().size());
  }

 private:
  asio::io_context io_;
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  asio::ssl::stream<tcp::socket> stream_;
  boost::beast::flat_buffer buffer_;
};

void measure(const std::string& name, Client& client, const std::string& target, std::int64_t range_bytes,
             int rounds) {
  const auto begun = std::chrono::steady_clock::now();
  std::int64_t bytes = 0;
  std::int64_t requests = 0;
  for (int round = 0; round < rounds; ++round) {
    for (std::int64_t first = 0; first < kObjectBytes; first += range_bytes) {
      const std::string range = fmt::format("Range: bytes={}-{}\r\n", first, first + range_bytes - 1);
      bytes += client.get(target, range_bytes == kObjectBytes ? "" : range);
      ++requests;
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  fmt::print("{:<16} {:>8.1f} MB/s {:>10.0f} requests/s\n", name, static_cast<double>(bytes) / seconds / 1e6,
             static_cast<double>(requests) / seconds);
}

/// How long the store is busy with the completion of an upload, and nothing else is done meanwhile.
void measure_completion(Database& database, const Clock& clock, ObjectStore& objects) {
  constexpr int kParts = 20;
  MultipartUploads uploads(database, clock, random_uuid, objects);
  const auto upload = uploads.create({.bucket = "firmware", .key = "parts"}).value();
  const std::vector<std::uint8_t> content(static_cast<std::size_t>(kMinPartBytes), 0xA5);
  std::vector<CompletedPart> parts;
  for (int number = 1; number <= kParts; ++number) {
    auto writer = uploads.begin_part(upload.place, number).value();
    if (!writer.append(content)) return;
    parts.push_back({number, writer.finish().value().etag});
  }
  const auto begun = std::chrono::steady_clock::now();
  if (!uploads.complete(upload.place, parts)) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  fmt::print("{:<16} {:>8.1f} MB/s {:>10.2f} s\n", "completed upload",
             static_cast<double>(kMinPartBytes * kParts) / seconds / 1e6, seconds);
}

void run() {
  const TempDir folder = TempDir::create().value();
  const lab::Lab lab = lab::Lab::create(folder.path().string()).value();
  const LabClock clock;
  const auto log = report::EventLog::create(folder.file("events.jsonl")).value();
  const auto database = Database::open(folder.file("cloud.sqlite")).value();
  if (!migrate(*database)) return;
  ObjectStore objects(*database, clock, random_uuid, folder.file("objects"));
  const auto object =
      objects.put("firmware", "app.bin", std::vector<std::uint8_t>(kObjectBytes, 0x5A)).value();
  const UrlPresigner presigner({.endpoint = kHost, .access_key_id = "AKID", .secret_access_key = "secret"},
                               clock, random_uuid);
  asio::io_context io;
  MultipartUploads uploads(*database, clock, random_uuid, objects);
  rest::ObjectHandler handler({objects, uploads, presigner, clock, *log});
  const auto server = rest::HttpServer::start(io, handler,
                                              {.certificate_path = lab.endpoint().certificate_path,
                                               .key_path = lab.endpoint().key_path})
                          .value();
  const std::uint16_t port = server->port();
  const std::string target = presigner.presign_get(object.location, 3600)
                                 .substr(std::string("https://").size() + std::string(kHost).size());
  std::thread clients([&] {
    Client client(port);
    measure("warm-up", client, target, kObjectBytes, 2);
    measure("4 KiB ranges", client, target, 4096, 2);
    measure("256 KiB ranges", client, target, 256 << 10, 20);
    measure("whole object", client, target, kObjectBytes, 20);
    asio::post(io, [&io] { io.stop(); });
  });
  io.run();
  clients.join();
  measure_completion(*database, clock, objects);
}

}  // namespace
}  // namespace otasim::cloud

int main() {
  otasim::cloud::run();
}
