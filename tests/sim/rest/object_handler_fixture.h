// A server of objects with a lab's certificates, one image, and what it reports.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/cloud/presigned_url.h"
#include "sim/lab/lab.h"
#include "sim/rest/http_server.h"
#include "sim/rest/object_handler.h"
#include "tests/sim/cloud/object_store_fixture.h"
#include "tests/sim/rest/https_client.h"

namespace otasim::rest {

using cloud::ByteRange;
using cloud::ObjectFaults;
using cloud::ObjectInfo;
using cloud::ObjectLocation;
using cloud::ObjectRequest;
using cloud::random_uuid;
using cloud::UrlPresigner;

class ObjectHandlerFixture : public cloud::ObjectStoreFixture {
 protected:
  ObjectHandlerFixture() {
    log_->listen([this](const nlohmann::json& event) {
      (event["event"] == "api_request" ? api_events_ : events_).push_back(event);
    });
    start();
  }

  HttpServerOptions default_options() const {
    HttpServerOptions options;
    options.certificate_path = lab_.endpoint().certificate_path;
    options.key_path = lab_.endpoint().key_path;
    return options;
  }

  /// Starts the server, anew if it runs.
  void start() { start(default_options()); }
  void start(const HttpServerOptions& options) {
    server_.reset();
    auto started = HttpServer::start(io_, handler_, options);
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }

  [[nodiscard]] std::string presigned(const std::string& method, const ObjectLocation& object,
                                      std::int64_t seconds = 60) const {
    const std::string url = presigner_.presign(method, object, seconds);
    return url.substr(std::string("https://").size() + std::string(test::kServerName).size());
  }
  [[nodiscard]] std::string target(std::int64_t seconds = 60) const {
    return presigned("GET", image_.location, seconds);
  }

  [[nodiscard]] test::HttpsClient connect(int tls_version = 0, int receive_buffer = 0) {
    return {io_, server_->port(), {lab_.authority().certificate_path, tls_version, receive_buffer}};
  }

  /// One request on a connection of its own.
  test::Response get(const std::string& range = {}) {
    auto client = connect();
    return client.get(target(), range.empty() ? "" : "Range: bytes=" + range + "\r\n");
  }

  /// The event of the only request so far, or of the latest.
  const nlohmann::json& event(std::size_t count = 1) {
    test::run_until(io_, [&] { return events_.size() >= count; });
    EXPECT_EQ(events_.size(), count);
    return events_.back();
  }

  /// Runs what is ready, and until the server has no connection left.
  void wait_for_no_connection() {
    test::run_until(io_, [&] { return server_->statistics().connections_open == 0; });
  }

  /// Lets every fetch be struck.
  void strike(const ObjectFaults& faults) {
    handler_.set_fault_handler([faults](const ObjectRequest&) { return faults; });
  }

  [[nodiscard]] std::string content(std::int64_t first, std::int64_t length) const {
    return {content_.begin() + first, content_.begin() + first + length};
  }

  std::vector<std::uint8_t> content_ = pattern(100'000);
  ObjectInfo image_ = put("app.bin", content_);
  lab::Lab lab_ = lab::Lab::create(folder_.path().string()).value();
  UrlPresigner presigner_{
      {.endpoint = test::kServerName, .access_key_id = "AKID", .secret_access_key = "secret"},
      clock_,
      random_uuid};
  std::vector<nlohmann::json> events_;
  std::vector<nlohmann::json> api_events_;
  std::unique_ptr<report::EventLog> log_ = report::EventLog::in_memory();
  ObjectHandler handler_{{*objects_, *uploads_, presigner_, clock_, *log_}};
  boost::asio::io_context io_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace otasim::rest
