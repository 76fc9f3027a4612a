// A connection whose other end is the test: what was sent can be read, and what is to come is laid in.
#pragma once

#include <algorithm>
#include <string>

#include "agent/app/connection.h"

namespace app::test {

class FakeConnection final : public Connection {
 public:
  void open(std::string_view host, std::uint16_t port) override {
    ++opened;
    opened_to = std::string(host) + ":" + std::to_string(port);
    sent.clear();
    state_ = refuses ? State::kFailed : opens_at_once ? State::kOpen : State::kOpening;
  }
  std::size_t read(std::span<std::uint8_t> out) override {
    if (state_ != State::kOpen) return 0;
    const std::size_t count = std::min({out.size(), incoming.size(), piece});
    std::copy_n(incoming.begin(), count, out.begin());
    incoming.erase(0, count);
    bytes_read += count;
    if (count == 0 && ends) state_ = State::kFailed;
    return count;
  }
  std::size_t write(std::span<const std::uint8_t> data) override {
    if (state_ != State::kOpen) return 0;
    const std::size_t count = std::min(data.size(), write_room);
    sent.append(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }
  void push() override {}
  void close() override {
    if (state_ != State::kClosed) ++closed;
    state_ = State::kClosed;
    incoming.clear();
    ends = false;
  }
  [[nodiscard]] State state() const override { return state_; }
  [[nodiscard]] ConnectionFailure failure() const override {
    return {"the server closed the connection", -7};
  }

  void finish_opening() { state_ = State::kOpen; }
  void break_now() { state_ = State::kFailed; }

  std::string incoming;          ///< from the server
  bool ends = false;             ///< the server closes behind it
  std::size_t piece = SIZE_MAX;  ///< most that one read gives
  std::size_t write_room = SIZE_MAX;
  bool opens_at_once = true;
  bool refuses = false;
  std::string sent;  ///< on this connection
  std::string opened_to;
  int opened = 0;
  int closed = 0;
  std::size_t bytes_read = 0;

 private:
  State state_ = State::kClosed;
};

}  // namespace app::test
