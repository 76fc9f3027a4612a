// What the secure world does for the application: the contract of the gateway, read by both sides.
//
// There is one entry, secure_call(), in the only place the application may call into: the first veneer of the
// gateway (kGatewayAddress). It stays there whatever is added, and a service keeps its number for good, so an
// application image that was built earlier works with a later bootloader.
//
// Call's fields are a service's operands; what a service does not name is ignored. `in` is read, and `out`
// written, only if the whole range is the application's own memory: load memory or its RAM to read, its RAM
// to write. The secure world copies Call and `in` before it looks at them.
#pragma once

#include <cstdint>

#include "agent/boot/boot_info.h"
#include "agent/boot/boot_state.h"

namespace mps2 {

enum class Service : std::uint32_t {
  kBootInfo = 1,         ///< out: boot::BootInfo
  kCodeSigningRoot = 2,  ///< out: X.509, DER, at most boot::RomTrust::kMaxCertificateSize; size
  kSettings = 3,         ///< out: provisioned entries, zeros for the private key; size. provisioning::Status
  kSign = 4,             ///< in: SHA-256; out: r, s

  // Flash. flash::Status, or Refusal::kNotAllowed: written is only the slot that is being received, and the
  // calendar outside a trial; read are these, the other slots and the recovery image.
  kFlashProgram = 10,     ///< value: offset; in: at most a page
  kFlashErase = 11,       ///< value: offset of a sector
  kEntropy = 12,          ///< out: at most a page
  kFlashRead = 13,        ///< value: offset; out: filled
  kFlashEraseBlock = 14,  ///< value: offset of a block

  // Boot control, in the style of PSA Firmware Update. out: boot::BootState afterwards. flash::Status, or
  // Refusal::kNotAllowed: boot control does not allow it from its state, or not to the caller.
  kUpdateStart = 20,         ///< reads boot control
  kUpdateBeginReceive = 21,  ///< value: the slot; in: the job's name
  kUpdateCheck = 22,   ///< value: the slot being received. boot::image::VerifyStatus; verifies as a boot does
  kUpdateFinish = 23,  ///< verifies the received image, and records it
  kUpdateAccept = 24,  ///< by the image on trial
  kUpdateReject = 25,

  // The watchdog. During a trial, until the acceptance is durable, they end the trial: the device is reset.
  kWatchdogStart = 30,  ///< value: milliseconds
  kWatchdogFeed = 31,
  kWatchdogStop = 32,
  kEndTrial = 33,

  kReset = 40,  ///< does not return
};

/// Answers that no service gives by itself.
enum class Refusal : std::uint32_t {
  kBadPointer = 0x8000'0001,  ///< a range is not the application's own
  kBadSize = 0x8000'0002,     ///< `in` or `out` is not as long as the service wants it
  kNotAllowed = 0x8000'0003,  ///< policy, or boot control's state
  kNoService = 0x8000'0004,   ///< there is no service of that number
};

struct Call {
  std::uint32_t value = 0;
  const void* in = nullptr;
  std::uint32_t in_size = 0;
  void* out = nullptr;
  std::uint32_t out_size = 0;  ///< room for the answer; afterwards how much of it was filled
};
static_assert(sizeof(Call) == 20);

/// The longest `in`.
inline constexpr std::uint32_t kMaxInput = 256;

}  // namespace mps2

/// @returns what the service says, or a Refusal
extern "C" std::uint32_t secure_call(mps2::Service service, mps2::Call* call);
