// The native board's flash: the driver interface directly over the NOR model, in memory.
//
// For tests and sweeps of device code on the host. It starts blank, is any part of flash_map.h, and behaves
// as the boards' driver and controller do together. Tests reach the part itself through model(), for example
// to cut power at a byte; after a cut every call returns Status::kNoDevice until model().power_on().
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pal_sim/flash/flash_driver.h"
#include "pal_sim/flash/nor_model.h"

namespace native {

class NativeFlash : public flash::FlashDriver {
 public:
  explicit NativeFlash(std::uint64_t seed = 1, const flash::Geometry& part = flash::kControllerPart);

  // The model refers to the window, so a copy would act on the original's flash.
  NativeFlash(const NativeFlash&) = delete;
  NativeFlash& operator=(const NativeFlash&) = delete;

  [[nodiscard]] flash::NorModel& model() { return model_; }
  /// The whole part, 16 MiB; a copy of it is a snapshot, writing it back restores it.
  [[nodiscard]] std::span<std::uint8_t> window() { return window_; }

  [[nodiscard]] flash::Geometry geometry() const override { return model_.geometry(); }
  [[nodiscard]] flash::Status read(std::uint32_t offset, std::span<std::uint8_t> out) override;
  [[nodiscard]] flash::Status program(std::uint32_t offset, std::span<const std::uint8_t> data) override;
  [[nodiscard]] flash::Status erase_sector(std::uint32_t offset) override;
  [[nodiscard]] flash::Status erase_block(std::uint32_t offset) override;
  [[nodiscard]] flash::Status lock(std::uint32_t offset, std::uint32_t length) override;
  [[nodiscard]] flash::Status otp_read(std::uint32_t offset, std::span<std::uint8_t> out) override;
  [[nodiscard]] flash::Status otp_program(std::uint32_t offset, std::span<const std::uint8_t> data) override;
  [[nodiscard]] flash::Status otp_lock() override;
  [[nodiscard]] flash::Status entropy(std::span<std::uint8_t> out) override;

 private:
  std::vector<std::uint8_t> window_;
  flash::NorModel model_;
};

}  // namespace native
