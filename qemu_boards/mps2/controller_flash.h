// The board's flash part behind its controller; see controller_registers.h for the programming model.
#pragma once

#include "pal_sim/flash/controller_registers.h"
#include "pal_sim/flash/flash_driver.h"

namespace mps2 {

class ControllerFlash final : public flash::FlashDriver {
 public:
  [[nodiscard]] flash::Geometry geometry() const override;
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
  [[nodiscard]] bool is_present();
  [[nodiscard]] flash::Status prepare();
  [[nodiscard]] flash::Status run_with_data(flash::controller::Command command, std::uint32_t offset,
                                            std::span<const std::uint8_t> data);
  [[nodiscard]] flash::Status run_on_range(flash::controller::Command command, std::uint32_t offset,
                                           std::uint32_t length);

  bool is_identified_ = false;
};

}  // namespace mps2
