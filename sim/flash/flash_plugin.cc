// The flash plugin: the flash controller inside QEMU.
//
//   -plugin libotasim_flash_plugin.so,window=FILE[,address=N][,oplog=FILE][,seed=N][,faults=FILE[,wake=FIFO]]
//           [,plans=FILE[,mode=record|replay|debug]][,start=power|reset]
//
// `window` is the file that backs the guest's flash window (flash_file.h); the plugin maps the same file.
// When guest code is translated the plugin marks each doorbell instruction; when one is about to run, the
// controller reads its registers from the window, runs the command and writes the status, all before the
// guest's next instruction. Code without doorbells runs at full speed. Operations go to `oplog` if it is
// given.
//
// Of a machine that is only booted (FaultFile::serve_boots_only) the simulator is woken once in each boot:
// when the first code of the application's is translated, or at the first WFI.
//
// `faults` is a file that the simulator has prepared (fault_file.h). What it arms strikes here, and the
// part's worn and marginal cells are kept in it from one process to the next; the simulator is told through
// `wake`, by a byte for each strike. After a power cut no further instruction of the guest runs: the process
// stops itself (SIGSTOP) and waits to be killed. For a reset at a given instruction each instruction is
// counted, which is slow, and only done if one is planned when the process starts. So it is with the time
// that commands take (each block of code is counted), with direct stores that are to be taken back, and with
// reads that disturb cells (each store or load of the guest calls back; `address` is where it sees the
// window).
//
// `plans` is the plan log (plan_log.h) of a boot that is recorded, or of one that is replayed; `start=reset`
// is a recorded boot that a reset began, so that the part has had power all along. When a replay comes to a
// power cut, the process ends with kReplayCutExit; under a debugger (`debug`) it goes on with a dead part,
// and each time that the debugger has gone back to the start, the part follows.
//
// What can go wrong is found at start, printed on stderr, and makes QEMU exit: a bad argument, a file that is
// not a flash file, an op log or a fault file that cannot be used. Later only the op log can fail (disk
// full); that is said once and logging stops.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pal_sim/flash/flash_controller.h"
#include "sim/base/unique_fd.h"
#include "sim/flash/flash_part.h"
#include "sim/flash/qemu_plugin_api.h"
#include "sim/flash/replay_exit.h"

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

bool parse_number(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

/// What becomes of a power cut.
enum class CutAction : std::uint8_t {
  kStop,  ///< this process stands still, and the host kills it
  kExit,  ///< a replay is over
  kGoOn,  ///< a debugger looks on
};

struct Options {
  FlashPartFiles files;
  CutAction cut_action = CutAction::kStop;
  std::uint64_t window_address = 0;  ///< where the guest sees it
};

bool parse_mode(std::string_view value, Options& options) {
  options.files.is_replayed = value != "record";
  if (value == "replay") options.cut_action = CutAction::kExit;
  if (value == "debug") options.cut_action = CutAction::kGoOn;
  return value == "record" || options.cut_action != CutAction::kStop;
}

bool parse_option(std::string_view argument, Options& options) {
  FlashPartFiles& files = options.files;
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view key = argument.substr(0, equals);
  const std::string_view value = argument.substr(equals + 1);
  if (value.empty()) return false;
  if (key == "seed") return parse_number(value, files.seed);
  if (key == "address") return parse_number(value, options.window_address);
  if (key == "mode") return parse_mode(value, options);
  if (key == "start") {
    files.after_reset = value == "reset";
    return files.after_reset || value == "power";
  }
  constexpr std::pair<std::string_view, std::string FlashPartFiles::*> kPaths[] = {
      {"window", &FlashPartFiles::window_path},
      {"oplog", &FlashPartFiles::op_log_path},
      {"faults", &FlashPartFiles::fault_path},
      {"plans", &FlashPartFiles::plan_log_path},
      {"wake", &FlashPartFiles::wake_path}};
  for (const auto& [name, path] : kPaths) {
    if (key != name) continue;
    files.*path = value;
    return true;
  }
  return false;
}

std::optional<Options> parse_options(int argc, char** argv) {
  constexpr const char* kUsage =
      "Arguments are window=FILE (required), address=NUMBER, oplog=FILE, faults=FILE, wake=FIFO, "
      "plans=FILE, mode=record|replay|debug, start=power|reset and seed=NUMBER.";
  Options options;
  for (int i = 0; i < argc; ++i) {
    if (parse_option(argv[i], options)) continue;
    complain(std::string("cannot understand the argument '") + argv[i] + "'.", kUsage);
    return std::nullopt;
  }
  if (options.files.window_path.empty()) {
    complain("no window was given.", kUsage);
    return std::nullopt;
  }
  return options;
}

class Plugin {
 public:
  Plugin(std::unique_ptr<FlashPart> part, const Options& options, std::vector<char> first_faults)
      : part_(std::move(part)),
        controller_(part_->model()),
        window_address_(options.window_address),
        takes_time_(part_->busy_times().any()),
        cut_action_(options.cut_action),
        fault_path_(options.files.fault_path),
        first_faults_(std::move(first_faults)),
        left_(counts()) {}

  void ring() {
    if (cut_action_ == CutAction::kGoOn && counts() != left_) start_over();
    run_command();
    left_ = counts();
  }

  [[nodiscard]] bool watches_boots() const { return part_->serves_boots_only(); }
  void come_to_rest() { part_->wake_once(); }
  /// The bootloader has been translated since the first boot; what is new after the hand-over is the
  /// application, which was copied to memory anew.
  void translate() {
    const auto window = part_->model().window();
    if (flash::read_register(window, flash::controller::kRegOtpLocked) != 0) part_->wake_once();
  }

  [[nodiscard]] bool counts_instructions() const { return part_->reset_at_instruction() != 0; }
  void count_instruction() {
    if (++instructions_ == part_->reset_at_instruction()) part_->strike_reset();
  }

  /// Whether commands take time in this process.
  [[nodiscard]] bool takes_time() const { return takes_time_; }
  void pass_time(std::uint32_t instructions) { controller_.advance(instructions); }

  /// Whether somebody wants to know of the guest's stores, or loads.
  [[nodiscard]] bool watches_memory() const { return part_->watches_stores() || part_->watches_reads(); }
  [[nodiscard]] qemu_plugin_mem_rw watched() const {
    return part_->watches_reads() ? QEMU_PLUGIN_MEM_RW : QEMU_PLUGIN_MEM_W;
  }
  void access(std::uint32_t pc, std::uint64_t address, std::uint32_t length, bool is_store) {
    constexpr std::uint32_t kLongest = 64;
    if (address + kLongest < window_address_ || address >= window_address_ + flash::kWindowSize) return;
    const auto window_offset = static_cast<std::int64_t>(address - window_address_);
    if (is_store) return part_->store_was_made(pc, window_offset, length);
    if (part_->watches_reads()) part_->load_was_made(window_offset);
  }

 private:
  void run_command() {
    if (part_->begin(commanded()) != Admission::kRun) return;
    if (takes_time_) controller_.set_busy_times(part_->busy_times());
    controller_.ring();
    if (const int error = part_->take_op_log_error(); error != 0) {
      complain(std::string("cannot write the op log: ") + std::strerror(error) +
               "; it ends before this operation.");
    }
    if (!part_->powered() && !part_->serves_boots_only()) lose_power();
  }

  void lose_power() {
    // A boot that is recorded is let go on to its process's end, with a part that no longer answers.
    if (std::exchange(has_lost_power_, true)) return;
    if (cut_action_ == CutAction::kExit) ::_exit(flash_file::kReplayCutExit);
    // To this thread, which therefore runs nothing more; the others stop with it.
    if (cut_action_ == CutAction::kStop) ::raise(SIGSTOP);
  }

  /// What the guest's requests count up in the window. A debugger that goes back takes the window with it, so
  /// what stands there is no longer what the last request left.
  [[nodiscard]] std::uint64_t counts() const {
    const auto window = part_->model().window();
    return std::uint64_t{flash::read_register(window, flash::controller::kRegSequence)} << 32 |
           flash::read_register(window, flash::controller::kRegEntropyCount);
  }

  void start_over() {
    const UniqueFd file(::open(fault_path_.c_str(), O_WRONLY | O_CLOEXEC));
    const auto size = static_cast<ssize_t>(first_faults_.size());
    if (!file || ::write(file.get(), first_faults_.data(), first_faults_.size()) != size)
      complain("cannot put the fault file back; what comes may differ from the recording.");
    part_->start_over();
  }

  [[nodiscard]] std::optional<flash::OpKind> commanded() {
    const std::uint32_t command =
        flash::read_register(part_->model().window(), flash::controller::kRegCommand);
    const bool is_operation =
        (command != flash::controller::kNone && command <= flash::controller::kOtpLock) ||
        command == flash::controller::kEraseBlock;
    if (!is_operation) return std::nullopt;
    return static_cast<flash::OpKind>(command);
  }

  std::unique_ptr<FlashPart> part_;
  flash::FlashController controller_;
  std::uint64_t window_address_;
  bool takes_time_;
  CutAction cut_action_;
  bool has_lost_power_ = false;
  std::string fault_path_;
  std::vector<char> first_faults_;  ///< what the fault file held at the start, for a debugger
  std::uint64_t left_;              ///< counts() after the last request
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

void on_rest(unsigned int /*vcpu*/, void* plugin) {
  static_cast<Plugin*>(plugin)->come_to_rest();
}

bool is_wait_for_interrupt(const qemu_plugin_insn* instruction) {
  constexpr std::uint8_t kBytes[] = {0x30, 0xBF};  // wfi
  return qemu_plugin_insn_size(instruction) == sizeof kBytes &&
         std::memcmp(qemu_plugin_insn_data(instruction), kBytes, sizeof kBytes) == 0;
}

void on_block(unsigned int /*vcpu*/, void* instructions) {
  g_plugin->pass_time(static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(instructions)));
}

void on_access(unsigned int /*vcpu*/, qemu_plugin_meminfo_t info, std::uint64_t address, void* pc) {
  g_plugin->access(static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(pc)), address,
                   1U << qemu_plugin_mem_size_shift(info), qemu_plugin_mem_is_store(info));
}

/// What a callback is told of: a number in the place of a pointer.
void* as_user_data(std::uint64_t number) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(number));  // NOLINT(performance-no-int-to-ptr)
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
  if (g_plugin->watches_boots()) g_plugin->translate();
  const std::size_t count = qemu_plugin_tb_n_insns(block);
  if (g_plugin->takes_time()) {
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_block, QEMU_PLUGIN_CB_NO_REGS, as_user_data(count));
  }
  for (std::size_t i = 0; i < count; ++i) {
    qemu_plugin_insn* const instruction = qemu_plugin_tb_get_insn(block, i);
    // Before the doorbell's own: a reset before that instruction keeps it from ringing.
    if (g_plugin->counts_instructions()) {
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_instruction, QEMU_PLUGIN_CB_NO_REGS,
                                             g_plugin.get());
    }
    if (g_plugin->watches_boots() && is_wait_for_interrupt(instruction))
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_rest, QEMU_PLUGIN_CB_NO_REGS, g_plugin.get());
    if (g_plugin->watches_memory()) {
      qemu_plugin_register_vcpu_mem_cb(instruction, on_access, QEMU_PLUGIN_CB_NO_REGS, g_plugin->watched(),
                                       as_user_data(qemu_plugin_insn_vaddr(instruction)));
    }
    if (!is_doorbell(instruction)) continue;
    qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_doorbell, QEMU_PLUGIN_CB_NO_REGS, g_plugin.get());
  }
}

/// @returns nothing of a file that cannot be read, which FlashPart will say
std::vector<char> content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool install(qemu_plugin_id_t id, int argc, char** argv) {
  const std::optional<Options> options = parse_options(argc, argv);
  if (!options) return false;
  std::vector<char> first_faults;
  if (options->cut_action == CutAction::kGoOn) first_faults = content_of(options->files.fault_path);
  auto part = FlashPart::power_on(options->files);
  if (!part) {
    complain(part.error().message, part.error().hint);
    return false;
  }
  const bool watches_memory = (*part)->watches_stores() || (*part)->watches_reads();
  if (watches_memory && options->window_address == 0) {
    complain("an armed fault watches stores or loads, and no address of the window was given.");
    return false;
  }
  g_plugin = std::make_unique<Plugin>(std::move(*part), *options, std::move(first_faults));
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
