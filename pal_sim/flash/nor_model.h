// The NOR model: what a flash part allows, remembers and loses. The one source of truth for flash behaviour,
// used by the QEMU plugin (through the controller's registers), by the native board and by tests.
//
// Order of use: format a window once (window.h), construct a model over it, then run operations. Everything
// software can read of the part is in the window - array, OTP bank, locks, operation count - so whoever edits
// the window edits the part. What its cells are like is kept beside it (cell_state.h): a snapshot is a copy
// of the window and, where wear or marginal bits matter, of cell_state().
//
// The part decides about sectors, locks, fuses and the entropy source (Geometry). Nothing erases its bank: a
// chip without fuses would, but no driver asks for it, and whoever serves such a chip must not pass it on.
//
// Operations are numbered from 1 in the order in which they are accepted; a refused operation has no number
// of its own. Reads and entropy are not operations.
//
// Whose an operation is (OpSource), a part with locks sees by itself: the bootloader locks the OTP bank last
// of all, before it hands over. Another one is told by set_running(), or does not know.
//
// What can go wrong, on purpose:
// - cut_power_at() stops one operation after a given number of bytes and may leave further ones marginal:
//   those read differently from one power-on to the next. From then on the part answers kNoDevice and changes
//   nothing until power_on().
// - plan_failure() makes programs, burns or erases fail, with or without saying so.
// - set_fault_source() asks somebody else, operation by operation, for a cut or a failure.
// - set_endurance() wears sectors out: erases beyond it fail, and then programs too.
// - weaken() and stick() damage single cells; bit rot that stays is an edit of the window.
// Only the last of these touches what was changed before the struck operation, or elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "pal_sim/flash/cell_state.h"
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

/// Whose an operation was. The values stand in the op log.
enum class OpSource : std::uint8_t {
  kUnknown = 0,
  kBoot = 1,         ///< the bootloader's: before it hands over, and all locks
  kAgent = 2,        ///< after that, in a slot or in boot control
  kApplication = 3,  ///< after that, anywhere else
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
  std::uint32_t length;   ///< an erase's is the sector size
  std::uint32_t applied;  ///< bytes of cells firmly changed: fewer than `length` if power was cut in it or it
                          ///< failed, 0 if it was refused or is a lock
  std::span<const std::uint8_t> data;  ///< programs only; valid during the call
  Status status;                       ///< kNoDevice if power was cut in it: nobody is left to read a status
  OpSource source = OpSource::kUnknown;
  std::uint64_t time_us = 0;  ///< since the Unix epoch; 0: unknown, which is all that the model says
};

/// Receives every operation, refused ones too, after it took effect.
class OpObserver {
 public:
  virtual ~OpObserver() = default;
  virtual void on_operation(const Operation& operation) = 0;
};

/// Power fails in one operation: before it (0 bytes), inside it, or after it (all bytes).
struct CutPoint {
  std::uint32_t operation;           ///< its sequence number
  std::uint32_t bytes;               ///< bytes it still applies; at or above its length: all of them
  std::uint32_t marginal_bytes = 0;  ///< bytes after those in which each cell that was to change is marginal
};

/// Operations that fail. Those that match everything given here do; locks never, they change no cells.
struct PlannedFailure {
  std::optional<std::uint32_t> operation = {};  ///< the one with this sequence number
  std::optional<OpKind> kind = {};              ///< those of this kind
  std::uint32_t begin = 0;                      ///< those that touch [begin, end) of the window; the OTP
  std::uint32_t end = kWindowSize;              ///< bank's cells begin at kOtpOffset
  std::uint32_t bytes = 0;                      ///< bytes each still applies
  std::uint32_t marginal_bytes = 0;             ///< as in CutPoint
  bool is_silent = false;                       ///< report kOk instead of kProgramFailed or kEraseFailed
};

/// What becomes of a struck operation.
struct OperationFault {
  enum class Kind : std::uint8_t { kPowerCut, kFailure, kSilentFailure };
  Kind kind = Kind::kFailure;
  std::uint32_t bytes = 0;           ///< as in CutPoint
  std::uint32_t marginal_bytes = 0;  ///< as in CutPoint
};

/// Decides which operations are struck while they come: for faults that are armed and cleared at run time.
class FaultSource {
 public:
  virtual ~FaultSource() = default;
  /// Asked once for each accepted operation, in order, before it takes effect.
  virtual std::optional<OperationFault> fault_of(const Request& request, std::uint32_t sequence) = 0;
};

/// Where in the window the cells stand that an accepted request changes, and how many bytes; none for locks.
[[nodiscard]] std::uint32_t first_cell(const Request& request);
[[nodiscard]] std::uint32_t cell_bytes(const Request& request, const Geometry& part);

class NorModel {
 public:
  /// @param window  kWindowSize bytes, formatted, outliving the model
  /// @param seed    determines entropy(), together with the number of calls the part has served, and what
  ///                marginal bits read, together with the number of power-ons
  /// @param part    what the window was formatted as; one of kParts
  explicit NorModel(Window window, std::uint64_t seed = 1, const Geometry& part = kControllerPart);

  [[nodiscard]] const Geometry& geometry() const { return part_; }
  /// Another seed from here on.
  void set_seed(std::uint64_t seed) { seed_ = seed; }

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
  /// Restores power, drops the planned cut, clears what is volatile, and draws what marginal bits read from
  /// here to the next call.
  void power_on();
  /// The part's reset line: clears what is volatile. A planned cut stays planned, marginal bits read as
  /// before.
  void reset();
  [[nodiscard]] bool powered() const { return powered_; }

  /// Adds a failure; it holds until forget_failures(), power cuts or not. Of several that match an operation
  /// the first counts. A power cut in the same operation comes before any of them.
  void plan_failure(const PlannedFailure& failure) { failures_.push_back(failure); }
  void forget_failures() { failures_.clear(); }

  /// Asked after everything planned here; a planned cut or failure of the same operation comes first.
  /// @param source  null for none; must outlive the model or be taken away
  void set_fault_source(FaultSource* source) { fault_source_ = source; }

  /// How many erases a sector stands; nothing (the default) is without end. Any later erase of it fails and
  /// changes nothing, and once one has, its programs do so too. What it holds still reads.
  void set_endurance(std::optional<std::uint32_t> erases) { endurance_ = erases; }

  /// Cells that lost charge at rest: bits of a byte of the array or the OTP bank become marginal.
  void weaken(std::uint32_t window_offset, std::uint8_t bits);
  /// Breaks cells: bits of a byte of the array or the OTP bank read `values` from now on, whatever is done to
  /// them. The part does not notice: programs and erases report kOk.
  void stick(std::uint32_t window_offset, StuckBits stuck);

  /// Wear, marginal and stuck bits, power-ons. Goes with a copy of the window.
  [[nodiscard]] const CellState& cell_state() const { return cells_; }
  /// For a part without locks: kBoot while the bootloader runs, kApplication while anything else does,
  /// kUnknown (the default) if nobody can tell. A part with locks does not listen.
  void set_running(OpSource program) { running_ = program; }

  /// Puts them back; CellState{} is that of a new part. Whoever rewrites the window does this too, or the
  /// bits that were marginal go on changing.
  void set_cell_state(CellState state) { cells_ = std::move(state); }

  /// Operations accepted since the part was made; the next one's number is one more.
  [[nodiscard]] std::uint32_t sequence() const;
  /// Erases of the sector that contains `offset` (inside the array) since this model was constructed, torn
  /// and failed ones included.
  [[nodiscard]] std::uint32_t erase_count(std::uint32_t offset) const;

  /// @param observer  null for none; must outlive the model or be taken away
  void set_observer(OpObserver* observer) { observer_ = observer; }

  [[nodiscard]] Window window() const { return window_; }

 private:
  /// What becomes of an accepted operation.
  struct Outcome {
    std::uint32_t bytes;           ///< firmly applied
    std::uint32_t marginal_bytes;  ///< after those
    Status status;
  };

  /// What became of a request, and whose it was.
  struct Observed {
    std::uint32_t sequence;
    std::uint32_t applied;
    Status status;
    OpSource source;
  };

  [[nodiscard]] Status check(const Request& request) const;
  [[nodiscard]] Status check_program(const Request& request) const;
  [[nodiscard]] Status check_erase(const Request& request) const;
  [[nodiscard]] Status check_lock(const Request& request) const;
  [[nodiscard]] Status check_otp_program(const Request& request) const;
  [[nodiscard]] bool is_locked(std::uint32_t offset, std::uint32_t length) const;
  [[nodiscard]] std::uint32_t lock_count() const;
  [[nodiscard]] std::uint32_t accept();
  [[nodiscard]] Outcome outcome_of(const Request& request, std::uint32_t number) const;
  [[nodiscard]] Outcome planned_outcome(const Request& request, std::uint32_t number) const;
  [[nodiscard]] const PlannedFailure* planned_failure(const Request& request, std::uint32_t number) const;
  [[nodiscard]] bool is_worn_out(const Request& request) const;
  void apply(const Request& request, const Outcome& outcome);
  void apply_program(std::uint32_t window_offset, std::span<const std::uint8_t> data, const Outcome& outcome);
  void apply_erase(std::uint32_t offset, const Outcome& outcome);
  void add_lock(std::uint32_t offset, std::uint32_t length);
  /// To be asked before the operation takes effect.
  [[nodiscard]] OpSource source_of(const Request& request) const;
  void observe(const Request& request, const Observed& observed);

  Window window_;
  std::uint64_t seed_;
  Geometry part_;
  bool powered_ = true;
  OpSource running_ = OpSource::kUnknown;
  std::optional<CutPoint> cut_;
  std::vector<PlannedFailure> failures_;
  std::optional<std::uint32_t> endurance_;
  FaultSource* fault_source_ = nullptr;
  CellState cells_;
  OpObserver* observer_ = nullptr;
};

}  // namespace flash
