// The platform abstraction layer over a flash driver and boot control, as an object.
//
// Order of use: start() once, then the functions of ota_platform_interface.h, whose contracts hold here. A
// file is received into the application slot that is not committed:
//
//   create_file   records "receiving", erases what the file needs      write_block   programs
//   close_file    verifies the signature over what stands in flash; an image is then recorded as "verified"
//   activate      resets; the bootloader tries a verified image        set_image_state(Accepted)   in that
//   image
//
// Only the staged or trial image is ever touched. The committed one is changed by the bootloader alone, which
// carries out what is recorded here. A power cut at any byte leaves the committed image bootable.
//
// What can go wrong is an OtaPalMainStatus_t. The 24 bits below it are a flash::Status, or for ActivateFailed
// a boot::image::VerifyStatus that says why the received file cannot be started.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/boot/boot_control.h"
#include "agent/boot/boot_info.h"
#include "agent/boot/image.h"
#include "agent/include/ota_platform_interface.h"
#include "pal_sim/flash/flash_driver.h"
#include "pal_sim/provisioning/provisioning.h"

namespace pal {

/// Restarts the device. On a board it does not return.
struct Reset {
  void (*function)(void* context) = nullptr;
  void* context = nullptr;
};

class Pal {
 public:
  /// All of them must outlive this object. `boot_info` is what the bootloader handed over.
  Pal(flash::FlashDriver& flash, const provisioning::Settings& settings, const boot::BootInfo& boot_info,
      Reset reset)
      : flash_(flash), settings_(settings), boot_info_(boot_info), reset_(reset), boot_control_(flash) {}
  Pal(const Pal&) = delete;
  Pal& operator=(const Pal&) = delete;

  /// Reads boot control. @returns kOk, or what FlashDriver::read returns; nothing else may be called then.
  [[nodiscard]] flash::Status start() { return boot_control_.load(); }

  OtaPalStatus_t abort(OtaFileContext_t* file);
  [[nodiscard]] OtaPalStatus_t create_file(OtaFileContext_t* file);
  [[nodiscard]] OtaPalStatus_t close_file(OtaFileContext_t* file);
  [[nodiscard]] std::int16_t write_block(OtaFileContext_t* file, std::uint32_t offset,
                                         std::span<const std::uint8_t> data);
  [[nodiscard]] OtaPalStatus_t activate();
  OtaPalStatus_t reset();
  [[nodiscard]] OtaPalStatus_t set_image_state(OtaFileContext_t* file, OtaImageState_t state);
  [[nodiscard]] OtaPalImageState_t image_state() const;

  [[nodiscard]] OtaPalStatus_t check_signature(const OtaFileContext_t& file);
  /// The provisioned certificate of that name, empty if there is none.
  [[nodiscard]] std::span<const std::uint8_t> certificate(std::string_view name) const {
    return settings_.code_signer(name);
  }

  /// Whether the running image was accepted, and was brought by this job.
  [[nodiscard]] bool is_committed_job(std::string_view job_id) const;

 private:
  [[nodiscard]] bool is_open(const OtaFileContext_t* file) const { return file->pFile == &handle_; }
  [[nodiscard]] bool is_running_accepted() const;
  [[nodiscard]] OtaPalStatus_t open(boot::Slot slot, const OtaFileContext_t& file);
  [[nodiscard]] OtaPalStatus_t stage(const OtaFileContext_t& file);
  [[nodiscard]] OtaPalStatus_t accept();
  [[nodiscard]] OtaPalStatus_t reject(OtaPalMainStatus_t failure);
  [[nodiscard]] flash::Status hash_file(std::uint32_t size, crypto::Sha256Digest& digest);

  flash::FlashDriver& flash_;
  const provisioning::Settings& settings_;
  const boot::BootInfo& boot_info_;
  Reset reset_;
  boot::BootControl boot_control_;
  std::uint8_t handle_ = 0;  ///< only its address matters: OtaFileContext_t.pFile of the open file
  std::uint32_t slot_offset_ = 0;
  std::uint32_t file_size_ = 0;
};

}  // namespace pal
