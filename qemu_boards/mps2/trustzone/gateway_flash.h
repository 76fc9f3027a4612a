// The board's flash part as the application sees it: the secure world reads and changes for it what it may
// read and change. Everything else is Status::kProtected.
#pragma once

#include "pal_sim/flash/flash_driver.h"

namespace mps2 {

class GatewayFlash final : public flash::FlashDriver {
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
};

}  // namespace mps2
