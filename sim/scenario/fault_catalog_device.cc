// Faults of the device: its flash (sim/flash/flash_fault.h, at_rest.h), its power, reset line and processor
// (sim/device/device_fault.h).
#include <fmt/format.h>

#include "sim/device/device_fault.h"
#include "sim/flash/at_rest.h"
#include "sim/flash/flash_fault.h"
#include "sim/scenario/fault_catalog.h"
#include "sim/scenario/stage.h"

namespace otasim::scenario {
namespace {

constexpr double kMaxOffset = flash::kWindowSize;
constexpr std::uint32_t kDefaultReads = 100'000;

std::vector<std::string_view> partition_names() {
  std::vector<std::string_view> names;
  for (const flash::Partition& one : flash::kPartitions) names.push_back(one.name);
  names.emplace_back("otp");
  return names;
}

std::vector<Member> range_members() {
  return {choice_member("partition", partition_names(), "Of docs/flash-layout.md (default: the whole part)"),
          integer_member("offset", 0, kMaxOffset, "From its start (default: 0)"),
          integer_member("length_bytes", 1, kMaxOffset, "Bytes (default: to its end)")};
}

Member share_member(std::string_view name, std::string_view doc) {
  return {.name = name, .kind = Kind::kNumber, .doc = doc, .min = 0, .max = 1};
}

std::vector<Member> torn_members() {
  return {integer_member("bytes", 0, flash::kLargestErase,
                         "Of a struck operation that are still done (default: 0)"),
          share_member("fraction", "The same as a share of the operation, instead of 'bytes'"),
          integer_member("marginal_bytes", 0, flash::kLargestErase,
                         "After those that are left marginal (default: 0)"),
          share_member("random_bits",
                       "Share of the bits after 'bytes' that are still changed, at random (default: 0)")};
}

flash_file::Torn torn_of(const FaultArguments& arguments) {
  return {.bytes = arguments.get("bytes", std::uint32_t{0}),
          .fraction = arguments.find<double>("fraction"),
          .marginal_bytes = arguments.get("marginal_bytes", std::uint32_t{0}),
          .random_bits = arguments.get("random_bits", 0.0)};
}

Member kind_member(std::vector<std::string_view> kinds) {
  return choice_member("kind", std::move(kinds), "Only such operations (default: all that it can strike)");
}

std::vector<Member> join(std::vector<std::vector<Member>> parts) {
  std::vector<Member> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

flash_file::FlashRange range_of(const FaultArguments& arguments) {
  return {.partition = arguments.get<std::string>("partition", ""),
          .offset = arguments.find<std::uint32_t>("offset"),
          .length_bytes = arguments.find<std::uint32_t>("length_bytes")};
}

flash_file::Operations operations_of(const FaultArguments& arguments) {
  flash_file::Operations operations{.range = range_of(arguments)};
  const std::string kind = arguments.get<std::string>("kind", "");
  for (const auto known : {flash::OpKind::kProgram, flash::OpKind::kEraseSector, flash::OpKind::kOtpProgram,
                           flash::OpKind::kLock, flash::OpKind::kOtpLock}) {
    if (flash_file::to_string(known) == kind) operations.kind = known;
  }
  return operations;
}

/// Power cuts and skips strike once unless told otherwise.
StrikePlan once(const FaultArguments& arguments) {
  StrikePlan plan = arguments.strike();
  plan.times = arguments.get("times", std::uint64_t{1});
  return plan;
}

template <typename Fault>
Result<Undo> arm(Stage& stage, const FaultArguments& arguments, const Fault& fault) {
  lab::LabDevice& device = stage.device(arguments.device());
  const auto id = device.arm(fault);
  if (!id) return tl::unexpected(id.error());
  return Undo([&device, id = *id] { device.clear(id); });
}

Result<Undo> cut_in_flash(Stage& stage, const FaultArguments& arguments) {
  using Phase = flash_file::PowerCut::Phase;
  const std::string phase = arguments.get<std::string>("phase", "before");
  return arm(
      stage, arguments,
      flash_file::FlashFault{flash_file::PowerCut{
          .operations = operations_of(arguments),
          .strike = once(arguments),
          .phase = phase == "within" ? Phase::kWithin : (phase == "after" ? Phase::kAfter : Phase::kBefore),
          .torn = torn_of(arguments)}});
}

/// Failures of operations differ in what they strike and whether they say so.
template <typename Failure>
Result<Undo> fail_operations(Stage& stage, const FaultArguments& arguments) {
  Failure failure;
  if constexpr (requires { failure.operations; }) {
    failure.operations = operations_of(arguments);
  } else {
    failure.range = range_of(arguments);
  }
  failure.strike = arguments.strike();
  failure.torn = torn_of(arguments);
  return arm(stage, arguments, flash_file::FlashFault{failure});
}

std::optional<flash_file::Retention> retention_of(const FaultArguments& arguments) {
  const auto hours = arguments.find<double>("hours");
  if (!hours) return std::nullopt;
  flash_file::Retention retention{.hours = *hours};
  retention.celsius = arguments.get("celsius", retention.celsius);
  retention.rate = arguments.get("rate", retention.rate);
  return retention;
}

Result<Undo> disturb(Stage& stage, const FaultArguments& arguments) {
  using Effect = flash_file::ReadDisturb::Effect;
  const bool is_lost = arguments.get<std::string>("effect", "marginal") == "lost";
  return arm(
      stage, arguments,
      flash_file::FlashFault{flash_file::ReadDisturb{.range = range_of(arguments),
                                                     .strike = arguments.strike(),
                                                     .reads = arguments.get("reads", kDefaultReads),
                                                     .bits = arguments.get("bits", std::uint32_t{1}),
                                                     .effect = is_lost ? Effect::kLost : Effect::kMarginal}});
}

Result<Undo> rot(Stage& stage, const FaultArguments& arguments) {
  using Direction = flash_file::BitRot::Direction;
  const std::string direction = arguments.get<std::string>("direction", "any");
  const auto rotten = stage.device(arguments.device())
                          .rot({.range = range_of(arguments),
                                .bits = arguments.get("bits", std::uint32_t{1}),
                                .bit = arguments.find<std::uint8_t>("bit"),
                                .retention = retention_of(arguments),
                                .direction = direction == "lost"     ? Direction::kLost
                                             : direction == "gained" ? Direction::kGained
                                                                     : Direction::kAny,
                                .seed = arguments.get("seed", std::uint64_t{1})});
  if (!rotten) return tl::unexpected(rotten.error());
  return Undo{};
}

Result<Undo> destroy(Stage& stage, const FaultArguments& arguments) {
  using Pattern = flash_file::Destroy::Pattern;
  const std::string pattern = arguments.get<std::string>("pattern", "zeros");
  const auto destroyed = stage.device(arguments.device())
                             .destroy({.range = range_of(arguments),
                                       .pattern = pattern == "erased"   ? Pattern::kErased
                                                  : pattern == "random" ? Pattern::kRandom
                                                                        : Pattern::kZeros,
                                       .seed = arguments.get("seed", std::uint64_t{1})});
  if (!destroyed) return tl::unexpected(destroyed.error());
  return Undo{};
}

std::vector<FaultKind> flash_faults() {
  return {
      {.name = "flash.power_cut",
       .doc = "The power is cut at an operation of the flash; the step 'power' switches it on again.",
       .counted = "accepted operations",
       .members = join(
           {{kind_member({"program", "erase", "otp_program", "lock", "otp_lock"}),
             choice_member("phase", {"before", "within", "after"}, "Of the operation (default: before)")},
            range_members(),
            torn_members()}),
       .begin = cut_in_flash},
      {.name = "flash.program_failure",
       .doc = "Programs and burns fail, and say so.",
       .counted = "programs and burns",
       .members = join({{kind_member({"program", "otp_program"})}, range_members(), torn_members()}),
       .begin = fail_operations<flash_file::ProgramFailure>},
      {.name = "flash.erase_failure",
       .doc = "Erases fail, and say so.",
       .counted = "erases",
       .members = join({range_members(), torn_members()}),
       .begin = fail_operations<flash_file::EraseFailure>},
      {.name = "flash.silent_drop",
       .doc = "Operations do nothing, and report success.",
       .counted = "programs, erases and burns",
       .members = join({{kind_member({"program", "erase", "otp_program"})}, range_members(), torn_members()}),
       .begin = fail_operations<flash_file::SilentDrop>},
      {.name = "flash.stuck_bits",
       .doc = "Bits of one byte always read the same.",
       .counted = "",
       .members = join({range_members(),
                        {integer_member("mask", 0, 255, "Which bits (default: 255)"),
                         integer_member("values", 0, 255, "What they read (default: 0)")}}),
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm(stage, arguments,
                        flash_file::FlashFault{
                            flash_file::StuckBits{.at = range_of(arguments),
                                                  .mask = arguments.get("mask", std::uint8_t{255}),
                                                  .values = arguments.get("values", std::uint8_t{0})}});
           },
       .damages_flash = true},
      {.name = "flash.worn",
       .doc = "Sectors stand so many erases; later ones fail, and then programs.",
       .counted = "",
       .members = join(
           {range_members(), {integer_member("erases", 0, 1e9, "Since the part was made (default: 0)")}}),
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm(
                 stage, arguments,
                 flash_file::FlashFault{flash_file::Worn{
                     .range = range_of(arguments), .erases = arguments.get("erases", std::uint32_t{0})}});
           }},
      {.name = "flash.busy",
       .doc = "Programs, burns and erases take time: their status reads busy until the processor has run so "
              "far.",
       .counted = "",
       .members = {integer_member("program_instructions", 0, 1e9, "A program or a burn (default: 0)"),
                   integer_member("erase_instructions", 0, 1e9,
                                  "An erase of a sector or a block (default: 0)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm(stage, arguments,
                        flash_file::FlashFault{flash_file::Busy{
                            .program_instructions = arguments.get("program_instructions", std::uint32_t{0}),
                            .erase_instructions = arguments.get("erase_instructions", std::uint32_t{0})}});
           }},
      {.name = "flash.strict",
       .doc = "Stores into flash that are no commands are taken back, and told.",
       .counted = "",
       .members = {},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm(stage, arguments, flash_file::FlashFault{flash_file::Strict{}});
           },
       .may_strike_nothing = true},
      {.name = "flash.read_disturb",
       .doc = "Reads of a sector change bits in it.",
       .counted = "times that a sector has been read so often",
       .members = join(
           {range_members(),
            {integer_member("reads", 1, 1e9, "Loads from a sector since its last erase (default: 100000)"),
             integer_member("bits", 1, 1024, "So many each time, anywhere in the sector (default: 1)"),
             choice_member("effect", {"marginal", "lost"},
                           "marginal: from the next power-on; lost: other value, now (default: marginal)")}}),
       .begin = disturb,
       .damages_flash = true},
      {.name = "flash.bit_rot",
       .doc = "Bits change at rest; the device must be off.",
       .counted = "",
       .members =
           join({range_members(),
                 {integer_member("bits", 1, 1e6, "So many, at random (default: 1)"),
                  integer_member("bit", 0, 7, "Instead: this one, of the range's first byte"),
                  {.name = "hours",
                   .kind = Kind::kNumber,
                   .doc = "Instead: as many as lose their charge in so long",
                   .min = 0,
                   .max = 1e9},
                  {.name = "celsius",
                   .kind = Kind::kNumber,
                   .doc = "At this temperature (default: 55)",
                   .min = -60,
                   .max = 300},
                  {.name = "rate",
                   .kind = Kind::kNumber,
                   .doc = "Chance of a programmed bit of a new part, an hour at 55 degrees (default: 5e-13)",
                   .min = 0,
                   .max = 1},
                  choice_member("direction", {"any", "lost", "gained"},
                                "lost: 0 to 1; gained: 1 to 0 (default: any)"),
                  integer_member("seed", 0, 1e18, "Decides which (default: 1)")}}),
       .begin = rot,
       .damages_flash = true},
      {.name = "flash.destroy",
       .doc = "A range is overwritten; the device must be off.",
       .counted = "",
       .members =
           join({range_members(),
                 {choice_member("pattern", {"zeros", "erased", "random"}, "With this (default: zeros)"),
                  integer_member("seed", 0, 1e18, "Decides random bytes (default: 1)")}}),
       .begin = destroy,
       .damages_flash = true},
  };
}

template <typename Fault>
Result<Undo> strike_now(Stage& stage, const FaultArguments& arguments) {
  return arm(stage, arguments, device::DeviceFault{Fault{}});
}

std::vector<FaultKind> processor_faults() {
  return {
      {.name = "device.power_cut",
       .doc = "The power is cut now; the step 'power' switches it on again.",
       .counted = "",
       .members = {},
       .begin = strike_now<device::PowerCut>},
      {.name = "device.reset",
       .doc = "The reset line is pulled now.",
       .counted = "",
       .members = {},
       .begin = strike_now<device::Reset>},
      {.name = "device.watchdog",
       .doc = "The board's watchdog expires now.",
       .counted = "",
       .members = {},
       .begin = strike_now<device::WatchdogExpiry>},
      {.name = "device.hang",
       .doc = "Processor and clocks stand still until the fault is cleared, or a reset.",
       .counted = "",
       .members = {},
       .begin = strike_now<device::Hang>},
      {.name = "device.reset_at_instruction",
       .doc = "The reset line is pulled before an instruction, counted from the next power-on.",
       .counted = "",
       .members = {integer_member("instruction", 1, 1e15, "Which (default: 1)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm(stage, arguments,
                        device::DeviceFault{
                            device::ResetAtInstruction{arguments.get("instruction", std::uint64_t{1})}});
           }},
      {.name = "device.skip_instruction",
       .doc = "An instruction is passed over.",
       .counted = "times it is about to run",
       .members = {choice_member("program", {"bootloader", "application"}, "Whose (default: bootloader)"),
                   text_member("at", "function+0x1c, or 0x1234 (required)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             using Program = device::SkipInstruction::Program;
             const bool is_application = arguments.get<std::string>("program", "bootloader") == "application";
             return arm(stage, arguments,
                        device::DeviceFault{device::SkipInstruction{
                            .program = is_application ? Program::kApplication : Program::kBootloader,
                            .at = arguments.get<std::string>("at", ""),
                            .strike = once(arguments)}});
           }},
  };
}

}  // namespace

std::vector<FaultKind> device_faults() {
  std::vector<FaultKind> all = flash_faults();
  const std::vector<FaultKind> processor = processor_faults();
  all.insert(all.end(), processor.begin(), processor.end());
  return all;
}

}  // namespace otasim::scenario
