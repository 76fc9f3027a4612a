#include "sim/lab/boards.h"

#include <algorithm>
#include <array>

#include "sim/lab/build_products.h"

namespace otasim::lab {
namespace {

using namespace std::string_view_literals;

constexpr std::array kCapabilities{"flash-faults"sv, "watchdog"sv, "otp"sv, "trustzone"sv};
constexpr std::array kMps2{"flash-faults"sv, "watchdog"sv, "otp"sv};
constexpr std::array kTrustZone{"flash-faults"sv, "watchdog"sv, "otp"sv, "trustzone"sv};
constexpr std::uint32_t kWatchdog = 0x4000'8000;
constexpr std::uint32_t kSecureWatchdog = 0x5008'1000;

constexpr std::array kBoards{
    Board{"mps2-an385", "Cortex-M3", kMps2LoadAddress, "lan9118", kWatchdog, kMps2},
    Board{"mps2-an386", "Cortex-M4F", kMps2LoadAddress, "lan9118", kWatchdog, kMps2},
    Board{"mps2-an500", "Cortex-M7", kMps2LoadAddress, "lan9118", kWatchdog, kMps2},
    Board{"mps2-an505", "Cortex-M33", kMps2LoadAddress, "lan9118", kSecureWatchdog, kTrustZone},
    Board{"mps2-an521", "Cortex-M33", kMps2LoadAddress, "lan9118", kSecureWatchdog, kTrustZone},
};

}  // namespace

std::span<const Board> boards() {
  return kBoards;
}

std::span<const std::string_view> board_capabilities() {
  return kCapabilities;
}

const Board* find_board(std::string_view name) {
  const auto found = std::ranges::find(kBoards, name, &Board::name);
  return found == kBoards.end() ? nullptr : &*found;
}

std::vector<std::string> board_names() {
  std::vector<std::string> names;
  for (const Board& board : kBoards) names.emplace_back(board.name);
  return names;
}

}  // namespace otasim::lab
