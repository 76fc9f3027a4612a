#include "sim/broker/broker_client.h"

#include <fmt/format.h>
#include <mosquitto.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "sim/broker/broker_config.h"

namespace otasim::broker {

namespace {

using boost::asio::posix::stream_descriptor;
using std::chrono::steady_clock;

constexpr int kKeepAliveSeconds = 60;
constexpr auto kHousekeeping = std::chrono::seconds(1);
constexpr auto kConnectLimit = std::chrono::seconds(5);

Error lost(int status) {
  return Error{ExitCode::kEnvironment,
               fmt::format("the cloud mirror lost its connection to the broker: {}.",
                           status == MOSQ_ERR_ERRNO ? std::strerror(errno) : mosquitto_strerror(status)),
               "Look into mosquitto.log in the lab's folder."};
}

Error no_connection(const std::string& socket_path, const std::string& why) {
  return Error{ExitCode::kEnvironment,
               fmt::format("cannot connect to the broker at '{}': {}.", socket_path, why),
               "Look into mosquitto.log beside it."};
}

/// libmosquitto counts its users itself.
class Library {
 public:
  Library() { mosquitto_lib_init(); }
  ~Library() { mosquitto_lib_cleanup(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

}  // namespace

struct BrokerClient::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& io, Handlers to_call, const std::string& client_id)
      : handlers(std::move(to_call)),
        socket(io),
        timer(io),
        client(mosquitto_new(client_id.c_str(), true, this), &mosquitto_destroy) {}
  ~State() { close(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<void> connect(const std::string& socket_path);
  void run();
  void close();
  void wait_readable();
  void wait_writable();
  void keep_house();
  /// Deals with a libmosquitto call's outcome. @returns whether the connection is still there
  bool survives(int status);

  static void on_connect(mosquitto*, void* self, int code);
  static void on_publish(mosquitto*, void* self, int message_id);
  static void on_message(mosquitto*, void* self, const mosquitto_message* message);

  Library library;
  Handlers handlers;
  stream_descriptor socket;
  boost::asio::steady_timer timer;
  std::unique_ptr<mosquitto, decltype(&mosquitto_destroy)> client;
  std::optional<int> connect_code;
  std::unordered_map<int, std::function<void()>> acknowledgements;
  bool open = false;
  bool writing = false;
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
    return tl::unexpected(no_connection(
        socket_path, status == MOSQ_ERR_ERRNO ? std::strerror(errno) : mosquitto_strerror(status)));
  }
  return {};
}

void BrokerClient::State::run() {
  open = true;
  socket.assign(mosquitto_socket(client.get()));
  wait_readable();
  wait_writable();
  keep_house();
}

void BrokerClient::State::close() {
  open = false;
  // libmosquitto owns the descriptor; Asio only watched it.
  if (socket.is_open()) socket.release();
  timer.cancel();
  if (client) mosquitto_disconnect(client.get());
}

bool BrokerClient::State::survives(int status) {
  if (!open) return false;
  if (status == MOSQ_ERR_SUCCESS) return true;
  const Error error = lost(status);
  close();
  boost::asio::post(timer.get_executor(), [self = shared_from_this(), error] {
    if (self->handlers.on_lost) self->handlers.on_lost(error);
  });
  return false;
}

void BrokerClient::State::wait_readable() {
  socket.async_wait(stream_descriptor::wait_read,
                    [self = shared_from_this()](boost::system::error_code error) {
                      if (error || !self->open) return;
                      if (!self->survives(mosquitto_loop_read(self->client.get(), 1))) return;
                      self->wait_readable();
                      self->wait_writable();
                    });
}

void BrokerClient::State::wait_writable() {
  if (writing || !mosquitto_want_write(client.get())) return;
  writing = true;
  socket.async_wait(stream_descriptor::wait_write,
                    [self = shared_from_this()](boost::system::error_code error) {
                      self->writing = false;
                      if (error || !self->open) return;
                      if (self->survives(mosquitto_loop_write(self->client.get(), 1))) self->wait_writable();
                    });
}

void BrokerClient::State::keep_house() {
  timer.expires_after(kHousekeeping);
  timer.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (error || !self->open) return;
    if (!self->survives(mosquitto_loop_misc(self->client.get()))) return;
    self->wait_writable();
    self->keep_house();
  });
}

Result<std::unique_ptr<BrokerClient>> BrokerClient::connect(boost::asio::io_context& io,
                                                            const std::string& socket_path, Handlers handlers,
                                                            const std::string& client_id) {
  auto state = std::make_shared<State>(io, std::move(handlers), client_id);
  if (auto connected = state->connect(socket_path); !connected) return tl::unexpected(connected.error());
  state->run();
  return std::unique_ptr<BrokerClient>(new BrokerClient(std::move(state)));
}

BrokerClient::BrokerClient(std::shared_ptr<State> state) : state_(std::move(state)) {}

BrokerClient::~BrokerClient() {
  state_->handlers = {};
  state_->close();
}

void BrokerClient::publish(const std::string& topic, std::string_view payload, int qos,
                           std::function<void()> on_acknowledged) {
  // A larger packet would make the broker close the connection.
  if (!state_->open || payload.size() > kMaxPayload) return;
  int message_id = 0;
  const int status = mosquitto_publish(state_->client.get(), &message_id, topic.c_str(),
                                       static_cast<int>(payload.size()), payload.data(), qos, false);
  // A message the library does not take for its own sake (a bad topic) is no loss of the connection.
  const bool refused = status == MOSQ_ERR_INVAL || status == MOSQ_ERR_PAYLOAD_SIZE ||
                       status == MOSQ_ERR_MALFORMED_UTF8 || status == MOSQ_ERR_OVERSIZE_PACKET;
  if (refused || !state_->survives(status)) return;
  if (qos > 0 && on_acknowledged) state_->acknowledgements[message_id] = std::move(on_acknowledged);
  state_->wait_writable();
}

}  // namespace otasim::broker
