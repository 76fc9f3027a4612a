#include "sim/debug/packet_stream.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <utility>

namespace otasim::debug {
namespace {

constexpr std::size_t kSumDigits = 2;

}  // namespace

std::optional<PacketReader::Item> PacketReader::next() {
  while (!bytes_.empty() && !is_broken_) {
    const char first = bytes_.front();
    if (first == '$') return take_packet();
    bytes_.erase(0, 1);
    if (first == '\x03') return Item{Kind::kInterrupt};
    if (first == '-') return Item{Kind::kResend};
    // '+', and line noise.
  }
  return std::nullopt;
}

std::optional<PacketReader::Item> PacketReader::take_packet() {
  const std::size_t end = bytes_.find('#');
  if (end == std::string::npos || bytes_.size() - end <= kSumDigits) return std::nullopt;
  unsigned sum = 0;
  const char* const digits = bytes_.data() + end + 1;
  const auto [stop, error] = std::from_chars(digits, digits + kSumDigits, sum, 16);
  if (error != std::errc{} || stop != digits + kSumDigits) {
    is_broken_ = true;
    return std::nullopt;
  }
  Item item{Kind::kPacket, bytes_.substr(1, end - 1)};
  bytes_.erase(0, end + 1 + kSumDigits);
  unsigned real = 0;
  for (const char c : item.content) real += static_cast<unsigned char>(c);
  if ((real & 0xFF) != sum) return Item{Kind::kBadSum};
  return item;
}

std::shared_ptr<PacketStream> PacketStream::create(Socket socket, Handlers handlers) {
  return std::shared_ptr<PacketStream>(new PacketStream(std::move(socket), std::move(handlers)));
}

void PacketStream::send(std::string_view content) {
  last_packet_ = device::gdb_packet(content);
  write(last_packet_);
}

void PacketStream::read() {
  socket_.async_read_some(
      boost::asio::buffer(input_),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
        if (self->is_closed_) return;
        if (error) return self->end();
        self->reader_.feed(std::string_view(self->input_).substr(0, count));
        self->take_all();
        if (self->is_closed_) return;
        if (self->reader_.is_broken()) return self->end();
        self->read();
      });
}

void PacketStream::take_all() {
  while (!is_closed_) {
    const auto item = reader_.next();
    if (!item) return;
    take(*item);
  }
}

void PacketStream::take(const PacketReader::Item& item) {
  switch (item.kind) {
    case PacketReader::Kind::kPacket:
      write("+");
      return handlers_.on_packet(item.content);
    case PacketReader::Kind::kInterrupt:
      return handlers_.on_interrupt();
    case PacketReader::Kind::kResend:
      // While some of it is under way nobody can have missed it; a peer that asks all the same gets no flood.
      return output_.empty() ? write(last_packet_) : void();
    case PacketReader::Kind::kBadSum:
      return write("-");
  }
}

void PacketStream::write(std::string bytes) {
  if (is_closed_ || bytes.empty()) return;
  if (output_bytes_ > kMaxUnreadBytes) return;  // its end is under way
  output_bytes_ += bytes.size();
  if (output_bytes_ > kMaxUnreadBytes) {
    boost::asio::post(socket_.get_executor(), [self = shared_from_this()] {
      if (!self->is_closed_) self->end();
    });
    return;
  }
  output_.push_back(std::move(bytes));
  if (output_.size() == 1) write_next();
}

void PacketStream::write_next() {
  boost::asio::async_write(socket_, boost::asio::buffer(output_.front()),
                           [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                             if (self->is_closed_) return;
                             if (error) return self->end();
                             self->output_bytes_ -= self->output_.front().size();
                             self->output_.pop_front();
                             if (!self->output_.empty()) self->write_next();
                           });
}

void PacketStream::end() {
  const auto self = shared_from_this();  // the handler may drop the last other reference
  close();
  handlers_.on_close();
}

void PacketStream::close() {
  is_closed_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace otasim::debug
