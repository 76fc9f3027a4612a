#include "sim/broker/broker.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <tuple>

#include "sim/base/file_io.h"
#include "sim/base/halt_word.h"
#include "sim/base/install_root.h"
#include "sim/base/unique_fd.h"
#include "sim/base/unix_socket.h"
#include "sim/broker/broker_config.h"
#include "sim/broker/key_log/key_log.h"
#include "sim/broker/port_reservation.h"

namespace otasim::broker {

namespace {

using std::chrono::steady_clock;

constexpr auto kStartLimit = std::chrono::seconds(10);
constexpr std::streamoff kLogTail = 1024;
constexpr const char* kPluginFile = "lib/otasim_broker_plugin.so";
constexpr const char* kClockLibrary = "otasim_broker_clock.so";

Result<std::string> plugin_path(const BrokerSpec& spec) {
  if (!spec.plugin_path.empty()) return spec.plugin_path;
  auto root = install_root();
  if (!root) return tl::unexpected(root.error());
  return (*root / kPluginFile).string();
}

Result<void> check_readable(const std::string& path, const char* what) {
  if (::access(path.c_str(), R_OK) == 0) return {};
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot read the broker's {} '{}': {}.", what, path, std::strerror(errno)));
}

Result<void> check_files(const BrokerSpec& spec, const std::string& plugin) {
  for (const auto& [path, what] :
       {std::pair{&spec.ca_path, "certificate authority"}, std::pair{&spec.certificate_path, "certificate"},
        std::pair{&spec.key_path, "key"}, std::pair{&plugin, "plugin"}}) {
    if (auto readable = check_readable(*path, what); !readable) return readable;
  }
  return {};
}

/// What is loaded before Mosquitto's own libraries, and its settings: a clock that halts, a log of TLS
/// secrets (key_log/key_log.h).
Result<std::vector<std::string>> environment_of(const BrokerSpec& spec, const std::string& plugin) {
  const std::filesystem::path libraries = std::filesystem::path(plugin).parent_path();
  std::string preloaded;
  std::vector<std::string> environment;
  for (const auto& [library, variable, value] :
       {std::tuple{kClockLibrary, kHaltFileVariable, &spec.halt_path},
        std::tuple{kKeyLogLibrary, kKeyLogVariable, &spec.key_log_path}}) {
    if (value->empty()) continue;
    const std::string path = (libraries / library).string();
    if (auto readable = check_readable(path, "preloaded library"); !readable)
      return tl::unexpected(readable.error());
    // The loader takes both for the end of a name, and goes on without the library.
    if (path.find_first_of(" :") != std::string::npos)
      return fail(ExitCode::kEnvironment, fmt::format("cannot preload {}", path),
                  "Move otasim to a folder whose path has neither spaces nor colons.");
    preloaded += (preloaded.empty() ? "" : ":") + path;
    environment.push_back(fmt::format("{}={}", variable, *value));
  }
  if (!preloaded.empty()) environment.push_back("LD_PRELOAD=" + preloaded);
  return environment;
}

/// The last whole lines of a log, indented.
std::string last_lines(const std::string& path) {
  std::ifstream log(path, std::ios::binary | std::ios::ate);
  if (!log) return {};
  const std::streamoff size = log.tellg();
  log.seekg(std::max<std::streamoff>(0, size - kLogTail));
  std::string line;
  if (size > kLogTail) std::getline(log, line);
  std::string text;
  while (std::getline(log, line)) text += (text.empty() ? "  " : "\n  ") + line;
  return text;
}

Error exit_error(const std::string& log_path, const std::string& what) {
  const std::string tail = last_lines(log_path);
  return Error{ExitCode::kEnvironment, what,
               tail.empty() ? fmt::format("Its log '{}' is empty.", log_path)
                            : fmt::format("The end of its log '{}':\n{}", log_path, tail)};
}

bool answers(const sockaddr_un& address) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

void drain(int fd) {
  alignas(inotify_event) std::array<char, 4096> events{};
  while (::read(fd, events.data(), events.size()) > 0) {
  }
}

/// Waits until the private listener answers. Whatever Mosquitto does on its way there (making the socket,
/// writing its log) is an event in the folder; after each the socket is tried.
Result<void> wait_until_ready(const UniqueFd& folder_events, pid_t pid, const sockaddr_un& address,
                              const std::string& log_path) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) {
    return tl::unexpected(exit_error(log_path, "mosquitto ended before it could be watched."));
  }
  const auto limit = steady_clock::now() + kStartLimit;
  for (;;) {
    if (answers(address)) return {};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit - steady_clock::now()).count();
    if (left <= 0) {
      return tl::unexpected(
          exit_error(log_path, fmt::format("mosquitto did not answer within {} s.", kStartLimit.count())));
    }
    std::array<pollfd, 2> waits{{{folder_events.get(), POLLIN, 0}, {process.get(), POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
      return fail(ExitCode::kEnvironment,
                  fmt::format("cannot wait for mosquitto: {}.", std::strerror(errno)));
    }
    if (waits[1].revents != 0) {
      return tl::unexpected(exit_error(log_path, "mosquitto did not start."));
    }
    if (waits[0].revents != 0) drain(folder_events.get());
  }
}

Result<UniqueFd> watch_folder(const std::string& folder) {
  UniqueFd events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!events || ::inotify_add_watch(events.get(), folder.c_str(), IN_CREATE | IN_MODIFY | IN_ATTRIB) < 0) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot watch the lab's folder '{}': {}.", folder, std::strerror(errno)));
  }
  return events;
}

std::string describe(ChildProcess::ExitStatus status) {
  return status.signaled ? fmt::format("mosquitto was killed by signal {}.", status.code)
                         : fmt::format("mosquitto ended with exit code {}.", status.code);
}

}  // namespace

Result<std::unique_ptr<Broker>> Broker::start(boost::asio::io_context& io, const BrokerSpec& spec) {
  auto program = find_program("mosquitto");
  if (!program) return tl::unexpected(program.error());
  auto plugin = plugin_path(spec);
  if (!plugin) return tl::unexpected(plugin.error());
  if (auto readable = check_files(spec, *plugin); !readable) return tl::unexpected(readable.error());

  const std::filesystem::path folder(spec.folder);
  const std::string config_path = (folder / "mosquitto.conf").string();
  const std::string log_path = (folder / "mosquitto.log").string();
  const std::string socket_path = (folder / "mirror.sock").string();
  const auto address = unix_socket_address(socket_path);
  if (!address) return tl::unexpected(address.error());
  std::error_code ignored;
  std::filesystem::remove(socket_path, ignored);  // left by a broker that was killed; it would never answer

  // Held until Mosquitto listens itself.
  const auto reservation = PortReservation::take(spec.port);
  if (!reservation) return tl::unexpected(reservation.error());
  const auto config = render_config({.port = reservation->port(),
                                     .ca_path = spec.ca_path,
                                     .certificate_path = spec.certificate_path,
                                     .key_path = spec.key_path,
                                     .plugin_path = *plugin,
                                     .socket_path = socket_path,
                                     .run_as_root = ::geteuid() == 0,
                                     .log_path = log_path,
                                     .address = spec.address,
                                     .throttle = spec.throttle,
                                     .first_connection = spec.first_connection});
  if (!config) return tl::unexpected(config.error());
  if (auto written = write_file_atomic(config_path, *config); !written)
    return tl::unexpected(written.error());

  auto environment = environment_of(spec, *plugin);
  if (!environment) return tl::unexpected(environment.error());
  const auto folder_events = watch_folder(spec.folder);
  if (!folder_events) return tl::unexpected(folder_events.error());
  auto process = ChildProcess::spawn(io, {.program = *program,
                                          .arguments = {"-c", config_path},
                                          .stdout_path = log_path,
                                          .stderr_path = log_path,
                                          .environment = std::move(*environment)});
  if (!process) return tl::unexpected(process.error());
  if (auto ready = wait_until_ready(*folder_events, (*process)->pid(), *address, log_path); !ready) {
    return tl::unexpected(ready.error());
  }
  return std::unique_ptr<Broker>(new Broker(reservation->port(), socket_path, log_path, std::move(*process)));
}

Broker::Broker(std::uint16_t port, std::string socket_path, std::string log_path,
               std::unique_ptr<ChildProcess> process)
    : port_(port),
      socket_path_(std::move(socket_path)),
      log_path_(std::move(log_path)),
      process_(std::move(process)) {}

Broker::~Broker() {
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove(socket_path_, ignored);
}

void Broker::on_exit(ExitHandler handler) {
  process_->on_exit([handler = std::move(handler), log_path = log_path_](ChildProcess::ExitStatus status) {
    handler(exit_error(log_path, describe(status)));
  });
}

}  // namespace otasim::broker
