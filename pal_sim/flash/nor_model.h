// The NOR model: what a flash part allows, remembers and loses. The one source of truth for flash behaviour,
// used by the QEMU plugin (through the controller's registers), by the native board and by tests.
//
// Order of use: format a window once (window.h), construct a model over it, then run operations. Everything
// the part knows is in the window - array, OTP bank, locks, operation count - so a copy of the window is a
// snapshot of the part, and whoever edits the window edits the part. Only wear is kept beside it.
//
// Operations are numbered from 1 in the order in which they are accepted; a refused operation has no number
// of its own. Reads and entropy are not operations.
//
// What can go wrong, on purpose: cut_power_at() stops one operation after a given number of bytes. From then
// on the part answers kNoDevice and changes nothing until power_on().
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pal_sim/flash/flash_driver.h"
#include "pal_sim/flash/window.h"

namespace flash {

/// The values are those of `controller::Command` and stand in the op log.
enum class OpKind : std::uint8_t {
  kProgram = controller::kProgram,
  kEraseSector = controller::kEraseSector,
  kOtpProgram = controller::kOtpProgram,
  kLock = controller::kLock,
  kOtpLock = controller::kOtpLock,
};

/// What was asked of the part. `length` counts for programs and locks; it is what the requester claims and is
/// checked before `data` is touched.
struct Request {
  OpKind kind;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::span<const std::uint8_t> data{};  ///< programs: `length` bytes; not needed if `length` is above a page
};

/// What became of it.
struct Operation {
  std::uint32_t sequence;  ///< its own number, or the last accepted one's if it was refused
  OpKind kind;
  std::uint32_t offset;
  std::uint32_t length;  ///< an erase's is the sector size
  std::uint32_t
      applied;  ///< bytes of cells changed: fewer than `length` at a power cut, 0 if refused or a lock
  std::span<const std::uint8_t> data;  ///< programs only; valid during the call
  Status status;                       ///< kNoDevice if power was cut in it: nobody is left to read a status
};

/// Receives every operation, refused ones too, after it took effect.
class OpObserver {
 public:
  virtual ~OpObserver() = default;
  virtual void on_operation(const Operation& operation) = 0;
};

struct CutPoint {
  std::uint32_t operation;  ///< sequence number of the operation in which power fails
  std::uint32_t bytes;      ///< bytes it still applies; at or above its length: all of them
};

class NorModel {
 public:
  /// @param window  kWindowSize bytes, formatted, outliving the model
  /// @param seed    determines entropy(), together with the number of calls the part has served
  explicit NorModel(Window window, std::uint64_t seed = 1);

  /// Runs one operation.
  /// @returns what FlashDriver's functions return for it; kNoDevice while power is cut
  [[nodiscard]] Status execute(const Request& request);

  // The same, one function per kind. The contracts are FlashDriver's.
  [[nodiscard]] Status program(std::uint32_t offset, std::span<const std::uint8_t> data);
  [[nodiscard]] Status erase_sector(std::uint32_t offset);
  [[nodiscard]] Status lock(std::uint32_t offset, std::uint32_t length);
  [[nodiscard]] Status otp_program(std::uint32_t offset, std::span<const std::uint8_t> data);
  [[nodiscard]] Status otp_lock();

  [[nodiscard]] Status read(std::uint32_t offset, std::span<std::uint8_t> out) const;
  [[nodiscard]] Status otp_read(std::uint32_t offset, std::span<std::uint8_t> out) const;
  [[nodiscard]] Status entropy(std::span<std::uint8_t> out);

  /// Plans the next power cut; replaces an earlier plan. An operation number that has passed never strikes.
  void cut_power_at(CutPoint point) { cut_ = point; }
  void cut_power_now() { powered_ = false; }
  /// Restores power, drops the plan, clears what is volatile.
  void power_on();
  /// The part's reset line: clears what is volatile. A planned cut stays planned.
  void reset();
  [[nodiscard]] bool powered() const { return powered_; }

  /// Operations accepted since the part was made; the next one's number is one more.
  [[nodiscard]] std::uint32_t sequence() const;
  /// Erases of the sector that contains `offset` (inside the array) since this model was constructed, torn
  /// ones included.
  [[nodiscard]] std::uint32_t erase_count(std::uint32_t offset) const;

  /// @param observer  null for none; must outlive the model or be taken away
  void set_observer(OpObserver* observer) { observer_ = observer; }

  [[nodiscard]] Window window() const { return window_; }

 private:
  [[nodiscard]] Status check(const Request& request) const;
  [[nodiscard]] Status check_program(const Request& request) const;
  [[nodiscard]] Status check_erase(const Request& request) const;
  [[nodiscard]] Status check_lock(const Request& request) const;
  [[nodiscard]] Status check_otp_program(const Request& request) const;
  [[nodiscard]] bool is_locked(std::uint32_t offset, std::uint32_t length) const;
  [[nodiscard]] std::uint32_t lock_count() const;
  [[nodiscard]] std::uint32_t accept();
  void apply(const Request& request, std::uint32_t bytes);
  void clear_bits(std::uint32_t window_offset, std::span<const std::uint8_t> data);
  void add_lock(std::uint32_t offset, std::uint32_t length);
  void observe(const Request& request, std::uint32_t sequence, std::uint32_t applied, Status status);

  Window window_;
  std::uint64_t seed_;
  bool powered_ = true;
  std::optional<CutPoint> cut_;
  OpObserver* observer_ = nullptr;
  std::vector<std::uint32_t> erase_counts_;
};

}  // namespace flash
