#include "tests/bench/lab_server.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <csignal>
#include <cstdlib>
#include <memory>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/broker/broker.h"
#include "sim/broker/broker_client.h"
#include "sim/broker/principal.h"
#include "sim/cloud/broker_link.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/cloud_timers.h"
#include "tests/bench/need.h"

namespace otasim::bench {

namespace {

/// Answers without work.
class Echo {
 public:
  Echo(boost::asio::io_context& io, const std::string& socket_path, const Devices& devices,
       std::function<void()> ready)
      : client_(need(broker::BrokerClient::connect(
            io, socket_path,
            {.on_message = [this](std::string_view topic,
                                  std::string_view payload) { answer(topic, payload); },
             .on_lost = [](const Error&) {}}))) {
    for (const auto& [thing, identity] : devices) {
      client_->publish(broker::principal_topic(identity.fingerprint),
                       broker::principal_payload({thing}, {broker::ota_device_policy()}), 1);
    }
    client_->publish(broker::principal_topic(std::string(broker::kFingerprintLength, '0')), "", 1,
                     std::move(ready));
  }

 private:
  void answer(std::string_view topic, std::string_view payload) {
    const auto request = broker::parse_request_topic(topic);
    if (!request) return;
    if (request->topic.ends_with("/update")) {
      // What the mirror's answer to such an update looks like.
      client_->publish(broker::deliver_topic(request->client, request->topic + "/accepted"),
                       R"({"clientToken":"000000","timestamp":1700000000})", 0);
      return;
    }
    const auto body = nlohmann::json::from_cbor(payload, true, false);
    const std::size_t size = body.value("l", std::size_t{4096});
    constexpr std::size_t kMap = 24;  // keys, numbers and lengths around a block
    block_.resize(size + kMap, 'x');
    const std::string answer_topic = broker::deliver_topic(
        request->client, request->topic.substr(0, request->topic.size() - 8) + "data/cbor");
    for (std::size_t sent = 0; sent < kBytesPerRequest; sent += size)
      client_->publish(answer_topic, block_, 0);
  }

  std::string block_;
  std::unique_ptr<broker::BrokerClient> client_;
};

/// The cloud with what the benchmark asks of it.
std::unique_ptr<cloud::Cloud> make_cloud(const testing::TestLab& lab, const cloud::Clock& clock,
                                         report::EventLog& log, const Devices& devices) {
  auto cloud = need(cloud::Cloud::open(lab.file("."), clock, log));
  std::vector<cloud::JobTarget> targets;
  for (const auto& [name, identity] : devices) {
    const auto thing = cloud::ThingName::trusted(name);
    need(cloud->things().create(thing));
    const auto pem = need(read_file(identity.certificate_path));
    const auto certificate = need(cloud->certificates().register_certificate({pem.begin(), pem.end()}));
    need(cloud->policies().attach(cloud::PolicyName::trusted(cloud::kOtaDevicePolicyName), certificate.id));
    need(cloud->things().attach_principal(thing, certificate.id));
    targets.emplace_back(thing);
  }
  const std::vector<std::uint8_t> content(kObjectBytes, 0xA5);
  const auto object = need(cloud->objects().put("bench", "image", content));
  need(cloud->streams().create({.id = cloud::StreamId::trusted(kStream), .files = {{0, object.location}}}));
  need(cloud->jobs().create({.id = cloud::JobId::trusted(kJob), .document = "{}", .targets = targets}));
  return cloud;
}

/// The process: never returns.
[[noreturn]] void serve(testing::TestLab& lab, const Devices& devices, Answerer answerer, int tell_fd,
                        int alive_fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  {
    boost::asio::io_context io;
    boost::asio::posix::stream_descriptor alive(io, alive_fd);
    alive.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [&io](boost::system::error_code) { io.stop(); });
    const auto broker = need(broker::Broker::start(io, lab.broker_spec()));
    const auto ready = [&broker, tell_fd] {
      const std::uint16_t port = broker->port();
      if (::write(tell_fd, &port, sizeof port) != sizeof port) std::_Exit(3);
    };
    if (answerer == Answerer::kEcho) {
      const Echo echo(io, broker->socket_path(), devices, ready);
      io.run();
    } else {
      const cloud::LabClock clock;
      const auto log = need(report::EventLog::create(lab.file("events.jsonl")));
      const auto cloud = make_cloud(lab, clock, *log, devices);
      const cloud::CloudTimers timers(io, *cloud);
      const auto link =
          need(cloud::BrokerLink::connect(io, *cloud, broker->socket_path(), nullptr, [](const Error&) {}));
      link->when_ready(ready);
      io.run();
    }
  }
  std::_Exit(0);
}

}  // namespace

LabServer::LabServer(testing::TestLab& lab, const Devices& devices, Answerer answerer) {
  int told[2];
  int alive[2];
  if (::pipe(told) != 0 || ::pipe(alive) != 0) std::_Exit(3);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::close(told[0]);
    ::close(alive[1]);
    serve(lab, devices, answerer, told[1], alive[0]);
  }
  ::close(told[1]);
  ::close(alive[0]);
  alive_ = UniqueFd(alive[1]);
  const UniqueFd answer(told[0]);
  if (::read(answer.get(), &port_, sizeof port_) != sizeof port_) {
    fmt::print(stderr, "bench: the lab did not start\n");
    std::_Exit(3);
  }
}

LabServer::~LabServer() {
  alive_ = UniqueFd();
  int status = 0;
  ::waitpid(pid_, &status, 0);
}

}  // namespace otasim::bench
