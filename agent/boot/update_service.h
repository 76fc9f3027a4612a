// What an application may ask of boot control: the services of an update, in the style of PSA Firmware
// Update.
//
// Implemented over the journal itself where the application runs in one world with it
// (local_update_service.h), and by the secure world's gateway on boards with TrustZone, where boot control is
// out of the application's reach and each request is judged there.
//
//   start()                       once; nothing else may be called if it fails
//   begin_receive(job, slot)      then the slot is erased and programmed through the flash driver
//   finish(image)                 what was received is an image that may start: the next boot tries it
//   accept()                      by the image on trial: the next boot commits it
//   reject()                      what is staged will not start (again)
//
// Each makes its transition (boot_state.h) durable before it returns. None touches the committed image.
#pragma once

#include <string_view>

#include "agent/boot/boot_state.h"
#include "agent/boot/image.h"
#include "pal_sim/flash/flash_driver.h"

namespace boot {

/// What became of a transition.
struct Transition {
  bool is_allowed = false;                    ///< boot control allows it from its state
  flash::Status status = flash::Status::kOk;  ///< if so: whether it is durable

  [[nodiscard]] bool is_done() const { return is_allowed && status == flash::Status::kOk; }
};

class UpdateService {
 public:
  virtual ~UpdateService() = default;

  /// Reads boot control. @returns kOk, or what FlashDriver::read returns
  [[nodiscard]] virtual flash::Status start() = 0;

  /// The state in force, as far as this service has brought it about or found it.
  [[nodiscard]] virtual const BootState& state() const = 0;

  /// Whether the image in `slot` may start, as far as this side can say without the ROM's keys.
  /// @returns what check_admission() returns; kBadSize if there is no room to verify it
  [[nodiscard]] virtual image::VerifyStatus check(Slot slot, const image::Info& image) = 0;

  /// Before the slot is erased: it takes back whatever was staged there.
  [[nodiscard]] virtual Transition begin_receive(std::string_view job_id, Slot slot) = 0;

  /// The image in the slot being received is complete. Where the service can verify it, it does, and records
  /// what it found rather than `image`; it is not allowed for one that may not start.
  [[nodiscard]] virtual Transition finish(const image::Info& image) = 0;

  /// By the image on trial only. A failed acceptance may be found in the journal by the next boot.
  [[nodiscard]] virtual Transition accept() = 0;

  /// Not for an image that was accepted.
  [[nodiscard]] virtual Transition reject() = 0;
};

}  // namespace boot
