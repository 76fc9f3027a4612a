// `otasim doctor`: has this machine what otasim needs? Each check says what it found and, if that will not
// do, what to do. Nothing is changed; the last check boots a board for a moment, with broker and network.
//
// A check that fails ends with exit code 3; a warning is something that only some commands need.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <regex>
#include <vector>

#include "sim/base/child_process.h"
#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/base/unique_fd.h"
#include "sim/cli/command.h"
#include "sim/crypto/key.h"
#include "sim/lab/boards.h"
#include "sim/lab/build_products.h"
#include "sim/lab/lab.h"

namespace otasim::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMegabyte = 1'000'000;
/// A run keeps 16 MiB of flash a device, twice, and a capture.
constexpr std::uintmax_t kLeastSpace = 300 * kMegabyte;
/// A matrix or a sweep.
constexpr std::uintmax_t kGoodSpace = 2000 * kMegabyte;
/// Sockets, pipes and files of one device and its lab.
constexpr rlim_t kLeastFiles = 256;
/// Of a lab with many devices.
constexpr rlim_t kGoodFiles = 1024;
/// Of QEMU's interface for plugins, which the flash controller is.
constexpr int kLeastQemuMajor = 7;
constexpr int kLeastQemuMinor = 2;
constexpr int kLeastMosquittoMajor = 2;
constexpr const char* kTrialSeconds = "60";

enum class Verdict { kOk, kWarning, kFailed };

struct Check {
  Verdict verdict = Verdict::kOk;
  std::string name;
  std::string found;  ///< what it is, or what is wrong
  std::string hint = {};
};

Check ok(std::string name, std::string found) {
  return {Verdict::kOk, std::move(name), std::move(found)};
}
Check warning(std::string name, std::string problem, std::string hint) {
  return {Verdict::kWarning, std::move(name), std::move(problem), std::move(hint)};
}
Check failed(std::string name, std::string problem, std::string hint) {
  return {Verdict::kFailed, std::move(name), std::move(problem), std::move(hint)};
}

template <typename T, typename Describe>
Check check(std::string name, const Result<T>& result, Describe describe) {
  if (result) return ok(std::move(name), describe(*result));
  return failed(std::move(name), result.error().message, result.error().hint);
}

/// What a program prints, both streams together.
struct Output {
  int code = -1;
  std::string text;
};

Output output_of(const std::string& program, const std::vector<std::string>& arguments) {
  const auto folder = TempDir::create();
  if (!folder) return {.code = -1, .text = "could not be asked: " + folder.error().message};
  boost::asio::io_context io;
  auto child = ChildProcess::spawn(io, {.program = program,
                                        .arguments = arguments,
                                        .stdout_path = folder->file("out"),
                                        .stderr_path = folder->file("err")});
  if (!child) return {.code = -1, .text = "could not be asked: " + child.error().message};
  Output output;
  (*child)->on_exit(
      [&](ChildProcess::ExitStatus status) { output.code = status.signaled ? -1 : status.code; });
  io.run();
  for (const char* name : {"out", "err"}) {
    const auto bytes = read_file(folder->file(name));
    if (bytes) output.text.append(bytes->begin(), bytes->end());
  }
  return output;
}

/// The first "MAJOR.MINOR" in a text.
std::optional<std::pair<int, int>> version_in(const std::string& text) {
  static const std::regex kVersion("([0-9]{1,4})\\.([0-9]{1,4})");
  std::smatch match;
  if (!std::regex_search(text, match, kVersion)) return std::nullopt;
  return std::pair(std::stoi(match[1]), std::stoi(match[2]));
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

void check_emulator(std::vector<Check>& out) {
  const auto path = find_program("qemu-system-arm");
  if (!path) return out.push_back(failed("emulator", path.error().message, path.error().hint));
  const std::string told = first_line(output_of(*path, {"--version"}).text);
  const auto version = version_in(told);
  const std::pair<int, int> least(kLeastQemuMajor, kLeastQemuMinor);
  if (!version || *version < least) {
    return out.push_back(
        failed("emulator", fmt::format("{} is '{}'", *path, told),
               fmt::format("Install qemu-system-arm {}.{} or newer.", kLeastQemuMajor, kLeastQemuMinor)));
  }
  out.push_back(ok("emulator", fmt::format("{}, {}", *path, told)));
  const bool has_plugins = output_of(*path, {"--help"}).text.find("-plugin ") != std::string::npos;
  out.push_back(has_plugins ? ok("emulator's plugins", "supported")
                            : failed("emulator's plugins", "this QEMU was built without them",
                                     "The flash controller is a plugin: install Debian's qemu-system-arm."));
  const std::string machines = output_of(*path, {"-machine", "help"}).text;
  std::string missing;
  for (const lab::Board& board : lab::boards()) {
    if (machines.find(std::string(board.name) + ' ') == std::string::npos)
      missing += ' ' + std::string(board.name);
  }
  out.push_back(missing.empty() ? ok("emulator's boards", "all there")
                                : failed("emulator's boards", "this QEMU lacks" + missing,
                                         "Install Debian's qemu-system-arm."));
}

Check check_broker() {
  const auto path = find_program("mosquitto");
  if (!path) return failed("broker", path.error().message, path.error().hint);
  // It has no option for its version, but begins its help with it.
  const std::string told = first_line(output_of(*path, {"-h"}).text);
  const auto version = version_in(told);
  if (!version || version->first < kLeastMosquittoMajor)
    return failed("broker", fmt::format("{} is '{}'", *path, told), "Install mosquitto 2.0 or newer.");
  return ok("broker", fmt::format("{}, {}", *path, told));
}

void check_optional_programs(std::vector<Check>& out) {
  struct Optional {
    const char* program;
    const char* purpose;
  };
  for (const Optional& one :
       {Optional{"gdb-multiarch", "otasim debug and otasim replay --gdb"},
        Optional{"tshark", "reading link.pcap with TLS keys in a terminal"},
        Optional{"asciinema", "playing demo.cast"}, Optional{"xdg-open", "otasim report open"}}) {
    const auto path = find_program(one.program);
    out.push_back(
        path ? ok(one.program, *path)
             : warning(one.program, fmt::format("not found; needed for {}", one.purpose),
                       fmt::format("apt-get install {}",
                                   std::string_view(one.program) == "xdg-open" ? "xdg-utils" : one.program)));
  }
}

void check_build(std::vector<Check>& out) {
  for (const lab::Board& board : lab::boards()) {
    out.push_back(check(fmt::format("firmware, {}", board.name),
                        lab::BuildProducts::find(std::string(board.name)),
                        [](const lab::BuildProducts& found) { return found.application_elf; }));
  }
  const auto products = lab::BuildProducts::find(std::string(lab::boards().front().name));
  if (products) {
    out.push_back(check("image-signing key", crypto::P256Key::load_private(products->boot_signing_key),
                        [&products](const auto&) { return products->boot_signing_key; }));
    out.push_back(check("device key", lab::load_device_key(products->device_key),
                        [&products](const auto&) { return products->device_key; }));
  }
  out.push_back(check("code-signing root", lab::check_code_signing_root(),
                      [](const std::string& path) { return path; }));
}

/// A connection to itself, as devices and broker make them.
Check check_loopback() {
  const char* const name = "loopback";
  const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  const UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool is_open = bind(listener.get(), any, size) == 0 && listen(listener.get(), 1) == 0 &&
                       getsockname(listener.get(), any, &size) == 0 && connect(client.get(), any, size) == 0;
  if (is_open)
    return ok(name, fmt::format("127.0.0.1 takes connections (port {} tried)", ntohs(address.sin_port)));
  return failed(name,
                fmt::format("127.0.0.1 takes no connections: {}", std::generic_category().message(errno)),
                "Broker and devices meet there: bring the interface lo up, or allow it in the sandbox.");
}

Check check_space(const std::string& name, const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (error)
    return failed(name, fmt::format("{}: {}", folder.string(), error.message()), "Choose another folder.");
  const std::string text =
      fmt::format("{}: {:.1f} GB free", folder.string(), static_cast<double>(space.available) / 1e9);
  if (space.available < kLeastSpace)
    return failed(name, text, "A run needs 0.3 GB: make room, or set TMPDIR and --out to another disk.");
  if (space.available < kGoodSpace)
    return warning(name, text, "Enough for a run; a matrix or a sweep wants 2 GB.");
  return ok(name, text);
}

Check check_temporary_folder() {
  const auto folder = TempDir::create();
  if (!folder) return failed("temporary folder", folder.error().message, folder.error().hint);
  return check_space("temporary folder", folder->path().parent_path());
}

Check check_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return warning("open files", "the limit cannot be read", "ulimit -n");
  const std::string text = fmt::format("{} at a time", limit.rlim_cur);
  if (limit.rlim_cur < kLeastFiles) return failed("open files", text, "ulimit -n 1024");
  if (limit.rlim_cur < kGoodFiles)
    return warning("open files", text, "A lab with many devices wants ulimit -n 1024.");
  return ok("open files", text);
}

/// Certificates are made of the clock: one that was set back makes those of the build not valid yet.
Check check_clock() {
  const auto now = std::chrono::system_clock::now();
  const std::string text = fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(now));
  std::error_code error;
  const auto built = fs::last_write_time("/proc/self/exe", error);
  if (error) return warning("clock", text, "It could not be compared with the program's time.");
  const auto age = fs::file_time_type::clock::now() - built;
  if (age < -std::chrono::minutes(1))
    return failed("clock", text + ", before otasim was built",
                  "Set the clock: certificates would not be valid yet.");
  return ok("clock", text);
}

/// Of what a program said before it failed: its error, or else its last line.
std::string problem_in(const std::string& said) {
  constexpr std::string_view kError = "otasim: ";
  const std::size_t error = said.starts_with(kError) ? 0 : said.rfind(fmt::format("\n{}", kError));
  if (error != std::string::npos) return first_line(said.substr(said.find(kError, error) + kError.size()));
  const std::size_t tail = said.find_last_not_of('\n');
  const std::size_t from = tail == std::string::npos ? 0 : said.rfind('\n', tail) + 1;
  return first_line(said.substr(from));
}

/// A board with the demo application, until it is connected to the broker over TLS.
Check check_trial(const std::string& program) {
  const auto start = std::chrono::steady_clock::now();
  const Output output = output_of(program, {"boot", "--until", "connected to", "--limit", kTrialSeconds});
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  const std::string board(lab::boards().front().name);
  if (output.code == 0)
    return ok("trial boot", fmt::format("{} booted and connected in {} ms", board, took.count()));
  return failed("trial boot",
                fmt::format("{} did not get as far as the broker: {}", board, problem_in(output.text)),
                fmt::format("otasim boot --until 'connected to' --limit {} shows it.", kTrialSeconds));
}

std::vector<Check> run_checks(const std::string& program, bool with_trial) {
  std::vector<Check> checks;
  check_emulator(checks);
  checks.push_back(check_broker());
  check_build(checks);
  checks.push_back(check_loopback());
  checks.push_back(check_space("working folder", fs::current_path()));
  checks.push_back(check_temporary_folder());
  checks.push_back(check_file_limit());
  checks.push_back(check_clock());
  check_optional_programs(checks);
  if (with_trial) checks.push_back(check_trial(program));
  return checks;
}

const char* word_of(Verdict verdict) {
  return verdict == Verdict::kOk ? "ok" : verdict == Verdict::kWarning ? "warn" : "FAIL";
}

const char* json_word_of(Verdict verdict) {
  return verdict == Verdict::kOk ? "ok" : verdict == Verdict::kWarning ? "warning" : "failed";
}

void print(const Check& one) {
  fmt::print("{:<4}  {:<22} {}\n", word_of(one.verdict), one.name, one.found);
  std::string_view hint = one.hint;
  while (!hint.empty()) {
    const std::size_t end = std::min(hint.find('\n'), hint.size());
    fmt::print("      {:<22} {}\n", "", hint.substr(0, end));
    hint.remove_prefix(std::min(end + 1, hint.size()));
  }
}

Result<void> doctor(const std::string& program, bool with_trial, bool as_json) {
  const std::vector<Check> checks = run_checks(program, with_trial);
  const bool is_well =
      std::ranges::none_of(checks, [](const Check& one) { return one.verdict == Verdict::kFailed; });
  if (as_json) {
    nlohmann::json list = nlohmann::json::array();
    for (const Check& one : checks) {
      const bool is_ok = one.verdict != Verdict::kFailed;
      list.push_back({{"check", one.name},
                      {"verdict", json_word_of(one.verdict)},
                      {"ok", is_ok},
                      {"found", is_ok ? one.found : ""},
                      {"problem", one.verdict == Verdict::kOk ? "" : one.found},
                      {"hint", one.hint}});
    }
    fmt::print("{}\n", nlohmann::json{{"ok", is_well}, {"checks", list}}.dump());
  } else {
    for (const Check& one : checks) print(one);
  }
  if (is_well) return {};
  return fail(ExitCode::kEnvironment, "not everything a run needs is here (see above)",
              "scripts/setup and scripts/build make it so.");
}

}  // namespace

void add_doctor(CLI::App& app, Command& command, const std::string& program) {
  static bool as_json = false;
  static bool without_trial = false;
  CLI::App* doctor_command = app.add_subcommand("doctor", "Check that this machine has what otasim needs");
  doctor_command->add_flag("--no-boot", without_trial, "Leave out the trial: boot no board");
  doctor_command->add_flag("--json", as_json, "Print JSON on stdout");
  doctor_command->callback(
      [&command, program] { command = [program] { return doctor(program, !without_trial, as_json); }; });
}

}  // namespace otasim::cli
