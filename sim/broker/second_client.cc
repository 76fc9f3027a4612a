#include "sim/broker/second_client.h"

#include <fmt/format.h>
#include <mosquitto.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <optional>

#include "sim/broker/client_loop.h"

namespace otasim::broker {

namespace {

constexpr int kKeepAliveSeconds = 60;
constexpr auto kConnectLimit = std::chrono::seconds(10);

}  // namespace

struct SecondClient::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& to_run_on, Spec to_be, Handlers to_call)
      : io(to_run_on),
        spec(std::move(to_be)),
        handlers(std::move(to_call)),
        timer(to_run_on),
        client(mosquitto_new(spec.client_id.c_str(), true, this), &mosquitto_destroy) {}

  void start();
  /// @returns a libmosquitto status
  int connect();
  void handle_answer(int code);
  void say_goodbye();
  void wait(std::chrono::milliseconds time, void (State::*then)());
  void give_up() { end(failed("no answer")); }
  void stop();
  void end(const Result<End>& how);
  [[nodiscard]] tl::unexpected<Error> failed(const std::string& why) const {
    return fail(ExitCode::kEnvironment,
                fmt::format("a second client '{}' cannot connect to the broker: {}.", spec.client_id, why));
  }

  static void on_connect(mosquitto*, void* self, int code) {
    auto& state = *static_cast<State*>(self);
    // libmosquitto sends nothing from within its callbacks.
    boost::asio::post(state.io, [self = state.shared_from_this(), code] { self->handle_answer(code); });
  }

  boost::asio::io_context& io;
  Spec spec;
  Handlers handlers;
  MosquittoLibrary library;
  boost::asio::steady_timer timer;
  std::unique_ptr<mosquitto, decltype(&mosquitto_destroy)> client;
  std::shared_ptr<ClientLoop> loop;
  bool is_admitted = false;
  bool is_over = false;
};

int SecondClient::State::connect() {
  if (!client) return MOSQ_ERR_NOMEM;
  mosquitto_connect_callback_set(client.get(), &on_connect);
  const int trusted = mosquitto_tls_set(client.get(), spec.ca_path.c_str(), nullptr,
                                        spec.certificate_path.c_str(), spec.key_path.c_str(), nullptr);
  if (trusted != MOSQ_ERR_SUCCESS) return trusted;
  return mosquitto_connect(client.get(), "127.0.0.1", spec.port, kKeepAliveSeconds);
}

void SecondClient::State::start() {
  if (is_over) return;
  if (const int status = connect(); status != MOSQ_ERR_SUCCESS) {
    end(failed(status_text(status)));
    return;
  }
  loop = ClientLoop::run(io, client.get(), [self = weak_from_this()](const std::string& why) {
    const auto state = self.lock();
    if (!state || state->is_over) return;
    if (state->is_admitted) {
      state->end(End::kDrivenOut);
    } else {
      state->end(state->failed(why));
    }
  });
  wait(kConnectLimit, &State::give_up);
}

void SecondClient::State::handle_answer(int code) {
  if (is_over) return;
  if (code != 0) {
    end(failed(mosquitto_connack_string(code)));
    return;
  }
  is_admitted = true;
  if (handlers.on_admitted) handlers.on_admitted();
  if (is_over) return;
  if (spec.hold_ms > 0) {
    wait(std::chrono::milliseconds(spec.hold_ms), &State::say_goodbye);
  } else {
    say_goodbye();
  }
}

void SecondClient::State::say_goodbye() {
  end(End::kSaidGoodbye);
}

void SecondClient::State::wait(std::chrono::milliseconds time, void (State::*then)()) {
  timer.expires_after(time);
  timer.async_wait([self = shared_from_this(), then](boost::system::error_code error) {
    if (!error && !self->is_over) (self.get()->*then)();
  });
}

/// Closes the connection, with a goodbye if it is one.
void SecondClient::State::stop() {
  is_over = true;
  timer.cancel();
  if (loop) loop->stop();
  client.reset();
}

void SecondClient::State::end(const Result<End>& how) {
  const auto on_end = std::move(handlers.on_end);
  stop();
  if (on_end) on_end(how);
}

std::unique_ptr<SecondClient> SecondClient::start(boost::asio::io_context& io, Spec spec, Handlers handlers) {
  auto state = std::make_shared<State>(io, std::move(spec), std::move(handlers));
  boost::asio::post(io, [state] { state->start(); });
  return std::unique_ptr<SecondClient>(new SecondClient(std::move(state)));
}

SecondClient::SecondClient(std::shared_ptr<State> state) : state_(std::move(state)) {}

SecondClient::~SecondClient() {
  state_->stop();
}

}  // namespace otasim::broker
