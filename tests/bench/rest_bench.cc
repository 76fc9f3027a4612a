// How many signed requests of AWS IoT's control plane one lab answers: keep-alive clients over TLS on the
// loopback interface, each on a thread of its own, the server on another. Prints figures; passes no
// judgement.
#include <fmt/format.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/utc_time.h"
#include "sim/lab/lab.h"
#include "sim/lab/lab_issuer.h"
#include "sim/rest/aws_interface.h"
#include "sim/rest/http_server.h"
#include "sim/rest/object_handler.h"
#include "tests/sim/rest/signed_request.h"

namespace otasim::rest {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr const char* kHost = "otasim.localhost";
constexpr int kClients = 2;
constexpr int kThings = 200;

struct Call {
  std::string method;
  std::string target;
  std::string body = {};
};

/// Blocking, on a thread of its own; errors end the program.
class Client {
 public:
  Client(std::uint16_t port, test::Signer signer) : signer_(std::move(signer)), stream_(io_, tls_) {
    stream_.next_layer().connect({asio::ip::address_v4::loopback(), port});
    stream_.next_layer().set_option(tcp::no_delay(true));
    stream_.handshake(asio::ssl::stream_base::client);
  }

  void call(const Call& call) {
    HttpRequestHead head;
    head.method = call.method;
    head.target = call.target;
    head.headers = {{"Host", kHost}};
    signer_.sign(head, test::sha256_hex(call.body));
    std::string text = fmt::format("{} {} HTTP/1.1\r\n", call.method, call.target);
    for (const auto& [name, value] : head.headers) text += fmt::format("{}: {}\r\n", name, value);
    text += fmt::format("Content-Length: {}\r\n\r\n{}", call.body.size(), call.body);
    asio::write(stream_, asio::buffer(text));
    http::response_parser<http::string_body> parser;
    http::read(stream_, buffer_, parser);
    if (parser.get().result_int() == 200) return;
    fmt::print("{} {}: {} {}\n", call.method, call.target, parser.get().result_int(), parser.get().body());
    std::exit(1);
  }

 private:
  test::Signer signer_;
  asio::io_context io_;
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  asio::ssl::stream<tcp::socket> stream_;
  boost::beast::flat_buffer buffer_;
};

/// Several clients at once. @param call_of  a client's next call, by its number
void measure(const char* name, std::uint16_t port, const test::Signer& signer, int calls,
             const std::function<Call(int number)>& call_of) {
  std::vector<std::thread> threads;
  std::atomic<int> next = 0;
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&] {
      Client client(port, signer);
      for (int number = next++; number < calls; number = next++) client.call(call_of(number));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  fmt::print("{:<28} {:>8.0f} requests/s\n", name, calls / seconds);
}

void run() {
  const TempDir folder = TempDir::create().value();
  const lab::Lab lab = lab::Lab::create(folder.path().string()).value();
  const cloud::LabClock clock;
  const auto log = report::EventLog::create(folder.file("events.jsonl")).value();
  const auto cloud = cloud::Cloud::open(folder.path().string(), clock, *log, {}).value();
  lab::LabIssuer issuer(lab);
  ObjectHandler objects({cloud->objects(), cloud->uploads(), cloud->urls(), clock, *log});
  const test::Signer signer{.access_key_id = lab.access_key().id,
                            .secret_access_key = lab.access_key().secret,
                            .date = cloud::amz_date(clock.now())};
  AwsInterface aws({*cloud, issuer, *log, [](std::string_view) -> std::optional<std::string> { return "x"; }},
                   {.access_key_id = signer.access_key_id, .secret_access_key = signer.secret_access_key},
                   objects);
  asio::io_context io;
  const auto server = HttpServer::start(io, aws.signed_requests(),
                                        {.certificate_path = lab.endpoint().certificate_path,
                                         .key_path = lab.endpoint().key_path})
                          .value();
  const std::uint16_t port = server->port();
  std::thread clients([&] {
    const auto thing = [](int number) { return fmt::format("/things/thing-{}", number % kThings); };
    const std::string target = "arn:aws:iot:us-east-1:000000000000:thing/thing-";
    measure("CreateThing", port, signer, kThings, [&](int i) { return Call{"POST", thing(i), "{}"}; });
    measure("DescribeThing", port, signer, 10'000, [&](int i) { return Call{"GET", thing(i)}; });
    measure("UpdateThing", port, signer, 2'000, [&](int i) {
      return Call{"PATCH", thing(i),
                  fmt::format(R"({{"attributePayload":{{"attributes":{{"n":"{}"}}}}}})", i)};
    });
    measure("ListThings, 100 each", port, signer, 1'000, [](int) {
      return Call{"GET", "/things?maxResults=100"};
    });
    measure("CreateJob", port, signer, 500, [&](int i) {
      return Call{"PUT", fmt::format("/jobs/job-{}", i),
                  fmt::format(R"({{"targets":["{}{}"],"document":"{{}}"}})", target, i % kThings)};
    });
    measure("DescribeJob", port, signer, 5'000, [](int i) {
      return Call{"GET", fmt::format("/jobs/job-{}", i % 500)};
    });
    measure("DescribeJobExecution", port, signer, 5'000, [&](int i) {
      return Call{"GET", fmt::format("{}/jobs/job-{}", thing(i % 500), i % 500)};
    });
    asio::post(io, [&io] { io.stop(); });
  });
  io.run();
  clients.join();
}

}  // namespace
}  // namespace otasim::rest

int main() {
  otasim::rest::run();
}
