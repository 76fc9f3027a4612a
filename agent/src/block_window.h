// Which blocks of a file are still wanted, which are on their way, and how many may be.
//
//   window.set_limits(per_request, in_flight);
//   window.begin(memory, blocks)             // all blocks are wanted
//   while (window.next(shape, request)) ...  // ask for it; its blocks are now on their way
//   window.receive(block)                    // true: it was wanted; store it
//   window.on_timeout()                      // nothing came: what was on its way is lost
//   window.restart()                         // a new connection: nothing is on its way
//
// The window starts at one request's worth. It grows by one for each block that comes, from the first loss on
// by one for each window that comes, and halves with each loss, as TCP does: MQTT blocks of QoS 0 are dropped
// when a service's or a broker's limit is exceeded, or when the device has no buffer.
//
// Requests go through the file upwards, pass by pass, and answers mostly come in the order of the requests.
// So a block that is on its way while one from well behind it arrives is taken as lost; the next pass asks
// for it again. If it was only late, it is stored when it comes, and the second copy is not wanted.
//
// With limits that allow only one request at a time the window counts instead of tracking, as AWS's library
// does: any wanted block that comes answers the request.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "agent/include/ota_types.h"
#include "agent/src/block_bitmap.h"

namespace ota {

class BlockWindow {
 public:
  /// Blocks that may come out of order without counting as lost.
  static constexpr std::uint32_t kReorderBlocks = 8;

  enum class Shape {
    kScattered,   ///< a request names its blocks by a bitmap
    kContiguous,  ///< a request is a run of blocks
  };

  struct Request {
    std::uint32_t first = 0;  ///< 0 if only one request is made at a time: the first wanted ones are meant
    std::uint32_t last = 0;
    std::uint32_t count = 0;
  };

  /// Both at least 1. For the next begin().
  void set_limits(std::uint32_t per_request, std::uint32_t in_flight);

  /// Wants blocks 0 to `blocks` - 1. `memory` holds the bitmap of wanted blocks until the next begin().
  /// @returns false if `memory`, or the bitmap of blocks on their way, is too small for them
  [[nodiscard]] bool begin(std::span<std::uint8_t> memory, std::uint32_t blocks);

  void restart();
  void on_timeout();

  /// The next request. @returns false if the window has no room for one, or there is no block to ask for
  [[nodiscard]] bool next(Shape shape, Request& out);
  [[nodiscard]] bool has_room() const;

  /// @returns true if the block was wanted; it no longer is
  [[nodiscard]] bool receive(std::uint32_t block);

  [[nodiscard]] bool is_one_request_at_a_time() const { return max_window_ <= per_request_; }
  [[nodiscard]] std::uint32_t per_request() const { return per_request_; }
  [[nodiscard]] std::uint32_t wanted_count() const { return wanted_count_; }
  [[nodiscard]] std::uint32_t in_flight_count() const { return in_flight_count_; }
  [[nodiscard]] std::uint32_t size() const { return window_; }

  [[nodiscard]] std::span<const std::uint8_t> wanted() const { return wanted_.bytes(); }
  /// Blocks on their way. From a request's first block on they are the request's own: earlier requests lie
  /// before it.
  [[nodiscard]] std::span<const std::uint8_t> in_flight() const { return in_flight_.bytes(); }

 private:
  void take(Shape shape, std::uint32_t most, Request& out);
  void begin_pass();
  void grow();
  void shrink();
  void find_losses(std::uint32_t arrived);

  std::array<std::uint8_t, OTA_MAX_BLOCK_BITMAP_SIZE> in_flight_memory_;
  BlockBitmap wanted_;
  BlockBitmap in_flight_;
  // Set by set_limits() and begin(), which come first.
  std::uint32_t blocks_;
  std::uint32_t wanted_count_ = 0;
  std::uint32_t in_flight_count_;

  std::uint32_t per_request_;
  std::uint32_t max_window_;
  std::uint32_t window_;
  bool had_loss_;
  std::uint32_t received_since_growth_;

  // Of this pass.
  std::uint32_t cursor_;          ///< from here on blocks are still to be asked for
  std::uint32_t last_requested_;  ///< the last block asked for
  std::uint32_t oldest_;          ///< no block before it is on its way
  std::uint32_t recovery_;        ///< a loss before it belongs to one that halved the window already
};

}  // namespace ota
