// The platform abstraction layer over a flash driver and the services of an update, as an object.
//
// Order of use: start() once, then the functions of ota_platform_interface.h, whose contracts hold here. A
// file is received into the application slot that is not committed:
//
//   create_file       records "receiving", erases what the file needs
//   write_block       programs, reads back
//   close_file        verifies the signature over what stands in flash, and records an image as "verified"
//   activate          resets; the bootloader tries a verified image
//   set_image_state   Accepted, in that image: the next boot commits it
//
// The signature is the code signer's, over the file, whatever it holds. Only a file that is also an
// application image this board could start is recorded as "verified" (check_image()); another one is closed
// with Success, is never started, and activate() says why. The bootloader checks everything again.
//
// Only the staged or trial image is ever touched. The committed one is changed by the bootloader alone, which
// carries out what is recorded here. A power cut at any byte leaves the committed image bootable.
//
// What can go wrong is an OtaPalMainStatus_t with a sub status in the 24 bits below it: a flash::Status (1 to
// 0xFF), or a Reason. Two main statuses have their own: BadSignerCert a SignerStatus (code_signer.h), and
// ActivateFailed a boot::image::VerifyStatus. docs/porting.md has the table.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/boot/boot_info.h"
#include "agent/boot/image.h"
#include "agent/boot/update_service.h"
#include "agent/include/ota_platform_interface.h"
#include "pal_sim/flash/flash_driver.h"
#include "pal_sim/provisioning/provisioning.h"

namespace pal {

/// Sub statuses beside flash::Status's. They are part of a failed job's reason and never change.
enum class Reason : std::uint32_t {
  kNone = 0,               ///< the main status says it all
  kNoSignature = 0x100,    ///< the job carries none, or one that is longer than a Sig_t
  kFileNotOpen = 0x101,    ///< the context's file is not the one create_file() opened last
  kEmptyFile = 0x102,      ///< a file of 0 bytes cannot be received
  kRestartFirst = 0x103,   ///< the running image was accepted and is not committed yet; only then is there a
                           ///< free slot. The device is being restarted, and the bootloader commits it
  kSlotInUse = 0x104,      ///< the slot to receive into is the one that runs; also if a restart did not help
  kNotAllowedNow = 0x105,  ///< boot control does not allow it from its state
  kNotOnTrial = 0x106,     ///< the running image is not the one on trial
  kImageUnreadable = 0x107,  ///< flash failed while the received image was looked at
};

/// Restarts the device. On a board it does not return.
struct Reset {
  void (*function)(void* context) = nullptr;
  void* context = nullptr;
};

/// What a Pal works with. All of it must outlive the Pal.
struct Platform {
  flash::FlashDriver& flash;
  boot::UpdateService& updates;                     ///< boot control; nobody else asks it meanwhile
  const provisioning::Settings& settings;           ///< who may sign, by name
  const boot::BootInfo& boot_info;                  ///< what the bootloader handed over
  std::span<const std::uint8_t> code_signing_root;  ///< X.509, DER: vouches for those who may sign
  boot::image::LoadRegion load_region;              ///< where the board loads images
  Reset reset;
};

class Pal {
 public:
  explicit Pal(const Platform& platform) : platform_(platform) {}
  Pal(const Pal&) = delete;
  Pal& operator=(const Pal&) = delete;

  /// Reads boot control. @returns kOk, or what FlashDriver::read returns; nothing else may be called then.
  [[nodiscard]] flash::Status start() { return platform_.updates.start(); }

  /// Closes the file without a verdict, open or not. What was written stays until the next file, and is not
  /// started. An image that close_file() has recorded as verified stays so: OtaImageStateAborted and
  /// OtaImageStateRejected take it back.
  /// @returns Success; NullFileContext
  OtaPalStatus_t abort(OtaFileContext_t* file);

  /// Opens a file of `fileSize` bytes; one that was open before is given up.
  /// @returns Success; NullFileContext; RxFileTooLarge (larger than a slot; nothing is erased);
  ///          BootInfoCreateFailed (flash::Status; nothing is erased); RxFileCreateFailed (flash::Status,
  ///          kEmptyFile, kRestartFirst, kSlotInUse, kNotAllowedNow)
  [[nodiscard]] OtaPalStatus_t create_file(OtaFileContext_t* file);

  /// Verifies the signature over what stands in flash, records an image as verified, and closes the file,
  /// whatever comes of it. What fails is rejected: image_state() is Invalid then.
  /// @returns Success, also for a file that is no image; NullFileContext; what check_signature() returns;
  ///          FileClose (flash::Status, kFileNotOpen, kNotAllowedNow, kImageUnreadable)
  [[nodiscard]] OtaPalStatus_t close_file(OtaFileContext_t* file);

  /// Writes a block of any offset and size up to 32767, and reads it back. The same block may come twice.
  /// @returns the block's size; -1 if the file is not open, the block leaves it, the flash part fails, or
  ///          flash does not hold the block afterwards (other data was written there before)
  [[nodiscard]] std::int16_t write_block(OtaFileContext_t* file, std::uint32_t offset,
                                         std::span<const std::uint8_t> data);

  /// Restarts into a verified image.
  /// @returns Success if reset() comes back;
  ///          ActivateFailed (boot::image::VerifyStatus: what is wrong with the file closed last;
  ///          kNotOnRecord if none was closed well since start(), or it is not firmware)
  [[nodiscard]] OtaPalStatus_t activate();

  /// @returns Success if the platform's reset comes back, which a board's does not
  OtaPalStatus_t reset();

  /// Makes it durable before it returns. Testing changes nothing: the bootloader recorded the trial.
  /// CommitFailed is final: the image on trial is rejected then. If that cannot be made durable either, the
  /// device restarts before anybody is told, and the bootloader goes by what it finds.
  /// @returns Success; BadImageState; CommitFailed (flash::Status, kNotOnTrial); RejectFailed and AbortFailed
  ///          (flash::Status, kNotAllowedNow: the image was accepted)
  [[nodiscard]] OtaPalStatus_t set_image_state(OtaFileContext_t* file, OtaImageState_t state);

  /// PendingCommit while the running image is on trial; Invalid after what was received last was rejected;
  /// else Valid, also for a factory image.
  [[nodiscard]] OtaPalImageState_t image_state() const;

  /// The check that close_file() makes. The file must be open.
  /// @returns Success; BadSignerCert (SignerStatus); FileClose (flash::Status, kFileNotOpen);
  ///          SignatureCheckFailed (kNone: it does not hold, kNoSignature)
  [[nodiscard]] OtaPalStatus_t check_signature(const OtaFileContext_t& file);

  /// The provisioned certificate of that name, empty if there is none. It is not authenticated yet.
  [[nodiscard]] std::span<const std::uint8_t> certificate(std::string_view name) const {
    return platform_.settings.code_signer(name);
  }

  /// Whether the running image was accepted, and was brought by this job.
  [[nodiscard]] bool is_committed_job(std::string_view job_id) const;

 private:
  [[nodiscard]] bool is_open(const OtaFileContext_t& file) const {
    return is_open_ && file.pFile == &handle_;
  }
  void close(OtaFileContext_t& file);
  [[nodiscard]] bool was_started_on_trial() const {
    return platform_.boot_info.image_state == boot::ImageState::kTrial;
  }
  [[nodiscard]] const boot::BootState& state() const { return platform_.updates.state(); }
  [[nodiscard]] bool is_running_accepted() const;
  [[nodiscard]] bool is_commit_due() const;
  [[nodiscard]] OtaPalStatus_t open(boot::Slot slot, const OtaFileContext_t& file);
  [[nodiscard]] boot::image::VerifyStatus check_image(boot::image::Info& info);
  [[nodiscard]] OtaPalStatus_t stage(const OtaFileContext_t& file);
  [[nodiscard]] OtaPalStatus_t accept();
  void take_back_acceptance();
  [[nodiscard]] OtaPalStatus_t reject(OtaPalMainStatus_t failure);
  [[nodiscard]] flash::Status hash_file(crypto::Sha256Digest& digest);
  [[nodiscard]] bool holds(std::uint32_t offset, std::span<const std::uint8_t> data);

  const Platform platform_;
  std::uint8_t handle_ = 0;  ///< only its address matters: OtaFileContext_t.pFile of the open file
  bool is_open_ = false;
  std::uint32_t slot_offset_ = 0;  ///< of the file opened last
  std::uint32_t file_size_ = 0;
  /// What the file closed last is as an image.
  boot::image::VerifyStatus image_status_ = boot::image::VerifyStatus::kNotOnRecord;
};

}  // namespace pal
