#include "sim/device/gdb_client.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "sim/device/line_splitter.h"

namespace otasim::device {
namespace {

constexpr const char* kAcknowledgement = "+";
constexpr const char* kInterrupt = "\x03";
constexpr std::size_t kQuotedBytes = 80;

/// "T05thread:01;" or "S05"; no answer to a question begins like that.
bool is_stop(std::string_view content) {
  return content.size() >= 3 && (content[0] == 'T' || content[0] == 'S');
}

int signal_of(std::string_view content) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  return 16 * digit(content[1]) + digit(content[2]);
}

}  // namespace

std::shared_ptr<GdbClient> GdbClient::create(Socket socket, Handlers handlers) {
  return std::shared_ptr<GdbClient>(new GdbClient(std::move(socket), std::move(handlers)));
}

void GdbClient::start() {
  read();
}

void GdbClient::ask(std::string content, OnAnswer on_answer) {
  if (closed_) return;
  questions_.push_back({std::move(content), std::move(on_answer)});
  ask_next();
}

void GdbClient::resume(std::string content) {
  if (closed_) return;
  questions_.push_back({std::move(content), nullptr});
  ask_next();
}

void GdbClient::ask_next() {
  while (!waits_for_answer_ && !questions_.empty() && !closed_) {
    write(gdb_packet(questions_.front().content));
    if (questions_.front().on_answer) {
      waits_for_answer_ = true;
    } else {
      questions_.pop_front();
    }
  }
}

void GdbClient::interrupt() {
  write(kInterrupt);
}

void GdbClient::read() {
  socket_.async_read_some(
      boost::asio::buffer(input_),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
        if (self->closed_) return;
        if (error) return self->close();
        self->reader_.feed(std::string_view(self->input_).substr(0, count));
        while (const auto content = self->reader_.next()) {
          self->write(kAcknowledgement);
          self->take(*content);
          if (self->closed_) return;
        }
        if (self->reader_.is_overrun()) return self->fail_with("a packet has no end");
        self->read();
      });
}

void GdbClient::take(const std::string& content) {
  if (is_stop(content)) return handlers_.on_stop(signal_of(content));
  if (!waits_for_answer_) return;  // "W00": the program has ended
  const Question question = std::move(questions_.front());
  questions_.pop_front();
  waits_for_answer_ = false;
  if (content.starts_with('E')) {
    return fail_with(fmt::format("{} was refused: {}", escape_text(question.content),
                                 escape_text(content.substr(0, kQuotedBytes))));
  }
  question.on_answer(content);
  ask_next();
}

void GdbClient::write(std::string bytes) {
  if (closed_) return;
  output_.push_back(std::move(bytes));
  if (output_.size() == 1) write_next();
}

void GdbClient::write_next() {
  boost::asio::async_write(socket_, boost::asio::buffer(output_.front()),
                           [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                             if (self->closed_) return;
                             if (error) return self->close();  // QEMU has gone, and its exit says more
                             self->output_.pop_front();
                             if (!self->output_.empty()) self->write_next();
                           });
}

void GdbClient::fail_with(std::string what) {
  const auto self = shared_from_this();  // the handler may drop the last other reference
  close();
  handlers_.on_failure({ExitCode::kEnvironment, "QEMU's debugger: " + std::move(what), ""});
}

void GdbClient::close() {
  const auto self = shared_from_this();
  closed_ = true;
  // What waits for an answer holds whoever asked, who holds this.
  const auto dropped = std::exchange(questions_, {});
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace otasim::device
