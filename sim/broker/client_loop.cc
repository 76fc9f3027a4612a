#include "sim/broker/client_loop.h"

#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace otasim::broker {

namespace {

using boost::asio::posix::stream_descriptor;

constexpr auto kHousekeeping = std::chrono::seconds(1);

}  // namespace

std::string status_text(int status) {
  return status == MOSQ_ERR_ERRNO ? std::strerror(errno) : mosquitto_strerror(status);
}

std::shared_ptr<ClientLoop> ClientLoop::run(boost::asio::io_context& io, mosquitto* client,
                                            std::function<void(const std::string&)> on_end) {
  const std::shared_ptr<ClientLoop> loop(new ClientLoop(io, client, std::move(on_end)));
  loop->open_ = true;
  loop->socket_.assign(mosquitto_socket(client));
  loop->wait_readable();
  loop->wait_writable();
  loop->keep_house();
  return loop;
}

bool ClientLoop::settle(int status) {
  if (!survives(status)) return false;
  wait_writable();
  return true;
}

void ClientLoop::stop() {
  if (!open_) return;
  close();
}

void ClientLoop::close() {
  open_ = false;
  // libmosquitto owns the descriptor; Asio only watched it.
  if (socket_.is_open()) socket_.release();
  timer_.cancel();
  mosquitto_disconnect(client_);
}

bool ClientLoop::survives(int status) {
  if (!open_) return false;
  if (status == MOSQ_ERR_SUCCESS) return true;
  const std::string why = status_text(status);
  close();
  boost::asio::post(timer_.get_executor(), [self = shared_from_this(), why] { self->on_end_(why); });
  return false;
}

void ClientLoop::wait_readable() {
  socket_.async_wait(stream_descriptor::wait_read,
                     [self = shared_from_this()](boost::system::error_code error) {
                       if (error || !self->open_) return;
                       if (!self->survives(mosquitto_loop_read(self->client_, 1))) return;
                       self->wait_readable();
                       self->wait_writable();
                     });
}

void ClientLoop::wait_writable() {
  if (writing_ || !mosquitto_want_write(client_)) return;
  writing_ = true;
  socket_.async_wait(stream_descriptor::wait_write,
                     [self = shared_from_this()](boost::system::error_code error) {
                       self->writing_ = false;
                       if (error || !self->open_) return;
                       self->settle(mosquitto_loop_write(self->client_, 1));
                     });
}

void ClientLoop::keep_house() {
  timer_.expires_after(kHousekeeping);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (error || !self->open_) return;
    if (self->settle(mosquitto_loop_misc(self->client_))) self->keep_house();
  });
}

}  // namespace otasim::broker
