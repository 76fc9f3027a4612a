// Flash driver: the SPI NOR chip s25sl12801 (S25FL128, 16 MiB, uniform 64 KiB sectors) on a bus.
//
// What the chip lacks (flash::kSpiNorPart): locks; fuses, for which the bank stands in the last sector, that
// this driver never erases; and an entropy source, for which there is a seed in flash (nv_seed.h).
//
// The chip's identity is checked once, before anything else; another chip is no device. Every write waits for
// the chip to be ready again, a bounded time.
#pragma once

#include "pal_sim/entropy/nv_seed.h"
#include "pal_sim/flash/flash_driver.h"
#include "qemu_boards/emcraft_sf2/spi_bus.h"

namespace emcraft_sf2 {

class SpiNorFlash final : public flash::FlashDriver {
 public:
  /// @param bus          where the chip is; outlives the driver
  /// @param seed_secret  see entropy::NvSeed
  SpiNorFlash(SpiBus& bus, std::span<const std::uint8_t> seed_secret)
      : bus_(bus), seed_(*this, seed_secret) {}
  SpiNorFlash(const SpiNorFlash&) = delete;
  SpiNorFlash& operator=(const SpiNorFlash&) = delete;

  [[nodiscard]] flash::Geometry geometry() const override;
  [[nodiscard]] flash::Status read(std::uint32_t offset, std::span<std::uint8_t> out) override;
  [[nodiscard]] flash::Status program(std::uint32_t offset, std::span<const std::uint8_t> data) override;
  [[nodiscard]] flash::Status erase_sector(std::uint32_t offset) override;
  [[nodiscard]] flash::Status lock(std::uint32_t offset, std::uint32_t length) override;
  [[nodiscard]] flash::Status otp_read(std::uint32_t offset, std::span<std::uint8_t> out) override;
  [[nodiscard]] flash::Status otp_program(std::uint32_t offset, std::span<const std::uint8_t> data) override;
  [[nodiscard]] flash::Status otp_lock() override;
  [[nodiscard]] flash::Status entropy(std::span<std::uint8_t> out) override;

 private:
  [[nodiscard]] bool is_present();
  [[nodiscard]] bool read_status(std::uint8_t& status);
  [[nodiscard]] bool wait_until_ready();
  [[nodiscard]] flash::Status read_cells(std::uint32_t address, std::span<std::uint8_t> out);
  [[nodiscard]] flash::Status program_page(std::uint32_t address, std::span<const std::uint8_t> data);
  [[nodiscard]] flash::Status change(std::uint8_t command, std::uint32_t address,
                                     std::span<const std::uint8_t> data, flash::Status failure);

  SpiBus& bus_;
  entropy::NvSeed seed_;
  bool is_identified_ = false;
};

}  // namespace emcraft_sf2
