#include "sim/scenario/invariants.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/json_members.h"
#include "sim/image/image.h"
#include "sim/image/version.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;

constexpr std::uint8_t kErased = 0xFF;

/// What an update's life costs at most: every sector of a slot once when it is received, once when it is
/// given up, and what the journal needs.
std::uint64_t erases_per_update(const flash::Geometry& part) {
  return 2 * (flash::kSlotSize / part.sector_size) + 64;
}

bool is_event(const json& event, std::string_view source, std::string_view name) {
  return text_of(event, "source") == source && text_of(event, "event") == name;
}

const flash::Partition* partition_named(const std::string& slot) {
  if (slot == "A") return &flash::kSlotA;
  if (slot == "B") return &flash::kSlotB;
  return slot == "recovery" ? &flash::kRecovery : nullptr;
}

/// Applies the op log to the flash as it left the factory, and watches.
class Replay {
 public:
  explicit Replay(const DeviceEvidence& device)
      : device_(device),
        window_(device.factory_flash),
        part_(flash::part_of(device.factory_flash).value_or(flash::kControllerPart)) {}

  std::vector<std::string> run() {
    std::uint64_t erases = 0;
    for (const flash::LoggedOperation& operation : device_.op_log->operations) {
      if (flash::is_erase(operation.kind) && operation.applied != 0)
        erases += std::max<std::uint64_t>(operation.length / part_.sector_size, 1);
      apply(operation);
    }
    erases_ = erases;
    if (!device_.flash_was_damaged) compare();
    return std::move(failures_);
  }
  /// Of sectors: a block's are so many.
  [[nodiscard]] std::uint64_t erases() const { return erases_; }
  [[nodiscard]] const flash::Geometry& part() const { return part_; }

 private:
  template <typename... Args>
  void complain(fmt::format_string<Args...> format, Args&&... args) {
    failures_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  void apply(const flash::LoggedOperation& operation) {
    switch (operation.kind) {
      case flash::OpKind::kProgram:
        if (operation.applied != 0) check_place(operation);
        return program(operation, operation.offset);
      case flash::OpKind::kOtpProgram:
        return program(operation, flash::kOtpOffset + operation.offset);
      case flash::OpKind::kEraseSector:
      case flash::OpKind::kEraseBlock:
        if (operation.applied != 0) check_place(operation);
        if (std::uint64_t{operation.offset} + operation.applied <= part_.size) {
          std::fill_n(window_.begin() + operation.offset, operation.applied, kErased);
        }
        return;
      case flash::OpKind::kLock:
      case flash::OpKind::kOtpLock:
        return;
    }
  }

  void check_place(const flash::LoggedOperation& operation) {
    for (const flash::Partition* writable : {&flash::kBootControl0, &flash::kBootControl1, &flash::kCalendar0,
                                             &flash::kCalendar1, &flash::kSlotA, &flash::kSlotB}) {
      if (writable->contains(operation.offset, operation.length)) return;
    }
    if (!part_.has_entropy && (flash::kSeed0.contains(operation.offset, operation.length) ||
                               flash::kSeed1.contains(operation.offset, operation.length))) {
      return;
    }
    complain("S5: {}: operation {} changed flash at {:#x}, which is no slot, boot control or calendar",
             device_.name, operation.sequence, operation.offset);
  }

  void program(const flash::LoggedOperation& operation, std::uint32_t at) {
    if (at > window_.size() || operation.applied > window_.size() - at) return;
    for (std::uint32_t i = 0; i < operation.applied && i < operation.data.size(); ++i) {
      const std::uint8_t held = window_[at + i];
      const std::uint8_t wanted = operation.data[i];
      window_[at + i] = held & wanted;
      // A burn clears bits of what was burned before; elsewhere what is programmed must be erased. 0xFF
      // fills up.
      const bool is_sound = held == kErased || wanted == kErased || wanted == held;
      if (operation.kind == flash::OpKind::kOtpProgram || is_sound || is_reported_) continue;
      complain("S5: {}: operation {} programmed {:#x}, which was not erased", device_.name,
               operation.sequence, at + i);
      is_reported_ = true;
    }
  }

  /// What the log says was done is what the flash holds. What a marginal bit reads nobody can say.
  void compare() {
    const auto end = window_.begin() + flash::kOtpOffset + flash::kOtpSize;
    if (std::equal(window_.begin(), end, device_.flash.begin())) return;
    for (std::size_t at = 0; at < flash::kOtpOffset + flash::kOtpSize; ++at) {
      if (window_[at] == device_.flash[at] || is_marginal(at)) continue;
      return complain("S5: {}: flash holds {:#04x} at {:#x}, the op log accounts for {:#04x}", device_.name,
                      device_.flash[at], at, window_[at]);
    }
  }

  [[nodiscard]] bool is_marginal(std::size_t at) const {
    return std::ranges::any_of(device_.marginal, [at](const auto& range) {
      return at >= range.first && at - range.first < range.second;
    });
  }

  const DeviceEvidence& device_;
  Bytes window_;
  flash::Geometry part_;
  std::vector<std::string> failures_;
  std::uint64_t erases_ = 0;
  bool is_reported_ = false;
};

class Invariants {
 public:
  explicit Invariants(const Evidence& evidence) : evidence_(evidence) {}

  std::vector<std::string> run() {
    for (const DeviceEvidence& device : evidence_.devices) {
      judge_boots(device);
      judge_counters(device);
      judge_writes(device);
      judge_stores(device);
      judge_protected(device);
    }
    judge_jobs();
    return std::move(failures_);
  }

 private:
  template <typename... Args>
  void complain(fmt::format_string<Args...> format, Args&&... args) {
    failures_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  void judge_boots(const DeviceEvidence& device) {
    if (device.boots.empty()) return;
    const CleanBoot& last = device.boots.back();
    if (last.state == CleanBoot::kSilent) {
      return complain("S1: {}: it said nothing when it was booted on its own", device.name);
    }
    const auto next = starts_next(device.flash, *evidence_.boot_key);
    if (!next) {
      if (!last.slot.empty()) {
        complain("S2: {}: {} started from slot {}, but the host finds no image there that may", device.name,
                 last.version, last.slot);
      }
      return;
    }
    if (last.slot != slot_letter(next->slot) || last.version != image::to_string(next->info.version)) {
      complain("S1: {}: the flash approves {} in slot {}, but after {} clean boots {} runs from slot {}",
               device.name, image::to_string(next->info.version), slot_letter(next->slot),
               device.boots.size(), last.version.empty() ? "nothing" : last.version,
               last.slot.empty() ? "none" : last.slot);
    }
    if (device.boots.size() < 2 || device.boots[device.boots.size() - 2] != last) {
      complain("L2: {}: {} clean boots did not come to the same image twice in a row", device.name,
               device.boots.size());
    }
    const flash::Partition* partition = partition_named(last.slot);
    if (partition == nullptr) return;  // nothing has started
    const auto verified = image::verify(std::span(device.flash).subspan(partition->offset, partition->size),
                                        *evidence_.boot_key);
    if (!verified) {
      complain("S2: {}: {} started from slot {}, whose bytes do not verify: {}", device.name, last.version,
               last.slot, verified.error().message);
    }
  }

  void judge_counters(const DeviceEvidence& device) {
    std::map<std::string, std::int64_t> counters;  // by slot, of the image verified last
    std::int64_t committed = 0;
    for (const json& event : evidence_.events) {
      if (text_of(event, "device") != device.name) continue;
      if (is_event(event, "boot", "verify"))
        counters[text_of(event, "slot")] = integer_member(event, "counter").value_or(0);
      if (is_event(event, "boot", "commit") && text_of(event, "result") == "ok")
        committed = std::max(committed, integer_member(event, "counter").value_or(0));
      if (!is_event(event, "boot", "start")) continue;
      const std::string slot = text_of(event, "slot");
      if (slot != "recovery" && counters[slot] < committed) {
        complain("S3: {}: {} with security counter {} started after {} was committed", device.name,
                 text_of(event, "version"), counters[slot], committed);
      }
    }
  }

  void judge_writes(const DeviceEvidence& device) {
    if (!device.op_log) return complain("S5: {}: its op log cannot be read", device.name);
    Replay replay(device);
    for (std::string& failure : replay.run()) failures_.push_back(std::move(failure));
    std::uint64_t updates = 1;  // the factory's image
    for (const json& execution : evidence_.executions())
      updates += execution.at("device") == device.name ? 1 : 0;
    // An update that is interrupted begins again.
    const std::uint64_t beginnings = updates * (1 + count_resets(device.name));
    if (replay.erases() > beginnings * erases_per_update(replay.part())) {
      complain("S5: {}: {} sectors were erased for {} updates", device.name, replay.erases(), updates - 1);
    }
  }

  /// Stores that are no commands (flash.strict), of which one is as bad as many.
  void judge_stores(const DeviceEvidence& device) {
    for (const json& event : evidence_.events) {
      if (!is_event(event, "flash", "direct_store") || text_of(event, "device") != device.name) continue;
      return complain("S5: {}: {:#x} stored {} bytes into flash at {:#x} without a command", device.name,
                      integer_member(event, "pc").value_or(0),
                      integer_member(event, "length_bytes").value_or(0),
                      integer_member(event, "offset").value_or(0));
    }
  }

  [[nodiscard]] std::uint64_t count_resets(const std::string& device) const {
    return static_cast<std::uint64_t>(std::ranges::count_if(evidence_.events, [&](const json& event) {
      return is_event(event, "boot", "reset") && text_of(event, "device") == device;
    }));
  }

  void judge_protected(const DeviceEvidence& device) {
    if (!device.flash_was_damaged) {
      for (const flash::Partition* part :
           {&flash::kProvisioning0, &flash::kProvisioning1, &flash::kRecovery}) {
        const auto begin = device.flash.begin() + part->offset;
        if (!std::equal(begin, begin + part->size, device.factory_flash.begin() + part->offset)) {
          complain("S6: {}: {} has changed", device.name, part->name);
        }
      }
    }
    for (std::uint32_t i = flash::kOtpOffset; i < flash::kOtpOffset + flash::kOtpSize; ++i) {
      if ((device.flash[i] & ~device.factory_flash[i]) == 0) continue;
      return complain("S6: {}: a burned bit of OTP is back at {:#x}", device.name, i - flash::kOtpOffset);
    }
  }

  void judge_jobs() {
    const json executions = evidence_.executions();
    for (const DeviceEvidence& device : evidence_.devices) {
      const auto next = starts_next(device.flash, *evidence_.boot_key);
      const json* last_success = nullptr;
      for (const json& execution : executions) {
        if (execution.at("device") != device.name || !evidence_.updates.contains(text_of(execution, "job")))
          continue;
        if (execution.at("status") == "SUCCEEDED") last_success = &execution;
        if (execution.at("status") == "FAILED" && next && next->job_id == text_of(execution, "job")) {
          complain("S4: {}: the job {} FAILED, but its image is approved", device.name, next->job_id);
        }
      }
      if (last_success == nullptr || device.flash_was_damaged) continue;
      const std::string job = text_of(*last_success, "job");
      const Bytes& image = evidence_.images->at(evidence_.updates.at(job));
      if (!next || !slot_holds(device.flash, next->slot, image)) {
        complain("S4: {}: the job {} SUCCEEDED, but the flash does not approve its image", device.name, job);
      }
    }
  }

  const Evidence& evidence_;
  std::vector<std::string> failures_;
};

}  // namespace

std::vector<std::string> broken_invariants(const Evidence& evidence, const std::set<std::string>& waived) {
  std::vector<std::string> failures = Invariants(evidence).run();
  std::erase_if(failures,
                [&waived](const std::string& failure) { return waived.contains(failure.substr(0, 2)); });
  return failures;
}

}  // namespace otasim::scenario
