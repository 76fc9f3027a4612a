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

}  // namespace

flash::Status read_floor(flash::FlashDriver& flash, image::Kind kind, std::uint32_t& floor) {
  Bank bank{};
  const flash::Status status = flash.otp_read(bank_offset(kind), bank);
  if (status != flash::Status::kOk) return status;
  std::uint32_t cleared = 0;
  for (const std::uint8_t byte : bank) cleared += 8U - static_cast<std::uint32_t>(std::popcount(byte));
  floor = cleared;
  return flash::Status::kOk;
}

flash::Status burn_floor(flash::FlashDriver& flash, image::Kind kind, std::uint32_t counter) {
  if (counter > kMaxSecurityCounter) return flash::Status::kOutOfRange;
  Bank bank;
  bank.fill(0xFF);
  const std::uint32_t whole_bytes = counter / 8;
  std::fill_n(bank.begin(), whole_bytes, std::uint8_t{0});
  if (counter % 8 != 0) bank[whole_bytes] = static_cast<std::uint8_t>(0xFFU << (counter % 8));
  const std::uint32_t used = (counter + 7) / 8;
  for (std::uint32_t at = 0; at < used; at += flash::kPageSize) {
    const std::uint32_t length = std::min(used - at, flash::kPageSize);
    const flash::Status status =
        flash.otp_program(bank_offset(kind) + at, std::span(bank).subspan(at, length));
    if (status != flash::Status::kOk) return status;
  }
  return flash::Status::kOk;
}

}  // namespace boot
