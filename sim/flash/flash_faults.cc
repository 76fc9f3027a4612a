#include "sim/flash/flash_faults.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "sim/base/unique_fd.h"

namespace otasim::flash_file {
namespace {

constexpr std::uint32_t kWholeOperation = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kPrograms = kind_bit(flash::OpKind::kProgram) | kind_bit(flash::OpKind::kOtpProgram);
constexpr std::uint32_t kErases = kind_bit(flash::OpKind::kEraseSector);

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

Result<PlannedFault> with_strike(PlannedFault fault, const StrikePlan& strike) {
  if (!(strike.probability >= 0.0 && strike.probability <= 1.0)) {
    return fail(ExitCode::kUsage,
                fmt::format("a probability of {} is not between 0 and 1", strike.probability));
  }
  fault.after = strike.after;
  fault.times = strike.times;
  fault.probability = strike.probability;
  fault.seed = strike.seed;
  return fault;
}

/// No range at all is the whole window, so that locks count, too.
Result<PlannedFault> within(PlannedFault fault, const FlashRange& range) {
  if (range.partition.empty() && !range.offset && !range.length_bytes) return fault;
  const auto cells = resolve(range);
  if (!cells) return tl::unexpected(cells.error());
  fault.begin = cells->begin;
  fault.end = cells->end;
  return fault;
}

Result<PlannedFault> select(PlannedFault fault, std::string_view name, const Operations& operations,
                            std::uint32_t kinds) {
  fault.kinds = operations.kind ? kind_bit(*operations.kind) : kinds;
  if ((fault.kinds & ~kinds) != 0) {
    return fail(ExitCode::kUsage, fmt::format("{} cannot strike an operation of the kind '{}'", name,
                                              to_string(*operations.kind)));
  }
  return within(fault, operations.range);
}

PlannedFault partly(FaultAction action, std::uint32_t bytes, std::uint32_t marginal_bytes) {
  return {.action = action, .bytes = bytes, .marginal_bytes = marginal_bytes};
}

Result<PlannedFault> plan(const PowerCut& cut) {
  PlannedFault fault{.action = FaultAction::kPowerCut};
  if (cut.phase == PowerCut::Phase::kAfter) fault.bytes = kWholeOperation;
  if (cut.phase == PowerCut::Phase::kWithin)
    fault = partly(FaultAction::kPowerCut, cut.bytes, cut.marginal_bytes);
  const auto selected = select(fault, name_of(cut), cut.operations, kAllKinds);
  return selected ? with_strike(*selected, cut.strike) : selected;
}

Result<PlannedFault> plan(const ProgramFailure& failure) {
  const auto selected = select(partly(FaultAction::kFailure, failure.bytes, failure.marginal_bytes),
                               name_of(failure), failure.operations, kPrograms);
  return selected ? with_strike(*selected, failure.strike) : selected;
}

Result<PlannedFault> plan(const EraseFailure& failure) {
  const auto selected = select(partly(FaultAction::kFailure, failure.bytes, failure.marginal_bytes),
                               name_of(failure), {.range = failure.range}, kErases);
  return selected ? with_strike(*selected, failure.strike) : selected;
}

Result<PlannedFault> plan(const SilentDrop& drop) {
  const auto selected = select(partly(FaultAction::kSilentDrop, drop.bytes, drop.marginal_bytes),
                               name_of(drop), drop.operations, kCellKinds);
  return selected ? with_strike(*selected, drop.strike) : selected;
}

Result<PlannedFault> plan(const StuckBits& stuck) {
  if (stuck.mask == 0) return fail(ExitCode::kUsage, "stuck bits need a mask that is not 0");
  auto fault = within({.action = FaultAction::kStuck, .stuck_bits = stuck.mask, .stuck_values = stuck.values},
                      stuck.at);
  if (fault) fault->end = fault->begin + 1;
  return fault;
}

Result<PlannedFault> plan(const Worn& worn) {
  return within({.action = FaultAction::kWorn,
                 .kinds = kErases | kind_bit(flash::OpKind::kProgram),
                 .endurance = worn.erases},
                worn.range);
}

}  // namespace

std::string_view name_of(const FlashFault& fault) {
  return std::visit(Overloaded{[](const PowerCut&) { return "flash.power_cut"; },
                               [](const ProgramFailure&) { return "flash.program_failure"; },
                               [](const EraseFailure&) { return "flash.erase_failure"; },
                               [](const SilentDrop&) { return "flash.silent_drop"; },
                               [](const StuckBits&) { return "flash.stuck_bits"; },
                               [](const Worn&) { return "flash.worn"; }},
                    fault);
}

std::string_view to_string(flash::OpSource source) {
  switch (source) {
    case flash::OpSource::kBoot:
      return "boot";
    case flash::OpSource::kAgent:
      return "agent";
    case flash::OpSource::kApplication:
      return "application";
    case flash::OpSource::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view to_string(flash::OpKind kind) {
  switch (kind) {
    case flash::OpKind::kProgram:
      return "program";
    case flash::OpKind::kEraseSector:
      return "erase";
    case flash::OpKind::kOtpProgram:
      return "otp_program";
    case flash::OpKind::kLock:
      return "lock";
    case flash::OpKind::kOtpLock:
      return "otp_lock";
  }
  return "unknown";
}

nlohmann::json FlashStrike::to_json() const {
  if (what.operation == 0) return {{"fault", fault}, {"instruction", what.instruction}};
  nlohmann::json fields{{"fault", fault},
                        {"operation", what.operation},
                        {"kind", to_string(static_cast<flash::OpKind>(what.kind))},
                        {"offset", what.offset},
                        {"length_bytes", what.length},
                        {"applied_bytes", what.applied},
                        {"marginal_bytes", what.marginal_bytes}};
  if (const auto partition = partition_at(what.offset); !partition.empty()) fields["partition"] = partition;
  return fields;
}

Result<std::unique_ptr<FlashFaults>> FlashFaults::open(boost::asio::io_context& io, Paths paths,
                                                       FlashFile& flash) {
  auto file = FaultFile::prepare(paths.fault_path);
  if (!file) return tl::unexpected(file.error());
  ::unlink(paths.wake_path.c_str());  // left by a simulator that was killed
  // Open for writing as well: otherwise the pipe ends each time QEMU does.
  UniqueFd pipe;
  if (::mkfifo(paths.wake_path.c_str(), 0600) == 0)
    pipe.reset(::open(paths.wake_path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!pipe) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot make the pipe {}: {}", paths.wake_path, std::strerror(errno)));
  }
  std::unique_ptr<FlashFaults> faults(
      new FlashFaults(io, std::move(paths), flash, std::move(*file), pipe.release()));
  faults->wait();
  return faults;
}

FlashFaults::FlashFaults(boost::asio::io_context& io, Paths paths, FlashFile& flash, FaultFile file, int pipe)
    : paths_(std::move(paths)), flash_(flash), file_(std::move(file)), pipe_(io, pipe) {}

FlashFaults::~FlashFaults() {
  ::unlink(paths_.wake_path.c_str());
}

void FlashFaults::wait() {
  pipe_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                   [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
                     if (error || alive.expired()) return;
                     empty_pipe();
                     collect();
                     if (!alive.expired()) wait();
                   });
}

void FlashFaults::empty_pipe() {
  std::array<char, 256> bytes{};
  while (::read(pipe_.native_handle(), bytes.data(), bytes.size()) > 0) {
  }
}

void FlashFaults::collect() {
  std::uint64_t lost = 0;
  const auto reports = file_.take_reports(lost);
  const std::weak_ptr alive = alive_;
  if (lost != 0 && on_loss_) on_loss_(lost);
  if (alive.expired()) return;
  for (const StrikeReport& report : reports) {
    const auto name = names_.find(report.fault);
    if (report.operation == 0) file_.clear(report.fault);
    if (on_strike_) {
      const std::string fault = name == names_.end() ? std::string() : name->second;
      on_strike_({FaultId{report.fault}, fault, report});
    }
    if (alive.expired()) return;
  }
}

FaultId FlashFaults::new_id(std::string_view name) {
  names_.emplace(++last_id_, name);
  return FaultId{last_id_};
}

Result<FaultId> FlashFaults::arm(const FlashFault& fault) {
  auto planned = std::visit([](const auto& one) { return plan(one); }, fault);
  if (!planned) return tl::unexpected(planned.error());
  const FaultId id = new_id(name_of(fault));
  planned->id = static_cast<std::uint32_t>(id);
  if (!file_.arm(*planned)) {
    return fail(ExitCode::kUsage, fmt::format("{} flash faults are armed, which is the limit", kMaxFaults),
                "Clear one first.");
  }
  if (planned->action == FaultAction::kStuck) {
    std::uint8_t& cell = flash_.bytes()[planned->begin];
    cell = static_cast<std::uint8_t>((cell & ~planned->stuck_bits) |
                                     (planned->stuck_values & planned->stuck_bits));
  }
  return id;
}

Result<FaultId> FlashFaults::arm_reset(std::string_view name, std::uint64_t instruction) {
  if (instruction == 0) return fail(ExitCode::kUsage, "instructions are counted from 1");
  const FaultId id = new_id(name);
  file_.arm_reset(static_cast<std::uint32_t>(id), instruction);
  return id;
}

void FlashFaults::clear(FaultId id) {
  file_.clear(static_cast<std::uint32_t>(id));
}

}  // namespace otasim::flash_file
