#include "sim/device/debugger.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace otasim::device {
namespace {

constexpr int kRegisterPc = 15;

// CMSDK APB watchdog.
constexpr std::uint32_t kTestControl = 0xF00;
constexpr std::uint32_t kTestOutputs = 0xF04;
constexpr std::uint32_t kLock = 0xC00;
constexpr std::uint32_t kUnlockKey = 0x1ACC'E551;
constexpr std::uint32_t kTestMode = 1;
constexpr std::uint32_t kInterruptOutput = 1U << 1;
constexpr std::uint32_t kResetOutput = 1U << 0;

/// Of the instruction that begins with this halfword.
std::uint32_t instruction_size(std::uint32_t first_halfword) {
  return (first_halfword & 0xF800) >= 0xE800 ? 4 : 2;
}

}  // namespace

std::shared_ptr<Debugger> Debugger::create(Socket socket, Handlers handlers) {
  std::shared_ptr<Debugger> debugger(new Debugger(std::move(handlers)));
  const std::weak_ptr weak = debugger;
  debugger->gdb_ = GdbClient::create(std::move(socket), {.on_stop =
                                                             [weak](int signal) {
                                                               if (const auto self = weak.lock())
                                                                 self->handle_stop(signal);
                                                             },
                                                         .on_failure =
                                                             [weak](const Error& error) {
                                                               if (const auto self = weak.lock())
                                                                 self->handlers_.on_failure(error);
                                                             }});
  return debugger;
}

void Debugger::start(std::function<void()> resume) {
  resume_ = std::move(resume);
  gdb_->start();
  // QEMU gives registers by number only to those who asked what there is.
  gdb_->ask("qXfer:features:read:target.xml:0,ffb",
            [self = shared_from_this()](std::string_view) { self->work_next(); });
}

void Debugger::close() {
  const auto self = shared_from_this();
  const auto dropped_work = std::exchange(work_, {});  // it holds this
  const auto dropped_resume = std::exchange(resume_, nullptr);
  gdb_->close();
}

void Debugger::queue(Work work) {
  work_.push_back(std::move(work));
  if (is_stopped_ || is_interrupting_ || is_held_) return;
  is_interrupting_ = true;
  gdb_->interrupt();
}

void Debugger::work_next() {
  if (!work_.empty()) {
    const Work work = std::move(work_.front());
    work_.pop_front();
    return work();
  }
  is_stopped_ = false;
  if (is_held_) return;
  if (resume_) return std::exchange(resume_, nullptr)();
  gdb_->go();
}

void Debugger::handle_stop(int signal) {
  if (is_stopped_ && !stepping_over_ && !after_step_) return;  // the attaching itself
  if (signal == GdbClient::kTrap) {
    is_stopped_ = true;
    gdb_->ask(fmt::format("p{:x}", kRegisterPc), [self = shared_from_this()](std::string_view answer) {
      const auto pc = gdb_word_value(answer);
      if (!pc) return self->fail_with(fmt::format("'{}' is no register's value", answer));
      self->handle_trap(*pc);
    });
    return;
  }
  // Another stop is somebody else's: the monitor's, or a reset. If it came before ours, ours will not come.
  constexpr int kInterrupted = 2;
  if (signal != kInterrupted || !is_interrupting_) return;
  is_interrupting_ = false;
  is_stopped_ = true;
  // The answer comes behind the news of a reset that the guest asked for before it stopped.
  gdb_->ask(fmt::format("p{:x}", kRegisterPc),
            [self = shared_from_this()](std::string_view) { self->work_next(); });
}

void Debugger::machine_stops() {
  is_held_ = true;
  is_interrupting_ = false;
}

void Debugger::before_reset(std::function<void()> reset) {
  if (!is_stopped_) return reset();
  work_.push_back([self = shared_from_this(), reset = std::move(reset)] {
    self->machine_stops();
    reset();
    self->work_next();
  });
}

void Debugger::run_machine(std::function<void()> resume) {
  is_held_ = false;
  resume_ = std::move(resume);
  if (is_stopped_) return;  // what is being done ends with resume_
  is_stopped_ = true;
  work_next();
}

void Debugger::handle_trap(std::uint32_t address) {
  if (after_step_) return std::exchange(after_step_, nullptr)();
  is_interrupting_ = false;
  if (const auto passed = std::exchange(stepping_over_, std::nullopt)) {
    const auto go_on = [self = shared_from_this()] { self->work_next(); };
    return is_watched(*passed) ? set_breakpoint(*passed, go_on) : go_on();
  }
  // Each fault at this place counts it.
  std::vector<std::function<void()>> struck;
  bool is_watched_here = false;
  for (auto& [id, skip] : skips_) {
    if (skip.address != address) continue;
    is_watched_here = true;
    if (skip.strike->next()) struck.push_back(skip.on_skip);
  }
  if (!is_watched_here) return work_next();
  if (struck.empty()) return pass_breakpoint(address);
  skip_instruction(address, [struck = std::move(struck)] {
    for (const auto& tell : struck) tell();
  });
}

void Debugger::pass_breakpoint(std::uint32_t address) {
  clear_breakpoint(address, [self = shared_from_this(), address] {
    self->stepping_over_ = address;
    self->gdb_->step();
  });
}

void Debugger::skip_instruction(std::uint32_t address, std::function<void()> tell) {
  const auto self = shared_from_this();
  const auto go_on = [self, address, tell = std::move(tell)](std::string_view) {
    std::erase_if(self->skips_, [](const auto& one) { return one.second.strike->is_spent(); });
    self->is_watched(address) ? self->work_next()
                              : self->clear_breakpoint(address, [self] { self->work_next(); });
    tell();
  };
  gdb_->ask(fmt::format("m{:x},4", address), [self, address, go_on](std::string_view answer) {
    const auto word = gdb_word_value(answer);
    if (!word) return self->fail_with(fmt::format("'{}' is no instruction", answer));
    const std::uint32_t next = address + instruction_size(*word & 0xFFFF);
    self->gdb_->ask(fmt::format("P{:x}={}", kRegisterPc, gdb_word(next)), go_on);
  });
}

void Debugger::expire_watchdog(const CmsdkWatchdog& watchdog) {
  queue([self = shared_from_this(), watchdog] { self->drive_watchdog(watchdog, kInterruptOutput); });
}

void Debugger::expire_watchdog_again(const CmsdkWatchdog& watchdog) {
  queue([self = shared_from_this(), watchdog] {
    self->drive_watchdog(watchdog, kInterruptOutput | kResetOutput);
  });
}

void Debugger::drive_watchdog(const CmsdkWatchdog& watchdog, std::uint32_t outputs) {
  const std::uint32_t base = watchdog.address;
  std::vector<SecureStores::Word> words{
      {base + kLock, kUnlockKey}, {base + kTestOutputs, outputs}, {base + kTestControl, kTestMode}};
  if (watchdog.owner) return write_secure_devices(*watchdog.owner, std::move(words));
  // Physical addresses: devices are reached, and no MPU is in the way.
  gdb_->ask("Qqemu.PhyMemMode:1",
            [self = shared_from_this(), words = std::move(words)](std::string_view) mutable {
              self->write_devices(std::move(words), [self] {
                self->gdb_->ask("Qqemu.PhyMemMode:0", [self](std::string_view) { self->work_next(); });
              });
            });
}

void Debugger::write_devices(std::vector<SecureStores::Word> words, std::function<void()> then) {
  if (words.empty()) return then();
  const SecureStores::Word word = words.front();
  words.erase(words.begin());
  gdb_->ask(fmt::format("M{:x},4:{}", word.address, gdb_word(word.value)),
            [self = shared_from_this(), words = std::move(words), then = std::move(then)](
                std::string_view) mutable { self->write_devices(std::move(words), std::move(then)); });
}

void Debugger::write_secure_devices(const SecureWorld& owner, std::vector<SecureStores::Word> words) {
  const auto self = shared_from_this();
  const SecureStores::Tools tools{
      .ask = [self](std::string question,
                    GdbClient::OnAnswer answer) { self->gdb_->ask(std::move(question), std::move(answer)); },
      .step =
          [self](std::function<void()> then) {
            self->after_step_ = std::move(then);
            self->gdb_->step();
          },
      .fail = [self](std::string what) { self->fail_with(std::move(what)); }};
  std::make_shared<SecureStores>(tools, owner, std::move(words))->run([self] { self->work_next(); });
}

void Debugger::skip(std::uint32_t id, SkipPoint point) {
  queue([self = shared_from_this(), id, point = std::move(point)] {
    const bool was_watched = self->is_watched(point.address);
    self->skips_.insert_or_assign(id, point);
    if (was_watched) return self->work_next();
    self->set_breakpoint(point.address, [self] { self->work_next(); });
  });
}

void Debugger::stop_skipping(std::uint32_t id) {
  queue([self = shared_from_this(), id] {
    const auto found = self->skips_.find(id);
    if (found == self->skips_.end()) return self->work_next();
    const std::uint32_t address = found->second.address;
    self->skips_.erase(found);
    if (self->is_watched(address)) return self->work_next();
    self->clear_breakpoint(address, [self] { self->work_next(); });
  });
}

void Debugger::set_breakpoint(std::uint32_t address, std::function<void()> then) {
  gdb_->ask(fmt::format("Z0,{:x},2", address), [then = std::move(then)](std::string_view) { then(); });
}

void Debugger::clear_breakpoint(std::uint32_t address, std::function<void()> then) {
  gdb_->ask(fmt::format("z0,{:x},2", address), [then = std::move(then)](std::string_view) { then(); });
}

bool Debugger::is_watched(std::uint32_t address) const {
  return std::ranges::any_of(skips_, [address](const auto& one) { return one.second.address == address; });
}

void Debugger::fail_with(std::string what) {
  close();
  handlers_.on_failure({ExitCode::kEnvironment, "QEMU's debugger: " + std::move(what), ""});
}

}  // namespace otasim::device
