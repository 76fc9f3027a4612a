// What a board offers to the bootloader and to the application. One implementation per board family; all
// that differs between boards is behind this header.
//
// Order of use: init() once after start-up code, then anything. No function blocks except
// console_write() (until the UART took the bytes) and wait_for_interrupt().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "agent/boot/boot_info.h"
#include "agent/boot/update_service.h"
#include "pal_sim/flash/flash_driver.h"
#include "pal_sim/provisioning/identity.h"

namespace board {

/// Name as `otasim boards` prints it, for example "mps2-an385".
[[nodiscard]] std::string_view name();

/// Clocks, UART, SysTick at 1 kHz.
void init();

/// Writes to the console UART; "\n" goes out as it is.
void console_write(std::string_view text);

/// Milliseconds since init(); wraps after 49 days, so compare differences.
[[nodiscard]] std::uint32_t millis();

/// Sleeps until any interrupt (SysTick at the latest).
void wait_for_interrupt();

/// System reset; the next boot sees ResetReason::kSoftware.
[[noreturn]] void reset();

/// Why the device last came out of reset. Meaningful in the bootloader, which hands it on in BootInfo.
[[nodiscard]] boot::ResetReason take_reset_reason();

/// Where the hand-over to the application stands; survives reset, not power loss.
[[nodiscard]] boot::BootInfo& boot_info();

/// The application: boot control, as far as it may change it; the same object each time.
[[nodiscard]] boot::UpdateService& update_service();

/// The application: who this device is; the same object each time.
[[nodiscard]] provisioning::Identity& identity();

/// The application: the root of code signers that stands in the boot ROM; X.509, DER.
[[nodiscard]] std::span<const std::uint8_t> code_signing_root();

/// Starts the watchdog: unless fed or stopped within `timeout_ms` the device is reset with
/// ResetReason::kWatchdog.
///
/// During a trial the watchdog is the bootloader's: to touch it, these functions included, is a fault that
/// resets the device. end_trial() gives it to the application.
void watchdog_start(std::uint32_t timeout_ms);
void watchdog_feed();
void watchdog_stop();

/// Ends the trial's deadline: opens the watchdog to the application, and stops it. For an image whose
/// acceptance is durable.
void end_trial();

/// The board's flash part; the same object each time.
[[nodiscard]] flash::FlashDriver& flash();

/// Address range images may be loaded to and started from.
struct LoadRegion {
  std::uint32_t address;
  std::uint32_t size;
  std::uint32_t bootloader_address;  ///< where the bootloader reaches it: a secure one has a view of its own
};
[[nodiscard]] LoadRegion load_region();

/// The bootloader, first of all: until reset the boot ROM and the flash array are read-only to the CPU (MPU,
/// fault handlers included), and until open_memory() nothing but the ROM is executed.
void protect_memory();

/// The bootloader, for an image that is confirmed: what RAM holds may be executed. During a trial the
/// watchdog is out of reach from here on, until end_trial().
void open_memory(bool is_trial);

/// Zeroes application RAM and what load memory holds behind the image, where one that was refused may have
/// stood, stops interrupts and SysTick, and starts the image whose vector table is at `vector_table`.
[[noreturn]] void jump_to_application(std::uint32_t vector_table, std::uint32_t image_end);

/// The Ethernet controller. Frames are whole Ethernet II frames without FCS.
using MacAddress = std::array<std::uint8_t, 6>;
inline constexpr std::size_t kMaxFrameSize = 1518;

/// A received frame that waits to be taken.
struct ReceivedFrame {
  std::uint32_t length;
  std::array<std::uint8_t, kMaxFrameSize> bytes;
};

/// Resets and starts the controller. Frames go to `queue` while the program works on something else, moved by
/// the controller's interrupt or by its DMA; what the queue has no room for stays in the controller as long
/// as that has room. `queue` must outlive all use of the controller. @returns false if it does not answer.
[[nodiscard]] bool nic_init(const MacAddress& mac, std::span<ReceivedFrame> queue);

/// Queues one frame. @returns false if the controller has no room (try again later) or the frame is too long.
[[nodiscard]] bool nic_send(std::span<const std::uint8_t> frame);

/// Takes one received frame. @returns its length, 0 if there is none. A frame longer than `out` is dropped.
[[nodiscard]] std::size_t nic_receive(std::span<std::uint8_t> out);

/// Received frames that were lost: damaged, too long, or, if the controller counts those, without room in its
/// FIFO.
[[nodiscard]] std::uint32_t nic_dropped();

}  // namespace board
