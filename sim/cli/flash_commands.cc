// `otasim flash show|diff|dump|corrupt|at`: a flash file explained, compared, printed, damaged, and rebuilt
// as it stood at an operation.
//
// A flash file is named by its path, or by the folder that it stands in: a device's, or a run's. Files are
// read, never changed, but by `corrupt`, and that refuses a file that a process works on.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "sim/base/file_io.h"
#include "sim/base/file_users.h"
#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/cli/command.h"
#include "sim/cli/flash_keys.h"
#include "sim/cli/flash_view.h"
#include "sim/flash/at_rest.h"
#include "sim/flash/flash_fault.h"
#include "sim/flash/flash_history.h"
#include "sim/inspect/diff.h"
#include "sim/inspect/explain.h"
#include "sim/inspect/flash_image.h"
#include "sim/inspect/flash_report.h"

namespace otasim::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kFlashFile = "flash.bin";
constexpr const char* kFactoryFile = "factory.bin";
constexpr const char* kOpsFile = "flash.ops";
constexpr mode_t kPrivateFile = 0600;  // a part holds its device's key, sealed or not

// ---- where a flash file stands

std::vector<std::string> devices_in(const fs::path& run) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(run / "devices", error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_directory(error)) names.push_back(entry->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

/// The folder of the device that is meant, in a run's folder.
Result<fs::path> device_folder(const fs::path& run, const std::string& device) {
  const std::vector<std::string> names = devices_in(run);
  if (names.empty()) {
    return fail(ExitCode::kUsage, fmt::format("'{}' is neither a device's folder nor a run's", run.string()),
                fmt::format("A device's folder holds {}, a run's a folder 'devices'.", kFlashFile));
  }
  if (device.empty() && names.size() == 1) return run / "devices" / names.front();
  const std::string all = fmt::format("There are: {}.", fmt::join(names, ", "));
  if (device.empty())
    return fail(ExitCode::kUsage,
                fmt::format("'{}' has several devices; name one with --device", run.string()), all);
  if (std::ranges::find(names, device) == names.end())
    return fail(ExitCode::kUsage, fmt::format("there is no device '{}' in '{}'", device, run.string()), all);
  return run / "devices" / device;
}

/// The flash file that a user named, by its path or by a folder.
Result<std::string> flash_path(const std::string& given, const std::string& device) {
  std::error_code ignored;  // then it is no folder, and reading it says what is wrong
  if (!fs::is_directory(given, ignored)) return given;
  if (fs::exists(fs::path(given) / kFlashFile, ignored)) return (fs::path(given) / kFlashFile).string();
  const auto folder = device_folder(given, device);
  if (!folder) return tl::unexpected(folder.error());
  return (*folder / kFlashFile).string();
}

// ---- show

struct ShowOptions {
  std::string file;
  std::string device;
  std::string keys;
  bool json = false;
};

/// The report on a file, with what stands beside it.
Result<inspect::FlashReport> report_on(const std::string& path, const inspect::Keys& keys) {
  const auto flash = inspect::read_flash_file(path);
  if (!flash) return tl::unexpected(flash.error());
  inspect::FlashReport report = inspect::inspect_flash(flash->bytes, flash->part, keys);
  const auto cells = inspect::read_cells_beside(path);
  if (!cells) {
    fmt::print(stderr, "otasim: wear and marginal cells are left out: {}\n", cells.error().message);
  } else if (*cells) {
    report.cells = inspect::report_cells(**cells, flash->part);
  }
  return report;
}

Result<void> show(const ShowOptions& options) {
  const auto path = flash_path(options.file, options.device);
  if (!path) return tl::unexpected(path.error());
  const auto keys = load_flash_keys(options.keys);
  if (!keys) return tl::unexpected(keys.error());
  const auto report = report_on(*path, *keys);
  if (!report) return tl::unexpected(report.error());
  if (options.json) {
    json description = to_json(*report);
    description["file"] = *path;
    fmt::print("{}\n", description.dump());
  } else {
    fmt::print("{}", flash_report_text(*report));
  }
  return {};
}

// ---- diff

struct DiffOptions {
  std::string from;
  std::string to;
  std::string device;
  std::string keys;
  bool json = false;
};

json changes_json(const std::vector<inspect::Change>& changes) {
  json result = json::array();
  for (const inspect::Change& change : changes)
    result.push_back({{"what", change.what}, {"from", change.from}, {"to", change.to}});
  return result;
}

json differences_json(const std::vector<inspect::PartitionDifference>& differences) {
  json result = json::array();
  for (const inspect::PartitionDifference& one : differences) {
    json ranges = json::array();
    for (const inspect::ByteRange& range : one.ranges)
      ranges.push_back({{"offset", range.offset}, {"length", range.length}});
    result.push_back({{"partition", one.partition},
                      {"differing_bytes", one.differing_bytes},
                      {"ranges", std::move(ranges)},
                      {"ranges_left_off", one.left_off}});
  }
  return result;
}

Result<void> diff(const DiffOptions& options) {
  const auto keys = load_flash_keys(options.keys);
  if (!keys) return tl::unexpected(keys.error());
  std::vector<inspect::FlashImage> flashes;
  for (const std::string& given : {options.from, options.to}) {
    const auto path = flash_path(given, options.device);
    if (!path) return tl::unexpected(path.error());
    auto flash = inspect::read_flash_file(*path);
    if (!flash) return tl::unexpected(flash.error());
    flashes.push_back(std::move(*flash));
  }
  const auto report = [&keys](const inspect::FlashImage& flash) {
    return to_json(inspect::inspect_flash(flash.bytes, flash.part, *keys));
  };
  const auto changes = inspect::changes_between(report(flashes[0]), report(flashes[1]));
  const auto differences = inspect::byte_differences(flashes[0].bytes, flashes[1].bytes);
  if (options.json) {
    fmt::print("{}\n", json{{"equal", changes.empty() && differences.empty()},
                            {"changes", changes_json(changes)},
                            {"bytes", differences_json(differences)}}
                           .dump());
  } else if (changes.empty() && differences.empty()) {
    fmt::print("no difference\n");
  } else {
    fmt::print("{}{}", changes_text(changes), byte_differences_text(differences));
  }
  return {};
}

// ---- dump

/// Writes what was read from `source`, which stays as it is.
Result<void> write_out(const std::string& out, const std::string& source,
                       std::span<const std::uint8_t> bytes) {
  std::error_code ignored;
  if (std::filesystem::equivalent(out, source, ignored))
    return fail(ExitCode::kUsage, fmt::format("--out '{}' is the flash file that is read", out),
                "Give another file.");
  return write_file_atomic(out, bytes, kPrivateFile);
}

struct DumpOptions {
  std::string file;
  std::string device;
  flash_file::FlashRange range;
  std::string out;
  bool json = false;
};

Result<void> dump(const DumpOptions& options) {
  const auto path = flash_path(options.file, options.device);
  if (!path) return tl::unexpected(path.error());
  const auto range = resolve(options.range);
  if (!range) return tl::unexpected(range.error());
  const auto flash = inspect::read_flash_file(*path);
  if (!flash) return tl::unexpected(flash.error());
  const auto bytes = std::span(flash->bytes).subspan(range->begin, range->size());
  if (!options.out.empty()) {
    if (auto written = write_out(options.out, *path, bytes); !written) return written;
  }
  if (options.json) {
    json description{
        {"file", *path}, {"offset", range->begin}, {"length", range->size()}, {"out", options.out}};
    if (options.out.empty()) description["bytes"] = crypto::hex(bytes);
    fmt::print("{}\n", description.dump());
  } else if (options.out.empty()) {
    fmt::print("{}", hex_dump(bytes, range->begin));
  }
  return {};
}

// ---- corrupt

struct CorruptOptions {
  std::string file;
  std::string device;
  flash_file::FlashRange range;
  std::uint32_t rot_bits = 0;  ///< 0: not asked for
  std::string direction = "any";
  std::string destroy;  ///< empty: not asked for
  std::uint64_t seed = 1;
  bool json = false;
};

Result<void> need_at_rest(const std::string& path) {
  const std::vector<FileUser> users = processes_that_map(path);
  if (users.empty()) return {};
  return fail(
      ExitCode::kUsage,
      fmt::format("'{}' is in use by {} (process {})", path, users.front().name, users.front().pid),
      "What befalls flash at rest befalls it while the device is off. End the lab first, or let a scenario's "
      "fault do it (docs/faults.md).");
}

/// The fault file beside the flash file; without one a new part's cells, which are forgotten.
Result<flash_file::FaultFile> cells_of(const std::string& path, TempDir& folder) {
  const std::string beside = inspect::fault_file_of(path);
  std::error_code ignored;  // then there is none
  if (beside != path && fs::exists(beside, ignored)) return flash_file::FaultFile::open(beside);
  return flash_file::FaultFile::prepare(folder.file("cells"));
}

flash_file::BitRot::Direction direction_of(const std::string& name) {
  using Direction = flash_file::BitRot::Direction;
  if (name == "lost") return Direction::kLost;
  return name == "gained" ? Direction::kGained : Direction::kAny;
}

flash_file::Destroy::Pattern pattern_of(const std::string& name) {
  using Pattern = flash_file::Destroy::Pattern;
  if (name == "zeros") return Pattern::kZeros;
  return name == "erased" ? Pattern::kErased : Pattern::kRandom;
}

std::string place_of(std::uint32_t offset) {
  const std::string_view name = flash_file::partition_at(offset);
  return name.empty() ? "no partition" : std::string(name);
}

Result<void> rot(const CorruptOptions& options, flash_file::FlashFile& flash, flash_file::FaultFile& cells) {
  const auto rotten = flash_file::rot(flash, cells,
                                      {.range = options.range,
                                       .bits = options.rot_bits,
                                       .direction = direction_of(options.direction),
                                       .seed = options.seed});
  if (!rotten) return tl::unexpected(rotten.error());
  json bits = json::array();
  for (const flash_file::RottenBit& one : *rotten) {
    bits.push_back({{"offset", one.offset}, {"bit", one.bit}, {"partition", place_of(one.offset)}});
    if (!options.json) {
      const bool is_set = ((flash.bytes()[one.offset] >> one.bit) & 1) != 0;
      fmt::print("bit {} of {:#08x} ({}) reads {} now\n", one.bit, one.offset, place_of(one.offset),
                 is_set ? 1 : 0);
    }
  }
  if (options.json) {
    fmt::print("{}\n", json{{"file", flash.path()},
                            {"fault", flash_file::kBitRotName},
                            {"seed", options.seed},
                            {"bits", std::move(bits)}}
                           .dump());
  }
  return {};
}

Result<void> destroy(const CorruptOptions& options, flash_file::FlashFile& flash,
                     flash_file::FaultFile& cells) {
  const auto range = flash_file::destroy(
      flash, cells, {.range = options.range, .pattern = pattern_of(options.destroy), .seed = options.seed});
  if (!range) return tl::unexpected(range.error());
  if (options.json) {
    fmt::print("{}\n", json{{"file", flash.path()},
                            {"fault", flash_file::kDestroyName},
                            {"pattern", options.destroy},
                            {"seed", options.seed},
                            {"offset", range->begin},
                            {"length", range->size()}}
                           .dump());
  } else {
    fmt::print("{:#08x} to {:#08x} ({}) are overwritten: {}\n", range->begin, range->end - 1,
               place_of(range->begin), options.destroy);
  }
  return {};
}

Result<void> corrupt(const CorruptOptions& options) {
  const auto path = flash_path(options.file, options.device);
  if (!path) return tl::unexpected(path.error());
  if (const auto flash = inspect::read_flash_file(*path); !flash) return tl::unexpected(flash.error());
  if (auto free = need_at_rest(*path); !free) return free;
  auto flash = flash_file::FlashFile::open(*path);
  if (!flash) return tl::unexpected(flash.error());
  auto folder = TempDir::create();
  if (!folder) return tl::unexpected(folder.error());
  auto cells = cells_of(*path, *folder);
  if (!cells) return tl::unexpected(cells.error());
  return options.rot_bits != 0 ? rot(options, *flash, *cells) : destroy(options, *flash, *cells);
}

// ---- at

struct AtOptions {
  std::string first;  ///< the operation and where it is, in either order
  std::string second;
  std::string device;
  std::string ops;     ///< empty: beside the flash file
  std::string before;  ///< the same
  std::string out;
  std::string keys;
  bool json = false;
};

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 10 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

struct Moment {
  std::uint32_t operation = 0;  ///< its number; 0: before the first
  std::string flash_path;
};

Result<Moment> moment_of(const AtOptions& options) {
  const bool is_first = is_number(options.first);
  const std::string& number = is_first ? options.first : options.second;
  if (!is_number(number)) {
    return fail(ExitCode::kUsage,
                fmt::format("neither '{}' nor '{}' is an operation's number", options.first, options.second),
                "Operations are numbered from 1; 0 stands for the moment before the first.");
  }
  const auto path = flash_path(is_first ? options.second : options.first, options.device);
  if (!path) return tl::unexpected(path.error());
  return Moment{static_cast<std::uint32_t>(std::stoul(number)), *path};
}

Result<flash_file::FlashHistory> load_history(const AtOptions& options, const std::string& path) {
  const auto beside = [&path](const std::string& given, const char* name) {
    return given.empty() ? (fs::path(path).parent_path() / name).string() : given;
  };
  const std::string before = beside(options.before, kFactoryFile);
  const std::string ops = beside(options.ops, kOpsFile);
  std::error_code ignored;  // then it is not there
  for (const std::string& file : {before, ops}) {
    if (fs::exists(file, ignored)) continue;
    return fail(
        ExitCode::kUsage, fmt::format("there is no '{}'", file),
        fmt::format(
            "A run keeps the flash before its first operation ({}) and the op log ({}) in the device's "
            "folder; --before and --ops name others.",
            kFactoryFile, kOpsFile));
  }
  const auto now = inspect::read_flash_file(path);
  if (!now) return tl::unexpected(now.error());
  const auto was = inspect::read_flash_file(before);
  if (!was) return tl::unexpected(was.error());
  if (now->part != was->part) {
    return fail(ExitCode::kUsage,
                fmt::format("'{}' is a {} part, and '{}' a {} one", path, inspect::part_name(now->part),
                            before, inspect::part_name(was->part)),
                "Both must be of one device.");
  }
  return flash_file::FlashHistory::load(before, ops);
}

/// How far the history goes at the operation; 0 for none.
Result<std::size_t> count_through(const flash_file::FlashHistory& history, std::uint32_t operation) {
  if (operation == 0) return 0;
  if (const auto count = history.count_through(operation)) return *count;
  const std::uint32_t last = history.operations().empty() ? 0 : history.operations().back().sequence;
  return fail(ExitCode::kUsage, fmt::format("the op log has no operation {}", operation),
              fmt::format("Its last one is {}{}.", last, history.is_torn() ? ", and its end is torn" : ""));
}

json operation_json(const flash::LoggedOperation& operation) {
  return {{"operation", operation.sequence},
          {"kind", flash_file::to_string(operation.kind)},
          {"place", inspect::place_name(operation)},
          {"offset", operation.offset},
          {"length", operation.length},
          {"applied", operation.applied},
          {"status", flash::to_string(operation.status)},
          {"source", flash_file::to_string(operation.source)},
          {"time", inspect::time_text(operation)},
          {"did", inspect::what_it_did(operation)}};
}

void print_operation(const flash::LoggedOperation& operation) {
  fmt::print("operation {}: {} at {:#x} of {}, {} of {} bytes, status {}\n", operation.sequence,
             flash_file::to_string(operation.kind), operation.offset,
             operation.kind == flash::OpKind::kOtpProgram ? "the OTP bank" : "flash", operation.applied,
             operation.length, flash::to_string(operation.status));
  fmt::print("{}: {}\n", inspect::place_name(operation), inspect::what_it_did(operation));
  fmt::print("by: {}, time: {}\n", flash_file::to_string(operation.source), inspect::time_text(operation));
}

Result<void> at(const AtOptions& options) {
  const auto moment = moment_of(options);
  if (!moment) return tl::unexpected(moment.error());
  const auto keys = load_flash_keys(options.keys);
  if (!keys) return tl::unexpected(keys.error());
  auto history = load_history(options, moment->flash_path);
  if (!history) return tl::unexpected(history.error());
  const auto count = count_through(*history, moment->operation);
  if (!count) return tl::unexpected(count.error());
  const auto report = [&] {
    return to_json(inspect::inspect_flash(history->window(), history->part(), *keys));
  };

  history->seek(*count == 0 ? 0 : *count - 1);
  const json before = report();
  history->seek(*count);
  const auto changes = inspect::changes_between(before, report());
  if (!options.out.empty()) {
    if (auto written = write_out(options.out, moment->flash_path, history->window()); !written)
      return written;
  }
  if (options.json) {
    json description =
        *count == 0 ? json{{"operation", 0}} : operation_json(history->operations()[*count - 1]);
    description["changes"] = changes_json(changes);
    description["out"] = options.out;
    fmt::print("{}\n", description.dump());
    return {};
  }
  if (*count == 0) fmt::print("before the first operation\n");
  if (*count != 0) print_operation(history->operations()[*count - 1]);
  fmt::print("{}", changes_text(changes));
  return {};
}

// ---- the command line

void add_range_options(CLI::App* command, flash_file::FlashRange& range) {
  command->add_option("--partition", range.partition,
                      "A partition of docs/flash-layout.md, or otp (default: all)");
  command->add_option("--offset", range.offset, "First byte, from the partition's or the part's start");
  command->add_option("--length", range.length_bytes, "Bytes (default: to the end)");
}

void add_common_options(CLI::App* command, std::string& device, bool& as_json) {
  command->add_option("--device", device, "In a run with several devices: which one");
  command->add_flag("--json", as_json, "Print JSON on stdout");
}

void add_keys_option(CLI::App* command, std::string& keys) {
  command->add_option("--keys", keys,
                      "Folder of the keys that open what is in flash (default: this build's)");
}

constexpr const char* kFileHelp = "Flash file, or a device's or a run's folder";

void add_show(CLI::App* flash, Command& command) {
  static ShowOptions options;
  CLI::App* const show_command =
      flash->add_subcommand("show", "Explain a flash file: boot control, images, OTP, provisioning, wear");
  show_command->add_option("FILE", options.file, kFileHelp)->required();
  add_keys_option(show_command, options.keys);
  add_common_options(show_command, options.device, options.json);
  show_command->callback([&command] { command = [] { return show(options); }; });
}

void add_diff(CLI::App* flash, Command& command) {
  static DiffOptions options;
  CLI::App* const diff_command =
      flash->add_subcommand("diff", "Tell how two flash files differ, in meaning and in bytes");
  diff_command->add_option("A", options.from, kFileHelp)->required();
  diff_command->add_option("B", options.to, kFileHelp)->required();
  add_keys_option(diff_command, options.keys);
  add_common_options(diff_command, options.device, options.json);
  diff_command->callback([&command] { command = [] { return diff(options); }; });
}

void add_dump(CLI::App* flash, Command& command) {
  static DumpOptions options;
  CLI::App* const dump_command =
      flash->add_subcommand("dump", "Print bytes of a flash file, or write them to a file");
  dump_command->add_option("FILE", options.file, kFileHelp)->required();
  add_range_options(dump_command, options.range);
  dump_command->add_option("--out", options.out, "Write the bytes as they are to this file");
  add_common_options(dump_command, options.device, options.json);
  dump_command->callback([&command] { command = [] { return dump(options); }; });
}

void add_corrupt(CLI::App* flash, Command& command) {
  static CorruptOptions options;
  CLI::App* const corrupt_command =
      flash->add_subcommand("corrupt", "Damage a flash file whose device is off, as chance or a seed has it");
  corrupt_command->add_option("FILE", options.file, kFileHelp)->required();
  add_range_options(corrupt_command, options.range);
  CLI::Option* const rot_option =
      corrupt_command->add_option("--rot", options.rot_bits, "Change this many bits")
          ->check(CLI::PositiveNumber);
  corrupt_command
      ->add_option("--direction", options.direction, "With --rot: any, lost (0 to 1) or gained (1 to 0)")
      ->check(CLI::IsMember({"any", "lost", "gained"}))
      ->needs(rot_option)
      ->capture_default_str();
  corrupt_command->add_option("--destroy", options.destroy, "Overwrite the range: zeros, erased or random")
      ->check(CLI::IsMember({"zeros", "erased", "random"}))
      ->excludes(rot_option);
  corrupt_command->add_option("--seed", options.seed, "Decides which bits, and random bytes")
      ->capture_default_str();
  add_common_options(corrupt_command, options.device, options.json);
  corrupt_command->callback([&command] {
    if (options.rot_bits == 0 && options.destroy.empty())
      throw CLI::ValidationError("flash corrupt", "give --rot BITS or --destroy PATTERN");
    command = [] { return corrupt(options); };
  });
}

void add_at(CLI::App* flash, Command& command) {
  static AtOptions options;
  CLI::App* const at_command = flash->add_subcommand(
      "at", "Rebuild the flash as it stood after an operation, and tell what the operation did");
  at_command
      ->add_option("OP", options.first,
                   "The operation's number; 0: before the first. OP and FILE may change places")
      ->required();
  at_command->add_option("FILE", options.second, kFileHelp)->required();
  at_command->add_option("--ops", options.ops, "Op log (default: flash.ops beside the flash file)");
  at_command->add_option(
      "--before", options.before,
      "The flash before the log's first operation (default: factory.bin beside the flash file)");
  at_command->add_option("--out", options.out, "Write the flash to this file");
  add_keys_option(at_command, options.keys);
  add_common_options(at_command, options.device, options.json);
  at_command->callback([&command] { command = [] { return at(options); }; });
}

}  // namespace

void add_flash(CLI::App& app, Command& command) {
  CLI::App* const flash = app.add_subcommand("flash", "Explain, compare, damage and rebuild flash files");
  flash->require_subcommand(1);
  add_show(flash, command);
  add_diff(flash, command);
  add_dump(flash, command);
  add_corrupt(flash, command);
  add_at(flash, command);
}

}  // namespace otasim::cli
