#include "sim/lab/lab_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/json_members.h"
#include "sim/lab/lab.h"

namespace otasim::lab {
namespace {

namespace fs = std::filesystem;

constexpr int kFormat = 1;
constexpr mode_t kPrivateFolder = 0700;  // flash files hold their devices' keys
constexpr mode_t kPrivateFile = 0600;

std::string state_path(const std::string& folder) {
  return folder + "/lab.json";
}
std::string lock_path(const std::string& folder) {
  return folder + "/lab.lock";
}

Result<std::string> absolute(const std::string& path) {
  std::error_code error;
  const fs::path full = fs::absolute(path, error);
  if (error) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot find the folder '{}': {}", path, error.message()));
  }
  std::string text = full.lexically_normal().string();
  if (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

bool is_utf8(const std::string& text) {
  using Handler = nlohmann::json::error_handler_t;
  const nlohmann::json value = text;
  return value.dump(-1, ' ', false, Handler::ignore) == value.dump(-1, ' ', false, Handler::replace);
}

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (::mkdir(path.c_str(), kPrivateFolder) == 0) return {};
  if (errno != EEXIST) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot make the lab's folder '{}': {}", path, std::strerror(errno)),
                "Choose a folder you may write to with --lab.");
  }
  const fs::directory_iterator entries(path, error);
  if (error) {
    return fail(ExitCode::kUsage, fmt::format("cannot use '{}' as a lab's folder: {}", path, error.message()),
                "Choose another folder with --lab.");
  }
  if (entries == fs::directory_iterator()) {
    // It was the user's own for whatever; now it is to hold keys.
    if (::chmod(path.c_str(), kPrivateFolder) == 0) return {};
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot make the lab's folder '{}' private: {}", path, std::strerror(errno)),
                "Choose a folder of your own with --lab.");
  }
  if (Lab::exists(path) || fs::exists(lock_path(path), error)) return {};
  return fail(ExitCode::kUsage, fmt::format("the folder '{}' holds other things than a lab", path),
              "Choose an empty or a new folder with --lab.");
}

nlohmann::json read_json(const std::string& path) {
  const auto content = read_file(path);
  if (!content) return nlohmann::json::object();
  return parse_json({reinterpret_cast<const char*>(content->data()), content->size()});
}

/// Their names in lab.json.
constexpr std::array<std::pair<const char*, std::uint16_t LabPorts::*>, 4> kPorts{{
    {"mqtt_port", &LabPorts::mqtt},
    {"https_port", &LabPorts::https},
    {"jobs_port", &LabPorts::jobs},
    {"alpn_port", &LabPorts::alpn},
}};

/// A lab of an earlier version knows only its MQTT port. @returns nothing for what is no port
std::optional<LabPorts> read_ports(const nlohmann::json& state) {
  LabPorts ports;
  for (const auto& [name, port] : kPorts) {
    if (!state.contains(name) && port != &LabPorts::mqtt) continue;
    const auto number = integer_member(state, name);
    if (!number || *number < 0 || *number > 65535) return std::nullopt;
    ports.*port = static_cast<std::uint16_t>(*number);
  }
  return ports;
}

/// Removes a temporary folder that a killed lab left: only what looks like one, and is the user's own.
void remove_left_over(const std::string& path) {
  struct stat info {};
  if (path.empty() || !fs::path(path).filename().string().starts_with("otasim-")) return;
  if (::lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != ::geteuid()) return;
  std::error_code ignored;  // what cannot be removed does no harm
  fs::remove_all(path, ignored);
}

}  // namespace

Result<std::unique_ptr<LabFolder>> LabFolder::claim(boost::asio::io_context& io, const std::string& path) {
  auto full = absolute(path);
  if (!full) return tl::unexpected(full.error());
  if (!is_utf8(*full)) {
    return fail(
        ExitCode::kUsage, "the lab's folder has a name that is not UTF-8",
        "What the lab tells of itself is JSON, which cannot hold it. Choose another folder with --lab.");
  }
  if (auto made = make_folder(*full); !made) return tl::unexpected(made.error());
  auto lock = FileLock::take(lock_path(*full));
  if (!lock) return tl::unexpected(lock.error());
  if (!*lock) {
    const auto pid = FileLock::holder(lock_path(*full));
    return fail(ExitCode::kEnvironment,
                fmt::format("a lab is already running in '{}' (pid {})", *full,
                            pid ? std::to_string(*pid) : "unknown"),
                "End it with Ctrl-C or otasim down, or choose another folder with --lab.");
  }
  std::unique_ptr<LabFolder> folder(new LabFolder(std::move(*full), std::move(**lock)));
  if (auto held = hold_with_children(io, folder->path_ + "/children.lock"); !held) {
    return tl::unexpected(held.error());
  }
  if (auto read = folder->read_state(); !read) return tl::unexpected(read.error());
  remove_left_over(folder->left_over_);
  if (auto made = folder->make_temporary(); !made) return tl::unexpected(made.error());
  return folder;
}

LabFolder::~LabFolder() {
  if (!temporary_) return;
  temporary_.reset();
  (void)write_state(/*running=*/false);  // if it fails, the next start finds nothing left over
}

Result<void> LabFolder::read_state() {
  const std::string path = state_path(path_);
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return {};
  const nlohmann::json state = read_json(path);
  const auto ports = read_ports(state);
  if (integer_member(state, "format") != kFormat || !ports) {
    return fail(ExitCode::kEnvironment, fmt::format("'{}' is damaged, or of another version of otasim", path),
                "Put the file back, or start a new lab in another folder.");
  }
  ports_ = *ports;
  left_over_ = text_member(state.value("running", nlohmann::json::object()), "temporary_folder").value_or("");
  return {};
}

Result<void> LabFolder::write_state(bool running) const {
  nlohmann::json state{{"format", kFormat}};
  for (const auto& [name, port] : kPorts) state[name] = ports_.*port;
  if (running) {
    state["running"] = {{"pid", ::getpid()},
                        {"temporary_folder", temporary_path_},
                        {"control_socket", temporary_path_ + "/control.sock"}};
  }
  return write_file_atomic(state_path(path_), state.dump(2) + "\n", kPrivateFile);
}

Result<void> LabFolder::make_temporary() {
  // Written down first: killed at whatever moment, the next start knows what to remove.
  temporary_path_ = TempDir::propose();
  if (auto written = write_state(/*running=*/true); !written) return written;
  auto made = TempDir::create_at(temporary_path_);
  if (!made) return tl::unexpected(made.error());
  temporary_ = std::move(*made);
  return {};
}

Result<void> LabFolder::keep_ports(const LabPorts& ports) {
  if (ports == ports_) return {};
  ports_ = ports;
  return write_state(/*running=*/true);
}

Result<std::string> LabFolder::control_socket(const std::string& path) {
  const auto full = absolute(path);
  if (!full) return tl::unexpected(full.error());
  const nlohmann::json state = read_json(state_path(*full));
  const auto running = state.is_object() ? state.value("running", nlohmann::json()) : nlohmann::json();
  auto socket = text_member(running, "control_socket");
  if (!socket) return tl::unexpected(not_running(*full));
  return *socket;
}

Error LabFolder::not_running(const std::string& path) {
  const auto full = absolute(path);
  const std::string& name = full ? *full : path;
  return {ExitCode::kEnvironment, fmt::format("no lab is running in '{}'", name),
          fmt::format("Start one with: otasim up --lab '{}'", name)};
}

}  // namespace otasim::lab
