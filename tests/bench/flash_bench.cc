// What the flash controller costs a guest that computes: SHA-256 over RAM in QEMU without the plugin, with it
// (fast mode: doorbells only), with commands that take time, and with every store watched (strict mode).
//
// The four take turns, each in a new QEMU process, so that what else the machine does falls on all of them;
// ratios are those of the medians. The clock runs at the host from the guest's line "begin" to its digest,
// which is checked.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/crypto/key.h"
#include "sim/flash/flash_faults.h"
#include "sim/flash/flash_file.h"
#include "sim/flash/qemu_arguments.h"
#include "tests/bench/need.h"
#include "tests/bench/sha_program.h"

namespace otasim::bench {
namespace {

constexpr double kFastGoal = 1.10;
constexpr int kLimitMs = 60'000;

[[noreturn]] void end_with(const std::string& problem) {
  fmt::print(stderr, "bench: {}\n", problem);
  std::_Exit(3);
}

/// The guest's console on a pipe. No QEMU outlives its object.
class Guest {
 public:
  explicit Guest(std::vector<std::string> arguments) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) end_with("cannot make a pipe");
    child_ = ::fork();
    if (child_ < 0) end_with("cannot start a process");
    if (child_ == 0) become_qemu(std::move(arguments), ends);
    ::close(ends[1]);
    pipe_ = ends[0];
  }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest() {
    if (child_ > 0) end();
    ::close(pipe_);
  }

  /// @returns the processor time that it has taken in all
  double end() {
    ::kill(child_, SIGKILL);
    rusage used{};
    ::wait4(child_, nullptr, 0, &used);
    child_ = -1;
    const auto ms = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
    };
    return ms(used.ru_utime) + ms(used.ru_stime);
  }

  std::string line() {
    std::size_t end = 0;
    while ((end = text_.find('\n')) == std::string::npos) read_some();
    std::string first = text_.substr(0, end);
    text_.erase(0, end + 1);
    return first;
  }

 private:
  [[noreturn]] static void become_qemu(std::vector<std::string> arguments, const std::array<int, 2>& ends) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);  // among the lines before "begin"
    ::close(ends[0]);
    ::close(ends[1]);
    arguments.insert(arguments.begin(), "qemu-system-arm");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  void read_some() {
    pollfd waiting{.fd = pipe_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kLimitMs) <= 0) end_with("the guest says nothing");
    std::array<char, 4096> bytes{};
    const ssize_t got = ::read(pipe_, bytes.data(), bytes.size());
    if (got <= 0) end_with("QEMU has ended: " + text_);
    text_.append(bytes.data(), static_cast<std::size_t>(got));
  }

  pid_t child_ = -1;
  int pipe_ = -1;
  std::string text_;
};

/// A flash with what is armed for it, and QEMU's arguments for it.
class Setting {
 public:
  Setting(std::string name, boost::asio::io_context& io, bool has_plugin,
          const std::vector<flash_file::FlashFault>& armed)
      : name_(std::move(name)),
        folder_(need(TempDir::create())),
        flash_(need(flash_file::FlashFile::create(folder_.path().string() + "/flash.bin"))),
        faults_(need(flash_file::FlashFaults::open(io,
                                                   {.fault_path = folder_.path().string() + "/flash.faults",
                                                    .wake_path = folder_.path().string() + "/wake"},
                                                   flash_))),
        has_plugin_(has_plugin) {
    for (const auto& fault : armed) need(faults_->arm(fault));
  }

  void run(const std::string& digest) {
    Guest guest(arguments());
    while (guest.line() != "begin") {
    }
    if (guest.line() != digest) end_with("the guest's digest is wrong");
    times_ms_.push_back(guest.end());
  }
  [[nodiscard]] double median_ms() {
    std::ranges::sort(times_ms_);
    return times_ms_[times_ms_.size() / 2];
  }
  [[nodiscard]] double best_ms() const { return std::ranges::min(times_ms_); }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  [[nodiscard]] std::vector<std::string> arguments() const {
    std::vector<std::string> all{
        "-display",    "none",
        "-nodefaults", "-no-user-config",
        "-machine",    std::string("mps2-an385,memory-backend=") + flash_file::kMemoryBackendId,
        "-serial",     "stdio",
        "-kernel",     SHA_PROGRAM};
    auto flash = flash_file::qemu_arguments({.window_path = flash_.path(),
                                             .plugin_path = FLASH_PLUGIN,
                                             .fault_path = faults_->paths().fault_path});
    if (!has_plugin_)
      std::erase_if(flash,
                    [](const std::string& one) { return one == "-plugin" || one.starts_with(FLASH_PLUGIN); });
    all.insert(all.end(), flash.begin(), flash.end());
    return all;
  }

  std::string name_;
  TempDir folder_;
  flash_file::FlashFile flash_;
  std::unique_ptr<flash_file::FlashFaults> faults_;
  bool has_plugin_;
  std::vector<double> times_ms_;
};

std::string expected_digest() {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(std::size_t{sha_program::kBlockBytes} * sha_program::kBlocks);
  for (std::uint32_t block = 0; block < sha_program::kBlocks; ++block) {
    for (std::uint32_t i = 0; i < sha_program::kBlockBytes; ++i) bytes.push_back(sha_program::byte_at(i));
  }
  std::string text;
  for (const std::uint8_t byte : crypto::sha256(bytes)) text += fmt::format("{:02x}", byte);
  return text;
}

void run(int rounds) {
  boost::asio::io_context io;
  Setting plain("no plugin", io, false, {});
  Setting fast("fast mode", io, true, {});
  Setting busy("commands take time", io, true,
               {flash_file::Busy{.program_instructions = 1000, .erase_instructions = 1000}});
  Setting strict("strict mode", io, true, {flash_file::Strict{}});
  const std::array<Setting*, 4> all{&plain, &fast, &busy, &strict};
  const std::string digest = expected_digest();
  for (int i = 0; i < rounds; ++i) {
    for (Setting* one : all) one->run(digest);
  }
  const double mib = sha_program::kBlockBytes / 1048576.0 * sha_program::kBlocks;
  fmt::print("SHA-256 of {:.0f} MiB in mps2-an385, {} runs of each in turn\n", mib, rounds);
  for (Setting* one : all) {
    fmt::print("  {:<20}{:8.1f} ms  best {:8.1f}  {:6.1f} MB/s  x {:.2f} (best x {:.2f}){}\n", one->name(),
               one->median_ms(), one->best_ms(), mib * 1.048576 * 1000 / one->median_ms(),
               one->median_ms() / plain.median_ms(), one->best_ms() / plain.best_ms(),
               one == &fast ? fmt::format("  goal: below x {:.2f}", kFastGoal) : "");
  }
}

}  // namespace
}  // namespace otasim::bench

int main(int argc, char** argv) {
  CLI::App app("What the flash controller costs a guest that computes");
  int rounds = 9;
  app.add_option("--rounds", rounds, "Runs of each")->capture_default_str()->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  otasim::bench::run(rounds);
  return 0;
}
