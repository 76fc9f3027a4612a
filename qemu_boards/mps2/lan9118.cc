// Ethernet: SMSC LAN9118 (data sheet DS00002266), programmed I/O.
//
// The FIFO holds about six full frames: half a millisecond at 100 Mbit/s, and TLS takes ten to decrypt a
// record. So the receive interrupt empties it into a queue in memory, and nic_receive() takes frames from
// there. With the queue full the interrupt stays masked until there is room, and the FIFO overflows as it
// would without the queue.
//
// The queue has one writer (the handler) and one reader; `written` and `read` only grow.

#include <algorithm>
#include <atomic>

#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/drivers.h"
#include "qemu_boards/common/handlers.h"
#include "qemu_boards/mps2/this_board.h"

namespace {

using armv7m::reg;

constexpr std::uint32_t kRxData = mps2::kBoard.ethernet + 0x00;
constexpr std::uint32_t kTxData = mps2::kBoard.ethernet + 0x20;
constexpr std::uint32_t kRxStatus = mps2::kBoard.ethernet + 0x40;
constexpr std::uint32_t kTxStatus = mps2::kBoard.ethernet + 0x48;
constexpr std::uint32_t kIdRevision = mps2::kBoard.ethernet + 0x50;
constexpr std::uint32_t kInterruptConfig = mps2::kBoard.ethernet + 0x54;
constexpr std::uint32_t kInterruptStatus = mps2::kBoard.ethernet + 0x58;
constexpr std::uint32_t kInterruptEnable = mps2::kBoard.ethernet + 0x5C;
constexpr std::uint32_t kByteTest = mps2::kBoard.ethernet + 0x64;
constexpr std::uint32_t kFifoInterrupt = mps2::kBoard.ethernet + 0x68;
constexpr std::uint32_t kRxConfig = mps2::kBoard.ethernet + 0x6C;
constexpr std::uint32_t kTxConfig = mps2::kBoard.ethernet + 0x70;
constexpr std::uint32_t kHardwareConfig = mps2::kBoard.ethernet + 0x74;
constexpr std::uint32_t kRxFifoInfo = mps2::kBoard.ethernet + 0x7C;
constexpr std::uint32_t kTxFifoInfo = mps2::kBoard.ethernet + 0x80;
constexpr std::uint32_t kRxDropped = mps2::kBoard.ethernet + 0xA0;
constexpr std::uint32_t kMacCommand = mps2::kBoard.ethernet + 0xA4;
constexpr std::uint32_t kMacData = mps2::kBoard.ethernet + 0xA8;

constexpr std::uint32_t kByteTestValue = 0x8765'4321;
constexpr std::uint32_t kIdLan9118 = 0x0118;
constexpr std::uint32_t kSoftReset = 1U << 0;
constexpr std::uint32_t kMustBeOne = 1U << 20;
constexpr std::uint32_t kTxFifo5K = 5U << 16;
constexpr std::uint32_t kTxOn = 1U << 1;
constexpr std::uint32_t kIrqEnable = 1U << 8;
constexpr std::uint32_t kIrqActiveHigh = 1U << 4;
constexpr std::uint32_t kIrqPushPull = 1U << 0;
constexpr std::uint32_t kRxStatusLevel = 1U << 3;
constexpr std::uint32_t kRxError = 1U << 15;
constexpr std::uint32_t kTxFirstSegment = 1U << 13;
constexpr std::uint32_t kTxLastSegment = 1U << 12;
constexpr std::uint32_t kMacBusy = 1U << 31;

// Registers of the MAC, reached through kMacCommand.
constexpr std::uint32_t kMacControl = 1;
constexpr std::uint32_t kMacAddressHigh = 2;
constexpr std::uint32_t kMacAddressLow = 3;
constexpr std::uint32_t kMacMiiAccess = 6;
constexpr std::uint32_t kMacMiiData = 7;
constexpr std::uint32_t kMacRxEnable = 1U << 2;
constexpr std::uint32_t kMacTxEnable = 1U << 3;
constexpr std::uint32_t kPhyAddress = 1U << 11;
constexpr std::uint32_t kMiiWrite = 1U << 1;
constexpr std::uint32_t kMiiBusy = 1U << 0;
constexpr std::uint32_t kPhyStartNegotiation = 0x1200;

constexpr std::uint32_t kFcsSize = 4;
constexpr std::uint32_t kWordSize = 4;
/// Reads of a busy bit before the controller counts as dead.
constexpr std::uint32_t kMaxPolls = 100'000;

constexpr std::uint32_t kIrqBit = 1U << (mps2::kBoard.ethernet_irq % 32);
/// The interrupt controller's registers have 32 lines each.
constexpr std::uint32_t kIrqRegister = mps2::kBoard.ethernet_irq / 32 * 4;

bool wait_while_set(std::uint32_t address, std::uint32_t bit) {
  for (std::uint32_t i = 0; i < kMaxPolls; ++i) {
    if ((reg(address) & bit) == 0) return true;
  }
  return false;
}

bool write_mac(std::uint32_t index, std::uint32_t value) {
  reg(kMacData) = value;
  reg(kMacCommand) = kMacBusy | index;
  return wait_while_set(kMacCommand, kMacBusy);
}

bool start_phy() {
  return write_mac(kMacMiiData, kPhyStartNegotiation) &&
         write_mac(kMacMiiAccess, kPhyAddress | kMiiWrite | kMiiBusy);
}

std::uint32_t frames_waiting() {
  return (reg(kRxFifoInfo) >> 16) & 0xFFU;
}

struct Queue {
  std::span<board::ReceivedFrame> frames;
  std::atomic<std::uint32_t> written{0};
  std::atomic<std::uint32_t> read{0};
  std::atomic<std::uint32_t> bad_frames{0};  ///< the handler's
  std::uint32_t overflows = 0;               ///< the reader's
};
Queue g_queue;

std::uint32_t queue_size() {
  return g_queue.written.load(std::memory_order_acquire) - g_queue.read.load(std::memory_order_acquire);
}

/// Takes `length` bytes of a frame from the FIFO, whole words; keeps those that fit `out`.
void take_data(std::uint32_t length, std::span<std::uint8_t> out) {
  for (std::uint32_t at = 0; at < length; at += kWordSize) {
    const std::uint32_t word = reg(kRxData);
    for (std::uint32_t i = 0; i < kWordSize; ++i) {
      if (at + i < out.size()) out[at + i] = static_cast<std::uint8_t>(word >> (8 * i));
    }
  }
}

/// Moves the FIFO's first frame into `frame`. @returns false if it is damaged or too long.
bool take_frame(board::ReceivedFrame& frame) {
  const std::uint32_t status = reg(kRxStatus);
  const std::uint32_t length = (status >> 16) & 0x3FFFU;
  const std::uint32_t payload = length > kFcsSize ? length - kFcsSize : 0;
  take_data(length,
            std::span(frame.bytes).first(payload < frame.bytes.size() ? payload : frame.bytes.size()));
  frame.length = payload;
  return (status & kRxError) == 0 && payload != 0 && payload <= frame.bytes.size();
}

/// Moves the FIFO's first frame into the queue. @returns false if the queue is full.
bool move_frame() {
  if (queue_size() == g_queue.frames.size()) return false;
  const std::uint32_t written = g_queue.written.load(std::memory_order_relaxed);
  if (take_frame(g_queue.frames[written % g_queue.frames.size()])) {
    g_queue.written.store(written + 1, std::memory_order_release);
  } else {
    g_queue.bad_frames.store(g_queue.bad_frames.load(std::memory_order_relaxed) + 1,
                             std::memory_order_relaxed);
  }
  return true;
}

void drain_tx_status() {
  while (((reg(kTxFifoInfo) >> 16) & 0xFFU) != 0) {
    [[maybe_unused]] const std::uint32_t status = reg(kTxStatus);
  }
}

}  // namespace

extern "C" void ethernet_handler() {
  // Bounded: nobody takes from the queue meanwhile.
  do {
    while (frames_waiting() != 0) {
      if (!move_frame()) {
        reg(armv7m::kNvicDisable + kIrqRegister) =
            kIrqBit;  // the controller goes on asking, and is heard when there is room
        return;
      }
    }
    reg(kInterruptStatus) = kRxStatusLevel;
  } while (frames_waiting() != 0);  // one that came before the controller was told to ask again
}

namespace drivers {

bool ethernet_has_frame() {
  return queue_size() != 0 || frames_waiting() != 0;
}

}  // namespace drivers

namespace board {

bool nic_init(const MacAddress& mac, std::span<ReceivedFrame> queue) {
  if (queue.empty()) return false;
  g_queue.frames = queue;
  if (reg(kByteTest) != kByteTestValue || (reg(kIdRevision) >> 16) != kIdLan9118) return false;
  reg(kHardwareConfig) = kSoftReset;
  if (!wait_while_set(kHardwareConfig, kSoftReset)) return false;
  reg(kHardwareConfig) = kMustBeOne | kTxFifo5K;
  const std::uint32_t low = static_cast<std::uint32_t>(mac[0]) | (static_cast<std::uint32_t>(mac[1]) << 8) |
                            (static_cast<std::uint32_t>(mac[2]) << 16) |
                            (static_cast<std::uint32_t>(mac[3]) << 24);
  const std::uint32_t high = static_cast<std::uint32_t>(mac[4]) | (static_cast<std::uint32_t>(mac[5]) << 8);
  if (!write_mac(kMacAddressLow, low) || !write_mac(kMacAddressHigh, high) || !start_phy()) return false;
  reg(kRxConfig) = 0;
  reg(kTxConfig) = kTxOn;
  if (!write_mac(kMacControl, kMacRxEnable | kMacTxEnable)) return false;
  reg(kFifoInterrupt) = 0;  // one waiting frame is enough
  reg(kInterruptStatus) = 0xFFFF'FFFF;
  reg(kInterruptEnable) = kRxStatusLevel;
  reg(kInterruptConfig) = kIrqEnable | kIrqActiveHigh | kIrqPushPull;
  reg(armv7m::kNvicEnable + kIrqRegister) = kIrqBit;
  return true;
}

bool nic_send(std::span<const std::uint8_t> frame) {
  if (frame.empty() || frame.size() > kMaxFrameSize) return false;
  drain_tx_status();
  const auto length = static_cast<std::uint32_t>(frame.size());
  constexpr std::uint32_t kCommandSize = 8;
  if ((reg(kTxFifoInfo) & 0xFFFFU) < length + kWordSize + kCommandSize) return false;
  reg(kTxData) = kTxFirstSegment | kTxLastSegment | length;
  reg(kTxData) = length;
  for (std::uint32_t at = 0; at < length; at += kWordSize) {
    std::uint32_t word = 0;
    for (std::uint32_t i = 0; i < kWordSize && at + i < length; ++i)
      word |= static_cast<std::uint32_t>(frame[at + i]) << (8 * i);
    reg(kTxData) = word;
  }
  return true;
}

std::size_t nic_receive(std::span<std::uint8_t> out) {
  while (queue_size() != 0) {
    const std::uint32_t read = g_queue.read.load(std::memory_order_relaxed);
    const ReceivedFrame& frame = g_queue.frames[read % g_queue.frames.size()];
    const std::size_t length = frame.length <= out.size() ? frame.length : 0;
    std::copy_n(frame.bytes.begin(), length, out.begin());
    g_queue.read.store(read + 1, std::memory_order_release);
    reg(armv7m::kNvicEnable + kIrqRegister) = kIrqBit;  // there is room again
    if (length != 0) return length;
  }
  return 0;
}

std::uint32_t nic_dropped() {
  g_queue.overflows += reg(kRxDropped);  // the register clears itself
  return g_queue.overflows + g_queue.bad_frames.load(std::memory_order_relaxed);
}

}  // namespace board
