// A flash driver whose operations fail when told to: the part below it is the device's own.
//
// Each fault strikes one operation of a kind, counted from the moment it is planned, or every one that
// touches a range.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "pal_sim/flash/flash_driver.h"
#include "pal_sim/flash/flash_map.h"

namespace pal_test {

enum class Fault {
  kProgramFails,   ///< half of the page is written, and the part says so
  kProgramIsLost,  ///< nothing is written, and the part says all is well
  kEraseFails,     ///< nothing is erased, and the part says so
  kEraseIsLost,    ///< nothing is erased, and the part says all is well
  kReadFails,      ///< nothing is read, and the part says so
  kOtpReadFails,
};

class FaultyFlash : public flash::FlashDriver {
 public:
  explicit FaultyFlash(flash::FlashDriver& part) : part_(part) {}

  /// Strikes operation number `nth` (from 1) of the kind, and no other.
  void plan(Fault fault, std::uint32_t nth) { start({fault, nth, nth, {0, flash::kControllerPart.size}}); }
  /// Strikes every operation of the kind in `where`: a worn sector.
  void wear(Fault fault, std::uint32_t offset, std::uint32_t size) {
    start({fault, 1, std::numeric_limits<std::uint32_t>::max(), {offset, size}});
  }
  void heal() { plan_.reset(); }
  /// Whether what was planned last has happened.
  [[nodiscard]] bool has_struck() const { return has_struck_; }

  [[nodiscard]] flash::Geometry geometry() const override { return part_.geometry(); }

  [[nodiscard]] flash::Status read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    if (strikes(Fault::kReadFails, offset)) return flash::Status::kNoDevice;
    return part_.read(offset, out);
  }

  [[nodiscard]] flash::Status program(std::uint32_t offset, std::span<const std::uint8_t> data) override {
    if (strikes(Fault::kProgramFails, offset)) {
      static_cast<void>(part_.program(offset, data.first(data.size() / 2)));
      return flash::Status::kProgramFailed;
    }
    if (strikes(Fault::kProgramIsLost, offset)) return flash::Status::kOk;
    return part_.program(offset, data);
  }

  [[nodiscard]] flash::Status erase_sector(std::uint32_t offset) override {
    if (strikes(Fault::kEraseFails, offset)) return flash::Status::kEraseFailed;
    if (strikes(Fault::kEraseIsLost, offset)) return flash::Status::kOk;
    return part_.erase_sector(offset);
  }

  [[nodiscard]] flash::Status lock(std::uint32_t offset, std::uint32_t length) override {
    return part_.lock(offset, length);
  }
  [[nodiscard]] flash::Status otp_read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    if (strikes(Fault::kOtpReadFails, offset)) return flash::Status::kNoDevice;
    return part_.otp_read(offset, out);
  }
  [[nodiscard]] flash::Status otp_program(std::uint32_t offset, std::span<const std::uint8_t> data) override {
    return part_.otp_program(offset, data);
  }
  [[nodiscard]] flash::Status otp_lock() override { return part_.otp_lock(); }
  [[nodiscard]] flash::Status entropy(std::span<std::uint8_t> out) override { return part_.entropy(out); }

 private:
  struct Range {
    std::uint32_t offset;
    std::uint32_t size;
  };
  struct Plan {
    Fault fault;
    std::uint32_t first;  ///< operations still to come until it strikes, 1: the next one
    std::uint32_t last;
    Range where;
  };

  void start(const Plan& plan) {
    plan_ = plan;
    has_struck_ = false;
  }

  bool strikes(Fault fault, std::uint32_t offset) {
    if (!plan_ || plan_->fault != fault) return false;
    if (offset < plan_->where.offset || offset - plan_->where.offset >= plan_->where.size) return false;
    const bool is_now = plan_->first <= 1 && plan_->last >= 1;
    plan_->first -= plan_->first > 0 ? 1 : 0;
    plan_->last -= plan_->last > 0 ? 1 : 0;
    has_struck_ = has_struck_ || is_now;
    return is_now;
  }

  flash::FlashDriver& part_;
  std::optional<Plan> plan_;
  bool has_struck_ = false;
};

}  // namespace pal_test
