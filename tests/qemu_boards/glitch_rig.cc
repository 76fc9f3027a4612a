#include "tests/qemu_boards/glitch_rig.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

#include "sim/flash/qemu_arguments.h"
#include "tests/qemu_boards/device/probe_task.h"

namespace otasim::test {
namespace {

constexpr std::uint32_t kLoadAddress = 0x0010'0000;
constexpr std::uint32_t kLoadSize = 0x0030'0000;
constexpr int kRegisterR0 = 0;
constexpr int kRegisterLr = 14;
constexpr int kRegisterPc = 15;
/// How long a run that was disturbed may say nothing. A boot says something every few milliseconds.
constexpr int kStuckAfterMs = 1000;
/// And how much it may say: it may print memory without end.
constexpr std::size_t kMostOutput = 64 * 1024;

template <typename T>
T need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

}  // namespace

GlitchRig::GlitchRig(std::string bootloader, std::string flash_plugin, std::vector<std::uint8_t> window)
    : bootloader_(std::move(bootloader)),
      flash_plugin_(std::move(flash_plugin)),
      window_(std::move(window)),
      flash_(need(flash_file::FlashFile::create(folder_.file("flash.bin")))) {
  std::ranges::copy(window_, flash_.bytes().begin());
  start();
}

std::vector<std::string> GlitchRig::arguments() const {
  std::vector<std::string> arguments{
      "-display",    "none",
      "-nodefaults", "-no-user-config",
      "-serial",     "stdio",
      "-machine",    fmt::format("mps2-an385,memory-backend={}", flash_file::kMemoryBackendId),
      "-kernel",     bootloader_};
  const auto flash = flash_file::qemu_arguments({.window_path = flash_.path(), .plugin_path = flash_plugin_});
  arguments.insert(arguments.end(), flash.begin(), flash.end());
  return arguments;
}

void GlitchRig::start() {
  guest_.reset();
  log_read_ = 0;
  gdb_ = std::make_unique<GdbRemote>(folder_.file(fmt::format("gdb{}", ++starts_)));
  auto with_debugger = arguments();
  const auto more = gdb_->qemu_arguments();
  with_debugger.insert(with_debugger.end(), more.begin(), more.end());
  // Whatever runs in load memory leaves a line, however briefly it does.
  with_debugger.insert(
      with_debugger.end(),
      {"-d", "exec", "-dfilter", fmt::format("{:#x}+{:#x}", kLoadAddress, kLoadSize), "-D", ran_path()});
  guest_ = std::make_unique<qemu_guest::Guest>(with_debugger);
  gdb_->accept();
  reset_address_ = gdb_->reg(kRegisterPc);
}

std::vector<Moment> GlitchRig::moments(const std::vector<Function>& functions,
                                       std::uint32_t max_occurrences) {
  std::string filter;
  for (const Function& function : functions)
    filter += fmt::format("{}{:#x}+{:#x}", filter.empty() ? "" : ",", function.address, function.size);
  const std::string trace = folder_.file("trace");
  std::ranges::copy(window_, flash_.bytes().begin());
  {
    auto traced = arguments();
    traced.insert(traced.end(), {"-singlestep", "-d", "exec,nochain", "-dfilter", filter, "-D", trace});
    qemu_guest::Guest guest(traced);
    const bool ended = guest.wait_for("boot: halt", 1) || guest.wait_for("boot: ", 60'000);
    if (!ended) throw std::runtime_error("the bootloader says nothing");
    while (guest.output().find("boot: halt") == std::string::npos &&
           guest.output().find("probe: ") == std::string::npos) {
      if (!guest.read_some(60'000)) throw std::runtime_error("the bootloader does not come to an end");
    }
  }
  // "Trace 0: 0x7f... [cs_base/pc/flags/cflags] symbol"
  std::vector<Moment> moments;
  std::map<std::uint32_t, std::uint32_t> counts;
  std::ifstream file(trace);
  for (std::string line; std::getline(file, line);) {
    const std::size_t open = line.find('[');
    const std::size_t slash = line.find('/', open);
    if (!line.starts_with("Trace") || open == std::string::npos || slash == std::string::npos) continue;
    const auto address = static_cast<std::uint32_t>(std::stoul(line.substr(slash + 1, 8), nullptr, 16));
    if (++counts[address] <= max_occurrences) moments.push_back({address, counts[address]});
  }
  return moments;
}

/// A disturbed processor may have written anywhere. Looking is quicker than writing.
void GlitchRig::restore_flash() {
  constexpr std::size_t kPiece = 64 * 1024;
  const auto bytes = flash_.bytes();
  for (std::size_t at = 0; at < window_.size(); at += kPiece) {
    if (std::memcmp(&bytes[at], &window_[at], kPiece) != 0) std::memcpy(&bytes[at], &window_[at], kPiece);
  }
}

void GlitchRig::reset() {
  restore_flash();
  flash_.clear_volatile_state();
  gdb_->monitor("system_reset");
  // The monitor asks for the reset; the processor is there once it stands at its first instruction again.
  for (int tries = 0; gdb_->reg(kRegisterPc) != reset_address_; ++tries) {
    if (tries == 1000) throw std::runtime_error("the machine does not reset");
  }
  while (guest_->read_some(0)) {
  }
  guest_->forget_output();
}

Outcome GlitchRig::run(const Glitch& glitch) {
  const Outcome outcome = run_until_clear(glitch);
  if (!something_ran() || outcome == Outcome::kGoodImage) return outcome;
  return outcome != Outcome::kLockedUp && load_memory_holds_good_image() ? Outcome::kGoodImage
                                                                         : Outcome::kBadImage;
}

/// A good image may be disturbed as well, and not get to say what it is.
bool GlitchRig::load_memory_holds_good_image() {
  const auto slot = flash::kSlotA.offset;
  const auto image = std::span(window_).subspan(slot, flash::kSlotSize);
  const auto marker = std::ranges::search(image, probe::kTaskMarker).begin();
  if (marker == image.end()) return false;
  const auto at = static_cast<std::uint32_t>(marker - image.begin());
  const std::uint32_t task = gdb_->word(kLoadAddress + at + offsetof(probe::TaskWord, task));
  return task == static_cast<std::uint32_t>(probe::Task::kIdle);
}

/// Whether QEMU's log tells of an instruction in load memory since the last call. It tells of other things as
/// well, so what was read is given back to the file system: QEMU writes on where it was.
bool GlitchRig::something_ran() {
  std::ifstream log(ran_path());
  log.seekg(static_cast<std::streamoff>(log_read_));
  bool found = false;
  for (std::string line; std::getline(log, line); log_read_ += line.size() + 1)
    found = found || line.starts_with("Trace");
  std::filesystem::resize_file(ran_path(), 0);
  return found;
}

Outcome GlitchRig::run_until_clear(const Glitch& glitch) {
  try {
    return run_or_throw(glitch);
  } catch (const std::exception&) {
    // QEMU ends when the processor locks up: a fault inside the handler of one.
    while (guest_->read_some(1000)) {
    }
    if (guest_->output().find("Lockup") == std::string::npos) throw;
    said_ = guest_->output();
    start();
    return Outcome::kLockedUp;
  }
}

Outcome GlitchRig::run_or_throw(const Glitch& glitch) {
  reset();
  if (!run_to(glitch.moment)) {
    gdb_->clear_breakpoint(glitch.moment.address);
    return Outcome::kNotReached;
  }
  if (glitch.returned_value) {
    gdb_->set_reg(kRegisterR0, *glitch.returned_value);
    gdb_->set_reg(kRegisterPc, gdb_->reg(kRegisterLr) & ~1U);
  } else {
    gdb_->set_reg(kRegisterPc, glitch.moment.address + glitch.skipped_bytes);
  }
  return run_on();
}

/// @returns true with the processor at the moment, and no breakpoint left
bool GlitchRig::run_to(const Moment& moment) {
  for (std::uint32_t count = 1;; ++count) {
    gdb_->set_breakpoint(moment.address);
    gdb_->run();
    if (!wait_for_stop()) {
      gdb_->interrupt();
      return false;
    }
    gdb_->clear_breakpoint(moment.address);
    if (count == moment.occurrence) return true;
    gdb_->step();
  }
}

Outcome GlitchRig::run_on() {
  gdb_->run();
  if (wait_for_stop()) throw std::runtime_error("the processor stopped without a breakpoint");
  const Outcome outcome = outcome_so_far().value_or(Outcome::kStuck);
  said_ = guest_->output();
  gdb_->interrupt();
  return outcome;
}

bool GlitchRig::wait_for_stop() {
  for (;;) {
    if (gdb_->has_news()) {
      gdb_->wait_stop();
      return true;
    }
    if (outcome_so_far() || guest_->output().size() > kMostOutput) return false;
    std::array<pollfd, 2> waiting{{{.fd = gdb_->descriptor(), .events = POLLIN, .revents = 0},
                                   {.fd = guest_->descriptor(), .events = POLLIN, .revents = 0}}};
    if (::poll(waiting.data(), waiting.size(), kStuckAfterMs) <= 0) return false;
    if (waiting[1].revents != 0) {
      if (!guest_->read_some(0)) throw std::runtime_error("QEMU ended: " + guest_->output());
      continue;
    }
    gdb_->wait_stop();
    return true;
  }
}

std::optional<Outcome> GlitchRig::outcome_so_far() const {
  // Whole lines only: a processor gone astray may print memory, in which parts of them stand.
  const auto has_said = [said = "\n" + guest_->output()](std::string_view text) {
    return said.find("\n" + std::string(text)) != std::string::npos;
  };
  if (guest_->output().find("probe: a bad image runs") != std::string::npos) return Outcome::kBadImage;
  if (has_said("boot: refused")) return Outcome::kRefused;
  if (has_said("boot: halt")) return Outcome::kHalted;
  if (has_said("probe: running") || has_said("probe: no hand-over")) return Outcome::kGoodImage;
  return std::nullopt;
}

}  // namespace otasim::test
