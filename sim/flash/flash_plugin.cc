// The flash plugin: the flash controller inside QEMU.
//
//   -plugin libotasim_flash_plugin.so,window=FILE[,oplog=FILE][,seed=N][,faults=FILE[,wake=FIFO]]
//
// `window` is the file that backs the guest's flash window (flash_file.h); the plugin maps the same file.
// When guest code is translated the plugin marks each doorbell instruction; when one is about to run, the
// controller reads its registers from the window, runs the command and writes the status, all before the
// guest's next instruction. Code without doorbells runs at full speed. Operations go to `oplog` if it is
// given.
//
// `faults` is a file that the simulator has prepared (fault_file.h). What it arms strikes here, and the
// part's worn and marginal cells are kept in it from one process to the next; the simulator is told through
// `wake`, by a byte for each strike. After a power cut no further instruction of the guest runs: the process
// stops itself (SIGSTOP) and waits to be killed. For a reset at a given instruction each instruction is
// counted, which is slow, and only done if one is planned when the process starts.
//
// What can go wrong is found at start, printed on stderr, and makes QEMU exit: a bad argument, a file that is
// not a flash file, an op log or a fault file that cannot be used. Later only the op log can fail (disk
// full); that is said once and logging stops.
#include <signal.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pal_sim/flash/flash_controller.h"
#include "sim/flash/flash_part.h"
#include "sim/flash/qemu_plugin_api.h"

namespace otasim::flash_plugin {
namespace {

using flash_file::Admission;
using flash_file::FlashPart;
using flash_file::FlashPartFiles;

constexpr int kInterfaceVersion = 1;

void complain(const std::string& message, const std::string& hint = {}) {
  std::fprintf(stderr, "otasim flash plugin: %s\n", message.c_str());
  if (!hint.empty()) std::fprintf(stderr, "  %s\n", hint.c_str());
}

bool parse_seed(std::string_view text, std::uint64_t& seed) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  return error == std::errc{} && end == text.data() + text.size();
}

bool parse_option(std::string_view argument, FlashPartFiles& files) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view key = argument.substr(0, equals);
  const std::string_view value = argument.substr(equals + 1);
  if (value.empty()) return false;
  if (key == "seed") return parse_seed(value, files.seed);
  constexpr std::pair<std::string_view, std::string FlashPartFiles::*> kPaths[] = {
      {"window", &FlashPartFiles::window_path},
      {"oplog", &FlashPartFiles::op_log_path},
      {"faults", &FlashPartFiles::fault_path},
      {"wake", &FlashPartFiles::wake_path}};
  for (const auto& [name, path] : kPaths) {
    if (key != name) continue;
    files.*path = value;
    return true;
  }
  return false;
}

std::optional<FlashPartFiles> parse_options(int argc, char** argv) {
  constexpr const char* kUsage =
      "Arguments are window=FILE (required), oplog=FILE, faults=FILE, wake=FIFO and seed=NUMBER.";
  FlashPartFiles files;
  for (int i = 0; i < argc; ++i) {
    if (parse_option(argv[i], files)) continue;
    complain(std::string("cannot understand the argument '") + argv[i] + "'.", kUsage);
    return std::nullopt;
  }
  if (files.window_path.empty()) {
    complain("no window was given.", kUsage);
    return std::nullopt;
  }
  return files;
}

class Plugin {
 public:
  explicit Plugin(std::unique_ptr<FlashPart> part) : part_(std::move(part)), controller_(part_->model()) {}

  void ring() {
    if (part_->begin(commanded()) != Admission::kRun) return;
    controller_.ring();
    if (const int error = part_->take_op_log_error(); error != 0) {
      complain(std::string("cannot write the op log: ") + std::strerror(error) +
               "; it ends before this operation.");
    }
    // To this thread, which therefore runs nothing more; the others stop with it.
    if (!part_->powered() && !part_->serves_boots_only()) ::raise(SIGSTOP);
  }

  [[nodiscard]] bool counts_instructions() const { return part_->reset_at_instruction() != 0; }
  void count_instruction() {
    if (++instructions_ == part_->reset_at_instruction()) part_->strike_reset();
  }

 private:
  [[nodiscard]] std::optional<flash::OpKind> commanded() {
    const std::uint32_t command =
        flash::read_register(part_->model().window(), flash::controller::kRegCommand);
    if (command == flash::controller::kNone || command > flash::controller::kOtpLock) return std::nullopt;
    return static_cast<flash::OpKind>(command);
  }

  std::unique_ptr<FlashPart> part_;
  flash::FlashController controller_;
  std::uint64_t instructions_ = 0;
};

// QEMU passes no user pointer to the translation callback, so the one instance has to stand here.
std::unique_ptr<Plugin> g_plugin;

void on_doorbell(unsigned int /*vcpu*/, void* plugin) {
  static_cast<Plugin*>(plugin)->ring();
}

void on_instruction(unsigned int /*vcpu*/, void* plugin) {
  static_cast<Plugin*>(plugin)->count_instruction();
}

bool is_doorbell(const qemu_plugin_insn* instruction) {
  using flash::controller::kDoorbellHalfword0;
  using flash::controller::kDoorbellHalfword1;
  constexpr std::uint8_t kBytes[] = {kDoorbellHalfword0 & 0xFF, kDoorbellHalfword0 >> 8,
                                     kDoorbellHalfword1 & 0xFF, kDoorbellHalfword1 >> 8};
  // At a page's end QEMU looks at the next halfword, and appends it to what it says of this instruction. The
  // first halfword begins no shorter instruction, so the beginning is enough.
  return qemu_plugin_insn_size(instruction) >= sizeof kBytes &&
         std::memcmp(qemu_plugin_insn_data(instruction), kBytes, sizeof kBytes) == 0;
}

void on_translation(qemu_plugin_id_t /*id*/, qemu_plugin_tb* block) {
  const std::size_t count = qemu_plugin_tb_n_insns(block);
  for (std::size_t i = 0; i < count; ++i) {
    qemu_plugin_insn* const instruction = qemu_plugin_tb_get_insn(block, i);
    // Before the doorbell's own: a reset before that instruction keeps it from ringing.
    if (g_plugin->counts_instructions()) {
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_instruction, QEMU_PLUGIN_CB_NO_REGS,
                                             g_plugin.get());
    }
    if (!is_doorbell(instruction)) continue;
    qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_doorbell, QEMU_PLUGIN_CB_NO_REGS, g_plugin.get());
  }
}

bool install(qemu_plugin_id_t id, int argc, char** argv) {
  const std::optional<FlashPartFiles> files = parse_options(argc, argv);
  if (!files) return false;
  auto part = FlashPart::power_on(*files);
  if (!part) {
    complain(part.error().message, part.error().hint);
    return false;
  }
  g_plugin = std::make_unique<Plugin>(std::move(*part));
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  return true;
}

}  // namespace
}  // namespace otasim::flash_plugin

extern "C" {

[[gnu::visibility("default")]] extern const int qemu_plugin_version = otasim::flash_plugin::kInterfaceVersion;

// QEMU exits if this returns anything but 0; no exception may reach it.
[[gnu::visibility("default")]] int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t* /*info*/,
                                                       int argc, char** argv) {
  try {
    return otasim::flash_plugin::install(id, argc, argv) ? 0 : 1;
  } catch (const std::exception& exception) {
    otasim::flash_plugin::complain(exception.what());
    return 1;
  }
}
}
