// A transaction is a number of eight-bit frames that the controller is told before; it keeps the chip
// selected until the last of them (SPS). Each frame sent brings one received, so a byte is taken for every
// byte given, and the FIFOs never hold more than one.
#include "qemu_boards/emcraft_sf2/mss_spi.h"

#include <optional>

#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/emcraft_sf2/memory_map.h"

namespace emcraft_sf2 {
namespace {

using armv7m::reg;

constexpr std::uint32_t kControl = kSpi0 + 0x00;
constexpr std::uint32_t kFrameSize = kSpi0 + 0x04;
constexpr std::uint32_t kStatus = kSpi0 + 0x08;
constexpr std::uint32_t kReceive = kSpi0 + 0x10;
constexpr std::uint32_t kTransmit = kSpi0 + 0x14;
constexpr std::uint32_t kClock = kSpi0 + 0x18;
constexpr std::uint32_t kSlaveSelect = kSpi0 + 0x1C;

constexpr std::uint32_t kEnable = 1U << 0;
constexpr std::uint32_t kMaster = 1U << 1;
constexpr std::uint32_t kFrameCountShift = 8;
constexpr std::uint32_t kHoldSelect = 1U << 26;  // SPS
constexpr std::uint32_t kBigFifo = 1U << 29;
constexpr std::uint32_t kReceiveEmpty = 1U << 6;
constexpr std::uint32_t kClockDivider = 1;  // APB clock / 4, below the chip's 50 MHz for reads
constexpr std::uint32_t kFlashChip = 1U << 0;

/// Reads of the status before the controller counts as dead: a frame takes less than a microsecond.
constexpr std::uint32_t kMaxPolls = 100'000;

std::optional<std::uint8_t> exchange(std::uint8_t byte) {
  reg(kTransmit) = byte;
  for (std::uint32_t i = 0; i < kMaxPolls; ++i) {
    if ((reg(kStatus) & kReceiveEmpty) == 0) return static_cast<std::uint8_t>(reg(kReceive));
  }
  return std::nullopt;
}

/// Frames that a transaction before left behind, if it failed.
void empty_receiver() {
  constexpr std::uint32_t kFifoDepth = 32;
  for (std::uint32_t i = 0; i < kFifoDepth && (reg(kStatus) & kReceiveEmpty) == 0; ++i)
    static_cast<void>(static_cast<std::uint32_t>(reg(kReceive)));
}

bool run(std::span<const std::uint8_t> command, std::span<const std::uint8_t> out,
         std::span<std::uint8_t> in) {
  for (const auto& bytes : {command, out}) {
    for (const std::uint8_t byte : bytes) {
      if (!exchange(byte)) return false;
    }
  }
  for (std::uint8_t& byte : in) {
    const std::optional<std::uint8_t> received = exchange(0);
    if (!received) return false;
    byte = *received;
  }
  return true;
}

}  // namespace

bool MssSpi::transfer(std::span<const std::uint8_t> command, std::span<const std::uint8_t> out,
                      std::span<std::uint8_t> in) {
  const std::size_t frames = command.size() + out.size() + in.size();
  if (frames == 0 || frames > kMaxTransaction) return false;
  const std::uint32_t control =
      kMaster | kHoldSelect | kBigFifo | static_cast<std::uint32_t>(frames) << kFrameCountShift;
  reg(kControl) = control;  // not enabled: frame size and clock may be changed
  reg(kFrameSize) = 8;
  reg(kClock) = kClockDivider;
  reg(kSlaveSelect) = kFlashChip;
  empty_receiver();
  reg(kControl) = control | kEnable;
  const bool is_done = run(command, out, in);
  reg(kControl) = control;
  return is_done;
}

}  // namespace emcraft_sf2
