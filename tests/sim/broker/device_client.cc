#include "tests/sim/broker/device_client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>

namespace otasim::testing {

namespace {

using boost::asio::posix::stream_descriptor;

constexpr auto kLimit = std::chrono::seconds(15);

DeviceClient* set_up_library(DeviceClient* client) {
  mosquitto_lib_init();
  return client;
}

}  // namespace

bool run_until(boost::asio::io_context& io, const std::function<bool()>& done) {
  const auto limit = std::chrono::steady_clock::now() + kLimit;
  io.restart();
  while (!done()) {
    if (std::chrono::steady_clock::now() >= limit) return false;
    io.run_one_until(limit);
    if (io.stopped()) return done();
  }
  return true;
}

DeviceClient::DeviceClient(boost::asio::io_context& io, std::string client_id)
    : io_(io),
      client_(mosquitto_new(client_id.c_str(), true, set_up_library(this)), &mosquitto_destroy),
      socket_(io) {
  mosquitto_connect_callback_set(client_.get(), [](mosquitto*, void* self, int code) {
    static_cast<DeviceClient*>(self)->connack_ = code;
  });
  mosquitto_subscribe_callback_set(client_.get(), [](mosquitto*, void* self, int, int, const int* granted) {
    static_cast<DeviceClient*>(self)->suback_ = granted[0];
  });
  mosquitto_publish_callback_set(
      client_.get(), [](mosquitto*, void* self, int) { ++static_cast<DeviceClient*>(self)->acknowledged_; });
  mosquitto_message_callback_set(client_.get(), [](mosquitto*, void* self, const mosquitto_message* message) {
    static_cast<DeviceClient*>(self)->messages_.push_back(
        {message->topic,
         {static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)}});
  });
}

DeviceClient::~DeviceClient() {
  close();
  client_.reset();
  mosquitto_lib_cleanup();
}

std::optional<int> DeviceClient::connect(const TestLab& lab, std::uint16_t port,
                                         const TestIdentity& identity) {
  return connect(lab.ca_path(), port, identity);
}

std::optional<int> DeviceClient::connect(const std::string& ca_path, std::uint16_t port,
                                         const TestIdentity& identity) {
  mosquitto_tls_set(client_.get(), ca_path.c_str(), nullptr, identity.certificate_path.c_str(),
                    identity.key_path.c_str(), nullptr);
  return finish_connect(mosquitto_connect(client_.get(), "127.0.0.1", port, 60));
}

std::optional<int> DeviceClient::connect(const std::string& socket_path) {
  return finish_connect(mosquitto_connect(client_.get(), socket_path.c_str(), 0, 60));
}

std::optional<int> DeviceClient::finish_connect(int status) {
  connack_.reset();
  if (status != MOSQ_ERR_SUCCESS) return std::nullopt;
  socket_.assign(mosquitto_socket(client_.get()));
  wait_readable();
  wait_writable();
  EXPECT_TRUE(run_until(io_, [this] { return connack_ || !connected(); })) << "no CONNACK";
  return connack_;
}

void DeviceClient::disconnect(bool abruptly) {
  if (!connected()) return;
  if (abruptly) {
    ::shutdown(mosquitto_socket(client_.get()), SHUT_RDWR);
  } else {
    mosquitto_disconnect(client_.get());
  }
  close();
}

void DeviceClient::close() {
  if (socket_.is_open()) socket_.release();
}

void DeviceClient::handle(int status) {
  if (status != MOSQ_ERR_SUCCESS) {
    close();
    return;
  }
  wait_writable();
}

void DeviceClient::wait_readable() {
  socket_.async_wait(stream_descriptor::wait_read, [this](boost::system::error_code error) {
    if (error || !connected()) return;
    handle(mosquitto_loop_read(client_.get(), 1));
    if (connected()) wait_readable();
  });
}

void DeviceClient::wait_writable() {
  if (writing_ || !connected() || !mosquitto_want_write(client_.get())) return;
  writing_ = true;
  socket_.async_wait(stream_descriptor::wait_write, [this](boost::system::error_code error) {
    if (error) return;
    writing_ = false;
    if (connected()) handle(mosquitto_loop_write(client_.get(), 1));
  });
}

std::optional<int> DeviceClient::subscribe(const std::string& filter, int qos) {
  suback_.reset();
  handle(mosquitto_subscribe(client_.get(), nullptr, filter.c_str(), qos));
  EXPECT_TRUE(run_until(io_, [this] { return suback_ || !connected(); })) << "no SUBACK for " << filter;
  return suback_;
}

bool DeviceClient::publish(const std::string& topic, const std::string& payload, int qos, bool retain) {
  const int before = acknowledged_;
  handle(mosquitto_publish(client_.get(), nullptr, topic.c_str(), static_cast<int>(payload.size()),
                           payload.data(), qos, retain));
  if (qos == 0) return connected();
  EXPECT_TRUE(run_until(io_, [this, before] { return acknowledged_ > before || !connected(); }))
      << "no PUBACK for " << topic;
  return acknowledged_ > before;
}

void DeviceClient::set_will(const std::string& topic) {
  mosquitto_will_set(client_.get(), topic.c_str(), 4, "will", 1, false);
}

std::size_t DeviceClient::count(const std::string& topic) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(messages_, [&](const Message& message) { return message.topic == topic; }));
}

std::string DeviceClient::payload_of(const std::string& topic) {
  EXPECT_TRUE(run_until(io_, [&] { return count(topic) > 0 || !connected(); })) << "nothing on " << topic;
  for (const Message& message : messages_) {
    if (message.topic == topic) return message.payload;
  }
  ADD_FAILURE() << "nothing on " << topic;
  return {};
}

}  // namespace otasim::testing
