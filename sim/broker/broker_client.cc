#include "sim/broker/broker_client.h"

#include <fmt/format.h>
#include <mosquitto.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <unordered_map>

#include "sim/broker/broker_config.h"
#include "sim/broker/client_loop.h"

namespace otasim::broker {

namespace {

using std::chrono::steady_clock;

constexpr int kKeepAliveSeconds = 60;
constexpr auto kConnectLimit = std::chrono::seconds(5);

Error lost(const std::string& why) {
  return Error{ExitCode::kEnvironment,
               fmt::format("the cloud mirror lost its connection to the broker: {}.", why),
               "Look into mosquitto.log in the lab's folder."};
}

Error no_connection(const std::string& socket_path, const std::string& why) {
  return Error{ExitCode::kEnvironment,
               fmt::format("cannot connect to the broker at '{}': {}.", socket_path, why),
               "Look into mosquitto.log beside it."};
}

}  // namespace

struct BrokerClient::State : std::enable_shared_from_this<State> {
  State(Handlers to_call, const std::string& client_id)
      : handlers(std::move(to_call)),
        client(mosquitto_new(client_id.c_str(), true, this), &mosquitto_destroy) {}
  ~State() {
    if (loop) loop->stop();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<void> connect(const std::string& socket_path);
  void run(boost::asio::io_context& io);

  static void on_connect(mosquitto*, void* self, int code);
  static void on_publish(mosquitto*, void* self, int message_id);
  static void on_message(mosquitto*, void* self, const mosquitto_message* message);

  MosquittoLibrary library;
  Handlers handlers;
  std::unique_ptr<mosquitto, decltype(&mosquitto_destroy)> client;
  std::shared_ptr<ClientLoop> loop;
  std::optional<int> connect_code;
  std::unordered_map<int, std::function<void()>> acknowledgements;
};

void BrokerClient::State::on_connect(mosquitto*, void* self, int code) {
  static_cast<State*>(self)->connect_code = code;
}

void BrokerClient::State::on_publish(mosquitto*, void* self, int message_id) {
  auto& acknowledgements = static_cast<State*>(self)->acknowledgements;
  auto found = acknowledgements.extract(message_id);
  if (found) found.mapped()();
}

void BrokerClient::State::on_message(mosquitto*, void* self, const mosquitto_message* message) {
  const auto& handlers = static_cast<State*>(self)->handlers;
  if (!handlers.on_message) return;
  handlers.on_message(message->topic, {static_cast<const char*>(message->payload),
                                       static_cast<std::size_t>(std::max(message->payloadlen, 0))});
}

/// Runs the client by hand until the broker has answered; the io_context takes over in run().
Result<void> BrokerClient::State::connect(const std::string& socket_path) {
  if (!client) return tl::unexpected(no_connection(socket_path, "out of memory"));
  mosquitto_connect_callback_set(client.get(), &on_connect);
  mosquitto_publish_callback_set(client.get(), &on_publish);
  mosquitto_message_callback_set(client.get(), &on_message);
  // A unix socket is a host without a port.
  int status = mosquitto_connect(client.get(), socket_path.c_str(), 0, kKeepAliveSeconds);
  const auto limit = steady_clock::now() + kConnectLimit;
  while (status == MOSQ_ERR_SUCCESS && !connect_code) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit - steady_clock::now()).count();
    if (left <= 0) return tl::unexpected(no_connection(socket_path, "no answer"));
    const bool write = mosquitto_want_write(client.get());
    pollfd wait{mosquitto_socket(client.get()), static_cast<short>(write ? POLLIN | POLLOUT : POLLIN), 0};
    if (::poll(&wait, 1, static_cast<int>(left)) < 0 && errno != EINTR) status = MOSQ_ERR_ERRNO;
    if ((wait.revents & POLLOUT) != 0) status = mosquitto_loop_write(client.get(), 1);
    if (status == MOSQ_ERR_SUCCESS && (wait.revents & ~POLLOUT) != 0) {
      status = mosquitto_loop_read(client.get(), 1);
    }
  }
  if (connect_code.value_or(0) != 0) {
    return tl::unexpected(no_connection(socket_path, mosquitto_connack_string(*connect_code)));
  }
  if (status != MOSQ_ERR_SUCCESS) {
    return tl::unexpected(no_connection(socket_path, status_text(status)));
  }
  return {};
}

void BrokerClient::State::run(boost::asio::io_context& io) {
  // Posted by the loop, which the state may not live to see.
  loop = ClientLoop::run(io, client.get(), [self = weak_from_this()](const std::string& why) {
    const auto state = self.lock();
    if (state && state->handlers.on_lost) state->handlers.on_lost(lost(why));
  });
}

Result<std::unique_ptr<BrokerClient>> BrokerClient::connect(boost::asio::io_context& io,
                                                            const std::string& socket_path, Handlers handlers,
                                                            const std::string& client_id) {
  auto state = std::make_shared<State>(std::move(handlers), client_id);
  if (auto connected = state->connect(socket_path); !connected) return tl::unexpected(connected.error());
  state->run(io);
  return std::unique_ptr<BrokerClient>(new BrokerClient(std::move(state)));
}

BrokerClient::BrokerClient(std::shared_ptr<State> state) : state_(std::move(state)) {}

BrokerClient::~BrokerClient() {
  state_->handlers = {};
  state_->loop->stop();
}

void BrokerClient::publish(const std::string& topic, std::string_view payload, int qos,
                           std::function<void()> on_acknowledged) {
  // A larger packet would make the broker close the connection.
  if (!state_->loop->is_open() || payload.size() > kMaxPayload) return;
  int message_id = 0;
  const int status = mosquitto_publish(state_->client.get(), &message_id, topic.c_str(),
                                       static_cast<int>(payload.size()), payload.data(), qos, false);
  // A message the library does not take for its own sake (a bad topic) is no loss of the connection.
  const bool refused = status == MOSQ_ERR_INVAL || status == MOSQ_ERR_PAYLOAD_SIZE ||
                       status == MOSQ_ERR_MALFORMED_UTF8 || status == MOSQ_ERR_OVERSIZE_PACKET;
  if (refused || !state_->loop->settle(status)) return;
  if (qos > 0 && on_acknowledged) state_->acknowledgements[message_id] = std::move(on_acknowledged);
}

}  // namespace otasim::broker
