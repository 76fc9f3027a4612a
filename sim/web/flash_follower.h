// One device's flash, followed through its op log.
//
//   FlashFollower follower("thing-1", folder, keys);
//   follower.whole(anchors)        // the message `flash`: all that was logged so far
//   follower.news(anchors)         // the next message; empty if nothing has happened
//
// What can go wrong: there is no log yet (a device that was never on): then the track says so, and news() is
// the whole track once there is one. A log that was begun anew, or has grown too long to show, gives a whole
// track again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pal_sim/flash/op_log.h"
#include "sim/base/json.h"
#include "sim/inspect/keys.h"
#include "sim/report/html/flash_rows.h"
#include "sim/report/run_clock.h"

namespace otasim::web {

class FlashFollower {
 public:
  using Anchors = std::vector<report::ClockAnchor>;

  /// Rows that a page is given; with more of them, what is programmed becomes what was before.
  static constexpr std::size_t kMostRows = 60'000;

  FlashFollower(std::string device, std::string folder, const inspect::Keys& keys)
      : device_(std::move(device)), folder_(std::move(folder)), keys_(keys) {}

  [[nodiscard]] std::string whole(const Anchors& anchors);
  /// The same message for one who comes later: what whole() and news() have told so far.
  [[nodiscard]] std::string again() const { return has_begun_ ? tell_whole() : tell_problem(); }
  [[nodiscard]] std::string news(const Anchors& anchors);

 private:
  /// Tells a file from another of the same name.
  struct FileIdentity {
    std::uint64_t inode = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const FileIdentity&) const = default;
  };

  [[nodiscard]] bool begin();
  [[nodiscard]] bool is_begun_anew() const;
  [[nodiscard]] std::optional<std::size_t> read(const Anchors& anchors);
  void take(const flash::LoggedOperation& operation, const Anchors& anchors);
  void decode(const report::html::Touched& touched);
  void decode_all();
  void decode_pending();
  void forget_rows();
  [[nodiscard]] std::string tell_whole() const;
  [[nodiscard]] std::string tell_news(std::size_t from_row, nlohmann::json states) const;
  [[nodiscard]] std::string tell_problem() const;
  [[nodiscard]] static FileIdentity identity_of(const std::string& path);
  [[nodiscard]] std::string before_path() const { return folder_ + "/factory.bin"; }
  [[nodiscard]] std::string log_path() const { return folder_ + "/flash.ops"; }

  std::string device_;
  std::string folder_;
  const inspect::Keys& keys_;
  bool has_begun_ = false;
  FileIdentity identity_;
  std::vector<std::uint8_t> window_;  ///< as the operations so far have left it
  flash::Geometry part_ = {};
  std::uint64_t at_ = 0;  ///< bytes of the log that were taken
  std::int64_t last_us_ = 0;
  nlohmann::json before_;
  nlohmann::json rows_ = nlohmann::json::array();
  nlohmann::json states_ = nlohmann::json::object();
  std::optional<report::html::Touched> pending_;  ///< a slot that is being written
};

}  // namespace otasim::web
