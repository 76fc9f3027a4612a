#include "sim/flash/fault_file.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <type_traits>
#include <utility>

#include "sim/base/unique_fd.h"

namespace otasim::flash_file {
namespace {

constexpr std::uint32_t kMagic = 0x4C46'544F;  // "OTFL" in the file
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kSectors = flash::kMaxSectors;
/// A host that does not pull the reset line it was asked for must not stop the processor for good.
constexpr std::time_t kHoldSeconds = 5;

struct MarginalByte {
  std::uint32_t offset;
  std::uint32_t bits;
};

struct KeptCells {
  std::uint32_t power_ons;
  std::uint32_t count;
  std::array<MarginalByte, kMaxMarginalBytes> marginal;
};

std::atomic_ref<std::uint32_t> shared(std::uint32_t& word) {
  return std::atomic_ref<std::uint32_t>(word);
}

std::atomic_ref<std::uint64_t> shared(std::uint64_t& word) {
  return std::atomic_ref<std::uint64_t>(word);
}

static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free, "processes share them");

tl::unexpected<Error> system_failure(const char* tried, const std::string& path, int error) {
  return fail(ExitCode::kEnvironment,
              "cannot " + std::string(tried) + " the fault file " + path + ": " + std::strerror(error) + ".",
              "It stands beside the device's flash file, in a folder that must be writable.");
}

}  // namespace

struct FaultFileLayout {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint64_t size;

  // The host writes. Odd while it does.
  alignas(64) std::uint32_t plan_sequence;
  FaultPlan plan;

  std::uint32_t releases;  // a futex
  std::uint32_t thaws;
  std::uint64_t power_on_seed;
  std::uint32_t power_ons;
  std::uint32_t serves_boots_only;
  std::uint32_t is_handed_over;

  // The plugin writes.
  alignas(64) std::uint64_t report_count;
  std::array<StrikeReport, kMaxReports> reports;

  // The plugin writes while the device is on, the host while it is off.
  alignas(64) std::uint32_t cells_in_force;  // 0 or 1
  std::array<std::uint32_t, kSectors> erase_counts;
  std::array<std::uint32_t, kSectors> read_counts;
  std::array<KeptCells, 2> cells;
};
static_assert(std::is_trivially_copyable_v<FaultFileLayout>, "it is bytes in a file");
static_assert(offsetof(FaultFileLayout, report_count) == 3968, "or it is another version");

FaultFile::FaultFile(FaultFile&& other) noexcept
    : path_(std::move(other.path_)),
      layout_(std::exchange(other.layout_, nullptr)),
      taken_(std::exchange(other.taken_, 0)) {}

FaultFile& FaultFile::operator=(FaultFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(layout_, other.layout_);
  std::swap(taken_, other.taken_);
  return *this;
}

FaultFile::~FaultFile() {
  if (layout_ != nullptr) ::munmap(layout_, sizeof(FaultFileLayout));
}

std::size_t fault_file_size() {
  return sizeof(FaultFileLayout);
}

Result<FaultFile> FaultFile::prepare(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file) return system_failure("open", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return system_failure("examine", path, errno);
  const bool is_new = info.st_size == 0;
  // Space is claimed now: a store into a hole of a full disk would be a signal, not an error.
  if (is_new) {
    if (const int error = ::posix_fallocate(file.get(), 0, sizeof(FaultFileLayout)); error != 0) {
      ::unlink(path.c_str());
      return system_failure("make room for", path, error);
    }
  }
  auto mapped = map(path, file.get());
  if (!mapped) return mapped;
  FaultFileLayout& layout = *mapped->layout_;
  if (shared(layout.magic).load() == 0) {  // comes last: a maker may have been killed on the way
    layout.size = sizeof(FaultFileLayout);
    layout.version = kVersion;
    shared(layout.magic).store(kMagic);
  }
  if (!mapped->is_usable()) {
    return fail(ExitCode::kEnvironment, path + " is not a fault file of this version.",
                "Remove it: what it keeps is the wear and the marginal bits of the device's flash.");
  }
  // An odd sequence is that of a host that was killed while it wrote.
  shared(layout.plan_sequence).fetch_and(~1U);
  mapped->change_plan([](FaultPlan& plan) { plan = FaultPlan{}; });
  shared(layout.serves_boots_only).store(0);
  shared(layout.is_handed_over).store(0);
  mapped->taken_ = shared(layout.report_count).load();
  return mapped;
}

Result<FaultFile> FaultFile::open(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file) return system_failure("open", path, errno);
  auto mapped = map(path, file.get());
  if (mapped && !mapped->is_usable()) {
    return fail(ExitCode::kEnvironment, path + " is not a fault file of this version.");
  }
  return mapped;
}

Result<FaultFile> FaultFile::map(const std::string& path, int descriptor) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) return system_failure("examine", path, errno);
  if (!S_ISREG(info.st_mode) || info.st_size != static_cast<off_t>(sizeof(FaultFileLayout))) {
    return fail(ExitCode::kEnvironment, path + " is not a fault file of this version: it must have " +
                                            std::to_string(sizeof(FaultFileLayout)) + " bytes.");
  }
  void* const address =
      ::mmap(nullptr, sizeof(FaultFileLayout), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (address == MAP_FAILED) return system_failure("map", path, errno);
  return FaultFile(path, static_cast<FaultFileLayout*>(address));
}

bool FaultFile::is_usable() const {
  return layout_->magic == kMagic && layout_->version == kVersion &&
         layout_->size == sizeof(FaultFileLayout) && layout_->cells_in_force < layout_->cells.size();
}

template <typename Change>
void FaultFile::change_plan(Change change) {
  const auto sequence = shared(layout_->plan_sequence);
  sequence.fetch_add(1);
  change(layout_->plan);
  sequence.fetch_add(1);
}

bool FaultFile::arm(const PlannedFault& fault) {
  auto& faults = layout_->plan.faults;
  const auto free = std::ranges::find(faults, FaultAction::kNone, &PlannedFault::action);
  if (free == faults.end()) return false;
  change_plan([&](FaultPlan& plan) {
    shared(plan.seen[static_cast<std::size_t>(free - faults.begin())]).store(0);
    *free = fault;
  });
  return true;
}

void FaultFile::arm_reset(std::uint32_t id, std::uint64_t instruction) {
  change_plan([&](FaultPlan& plan) {
    plan.reset_fault = id;
    plan.reset_at_instruction = instruction;
  });
}

void FaultFile::clear(std::uint32_t id) {
  change_plan([&](FaultPlan& plan) {
    for (PlannedFault& fault : plan.faults) {
      if (fault.id == id) fault = PlannedFault{};
    }
    if (plan.reset_fault != id) return;
    plan.reset_fault = 0;
    plan.reset_at_instruction = 0;
  });
}

std::vector<StrikeReport> FaultFile::take_reports(std::uint64_t& lost) {
  const auto count = shared(layout_->report_count);
  const std::uint64_t written = count.load();
  const std::uint64_t first = written - std::min<std::uint64_t>(written - taken_, kMaxReports);
  std::vector<StrikeReport> reports;
  for (std::uint64_t i = first; i < written; ++i) reports.push_back(layout_->reports[i % kMaxReports]);
  // Those that the plugin may have replaced meanwhile, or is replacing, are not what they were.
  std::atomic_thread_fence(std::memory_order_acquire);
  const std::uint64_t now = count.load();
  std::uint64_t kept_from = first;
  while (kept_from < written && kept_from + kMaxReports <= now) ++kept_from;
  reports.erase(reports.begin(), reports.begin() + static_cast<std::ptrdiff_t>(kept_from - first));
  lost += kept_from - taken_;
  taken_ = written;
  return reports;
}

void FaultFile::release() {
  shared(layout_->releases).fetch_add(1);
  ::syscall(SYS_futex, &layout_->releases, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void FaultFile::thaw() {
  shared(layout_->thaws).fetch_add(1);
}

void FaultFile::serve_boots_only() {
  shared(layout_->serves_boots_only).store(1);
}

void FaultFile::power_on(std::uint64_t seed) {
  shared(layout_->power_on_seed).store(seed);
  shared(layout_->is_handed_over).store(0);
  shared(layout_->power_ons).fetch_add(1);
}

void FaultFile::set_handed_over(bool is_over) {
  shared(layout_->is_handed_over).store(is_over ? 1 : 0);
}

bool FaultFile::serves_boots_only() const {
  return shared(layout_->serves_boots_only).load(std::memory_order_relaxed) != 0;
}

std::uint32_t FaultFile::power_ons() const {
  return shared(layout_->power_ons).load(std::memory_order_acquire);
}

std::uint64_t FaultFile::power_on_seed() const {
  return shared(layout_->power_on_seed).load();
}

bool FaultFile::is_handed_over() const {
  return shared(layout_->is_handed_over).load() != 0;
}

bool FaultFile::plan_changed(std::uint32_t sequence) const {
  return shared(layout_->plan_sequence).load(std::memory_order_acquire) != sequence;
}

std::optional<FaultPlan> FaultFile::read_plan(std::uint32_t& sequence) const {
  const auto current = shared(layout_->plan_sequence);
  const std::uint32_t before = current.load(std::memory_order_acquire);
  if (before % 2 != 0) return std::nullopt;
  FaultPlan plan = layout_->plan;
  std::atomic_thread_fence(std::memory_order_acquire);
  if (current.load(std::memory_order_relaxed) != before) return std::nullopt;
  sequence = before;
  return plan;
}

void FaultFile::count_seen(std::size_t index, std::uint32_t fault, std::uint32_t seen) {
  shared(layout_->plan.seen[index]).store(std::uint64_t{fault} << 32 | seen, std::memory_order_relaxed);
}

void FaultFile::report(const StrikeReport& report) {
  const auto count = shared(layout_->report_count);
  layout_->reports[count.load(std::memory_order_relaxed) % kMaxReports] = report;
  count.fetch_add(1);  // before it the report is whole, and the next one comes after it
}

std::uint32_t FaultFile::releases() const {
  return shared(layout_->releases).load();
}

void FaultFile::hold(std::uint32_t releases) const {
  timespec until{};
  ::clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += kHoldSeconds;
  while (shared(layout_->releases).load() == releases) {
    const long result = ::syscall(SYS_futex, &layout_->releases, FUTEX_WAIT_BITSET, releases, &until, nullptr,
                                  FUTEX_BITSET_MATCH_ANY);
    if (result != 0 && errno == ETIMEDOUT) return;
  }
}

std::uint32_t FaultFile::thaws() const {
  return shared(layout_->thaws).load();
}

flash::CellState FaultFile::load_cells() const {
  flash::CellState cells;
  std::ranges::copy(layout_->erase_counts, cells.erase_counts.begin());
  const KeptCells& kept = layout_->cells[shared(layout_->cells_in_force).load() % 2];
  cells.power_ons = kept.power_ons;
  const std::size_t count = std::min<std::size_t>(kept.count, kMaxMarginalBytes);
  for (std::size_t i = 0; i < count; ++i) {
    const MarginalByte& byte = kept.marginal[i];
    if (byte.offset < flash::kOtpOffset + flash::kOtpSize)
      cells.weaken(byte.offset, static_cast<std::uint8_t>(byte.bits));
  }
  return cells;
}

bool FaultFile::store_cells(const flash::CellState& cells) {
  std::ranges::copy(cells.erase_counts, layout_->erase_counts.begin());
  const auto in_force = shared(layout_->cells_in_force);
  const std::uint32_t other = (in_force.load() + 1) % 2;
  KeptCells& kept = layout_->cells[other];
  kept.power_ons = cells.power_ons;
  kept.count = 0;
  for (const auto& [offset, bits] : cells.marginal) {
    if (kept.count == kMaxMarginalBytes) break;
    kept.marginal[kept.count++] = {offset, bits};
  }
  in_force.store(other, std::memory_order_release);
  return kept.count == cells.marginal.size();
}

void FaultFile::store_erase_count(std::uint32_t sector, std::uint32_t count) {
  layout_->erase_counts[sector] = count;
}

std::uint32_t FaultFile::count_read(std::uint32_t sector) {
  return ++layout_->read_counts[sector];
}

void FaultFile::forget_reads(std::uint32_t sector) {
  layout_->read_counts[sector] = 0;
}

}  // namespace otasim::flash_file
