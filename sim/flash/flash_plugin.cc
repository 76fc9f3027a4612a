// The flash plugin: the flash controller inside QEMU.
//
//   -plugin libotasim_flash_plugin.so,window=FILE[,oplog=FILE][,seed=N]
//
// `window` is the file that backs the guest's flash window (flash_file.h); the plugin maps the same file.
// When guest code is translated the plugin marks each doorbell instruction; when one is about to run, the
// controller reads its registers from the window, runs the command and writes the status, all before the
// guest's next instruction. Code without doorbells runs at full speed. Operations go to `oplog` if it is
// given.
//
// What can go wrong is found at start, printed on stderr, and makes QEMU exit: a bad argument, a file that is
// not a flash file, an op log that cannot be written. Later only the op log can fail (disk full); that is
// said once and logging stops.
#include <cerrno>
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
#include "pal_sim/flash/op_log.h"
#include "sim/flash/flash_file.h"
#include "sim/flash/qemu_plugin_api.h"

namespace otasim::flash_plugin {
namespace {

using flash_file::FlashFile;

constexpr int kInterfaceVersion = 1;

struct Options {
  std::string window;
  std::string op_log;
  std::uint64_t seed = 1;
};

void complain(const std::string& message, const std::string& hint = {}) {
  std::fprintf(stderr, "otasim flash plugin: %s\n", message.c_str());
  if (!hint.empty()) std::fprintf(stderr, "  %s\n", hint.c_str());
}

bool parse_seed(std::string_view text, std::uint64_t& seed) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  return error == std::errc{} && end == text.data() + text.size();
}

bool parse_option(std::string_view argument, Options& options) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view key = argument.substr(0, equals);
  const std::string_view value = argument.substr(equals + 1);
  if (value.empty()) return false;
  if (key == "seed") return parse_seed(value, options.seed);
  if (key != "window" && key != "oplog") return false;
  (key == "window" ? options.window : options.op_log) = value;
  return true;
}

std::optional<Options> parse_options(int argc, char** argv) {
  constexpr const char* kUsage = "Arguments are window=FILE (required), oplog=FILE and seed=NUMBER.";
  Options options;
  for (int i = 0; i < argc; ++i) {
    if (parse_option(argv[i], options)) continue;
    complain(std::string("cannot understand the argument '") + argv[i] + "'.", kUsage);
    return std::nullopt;
  }
  if (options.window.empty()) {
    complain("no window was given.", kUsage);
    return std::nullopt;
  }
  return options;
}

class Plugin {
 public:
  Plugin(FlashFile file, std::optional<flash::OpLogWriter> op_log, std::uint64_t seed)
      : file_(std::move(file)), op_log_(std::move(op_log)), model_(file_.bytes(), seed), controller_(model_) {
    if (op_log_) model_.set_observer(&*op_log_);
  }

  void ring() {
    controller_.ring();
    if (op_log_ && op_log_->error() != 0 && !op_log_failure_reported_) report_op_log_failure();
  }

 private:
  void report_op_log_failure() {
    op_log_failure_reported_ = true;
    complain(std::string("cannot write the op log: ") + std::strerror(op_log_->error()) +
             "; it ends before this operation.");
  }

  FlashFile file_;
  std::optional<flash::OpLogWriter> op_log_;
  bool op_log_failure_reported_ = false;
  flash::NorModel model_;
  flash::FlashController controller_;
};

// QEMU passes no user pointer to the translation callback, so the one instance has to stand here.
std::unique_ptr<Plugin> g_plugin;

void on_doorbell(unsigned int /*vcpu*/, void* plugin) {
  static_cast<Plugin*>(plugin)->ring();
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
    if (!is_doorbell(instruction)) continue;
    qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_doorbell, QEMU_PLUGIN_CB_NO_REGS, g_plugin.get());
  }
}

bool install(qemu_plugin_id_t id, int argc, char** argv) {
  const std::optional<Options> options = parse_options(argc, argv);
  if (!options) return false;
  Result<FlashFile> file = FlashFile::open(options->window);
  if (!file) {
    complain(file.error().message, file.error().hint);
    return false;
  }
  std::optional<flash::OpLogWriter> op_log;
  if (!options->op_log.empty()) {
    op_log = flash::OpLogWriter::open(options->op_log);
    if (!op_log) {
      complain("cannot open the op log " + options->op_log + ": " + std::strerror(errno) + ".",
               "Give a path that can be written; an existing file must be an op log.");
      return false;
    }
  }
  g_plugin = std::make_unique<Plugin>(std::move(*file), std::move(op_log), options->seed);
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
