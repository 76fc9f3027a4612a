// The fault file: what host and flash plugin tell each other while a device runs, and what the part's cells
// are like. One small file per device, beside its flash file, mapped by both; no guest can see it.
//
// Host: prepare() once per device; arm() and clear() at any time; take_reports() when woken; release() and
// thaw() at a reset. Plugin: open() at its start, read_plan() at each operation (one load unless it has
// changed), report() for each strike, and load_cells()/store_cells().
//
// What stays from one process to the next: wear, marginal bits and the number of power-ons, because they
// belong to the part; and how many operations each armed fault has seen, so that "the fifth operation" counts
// through a power cycle. What does not: faults that were armed when the simulator ended. prepare() forgets
// them.
//
// A machine that is only booted, again and again in one process (sim/sweep), is told by the same file:
// serve_boots_only() once; then for each boot, while the machine stands still, store_cells() with the
// marginal bits drawn in the window, and power_on().
//
// Either side may be killed at any instruction. A plan that was being written is then never taken; cells are
// written beside the ones in force and switched by one store.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pal_sim/flash/cell_state.h"
#include "pal_sim/flash/flash_map.h"
#include "pal_sim/flash/nor_model.h"
#include "sim/base/result.h"
#include "sim/base/strike.h"

namespace otasim::flash_file {

/// What a fault does to the operations it strikes.
enum class FaultAction : std::uint32_t {
  kNone = 0,  ///< no fault here
  kPowerCut,
  kFailure,      ///< the operation fails and says so
  kSilentDrop,   ///< it fails and reports success
  kWorn,         ///< erases beyond `endurance` fail, then programs too
  kStuck,        ///< cells read `values` whatever is done
  kBusy,         ///< commands take time
  kStrict,       ///< stores that are no commands are taken back
  kReadDisturb,  ///< each `reads`-th read of a sector changes bits in it
};

/// The bit of a kind in PlannedFault::kinds.
[[nodiscard]] constexpr std::uint32_t kind_bit(flash::OpKind kind) {
  return 1U << static_cast<unsigned>(kind);
}
inline constexpr std::uint32_t kCellKinds =
    kind_bit(flash::OpKind::kProgram) | kind_bit(flash::OpKind::kEraseSector) |
    kind_bit(flash::OpKind::kEraseBlock) | kind_bit(flash::OpKind::kOtpProgram);
inline constexpr std::uint32_t kAllKinds =
    kCellKinds | kind_bit(flash::OpKind::kLock) | kind_bit(flash::OpKind::kOtpLock);

/// One armed fault, as it stands in the file.
struct PlannedFault {
  std::uint32_t id = 0;  ///< from 1; never used again
  FaultAction action = FaultAction::kNone;
  std::uint32_t kinds = kAllKinds;  ///< which operations count
  std::uint32_t begin = 0;          ///< those that touch [begin, end) of the window; the whole window means
  std::uint32_t end = flash::kWindowSize;  ///< any, locks and empty programs included
  std::uint32_t bytes = 0;                 ///< bytes a struck operation still applies
  std::uint32_t marginal_bytes = 0;        ///< bytes after those whose cells become marginal
  std::uint32_t endurance = 0;             ///< kWorn
  std::uint32_t stuck_bits = 0;            ///< kStuck: of the byte at `begin`
  std::uint32_t stuck_values = 0;
  std::uint32_t program_instructions = 0;  ///< kBusy
  std::uint32_t erase_instructions = 0;
  std::uint32_t reads = 0;           ///< kReadDisturb
  std::uint32_t disturbed_bits = 0;  ///< at a time
  std::uint32_t is_lost = 0;         ///< 1: they have their other value; 0: they become marginal
  double fraction = -1.0;    ///< of a struck operation's cells that it applies; below 0: `bytes` counts
  double random_bits = 0.0;  ///< flash::TornCells
  std::uint64_t after = 0;   ///< StrikePlan's members
  std::uint64_t times = StrikePlan::kAlways;
  double probability = 1.0;
  std::uint64_t seed = 1;

  bool operator==(const PlannedFault&) const = default;
};

/// What was struck.
enum class StrikeCause : std::uint32_t { kOperation = 0, kInstruction, kStore, kRead };

/// One strike.
struct StrikeReport {
  std::uint32_t fault = 0;  ///< its id
  StrikeCause cause = StrikeCause::kOperation;
  std::uint32_t operation = 0;  ///< the struck operation's number; 0 if it was none
  std::uint32_t kind = 0;       ///< flash::OpKind
  std::uint32_t offset = 0;     ///< as in flash::Operation, and so on
  std::uint32_t length = 0;
  std::uint32_t applied = 0;
  std::uint32_t marginal_bytes = 0;
  std::uint32_t random_bytes = 0;  ///< bytes after `applied` in which a random share of the bits was changed
  std::uint32_t status = 0;        ///< flash::Status; kNoDevice for a power cut
  std::uint32_t pc = 0;            ///< of a store's instruction
  std::uint32_t bits = 0;          ///< changed by a read
  std::uint64_t instruction = 0;   ///< since power-on; 0 if it was an operation
};

inline constexpr std::size_t kMaxFaults = 32;
/// Bytes with marginal bits that are kept: two of the largest erases torn from end to end.
inline constexpr std::size_t kMaxMarginalBytes = 2 * flash::kLargestErase;
/// Strikes that the host has not taken yet are fewer than this; the oldest of more are lost, and counted.
inline constexpr std::size_t kMaxReports = 256;

/// All that is armed.
struct FaultPlan {
  std::array<PlannedFault, kMaxFaults> faults{};
  std::array<std::uint64_t, kMaxFaults>
      seen{};                              ///< id of a fault (upper half), operations it was asked about
  std::uint32_t reset_fault = 0;           ///< id; 0: no reset is planned
  std::uint64_t reset_at_instruction = 0;  ///< from 1

  /// How many operations the fault at `index` has been asked about. What the plugin counted for another one
  /// that stood there, and was cleared meanwhile, is not its own.
  [[nodiscard]] std::uint32_t seen_by(std::size_t index) const {
    return seen[index] >> 32 == faults[index].id ? static_cast<std::uint32_t>(seen[index]) : 0;
  }
};

struct FaultFileLayout;

/// Bytes of a fault file.
[[nodiscard]] std::size_t fault_file_size();

class FaultFile {
 public:
  /// Host: opens the file, or makes it, and forgets what was armed. One whose maker was killed is made anew.
  /// @returns kEnvironment if it cannot be used, or is some other file
  [[nodiscard]] static Result<FaultFile> prepare(const std::string& path);
  /// Plugin: opens what the host has prepared.
  [[nodiscard]] static Result<FaultFile> open(const std::string& path);

  FaultFile(FaultFile&& other) noexcept;
  FaultFile& operator=(FaultFile&& other) noexcept;
  ~FaultFile();

  [[nodiscard]] const std::string& path() const { return path_; }

  // Host.

  /// Arms a fault in effect for the next operation. @returns false if kMaxFaults are armed
  [[nodiscard]] bool arm(const PlannedFault& fault);
  /// Plans one reset in the processes to come, at the nth instruction since power-on; id 0 takes it back.
  void arm_reset(std::uint32_t id, std::uint64_t instruction);
  /// Does nothing for an id that is not armed.
  void clear(std::uint32_t id);
  /// What has struck since the last call, oldest first. `lost` counts reports that were overwritten.
  [[nodiscard]] std::vector<StrikeReport> take_reports(std::uint64_t& lost);
  /// Lets a processor go on that hold() stopped.
  void release();
  /// Ends freezes: the machine has stopped and is being reset.
  void thaw();

  /// Until prepare(): operations of whoever the bootloader hands over to are discarded, and a power cut
  /// freezes flash without stopping the process. The host is woken when the application
  /// starts, or else when the processor comes to rest. To be called before the process starts.
  void serve_boots_only();
  /// The machine is about to start anew in the process that runs: the part becomes a new process's, with the
  /// cells kept here and this seed. Whoever calls it has drawn what marginal bits read.
  void power_on(std::uint64_t seed);
  /// Tells a part without locks, which cannot see it, whether the bootloader has handed over.
  void set_handed_over(bool is_over);

  // Plugin.

  [[nodiscard]] bool serves_boots_only() const;
  /// How many times power_on() was called, and the last call's seed.
  [[nodiscard]] std::uint32_t power_ons() const;
  [[nodiscard]] std::uint64_t power_on_seed() const;
  [[nodiscard]] bool is_handed_over() const;

  /// Whether the plan differs from the one that `sequence` stands for. A plan that is being written does not
  /// yet.
  [[nodiscard]] bool plan_changed(std::uint32_t sequence) const;
  /// @returns nothing if the host is writing it; `sequence` then stays
  [[nodiscard]] std::optional<FaultPlan> read_plan(std::uint32_t& sequence) const;
  void count_seen(std::size_t index, std::uint32_t fault, std::uint32_t seen);
  void report(const StrikeReport& report);
  [[nodiscard]] std::uint32_t releases() const;
  /// Waits until release() was called more than `releases` times, or for some seconds if nobody does.
  void hold(std::uint32_t releases) const;
  [[nodiscard]] std::uint32_t thaws() const;

  // Plugin; host while the device is off.

  [[nodiscard]] flash::CellState load_cells() const;
  /// Stores everything but stuck bits, which are armed faults. @returns false if there are more marginal
  /// bytes than fit: those at the highest offsets are left out
  bool store_cells(const flash::CellState& cells);
  /// The one thing that ordinary operation changes.
  void store_erase_count(std::uint32_t sector, std::uint32_t count);
  /// Reads of a sector since its last erase, while somebody counts them. @returns how many it is with this
  /// one
  std::uint32_t count_read(std::uint32_t sector);
  void forget_reads(std::uint32_t sector);

 private:
  FaultFile(std::string path, FaultFileLayout* layout) : path_(std::move(path)), layout_(layout) {}
  [[nodiscard]] static Result<FaultFile> map(const std::string& path, int descriptor);
  [[nodiscard]] bool is_usable() const;
  template <typename Change>
  void change_plan(Change change);

  std::string path_;
  FaultFileLayout* layout_ = nullptr;
  std::uint64_t taken_ = 0;
};

}  // namespace otasim::flash_file
