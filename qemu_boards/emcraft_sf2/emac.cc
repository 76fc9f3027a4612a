// Ethernet: the MSS's MAC (UG0331, "Ethernet MAC") with its DMA, and the PHY behind its MII management.
//
// Both directions are rings of descriptors in memory. The receive ring's buffers are the frames of the
// program's queue: the DMA puts a frame straight there, and nic_receive() gives the buffer back. The
// interrupt only ends a sleep and acknowledges. When the DMA comes to a buffer that is not free, it drops
// that frame and stops; nic_receive() starts it again as soon as there is room.
//
// A descriptor is the DMA's while its kEmpty bit is set on receive, and while it is clear on transmit.
#include <algorithm>
#include <array>
#include <atomic>

#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/drivers.h"
#include "qemu_boards/common/handlers.h"
#include "qemu_boards/emcraft_sf2/memory_map.h"

namespace {

using armv7m::reg;
using emcraft_sf2::kEthernet;

constexpr std::uint32_t kMacConfig1 = kEthernet + 0x000;
constexpr std::uint32_t kMacConfig2 = kEthernet + 0x004;
constexpr std::uint32_t kMaxFrameLength = kEthernet + 0x010;
constexpr std::uint32_t kMiiCommand = kEthernet + 0x024;
constexpr std::uint32_t kMiiAddress = kEthernet + 0x028;
constexpr std::uint32_t kMiiControl = kEthernet + 0x02C;
constexpr std::uint32_t kMiiStatus = kEthernet + 0x030;
constexpr std::uint32_t kMiiIndicators = kEthernet + 0x034;
constexpr std::uint32_t kStationAddress1 = kEthernet + 0x040;
constexpr std::uint32_t kStationAddress2 = kEthernet + 0x044;
constexpr std::uint32_t kFifoConfig0 = kEthernet + 0x048;
constexpr std::uint32_t kTxControl = kEthernet + 0x180;
constexpr std::uint32_t kTxDescriptor = kEthernet + 0x184;
constexpr std::uint32_t kTxStatus = kEthernet + 0x188;
constexpr std::uint32_t kRxControl = kEthernet + 0x18C;
constexpr std::uint32_t kRxDescriptor = kEthernet + 0x190;
constexpr std::uint32_t kRxStatus = kEthernet + 0x194;
constexpr std::uint32_t kDmaInterruptMask = kEthernet + 0x198;

constexpr std::uint32_t kSoftReset = 1U << 31;
constexpr std::uint32_t kTxOn = 1U << 0;
constexpr std::uint32_t kRxOn = 1U << 2;
constexpr std::uint32_t kFullDuplex = 1U << 0;
constexpr std::uint32_t kPadAndCrc = (1U << 1) | (1U << 2);
constexpr std::uint32_t kNibbleMode = 1U << 8;  // MII, 100 Mbit/s
constexpr std::uint32_t kPreamble7 = 7U << 12;
constexpr std::uint32_t kAllFifoModules = 0x1FU;
constexpr std::uint32_t kFifoRequestShift = 8;
constexpr std::uint32_t kFifoReplyShift = 16;
constexpr std::uint32_t kDmaEnable = 1U << 0;
constexpr std::uint32_t kPacketDone = 1U << 0;  // of kTxStatus and kRxStatus: one less is counted
constexpr std::uint32_t kTxUnderrun = 1U << 1;
constexpr std::uint32_t kRxOverflow = 1U << 2;
constexpr std::uint32_t kMaskRxPacket = 1U << 4;
constexpr std::uint32_t kMaskRxOverflow = 1U << 6;

// MII management (IEEE 802.3, clause 22).
constexpr std::uint32_t kPhy = 1U << 8;
constexpr std::uint32_t kPhyControl = 0;
constexpr std::uint32_t kPhyIdentity1 = 2;
constexpr std::uint32_t kPhyStartNegotiation = 0x1200;
constexpr std::uint32_t kNobodyAnswers = 0xFFFF;
constexpr std::uint32_t kMiiRead = 1U << 0;
constexpr std::uint32_t kMiiBusy = 1U << 0;

constexpr std::uint32_t kEmpty = 1U << 31;
constexpr std::uint32_t kSizeMask = 0x7FF;

/// Reads of a busy bit before the controller counts as dead.
constexpr std::uint32_t kMaxPolls = 100'000;
/// What the controller counts packets with.
constexpr std::uint32_t kMaxPacketCount = 256;

constexpr std::uint32_t kIrqBit = 1U << emcraft_sf2::kEthernetIrq;

/// As the DMA reads it.
struct Descriptor {
  volatile std::uint32_t address;
  volatile std::uint32_t size;  ///< and kEmpty
  volatile std::uint32_t next;
};

constexpr std::size_t kMaxRxDescriptors = 64;
constexpr std::size_t kTxDescriptors = 8;

struct RxRing {
  std::array<Descriptor, kMaxRxDescriptors> descriptors;
  std::span<board::ReceivedFrame> frames;  ///< the descriptors' buffers, one each
  std::size_t read = 0;                    ///< the next one to look at
  std::uint32_t bad_frames = 0;
  std::atomic<std::uint32_t> overflows{0};  ///< the handler's
};
RxRing g_rx;

struct TxRing {
  std::array<Descriptor, kTxDescriptors> descriptors;
  std::array<std::array<std::uint8_t, (board::kMaxFrameSize + 3) / 4 * 4>, kTxDescriptors> buffers;
  std::size_t written = 0;  ///< the next one to fill
  std::size_t oldest = 0;   ///< the first one that may still wait to be sent
  std::size_t in_use = 0;   ///< from `oldest` on
};
TxRing g_tx;

std::uint32_t address_of(const volatile void* object) {
  return reinterpret_cast<std::uint32_t>(object);
}

bool wait_while(std::uint32_t address, std::uint32_t mask, std::uint32_t value) {
  for (std::uint32_t i = 0; i < kMaxPolls; ++i) {
    if ((reg(address) & mask) != value) return true;
  }
  return false;
}

bool read_phy(std::uint32_t index, std::uint32_t& value) {
  reg(kMiiAddress) = kPhy | index;
  reg(kMiiCommand) = 0;
  reg(kMiiCommand) = kMiiRead;
  if (!wait_while(kMiiIndicators, kMiiBusy, kMiiBusy)) return false;
  value = reg(kMiiStatus) & 0xFFFFU;
  return true;
}

bool write_phy(std::uint32_t index, std::uint32_t value) {
  reg(kMiiAddress) = kPhy | index;
  reg(kMiiControl) = value;
  return wait_while(kMiiIndicators, kMiiBusy, kMiiBusy);
}

bool start_phy() {
  std::uint32_t identity = kNobodyAnswers;
  if (!read_phy(kPhyIdentity1, identity) || identity == kNobodyAnswers) return false;
  return write_phy(kPhyControl, kPhyStartNegotiation);
}

bool start_fifo() {
  reg(kFifoConfig0) = kAllFifoModules << kFifoRequestShift;
  for (std::uint32_t i = 0; i < kMaxPolls; ++i) {
    if (((reg(kFifoConfig0) >> kFifoReplyShift) & kAllFifoModules) == kAllFifoModules) return true;
  }
  return false;
}

void set_station_address(const board::MacAddress& mac) {
  reg(kStationAddress1) = (static_cast<std::uint32_t>(mac[0]) << 24) |
                          (static_cast<std::uint32_t>(mac[1]) << 16) |
                          (static_cast<std::uint32_t>(mac[2]) << 8) | static_cast<std::uint32_t>(mac[3]);
  reg(kStationAddress2) =
      (static_cast<std::uint32_t>(mac[4]) << 24) | (static_cast<std::uint32_t>(mac[5]) << 16);
}

void lay_out_rx_ring(std::span<board::ReceivedFrame> queue) {
  g_rx.frames = queue.first(std::min(queue.size(), kMaxRxDescriptors));
  g_rx.read = 0;
  for (std::size_t i = 0; i < g_rx.frames.size(); ++i) {
    Descriptor& descriptor = g_rx.descriptors[i];
    descriptor.address = address_of(g_rx.frames[i].bytes.data());
    descriptor.size = kEmpty;
    descriptor.next = address_of(&g_rx.descriptors[(i + 1) % g_rx.frames.size()]);
  }
}

void lay_out_tx_ring() {
  g_tx.written = g_tx.oldest = g_tx.in_use = 0;
  for (std::size_t i = 0; i < kTxDescriptors; ++i) {
    Descriptor& descriptor = g_tx.descriptors[i];
    descriptor.address = address_of(g_tx.buffers[i].data());
    descriptor.size = kEmpty;
    descriptor.next = address_of(&g_tx.descriptors[(i + 1) % kTxDescriptors]);
  }
}

void start_rx(const Descriptor& first) {
  reg(kRxDescriptor) = address_of(&first);
  armv7m::data_barrier();
  reg(kRxControl) = kDmaEnable;
}

bool holds_frame(const Descriptor& descriptor) {
  return (descriptor.size & kEmpty) == 0;
}

/// If the DMA stopped for want of a free buffer: it goes on at the first one behind the frames that wait.
void restart_rx_if_stopped() {
  if ((reg(kRxControl) & kDmaEnable) != 0) return;
  for (std::size_t i = 0; i < g_rx.frames.size(); ++i) {
    const Descriptor& descriptor = g_rx.descriptors[(g_rx.read + i) % g_rx.frames.size()];
    if (!holds_frame(descriptor)) return start_rx(descriptor);
  }
}

/// Gives the buffer at `read` back to the DMA.
void release_frame() {
  armv7m::data_barrier();
  g_rx.descriptors[g_rx.read].size = kEmpty;
  g_rx.read = (g_rx.read + 1) % g_rx.frames.size();
  restart_rx_if_stopped();
}

/// Takes back what the DMA has sent.
void reclaim_sent() {
  while (g_tx.in_use != 0 && (g_tx.descriptors[g_tx.oldest].size & kEmpty) != 0) {
    reg(kTxStatus) = kPacketDone;
    g_tx.oldest = (g_tx.oldest + 1) % kTxDescriptors;
    --g_tx.in_use;
  }
}

}  // namespace

/// Bounded: the controller's counter is.
extern "C" void ethernet_handler() {
  for (std::uint32_t i = 0; i < kMaxPacketCount && (reg(kRxStatus) & kPacketDone) != 0; ++i)
    reg(kRxStatus) = kPacketDone;
  if ((reg(kRxStatus) & kRxOverflow) == 0) return;
  reg(kRxStatus) = kRxOverflow;
  g_rx.overflows.store(g_rx.overflows.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

namespace drivers {

bool ethernet_has_frame() {
  return !g_rx.frames.empty() && holds_frame(g_rx.descriptors[g_rx.read]);
}

}  // namespace drivers

namespace board {

bool nic_init(const MacAddress& mac, std::span<ReceivedFrame> queue) {
  if (queue.empty()) return false;
  reg(kMacConfig1) = kSoftReset;
  reg(kMacConfig1) = 0;
  if (!start_fifo() || !start_phy()) return false;
  set_station_address(mac);
  reg(kMacConfig2) = kPreamble7 | kNibbleMode | kPadAndCrc | kFullDuplex;
  reg(kMaxFrameLength) = kMaxFrameSize;
  lay_out_rx_ring(queue);
  lay_out_tx_ring();
  reg(kDmaInterruptMask) = kMaskRxPacket | kMaskRxOverflow;
  reg(armv7m::kNvicEnable) = kIrqBit;
  reg(kMacConfig1) = kTxOn | kRxOn;
  start_rx(g_rx.descriptors[0]);
  return true;
}

bool nic_send(std::span<const std::uint8_t> frame) {
  if (frame.empty() || frame.size() > kMaxFrameSize) return false;
  reclaim_sent();
  if (g_tx.in_use == kTxDescriptors) return false;
  std::copy(frame.begin(), frame.end(), g_tx.buffers[g_tx.written].begin());
  armv7m::data_barrier();
  g_tx.descriptors[g_tx.written].size = static_cast<std::uint32_t>(frame.size());
  g_tx.written = (g_tx.written + 1) % kTxDescriptors;
  ++g_tx.in_use;
  if ((reg(kTxControl) & kDmaEnable) != 0) return true;  // it comes to this one by itself
  reclaim_sent();
  reg(kTxStatus) = kTxUnderrun;
  reg(kTxDescriptor) = address_of(&g_tx.descriptors[g_tx.oldest]);
  armv7m::data_barrier();
  reg(kTxControl) = kDmaEnable;
  return true;
}

std::size_t nic_receive(std::span<std::uint8_t> out) {
  while (drivers::ethernet_has_frame()) {
    armv7m::data_barrier();  // what the DMA wrote before it gave the descriptor away
    const std::uint32_t length = g_rx.descriptors[g_rx.read].size & kSizeMask;
    const auto& bytes = g_rx.frames[g_rx.read].bytes;
    const bool is_good = length != 0 && length <= bytes.size();
    if (!is_good) ++g_rx.bad_frames;
    const bool is_wanted = is_good && length <= out.size();
    if (is_wanted) std::copy_n(bytes.begin(), length, out.begin());
    release_frame();
    if (is_wanted) return length;
  }
  return 0;
}

std::uint32_t nic_dropped() {
  return g_rx.overflows.load(std::memory_order_relaxed) + g_rx.bad_frames;
}

}  // namespace board
