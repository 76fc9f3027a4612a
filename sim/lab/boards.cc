#include "sim/lab/boards.h"

#include <algorithm>
#include <array>

namespace otasim::lab {
namespace {

using namespace std::string_view_literals;

constexpr std::array kCapabilities{"flash-faults"sv, "watchdog"sv,  "otp"sv,
                                   "fpu"sv,          "trustzone"sv, "spi-nor"sv};
constexpr std::array kMps2{"flash-faults"sv, "watchdog"sv, "otp"sv};
constexpr std::array kTrustZone{"flash-faults"sv, "watchdog"sv, "otp"sv, "trustzone"sv};
constexpr std::array kMps2WithFpu{"flash-faults"sv, "watchdog"sv, "otp"sv, "fpu"sv};

constexpr std::array kEmcraftSf2{"watchdog"sv, "spi-nor"sv};

constexpr Cpu kCortexM3{"Cortex-M3", image::kArchV7, image::kFpNone};
constexpr Cpu kCortexM4F{"Cortex-M4F", image::kArchV7EM, image::kFpV4D16};
constexpr Cpu kCortexM7{"Cortex-M7", image::kArchV7EM, image::kFpV5D16};
constexpr Cpu kCortexM33{"Cortex-M33", image::kArchV8MMain, image::kFpNone};

constexpr MemoryRange kMps2BootRom{0x0000'0000, 0x0004'0000};
constexpr MemoryRange kSecureBootRom{0x1000'0000, 0x0004'0000};
constexpr std::uint32_t kMps2LoadAddress = 0x0010'0000;
constexpr MemoryRange kMps2Ram{0x2000'0000, 0x0040'0000};
constexpr MemoryRange kNonSecureRam{0x2820'0000, 0x0020'0000};
constexpr std::uint32_t kMps2FlashWindow = 0x2100'0000;
constexpr std::uint32_t kAn500FlashWindow = 0x6000'0000;
constexpr std::uint32_t kTrustZoneFlashWindow = 0x8000'0000;

constexpr device::CmsdkWatchdog kSecureWatchdog{
    .address = 0x5008'1000,
    .owner = device::SecureWorld{.rom_address = kSecureBootRom.address,
                                 .rom_size = kSecureBootRom.size,
                                 .gateway_address = 0x1003'F000}};

constexpr MemoryRange kSf2BootRom{0x0000'0000, 0x0004'0000};
constexpr std::uint32_t kSf2LoadAddress = 0xA010'0000;
constexpr MemoryRange kSf2Ram{0xA040'0000, 0x0040'0000};

constexpr std::array kBoards{
    Board{"mps2-an385", kCortexM3, kMps2BootRom, kMps2LoadAddress, kMps2Ram, kMps2FlashWindow, "lan9118",
          kMps2},
    Board{"mps2-an386", kCortexM4F, kMps2BootRom, kMps2LoadAddress, kMps2Ram, kMps2FlashWindow, "lan9118",
          kMps2WithFpu},
    Board{"mps2-an500", kCortexM7, kMps2BootRom, kMps2LoadAddress, kMps2Ram, kAn500FlashWindow, "lan9118",
          kMps2WithFpu},
    Board{"mps2-an505", kCortexM33, kSecureBootRom, kMps2LoadAddress, kNonSecureRam, kTrustZoneFlashWindow,
          "lan9118", kTrustZone, flash_file::BackEnd::kController, Watchdog::kCmsdk, kSecureWatchdog},
    Board{"mps2-an521", kCortexM33, kSecureBootRom, kMps2LoadAddress, kNonSecureRam, kTrustZoneFlashWindow,
          "lan9118", kTrustZone, flash_file::BackEnd::kController, Watchdog::kCmsdk, kSecureWatchdog},
    Board{
        "emcraft-sf2",
        kCortexM3,
        kSf2BootRom,
        kSf2LoadAddress,
        kSf2Ram,
        0,
        "msf2-emac",
        kEmcraftSf2,
        flash_file::BackEnd::kSpiNor,
        Watchdog::kSerial,
        {},
        "the flash chip has no locks and no OTP bank: the floor against downgrades is a journal in its last "
        "sector, and who can erase that sector can roll back"},
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
