#include "tests/bench/load_client.h"

#include <fmt/format.h>
#include <poll.h>

#include <cstdlib>

namespace otasim::bench {

namespace {

constexpr int kKeepAliveSeconds = 60;
constexpr int kLimitMs = 20'000;

void check(int status, const char* what) {
  if (status == MOSQ_ERR_SUCCESS) return;
  fmt::print(stderr, "bench: {} failed: {}\n", what, mosquitto_strerror(status));
  std::exit(3);
}

}  // namespace

LoadClient::LoadClient(const testing::TestLab& lab, std::uint16_t port, const testing::TestIdentity& identity,
                       const std::string& client_id, Answer on_answer)
    : client_(mosquitto_new(client_id.c_str(), true, this), &mosquitto_destroy),
      on_answer_(std::move(on_answer)) {
  mosquitto_connect_callback_set(client_.get(), &on_connect);
  mosquitto_message_callback_set(client_.get(), &on_message);
  check(mosquitto_tls_set(client_.get(), lab.ca_path().c_str(), nullptr, identity.certificate_path.c_str(),
                          identity.key_path.c_str(), nullptr),
        "setting up TLS");
  check(mosquitto_connect(client_.get(), "localhost", port, kKeepAliveSeconds), "connecting");
  while (!accepted_) {
    const bool write = mosquitto_want_write(client_.get());
    pollfd wait{mosquitto_socket(client_.get()), static_cast<short>(write ? POLLIN | POLLOUT : POLLIN), 0};
    if (::poll(&wait, 1, kLimitMs) <= 0) check(MOSQ_ERR_CONN_LOST, "waiting for the broker");
    move(wait.revents);
  }
}

void LoadClient::on_connect(mosquitto*, void* self, int code) {
  if (code != 0) check(MOSQ_ERR_CONN_REFUSED, "being admitted");
  static_cast<LoadClient*>(self)->accepted_ = true;
}

void LoadClient::on_message(mosquitto*, void* self, const mosquitto_message* message) {
  static_cast<LoadClient*>(self)->on_answer_(message->topic, static_cast<std::size_t>(message->payloadlen));
}

void LoadClient::publish(const std::string& topic, std::string_view payload) {
  check(mosquitto_publish(client_.get(), nullptr, topic.c_str(), static_cast<int>(payload.size()),
                          payload.data(), 0, false),
        "publishing");
}

void LoadClient::move(short events) {
  if ((events & POLLOUT) != 0) check(mosquitto_loop_write(client_.get(), 1), "writing");
  if ((events & ~POLLOUT) != 0) check(mosquitto_loop_read(client_.get(), 1), "reading");
}

void LoadClient::run(const std::vector<std::unique_ptr<LoadClient>>& clients,
                     const std::function<bool()>& done) {
  std::vector<pollfd> waits(clients.size());
  while (!done()) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      mosquitto* const client = clients[i]->client_.get();
      waits[i] = {mosquitto_socket(client),
                  static_cast<short>(mosquitto_want_write(client) ? POLLIN | POLLOUT : POLLIN), 0};
    }
    if (::poll(waits.data(), waits.size(), kLimitMs) <= 0) check(MOSQ_ERR_CONN_LOST, "waiting for answers");
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (waits[i].revents != 0) clients[i]->move(waits[i].revents);
    }
  }
}

}  // namespace otasim::bench
