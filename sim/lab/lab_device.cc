#include "sim/lab/lab_device.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>

#include "pal_sim/flash/op_log.h"
#include "sim/base/file_io.h"
#include "sim/device/elf_symbols.h"
#include "sim/lab/boot_console.h"
#include "sim/lab/factory.h"

namespace otasim::lab {
namespace {

/// Of those that rotted: in time they can be many.
constexpr std::size_t kMaxToldBits = 100;

/// Of a flash log that is begun anew: some twenty updates of the demo.
constexpr std::uintmax_t kMaxFlashLogBytes = std::uintmax_t{8} * 1024 * 1024;

std::string flash_log_path(const DeviceSpec& spec) {
  return spec.folder + "/flash.ops";
}

}  // namespace

Result<Identity> register_device(RunningLab& lab, const std::string& name) {
  auto identity = lab.identities().issue_device(name);
  if (!identity) return tl::unexpected(identity.error());
  const auto thing = cloud::ThingName::trusted(name);
  if (const auto created = lab.cloud().things().create(thing); !created) {
    return tl::unexpected(created.error().to_error("cannot register the device"));
  }
  const auto certificate = lab.cloud().certificates().register_certificate(identity->certificate.pem());
  if (!certificate) {
    return tl::unexpected(certificate.error().to_error("cannot register the device's certificate"));
  }
  const auto permitted =
      lab.cloud().policies().attach(cloud::PolicyName::trusted(cloud::kOtaDevicePolicyName), certificate->id);
  if (!permitted) return tl::unexpected(permitted.error().to_error("cannot give the device its policy"));
  const auto attached = lab.cloud().things().attach_principal(thing, certificate->id);
  if (!attached) return tl::unexpected(attached.error().to_error("cannot attach the device's certificate"));
  return identity;
}

Result<void> equip_device(const RunningLab& lab, const DeviceSpec& spec, const Identity& identity,
                          const FactoryImages& images, const BuildProducts& products) {
  DeviceSettings settings;
  settings.thing_name = spec.name;
  settings.mqtt_port = lab.mqtt_port();
  settings.seed = spec.seed;
  settings.transfer = spec.transfer;
  settings.request_wait_ms = spec.request_wait_ms;
  settings.self_test_ms = spec.self_test_ms;
  settings.keep_alive_seconds = spec.keep_alive_seconds;
  std::copy(spec.mac.begin(), spec.mac.end(), settings.mac.begin());
  const auto key = load_device_key(products.device_key);
  if (!key) return tl::unexpected(key.error());
  const auto provisioning = provisioning_blob(lab.identities(), identity, settings, *key);
  if (!provisioning) return tl::unexpected(provisioning.error());
  auto flash =
      flash_file::FlashFile::create(spec.folder + "/flash.bin", flash_file::part_of(spec.board->flash));
  if (!flash) return tl::unexpected(flash.error());
  ::unlink((spec.folder + "/flash.faults").c_str());  // an earlier part's
  return equip(flash->bytes(), *provisioning, images, spec.seed);
}

Result<std::unique_ptr<LabDevice>> LabDevice::open(RunningLab& lab, DeviceSpec spec, BuildProducts products) {
  auto flash = flash_file::FlashFile::open(spec.folder + "/flash.bin");
  if (!flash) return tl::unexpected(flash.error());
  if (flash->part() != flash_file::part_of(spec.board->flash)) {
    return fail(ExitCode::kEnvironment,
                fmt::format("the flash file {} is of another kind of part than the board '{}' has",
                            flash->path(), spec.board->name));
  }
  std::unique_ptr<LabDevice> device(
      new LabDevice(lab, std::move(spec), std::move(products), std::move(*flash)));
  auto faults = flash_file::FlashFaults::open(lab.io(),
                                              {.fault_path = device->spec_.folder + "/flash.faults",
                                               .wake_path = device->spec_.socket_folder + "/flash.wake"},
                                              device->flash_);
  if (!faults) return tl::unexpected(faults.error());
  device->faults_ = std::move(*faults);
  device->make_board_flash();
  device->faults_->on_strike(
      [raw = device.get()](const flash_file::FlashStrike& strike) { raw->handle_strike(strike); });
  device->faults_->on_loss([raw = device.get()](std::uint64_t count) {
    raw->lab_.log().emit("flash", "strikes_lost", {{"device", raw->spec_.name}, {"count", count}});
  });
  if (device->spec_.log_flash) {
    if (auto begun = device->begin_flash_log(); !begun) return tl::unexpected(begun.error());
  }
  return device;
}

/// From the flash as it is. The part must not be at work. Whoever reads meanwhile sees a log that was
/// emptied, or another file before it.
Result<void> LabDevice::begin_flash_log() {
  const std::string before = spec_.folder + "/factory.bin";
  const std::string ops = flash_log_path(spec_);
  std::error_code error;
  std::filesystem::copy_file(flash_.path(), before + ".new",
                             std::filesystem::copy_options::overwrite_existing, error);
  if (!error && std::filesystem::exists(ops) && !flash::empty_op_log(ops))
    error = std::error_code(errno, std::generic_category());
  if (!error) std::filesystem::rename(before + ".new", before, error);
  if (!error) return {};
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot begin the flash's log in '{}': {}", spec_.folder, error.message()));
}

Result<void> LabDevice::limit_flash_log() {
  if (!spec_.log_flash) return {};
  std::error_code none_yet;
  const auto size = std::filesystem::file_size(flash_log_path(spec_), none_yet);
  if (none_yet || size <= kMaxFlashLogBytes) return {};
  return begin_flash_log();
}

LabDevice::LabDevice(RunningLab& lab, DeviceSpec spec, BuildProducts products, flash_file::FlashFile flash)
    : lab_(lab), spec_(std::move(spec)), products_(std::move(products)), flash_(std::move(flash)) {}

LabDevice::~LabDevice() {
  device_.reset();
  console_listeners_.for_each([](const ConsoleListener& listener) {
    if (listener.on_end) listener.on_end();
  });
}

Result<void> LabDevice::start() {
  switch (power()) {
    case Power::kOn:
      return fail(ExitCode::kUsage, fmt::format("device '{}' is on already", spec_.name));
    case Power::kStopping:
      return fail(ExitCode::kUsage, fmt::format("device '{}' is being stopped", spec_.name));
    case Power::kOff:
      break;
  }
  if (auto up = bring_link_up(); !up) return up;
  if (!device_) {
    if (auto created = create_device(); !created) return created;
  }
  problem_.clear();
  if (auto on = board_flash_->power_on(); !on) return on;
  auto on = device_->power_on();
  if (!on) board_flash_->power_off();
  return on;
}

void LabDevice::make_board_flash() {
  board_flash_.emplace(
      *spec_.board,
      flash_file::FlashPartFiles{.window_path = flash_.path(),
                                 .op_log_path = spec_.record || spec_.log_flash ? flash_log_path(spec_) : "",
                                 .fault_path = faults_->paths().fault_path,
                                 .wake_path = faults_->paths().wake_path,
                                 .seed = spec_.seed},
      BoardFlash::Surroundings{.device = spec_.name,
                               .socket_folder = spec_.socket_folder,
                               .plugin_path = products_.flash_plugin,
                               .events = &lab_.log(),
                               .io = &lab_.io()});
}

/// The link outlives a cut: then it is still up, with its half-open connections.
Result<void> LabDevice::bring_link_up() {
  if (link_) return {};
  auto link =
      link::Link::start({.device = spec_.name,
                         .folder = spec_.socket_folder,
                         .allowed_tcp_ports = lab_.device_ports(),
                         .host_names = lab_.host_names(),
                         .mac = spec_.mac,
                         .pcap_path = spec_.record || spec_.capture ? spec_.folder + "/link.pcap" : "",
                         .now = [&clock = lab_.clock()] { return clock.now(); },
                         .events = &lab_.log(),
                         .halt = lab_.halt()});
  if (!link) return tl::unexpected(link.error());
  link_ = std::move(*link);
  ++cables_laid_;
  return {};
}

Result<link::Link*> LabDevice::link() {
  if (auto up = bring_link_up(); !up) return tl::unexpected(up.error());
  return link_.get();
}

Result<void> LabDevice::make_recorder() {
  if (spec_.recording_folder.empty()) return {};
  auto recorder = replay::Recorder::create({.folder = spec_.recording_folder,
                                            .scratch_folder = spec_.socket_folder,
                                            .device = spec_.name,
                                            .board = std::string(spec_.board->name),
                                            .bootloader_elf = products_.bootloader_elf,
                                            .application_elf = products_.application_elf,
                                            .plugin = products_.flash_plugin,
                                            .flash_path = flash_.path(),
                                            .fault_path = faults_->paths().fault_path,
                                            .seed = spec_.seed,
                                            .window_address = spec_.board->flash_window,
                                            .nic_model = std::string(spec_.board->nic_model),
                                            .mac = link::to_string(spec_.mac)});
  if (!recorder) return tl::unexpected(recorder.error());
  recorder_ = std::move(*recorder);
  return {};
}

Result<void> LabDevice::create_device() {
  if (auto made = make_recorder(); !made) return made;
  auto device =
      device::Device::create(lab_.io(), {.name = spec_.name,
                                         .board = std::string(spec_.board->name),
                                         .bootloader_path = products_.bootloader_elf,
                                         .flash = board_flash_->attachment(),
                                         .watchdog = watchdog_of(*spec_.board),
                                         .more_arguments = link_->qemu_arguments(spec_.board->nic_model),
                                         .uart_log_path = spec_.folder + "/uart.log",
                                         .run_folder = spec_.socket_folder,
                                         .on_machine_reset =
                                             [this] {
                                               flash_.clear_volatile_state();
                                               faults_->machine_resets();
                                               return limit_flash_log();
                                             },
                                         .on_machine_stops = [this] { faults_->machine_stops(); },
                                         .events = &lab_.log(),
                                         .halt = lab_.halt(),
                                         .debug_port = spec_.debug_port,
                                         .recorder = recorder_.get()});
  if (!device) return tl::unexpected(device.error());
  device_ = std::move(*device);
  device_->on_console_line([this](std::string_view line) { handle_line(line); });
  device_->on_reset([this](device::ResetCause) { hang_.reset(); });
  for (const auto& [id, point] : skips_) device_->skip(static_cast<std::uint32_t>(id), point);
  device_->on_exit([this](const device::Exit& exit) {
    is_stopping_ = false;
    handle_off();
    problem_ = exit.error.message;
    if (on_exit_) on_exit_(exit.error);
  });
  return {};
}

void LabDevice::cut() {
  if (device_) device_->power_off();
  handle_off();
}

/// The device is off, whatever took it down.
void LabDevice::handle_off() {
  hang_.reset();
  board_flash_->power_off();
  faults_->collect();
}

void LabDevice::stop(std::function<void()> done) {
  if (power() == Power::kOff) return done();
  is_stopping_ = true;
  device_->shut_down([this, done = std::move(done)] {
    is_stopping_ = false;
    handle_off();
    link_.reset();
    done();
  });
}

Result<void> LabDevice::reset() {
  if (power() != Power::kOn) return fail(ExitCode::kUsage, fmt::format("device '{}' is off", spec_.name));
  device_->reset();
  return {};
}

Result<flash_file::FaultId> LabDevice::arm(const flash_file::FlashFault& fault) {
  if (auto possible = flash_file::check(spec_.board->flash, spec_.board->name, fault); !possible)
    return tl::unexpected(possible.error());
  if (std::holds_alternative<flash_file::StuckBits>(fault) && recorder_ && power() != Power::kOff) {
    return fail(ExitCode::kUsage,
                fmt::format("{} changes flash behind device '{}', which is on and recorded",
                            flash_file::name_of(fault), spec_.name),
                "Arm it before the device is switched on.");
  }
  auto id = faults_->arm(fault);
  // Those strike when they are armed: the cells read something else from now on.
  if (id && std::holds_alternative<flash_file::StuckBits>(fault))
    emit_fault({{"fault", flash_file::name_of(fault)}});
  return id;
}

Result<flash_file::FaultId> LabDevice::arm(const device::DeviceFault& fault) {
  auto possible = flash_file::check(spec_.board->flash, spec_.board->name, device::name_of(fault));
  if (possible && !spec_.recording_folder.empty()) possible = replay::check_fault(device::name_of(fault));
  if (!possible) return tl::unexpected(possible.error());
  if (auto free = need_no_debugger(fault); !free) return tl::unexpected(free.error());
  if (const auto* reset = std::get_if<device::ResetAtInstruction>(&fault))
    return faults_->arm_reset(device::name_of(fault), reset->instruction);
  if (const auto* skip = std::get_if<device::SkipInstruction>(&fault)) return arm_skip(*skip);
  if (power() != Power::kOn) {
    return fail(ExitCode::kUsage, fmt::format("{} strikes device '{}' only while it is on",
                                              device::name_of(fault), spec_.name));
  }
  const auto id = faults_->new_id(device::name_of(fault));
  strike(fault, id);
  return id;
}

/// QEMU's stub takes one connection, and some faults need it.
Result<void> LabDevice::need_no_debugger(const device::DeviceFault& fault) const {
  const bool needs_stub =
      std::holds_alternative<device::SkipInstruction>(fault) ||
      (std::holds_alternative<device::WatchdogExpiry>(fault) && spec_.board->watchdog == Watchdog::kCmsdk);
  if (spec_.debug_port == nullptr || !needs_stub) return {};
  return fail(
      ExitCode::kUsage,
      fmt::format("{} cannot strike '{}' while a debugger has it", device::name_of(fault), spec_.name),
      "It is carried out by QEMU's debugger stub, which takes one debugger at a time. Do it in gdb, or "
      "debug the scenario without this fault.");
}

/// One of those that strike at once.
void LabDevice::strike(const device::DeviceFault& fault, flash_file::FaultId id) {
  device_->catch_up();
  emit_fault({{"fault", device::name_of(fault)}});
  if (std::holds_alternative<device::PowerCut>(fault)) cut();
  if (std::holds_alternative<device::Reset>(fault)) device_->reset();
  if (std::holds_alternative<device::WatchdogExpiry>(fault)) device_->expire_watchdog();
  if (!std::holds_alternative<device::Hang>(fault)) return;
  hang_ = id;
  device_->hang();
}

Result<flash_file::FaultId> LabDevice::arm_skip(const device::SkipInstruction& skip) {
  const bool is_bootloader = skip.program == device::SkipInstruction::Program::kBootloader;
  const auto elf = read_file(is_bootloader ? products_.bootloader_elf : products_.application_elf);
  if (!elf) return tl::unexpected(elf.error());
  const auto address = device::find_address(device::functions_of(*elf), skip.at);
  if (!address) return tl::unexpected(address.error());
  const auto name = device::name_of(skip);
  const auto id = faults_->new_id(name);
  const device::SkipPoint point{.address = *address,
                                .strike = std::make_shared<Strike>(skip.strike),
                                .on_skip = [this, name, at = skip.at] {
                                  device_->catch_up();
                                  emit_fault({{"fault", name}, {"at", at}});
                                }};
  skips_.emplace(id, point);
  if (device_) device_->skip(static_cast<std::uint32_t>(id), point);
  return id;
}

void LabDevice::clear(flash_file::FaultId id) {
  faults_->clear(id);
  if (skips_.erase(id) != 0 && device_) device_->stop_skipping(static_cast<std::uint32_t>(id));
  if (hang_ != id) return;
  hang_.reset();
  device_->resume();
}

void LabDevice::handle_strike(const flash_file::FlashStrike& strike) {
  // What it said before comes before, in the event log too.
  if (device_) device_->catch_up();
  if (strike.is_direct_store()) {
    nlohmann::json fields = strike.to_json();
    fields["device"] = spec_.name;
    return lab_.log().emit("flash", "direct_store", std::move(fields));
  }
  emit_fault(strike.to_json());
  if (strike.is_power_cut()) {
    lose_power_in_flash();
    hang_.reset();
    board_flash_->power_off();
    if (on_power_cut_) on_power_cut_();
  } else if (strike.is_reset() && device_) {
    device_->reset();
  }
}

/// A process that is recorded has to end by itself; what it sends meanwhile is not the device's.
void LabDevice::lose_power_in_flash() {
  if (!device_) return;
  if (recorder_ && link_) link_->unplug();
  device_->power_off(device::Device::Cut::kInFlash);
  if (recorder_ && link_) link_->plug();
}

Result<std::vector<flash_file::RottenBit>> LabDevice::rot(const flash_file::BitRot& rot) {
  if (auto off = need_off(flash_file::kBitRotName); !off) return tl::unexpected(off.error());
  auto rotten = flash_file::rot(flash_, faults_->file(), rot);
  if (!rotten) return rotten;
  nlohmann::json bits = nlohmann::json::array();
  for (const auto& one : std::span(*rotten).first(std::min(rotten->size(), kMaxToldBits)))
    bits.push_back({{"offset", one.offset}, {"bit", one.bit}});
  emit_fault({{"fault", flash_file::kBitRotName}, {"count", rotten->size()}, {"bits", std::move(bits)}});
  return rotten;
}

Result<void> LabDevice::destroy(const flash_file::Destroy& destroy) {
  if (auto off = need_off(flash_file::kDestroyName); !off) return off;
  const auto range = flash_file::destroy(flash_, faults_->file(), destroy);
  if (!range) return tl::unexpected(range.error());
  emit_fault(
      {{"fault", flash_file::kDestroyName}, {"offset", range->begin}, {"length_bytes", range->size()}});
  return {};
}

Result<void> LabDevice::need_off(std::string_view fault) const {
  if (power() == Power::kOff) return {};
  return fail(ExitCode::kUsage,
              fmt::format("{} strikes flash at rest, and device '{}' is on", fault, spec_.name),
              "Cut its power or stop it first.");
}

/// A fault's name begins with its layer's.
void LabDevice::emit_fault(nlohmann::json fields) {
  const auto name = fields.at("fault").get<std::string>();
  fields["device"] = spec_.name;
  lab_.log().emit(name.substr(0, name.find('.')), "fault", std::move(fields));
}

LabDevice::Power LabDevice::power() const {
  if (!device_ || !device_->powered()) return Power::kOff;
  return is_stopping_ ? Power::kStopping : Power::kOn;
}

cloud::Subscription LabDevice::listen_console(ConsoleListener listener) {
  return console_listeners_.add(std::move(listener));
}

void LabDevice::handle_line(std::string_view line) {
  board_flash_->take_console_line(line);
  if (auto boot = parse_boot_line(line)) {
    boot->fields["device"] = spec_.name;
    lab_.log().emit("boot", boot->stage, std::move(boot->fields));
  }
  if (std::string version = started_version(line); !version.empty()) {
    running_version_ = std::move(version);
    is_in_recovery_ = started_slot(line) == "recovery";
  }
  console_lines_.emplace_back(line);
  if (console_lines_.size() > kKeptLines) console_lines_.pop_front();
  console_listeners_.for_each([line](const ConsoleListener& listener) { listener.on_line(line); });
}

}  // namespace otasim::lab
