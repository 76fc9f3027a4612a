#include "sim/lab/board_flash.h"

#include <boost/asio/post.hpp>
#include <cstring>
#include <utility>

namespace otasim::lab {
namespace {

/// Refused writes that are told of in a power cycle: a device may make as many as it likes.
constexpr unsigned kMaxTold = 100;

}  // namespace

std::variant<device::CmsdkWatchdog, device::SerialWatchdog> watchdog_of(const Board& board) {
  if (board.watchdog == Watchdog::kSerial) return device::SerialWatchdog{};
  return board.cmsdk_watchdog;
}

BoardFlash::BoardFlash(const Board& board, flash_file::FlashPartFiles files, Surroundings surroundings)
    : board_(board), files_(std::move(files)), surroundings_(std::move(surroundings)) {}

std::variant<device::FlashWindow, device::SpiDrive> BoardFlash::attachment() const {
  if (board_.flash == flash_file::BackEnd::kSpiNor) return device::SpiDrive{.socket_path = socket_path()};
  return device::FlashWindow{.path = files_.window_path,
                             .plugin_path = surroundings_.plugin_path,
                             .op_log_path = files_.op_log_path,
                             .fault_path = files_.fault_path,
                             .wake_path = files_.wake_path,
                             .seed = files_.seed};
}

Result<void> BoardFlash::power_on() {
  if (board_.flash != flash_file::BackEnd::kSpiNor) return {};
  server_.reset();
  auto server = flash_file::NbdServer::power_on(
      {.socket_path = socket_path(),
       .part = files_,
       .on_refused =
           [this, told = 0U](const flash_file::RefusedWrite& write) mutable {
             if (told++ >= kMaxTold) return;
             emit_later("write_refused", {{"offset", write.offset}, {"length_bytes", write.length}});
           },
       .on_op_log_error =
           [this](int error) {
             emit_later("op_log_ended", {{"reason", std::strerror(error)}});
           }});
  if (!server) return tl::unexpected(server.error());
  server_ = std::move(*server);
  return {};
}

void BoardFlash::take_console_line(std::string_view line) {
  if (!server_) return;
  if (line.starts_with("boot: reset")) server_->set_running(flash::OpSource::kBoot);
  if (line.starts_with("boot: start")) server_->set_running(flash::OpSource::kApplication);
}

/// Called on the server's thread; the log's listeners are not made for it.
void BoardFlash::emit_later(std::string event, nlohmann::json fields) {
  if (!surroundings_.device.empty()) fields["device"] = surroundings_.device;
  boost::asio::post(*surroundings_.io, [alive = std::weak_ptr(alive_), events = surroundings_.events,
                                        event = std::move(event), fields = std::move(fields)]() mutable {
    if (!alive.expired()) events->emit("flash", event, std::move(fields));
  });
}

}  // namespace otasim::lab
