#include "sim/flash/flash_part.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace otasim::flash_file {
namespace {

Result<std::optional<flash::OpLogWriter>> open_op_log(const std::string& path) {
  if (path.empty()) return std::nullopt;
  auto op_log = flash::OpLogWriter::open(path);
  if (op_log) return op_log;
  return fail(
      ExitCode::kEnvironment, "cannot open the op log " + path + ": " + flash::op_log_problem(errno) + ".",
      "Give a path that can be written; an existing file must be an op log of this version. To keep one "
      "of another version, move it away.");
}

Result<std::optional<FaultFile>> open_faults(const std::string& path) {
  if (path.empty()) return std::nullopt;
  auto faults = FaultFile::open(path);
  if (!faults) return tl::unexpected(faults.error());
  return std::optional(std::move(*faults));
}

Result<std::optional<PlanLog>> open_plans(const FlashPartFiles& files) {
  if (files.plan_log_path.empty()) return std::nullopt;
  if (files.fault_path.empty()) {
    return fail(ExitCode::kUsage, "a plan log goes with a fault file, and none was given");
  }
  auto plans = files.is_replayed ? PlanLog::open(files.plan_log_path) : PlanLog::create(files.plan_log_path);
  if (!plans) return tl::unexpected(plans.error());
  return std::optional(std::move(*plans));
}

std::uint64_t microseconds_since_epoch() {
  using namespace std::chrono;
  const auto now = duration_cast<microseconds>(system_clock::now().time_since_epoch());
  return static_cast<std::uint64_t>(std::max<microseconds::rep>(now.count(), 0));
}

}  // namespace

Waker::Waker(const std::string& path) {
  if (!path.empty()) pipe_.reset(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
}

void Waker::wake() const {
  constexpr char kByte = 1;
  if (pipe_) [[maybe_unused]]
    const ssize_t written = ::write(pipe_.get(), &kByte, 1);
}

Result<std::unique_ptr<FlashPart>> FlashPart::power_on(const FlashPartFiles& files) {
  auto file = FlashFile::open(files.window_path);
  if (!file) return tl::unexpected(file.error());
  auto op_log = open_op_log(files.op_log_path);
  if (!op_log) return tl::unexpected(op_log.error());
  auto faults = open_faults(files.fault_path);
  if (!faults) return tl::unexpected(faults.error());
  auto plans = open_plans(files);
  if (!plans) return tl::unexpected(plans.error());
  return std::unique_ptr<FlashPart>(
      new FlashPart(std::move(*file), std::move(*op_log), std::move(*faults), std::move(*plans), files));
}

FlashPart::FlashPart(FlashFile file, std::optional<flash::OpLogWriter> op_log,
                     std::optional<FaultFile> faults, std::optional<PlanLog> plans,
                     const FlashPartFiles& files)
    : file_(std::move(file)),
      op_log_(std::move(op_log)),
      faults_(std::move(faults)),
      plans_(std::move(plans)),
      is_replayed_(files.is_replayed),
      after_reset_(files.after_reset),
      seed_(files.seed),
      waker_(files.wake_path),
      model_(file_.bytes(), files.seed, file_.part()) {
  if (faults_) {
    power_ons_ = faults_->power_ons();
    make_injector(/*draws=*/!after_reset_);
    if (injector_->watches_stores()) guard_.emplace(model_);
    on_disturbed_ = [this](std::uint32_t offset) {
      if (guard_) guard_->refresh(offset, 1);
    };
  }
  observe();
}

void FlashPart::make_injector(bool draws) {
  injector_.emplace(*faults_, model_, [this] { waker_.wake(); });
  if (plans_) is_replayed_ ? injector_->replay_plans(&*plans_) : injector_->record_plans(&*plans_);
  draws ? injector_->power_on() : injector_->take_cells();
}

void FlashPart::observe() {
  if (injector_) model_.set_fault_source(&*injector_);
  if (op_log_ || injector_) model_.set_observer(this);
}

/// As a new process would be; the host has seen to the window.
void FlashPart::start_anew() {
  model_ = flash::NorModel(file_.bytes(), faults_->power_on_seed(), file_.part());
  make_injector(/*draws=*/false);
  if (guard_) guard_.emplace(model_);
  observe();
}

void FlashPart::start_over() {
  if (!faults_ || !plans_) return;
  plans_->rewind();
  model_ = flash::NorModel(file_.bytes(), seed_, file_.part());
  // To power on clears the registers; the guest is far beyond that and is about to give a command.
  const auto registers = file_.bytes().subspan(flash::kRegistersOffset);
  const std::vector<std::uint8_t> command(registers.begin(), registers.end());
  make_injector(/*draws=*/!after_reset_);
  std::copy(command.begin(), command.end(), registers.begin());
  if (guard_) guard_.emplace(model_);
  observe();
}

Admission FlashPart::begin(std::optional<flash::OpKind> kind, std::uint32_t offset) {
  if (!faults_) {
    model_.set_running(running_.load(std::memory_order_relaxed));
    return Admission::kRun;
  }
  if (const std::uint32_t power_ons = faults_->power_ons(); power_ons != power_ons_) {
    power_ons_ = power_ons;
    start_anew();
  }
  model_.set_running(running_.load(std::memory_order_relaxed));
  if (!injector_->begin()) return Admission::kFrozen;
  return faults_->serves_boots_only() && !is_of_interest(kind, offset) ? Admission::kDiscard
                                                                       : Admission::kRun;
}

void FlashPart::wake_once() {
  if (!faults_ || woken_in_ == faults_->power_ons()) return;
  woken_in_ = faults_->power_ons();
  waker_.wake();
}

/// The bootloader locks the bank, then the rest. Where there are no locks the host tells when it has handed
/// over, which is a moment late: what an application rewrites at each start is known by its place.
bool FlashPart::is_of_interest(std::optional<flash::OpKind> kind, std::uint32_t offset) const {
  if (!file_.part().has_locks) {
    const bool is_seed = kind != flash::OpKind::kOtpProgram &&
                         (flash::kSeed0.contains(offset, 1) || flash::kSeed1.contains(offset, 1));
    return !is_seed && !faults_->is_handed_over();
  }
  if (kind == flash::OpKind::kLock || kind == flash::OpKind::kOtpLock) return true;
  return flash::read_register(file_.bytes(), flash::controller::kRegOtpLocked) == 0;
}

int FlashPart::take_op_log_error() {
  if (!op_log_ || op_log_->error() == 0 || is_op_log_error_taken_) return 0;
  is_op_log_error_taken_ = true;
  return op_log_->error();
}

void FlashPart::store_was_made(std::uint32_t pc, std::int64_t window_offset, std::uint32_t length) {
  if (!guard_) return;
  if (const auto stored = guard_->take_back(window_offset, length))
    injector_->report_store(pc, stored->offset, stored->length);
}

void FlashPart::load_was_made(std::int64_t window_offset) {
  const bool is_inside = window_offset >= 0 && window_offset < flash::kOtpOffset;
  if (is_inside && injector_) injector_->count_read(static_cast<std::uint32_t>(window_offset), on_disturbed_);
}

void FlashPart::on_operation(const flash::Operation& operation) {
  if (op_log_) {
    flash::Operation timed = operation;
    timed.time_us = microseconds_since_epoch();
    op_log_->on_operation(timed);
  }
  if (guard_) guard_->on_operation(operation);
  if (injector_) injector_->on_operation(operation);
}

}  // namespace otasim::flash_file
