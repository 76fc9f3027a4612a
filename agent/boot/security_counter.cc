#include "agent/boot/security_counter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>

namespace boot {
namespace {

using Bank = std::array<std::uint8_t, kFloorBankSize>;

std::uint32_t bank_offset(image::Kind kind) {
  return kind == image::Kind::kRecovery ? kFloorBankSize : 0;
}

/// One step's four bits.
bool counts(unsigned bits) {
  return std::popcount(bits) <= 1;
}

}  // namespace

flash::Status read_floor(flash::FlashDriver& flash, image::Kind kind, std::uint32_t& floor) {
  Bank bank{};
  const flash::Status status = flash.otp_read(bank_offset(kind), bank);
  if (status != flash::Status::kOk) return status;
  floor = 0;
  for (const std::uint8_t byte : bank) {
    floor += counts(byte & 0x0FU) ? 1U : 0U;
    floor += counts(byte >> 4U) ? 1U : 0U;
  }
  return flash::Status::kOk;
}

flash::Status burn_floor(flash::FlashDriver& flash, image::Kind kind, std::uint32_t counter) {
  if (counter > kMaxSecurityCounter) return flash::Status::kOutOfRange;
  Bank bank;
  bank.fill(0xFF);
  std::fill_n(bank.begin(), counter / 2, std::uint8_t{0});
  if (counter % 2 != 0) bank[counter / 2] = 0xF0;
  const std::uint32_t used = (counter + 1) / 2;
  for (std::uint32_t at = 0; at < used; at += flash::kPageSize) {
    const std::uint32_t length = std::min(used - at, flash::kPageSize);
    const flash::Status status =
        flash.otp_program(bank_offset(kind) + at, std::span(bank).subspan(at, length));
    if (status != flash::Status::kOk) return status;
  }
  return flash::Status::kOk;
}

}  // namespace boot
