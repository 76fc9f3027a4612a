// How large the bootloader is, and how long a boot takes: an image of 256 KiB on a board in QEMU, from reset
// to the application's first console line, in a QEMU that runs already and in a new one.
//
// Size: from the bootloader's ELF and its map, what stands in the boot ROM, and where it comes from.
//
// Boots: an application, filled up with random bytes to 256 KiB, is committed in slot A. It is the probe of
// the tests, which does nothing before its first line, or the demo application, which first clears 700 KB of
// variables. The host's clock runs from Device::reset() (or power_on()) until the line has come over the
// UART's socket, and is read at the bootloader's lines too, which tells the stages apart.
//
// Both say that they are at rest (the demo, because it has no provisioning) and sleep. The next reset waits
// for that, so that no boot begins in another one's work.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>

#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/mps2/memory_map.h"
#include "sim/base/file_io.h"
#include "sim/base/install_root.h"
#include "sim/base/temp_dir.h"
#include "sim/crypto/key.h"
#include "sim/device/device.h"
#include "sim/flash/flash_file.h"
#include "sim/image/elf.h"
#include "sim/image/image.h"
#include "sim/lab/boards.h"
#include "sim/lab/build_products.h"
#include "tests/bench/code_size.h"
#include "tests/bench/need.h"

namespace otasim::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Bytes = std::vector<std::uint8_t>;

constexpr const char* kBoard = "mps2-an385";
constexpr std::size_t kImageBytes = 256 * 1024;
constexpr std::uint64_t kTextGoal = 32 * 1024;
constexpr double kBootGoalMs = 30;
constexpr auto kLimit = std::chrono::seconds(30);

struct Options {
  int boots = 100;
  int processes = 30;
};

[[noreturn]] void end_with(const std::string& problem) {
  fmt::print(stderr, "bench: {}\n", problem);
  std::_Exit(3);
}

// ---- size

/// What the linker put into the boot ROM, initial values of variables included.
struct RomUse {
  std::uint64_t code = 0;
  std::uint64_t trust = 0;  ///< the block of keys that the application may read
};

template <typename T>
T field(std::span<const std::uint8_t> bytes, std::size_t at) {
  T value{};
  if (at > bytes.size() || sizeof(T) > bytes.size() - at) end_with("the bootloader's ELF file is cut short");
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

/// From the program headers of a 32-bit ELF file (PT_LOAD, by load address).
RomUse rom_use(std::span<const std::uint8_t> elf) {
  constexpr std::uint32_t kLoad = 1;
  const auto headers = field<std::uint32_t>(elf, 28);
  const auto header_size = field<std::uint16_t>(elf, 42);
  const auto count = field<std::uint16_t>(elf, 44);
  RomUse use;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = headers + i * header_size;
    if (field<std::uint32_t>(elf, at) != kLoad) continue;
    const auto address = field<std::uint32_t>(elf, at + 12);
    const auto size = field<std::uint32_t>(elf, at + 16);
    (address >= mps2::kRomTrustAddress ? use.trust : use.code) += size;
  }
  return use;
}

std::string_view component_of(std::string_view object) {
  struct Component {
    std::string_view library;
    std::string_view name;
  };
  constexpr std::array kComponents{
      Component{"libboot.a", "boot logic"},
      Component{"libdevice_bearssl.a", "crypto: BearSSL"},
      Component{"libcrypto.a", "crypto: our interface to it"},
      Component{"libdrivers_", "board: start-up, drivers, memory protection"},
      Component{"libflash.a", "flash driver"},
      Component{"bootloader_main", "board: main program"},
  };
  for (const Component& component : kComponents) {
    if (object.starts_with(component.library)) return component.name;
  }
  return "C library, run-time";
}

void print_bytes(std::string_view name, std::uint64_t bytes) {
  fmt::print("  {:<52}{:>7}\n", name, bytes);
}

void report_size() {
  const auto firmware = need(install_root()) / "firmware";
  const auto elf = need(read_file((firmware / fmt::format("bootloader-{}.elf", kBoard)).string()));
  const auto map = need(read_file((firmware / fmt::format("bootloader-{}.map", kBoard)).string()));
  const RomUse use = rom_use(elf);
  fmt::print("Bootloader on a Cortex-M3 at -Os, bytes in the boot ROM (goal: {})\n", kTextGoal);
  print_bytes("code and constants", use.code);
  print_bytes("with the block of keys that the application may read", use.code + use.trust);
  std::map<std::string_view, std::uint64_t> components;
  std::uint64_t sum = 0;
  for (const auto& [object, size] : need(read_map({reinterpret_cast<const char*>(map.data()), map.size()}))) {
    components[component_of(object)] += size.text + size.data;
    sum += size.text + size.data;
  }
  for (const auto& [component, size] : components) print_bytes(fmt::format("  {}", component), size);
  print_bytes("  alignment, merged constants", use.code - std::min(sum, use.code));
}

// ---- boots

class Times {
 public:
  void add(Clock::duration time) {
    ms_.push_back(std::chrono::duration<double, std::milli>(time).count());
    std::ranges::sort(ms_);
  }
  [[nodiscard]] double percentile(std::size_t percent) const {
    return ms_.at(std::min(ms_.size() - 1, ms_.size() * percent / 100));
  }

 private:
  std::vector<double> ms_;
};

/// Stands for the moment when the machine is reset: no line of the console.
constexpr std::string_view kMachineReset = "(reset)";

/// Stands for the application's first line.
constexpr std::string_view kFirstLine = "(application)";

struct Program {
  std::string_view name;
  std::string_view first_line;
  std::string_view at_rest;
};
constexpr Program kProbe{"probe", "probe: running", "probe: at rest"};
constexpr Program kDemo{"demo", "app: otasim demo", "app: cannot start"};

/// Lines that end a stage, in their order.
struct Stage {
  std::string_view line;
  std::string_view what;
};
constexpr std::array kStages{
    Stage{kMachineReset, "the lab: machine stopped, flash controller reset"},
    Stage{"boot: reset", "machine reset, the bootloader's first line"},
    Stage{"boot: verify slot=A", "loaded, hashed, signature verified"},
    Stage{"boot: start slot=A", "hashed and verified a second time"},
    Stage{kFirstLine, "RAM cleared, the application's first line"},
};

struct BootTimes {
  std::array<Times, kStages.size()> stages;  ///< since the one before
  Times total;
};

Bytes make_image(const Program& program, const lab::BuildProducts& products) {
  const lab::Board& board = *lab::find_board(kBoard);
  const auto key = need(crypto::P256Key::load_private(products.boot_signing_key));
  const image::SignOptions options{.version = {1, 0, 0, 0}, .load_address = board.load_address};
  const auto elf = need(install_root()) / "firmware" / fmt::format("{}-{}.elf", program.name, kBoard);
  Bytes payload = need(image::payload_from_elf(need(read_file(elf.string())),
                                               board.load_address + boot::image::kDefaultHeaderSize,
                                               flash::kSlotSize - boot::image::kDefaultHeaderSize));
  // A signature in DER is some bytes shorter now and then.
  const std::size_t overhead = need(image::sign(payload, options, key)).size() - payload.size();
  if (payload.size() + overhead > kImageBytes) end_with("the application has more than 256 KiB");
  std::mt19937 random(1);
  while (payload.size() + overhead < kImageBytes) payload.push_back(static_cast<std::uint8_t>(random()));
  return need(image::sign(payload, options, key));
}

class Bench {
 public:
  explicit Bench(const Program& program)
      : program_(program), products_(need(lab::BuildProducts::find(kBoard))) {
    flash_ = need(flash_file::FlashFile::create(folder_.file("flash.bin")));
    std::ranges::copy(make_image(program_, products_), flash_->partition(flash::kSlotA).begin());
    device_ = need(device::Device::create(
        io_,
        {.board = kBoard,
         .bootloader_path = products_.bootloader_elf,
         .flash =
             device::FlashWindow{.path = flash_->path(), .plugin_path = products_.flash_plugin, .seed = 1},
         .more_arguments = {},
         .uart_log_path = folder_.file("uart.log"),
         .run_folder = folder_.path().string(),
         .on_machine_reset =
             [this] {
               flash_->clear_volatile_state();
               return Result<void>{};
             },
         .events = events_.get()}));
    device_->on_console_line([this](std::string_view line) { handle_line(line); });
    device_->on_reset([this](device::ResetCause) { handle_line(kMachineReset); });
    device_->on_exit(
        [](const device::Exit& exit) { end_with("the device went off: " + exit.error.message); });
  }

  BootTimes in_new_processes(int processes) {
    power_on();  // the first boot commits the image
    device_->power_off();
    BootTimes times;
    for (int i = 0; i < processes; ++i) {
      power_on();
      device_->power_off();
      note(times);
    }
    return times;
  }

  BootTimes in_a_running_process(int boots) {
    power_on();
    BootTimes times;
    for (int i = 0; i < boots; ++i) {
      begin();
      device_->reset();
      wait_until_at_rest();
      note(times);
    }
    device_->power_off();
    return times;
  }

 private:
  void power_on() {
    begin();
    need(device_->power_on());
    handle_line(kMachineReset);  // a new process: the time before is QEMU's start
    wait_until_at_rest();
  }

  void begin() {
    is_at_rest_ = false;
    reached_ = 0;
    began_ = Clock::now();
  }

  void handle_line(std::string_view line) {
    last_line_ = line;
    if (line.starts_with(program_.first_line)) line = kFirstLine;
    if (reached_ < kStages.size() && line.starts_with(kStages[reached_].line)) {
      reached_at_[reached_++] = Clock::now();
    }
    if (line.starts_with(program_.at_rest)) is_at_rest_ = true;
  }

  void wait_until_at_rest() {
    const auto limit = Clock::now() + kLimit;
    while (!is_at_rest_) {
      if (Clock::now() >= limit) end_with("the device does not boot; its last line: " + last_line_);
      io_.restart();
      io_.run_one_until(limit);
    }
    if (reached_ != kStages.size()) end_with("a boot without all of its lines; the last one: " + last_line_);
  }

  void note(BootTimes& times) const {
    Clock::time_point before = began_;
    for (std::size_t i = 0; i < kStages.size(); ++i) {
      times.stages[i].add(reached_at_[i] - before);
      before = reached_at_[i];
    }
    times.total.add(before - began_);
  }

  const Program& program_;
  TempDir folder_ = need(TempDir::create());
  lab::BuildProducts products_;
  boost::asio::io_context io_;
  std::unique_ptr<report::EventLog> events_ = report::EventLog::in_memory();
  std::optional<flash_file::FlashFile> flash_;
  Clock::time_point began_;
  std::array<Clock::time_point, kStages.size()> reached_at_{};
  std::size_t reached_ = 0;
  bool is_at_rest_ = false;
  std::string last_line_;
  std::unique_ptr<device::Device> device_;  // last: its power goes first
};

void print_times(std::string_view name, const Times& times) {
  fmt::print("  {:<52}{:>7.1f}{:>9.1f}{:>9.1f}\n", name, times.percentile(50), times.percentile(90),
             times.percentile(0));
}

void report_boots(const Program& program, std::string_view where, int count, const BootTimes& times) {
  fmt::print("\n{:<54}{:>7}{:>9}{:>9}\n",
             fmt::format("The {} in {}, {} boots, ms", program.name, where, count), "median", "90 %",
             "lowest");
  print_times(fmt::format("reset to the application's first line (goal: {})", kBootGoalMs), times.total);
  for (std::size_t i = 0; i < kStages.size(); ++i) {
    print_times(fmt::format("  {}", kStages[i].what), times.stages[i]);
  }
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{"Measures the bootloader: its size, and the boot of an image of 256 KiB."};
  app.add_option("--boots", options.boots, "Resets of a running QEMU")->check(CLI::Range(1, 10000));
  app.add_option("--processes", options.processes, "New QEMU processes")->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  report_size();
  for (const Program& program : {kProbe, kDemo}) {
    Bench bench(program);
    report_boots(program, "a running QEMU", options.boots, bench.in_a_running_process(options.boots));
    report_boots(program, "a new QEMU process", options.processes, bench.in_new_processes(options.processes));
  }
  return 0;
}

}  // namespace
}  // namespace otasim::bench

int main(int argc, char** argv) {
  return otasim::bench::run(argc, argv);
}
