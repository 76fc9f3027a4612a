#include "sim/lab/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/lab/firmware.h"

namespace otasim::lab {
namespace {

namespace fs = std::filesystem;
using State = DeviceRecord::State;

Error unknown_device(const std::string& name) {
  return {ExitCode::kUsage, fmt::format("there is no device '{}'", name), "otasim device list shows them."};
}

Error unknown_board(const std::string& name) {
  return {ExitCode::kUsage, fmt::format("there is no board '{}'", name),
          fmt::format("The boards are: {}.", fmt::join(board_names(), ", "))};
}

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) return {};
  return fail(ExitCode::kEnvironment, fmt::format("cannot make the folder '{}': {}", path, error.message()));
}

Result<void> remove_all(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (!error) return {};
  return fail(ExitCode::kEnvironment, fmt::format("cannot remove '{}': {}", path, error.message()));
}

/// What stands in a device's folder before its record, or until it is gone; with more behind the name while
/// it is being written.
constexpr std::array kWrittenFirst{DeviceRecord::kFactoryImage, DeviceRecord::kRecoveryImage,
                                   DeviceRecord::kFile};

/// Whether a folder without a record is what an add had begun, or a removal not quite ended.
bool is_left_over(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const auto begins_with = [&name](const char* file) { return name.starts_with(file); };
    if (std::ranges::none_of(kWrittenFirst, begins_with)) return false;
  }
  return !error;
}

/// What a start with log_flash left does not go on without it.
void forget_flash_log(const std::string& folder) {
  std::error_code ignored;
  for (const char* file : {"/flash.ops", "/factory.bin"}) fs::remove(folder + file, ignored);
}

bool is_not_found(const cloud::ServiceError& error) {
  return error.code == cloud::ErrorCode::kResourceNotFound;
}

}  // namespace

Result<std::unique_ptr<Fleet>> Fleet::open(RunningLab& lab, std::string socket_folder, FleetOptions options) {
  std::unique_ptr<Fleet> fleet(new Fleet(lab, std::move(socket_folder), options));
  if (auto loaded = fleet->load_all(); !loaded) return tl::unexpected(loaded.error());
  return fleet;
}

Result<void> Fleet::load_all() {
  std::error_code error;
  std::vector<std::string> folders;
  for (const auto& entry : fs::directory_iterator(lab_.identities().folder() + "/devices", error)) {
    const std::string folder = entry.path().string();
    if (DeviceRecord::exists(folder)) {
      folders.push_back(folder);
    } else if (is_left_over(folder)) {
      fs::remove_all(folder, error);
    }
  }
  std::ranges::sort(folders);
  for (const std::string& folder : folders) {
    auto record = DeviceRecord::load(folder);
    if (!record) return tl::unexpected(record.error());
    if (auto resumed = resume(std::move(*record)); !resumed) return resumed;
  }
  return {};
}

Result<void> Fleet::resume(DeviceRecord record) {
  switch (record.state) {
    case State::kEquipping:
      return equip(std::move(record));
    case State::kRemoving:
      return finish_removal(record);
    case State::kReady:
      break;
  }
  auto spec = make_spec(record);
  if (!spec) return tl::unexpected(spec.error());
  return open_device(std::move(record), std::move(*spec));
}

void Fleet::power_up() {
  for (auto& [name, entry] : devices_) {
    if (!entry.record.is_on) continue;
    if (const auto started = entry.device->start(); !started) {
      lab_.log().emit("device", "exit", {{"device", name}, {"message", started.error().message}});
    }
  }
}

Result<void> Fleet::check_new(const NewDevice& request) {
  const auto thing = cloud::ThingName::parse(request.name);
  if (!thing || request.name.size() > kMaxNameLength) {
    return fail(ExitCode::kUsage, fmt::format("'{}' is not a device's name", request.name),
                fmt::format("A name has 1 to {} letters, digits, '-', '_' or ':'.", kMaxNameLength));
  }
  if (devices_.contains(request.name)) {
    return fail(ExitCode::kUsage, fmt::format("there is a device '{}' already", request.name),
                "Choose another name, or remove that one with otasim device remove.");
  }
  if (const auto known = lab_.cloud().things().describe(*thing); known) {
    return fail(ExitCode::kUsage,
                fmt::format("there is a thing '{}' already, which is no device of the lab", request.name),
                "Choose another name.");
  } else if (!is_not_found(known.error())) {
    return tl::unexpected(known.error().to_error("cannot read the registry"));
  }
  if (find_board(request.board) == nullptr) return tl::unexpected(unknown_board(request.board));
  for (const std::string& group : request.groups) {
    const auto name = cloud::GroupName::parse(group);
    if (!name || !lab_.cloud().groups().describe(*name)) {
      return fail(ExitCode::kUsage, fmt::format("there is no group '{}'", group),
                  "Make it with otasim group create.");
    }
  }
  return {};
}

Result<void> Fleet::add(const NewDevice& request) {
  if (auto checked = check_new(request); !checked) return checked;
  DeviceRecord record{.name = request.name,
                      .board = request.board,
                      .mac = free_mac(),
                      .transfer = request.transfer,
                      .state = State::kEquipping,
                      .factory_version = {},  // write_images()
                      .groups = request.groups};
  record.seed = request.seed.value_or(record.mac.back());
  if (auto written = write_images(request, record); !written) return written;
  if (auto saved = record.save(folder_of(request.name)); !saved) return saved;
  if (auto made = equip(record); !made) {
    (void)finish_removal(record);
    return made;
  }
  return {};
}

/// Puts what the flash is equipped with into the device's folder, which it makes, and its versions on record.
Result<void> Fleet::write_images(const NewDevice& request, DeviceRecord& record) {
  auto version = check_firmware(request.image);
  if (!version) return tl::unexpected(version.error());
  record.factory_version = *version;
  std::vector<std::uint8_t> recovery;
  if (request.has_recovery) {
    const auto products = BuildProducts::find(request.board);
    if (!products) return tl::unexpected(products.error());
    auto made = make_recovery_image(*find_board(request.board), *products);
    if (!made) return tl::unexpected(made.error());
    recovery = std::move(*made);
    record.recovery_version = kRecoveryVersion;
  }
  const std::string folder = folder_of(request.name);
  if (auto made = make_folder(folder); !made) return made;
  const auto write = [&folder](const char* file, const std::vector<std::uint8_t>& bytes) {
    return write_file_atomic(fmt::format("{}/{}", folder, file), bytes);
  };
  if (auto written = write(DeviceRecord::kFactoryImage, request.image); !written) return written;
  if (recovery.empty()) return {};
  return write(DeviceRecord::kRecoveryImage, recovery);
}

/// Does, or does again, all that makes a device of a record: registers it and gives it a new flash.
Result<void> Fleet::equip(DeviceRecord record) {
  const std::string folder = folder_of(record.name);
  const auto image = read_file(fmt::format("{}/{}", folder, DeviceRecord::kFactoryImage));
  if (!image) return tl::unexpected(image.error());
  std::vector<std::uint8_t> recovery;
  if (!record.recovery_version.empty()) {
    auto bytes = read_file(fmt::format("{}/{}", folder, DeviceRecord::kRecoveryImage));
    if (!bytes) return tl::unexpected(bytes.error());
    recovery = std::move(*bytes);
  }
  if (auto deleted = delete_thing(record.name); !deleted) return deleted;
  if (auto removed = remove_all(folder + "/flash.bin"); !removed) return removed;
  const auto identity = register_device(lab_, record.name);
  if (!identity) return tl::unexpected(identity.error());
  auto spec = make_spec(record);
  if (!spec) return tl::unexpected(spec.error());
  const auto products = BuildProducts::find(record.board);
  if (!products) return tl::unexpected(products.error());
  const FactoryImages images{.application = *image, .recovery = recovery};
  if (auto made = equip_device(lab_, *spec, *identity, images, *products); !made) return made;
  if (auto joined = join_groups(record); !joined) return joined;
  record.state = State::kReady;
  record.groups.clear();
  if (auto saved = record.save(folder); !saved) return saved;
  return open_device(std::move(record), std::move(*spec));
}

Result<void> Fleet::open_device(DeviceRecord record, DeviceSpec spec) {
  auto products = BuildProducts::find(record.board);
  if (!products) return tl::unexpected(products.error());
  if (!options_.log_flash) forget_flash_log(spec.folder);
  auto device = LabDevice::open(lab_, std::move(spec), std::move(*products));
  if (!device) return tl::unexpected(device.error());
  (*device)->on_exit([this, name = record.name](const Error&) {
    if (const auto found = entry(name)) (void)keep_power(**found, false);
  });
  const std::string name = record.name;
  devices_.insert_or_assign(name, Entry{std::move(record), std::move(*device)});
  return {};
}

Result<DeviceSpec> Fleet::make_spec(const DeviceRecord& record) {
  const Board* const board = find_board(record.board);
  if (board == nullptr) return tl::unexpected(unknown_board(record.board));
  // Names of things are too long for the path of a socket.
  std::string sockets = fmt::format("{}/{}", socket_folder_, ++sockets_made_);
  if (auto made = make_folder(sockets); !made) return tl::unexpected(made.error());
  return DeviceSpec{.name = record.name,
                    .board = board,
                    .mac = record.mac,
                    .seed = record.seed,
                    .transfer = record.transfer,
                    .folder = folder_of(record.name),
                    .socket_folder = std::move(sockets),
                    .capture = lab_.logs_keys(),
                    .log_flash = options_.log_flash};
}

Result<void> Fleet::reprovision(const std::string& name) {
  const auto found = entry(name);
  if (!found) return tl::unexpected(found.error());
  const auto groups = lab_.cloud().groups().groups_of(cloud::ThingName::trusted(name));
  if (!groups && !is_not_found(groups.error())) {
    return tl::unexpected(groups.error().to_error("cannot read the device's groups"));
  }
  DeviceRecord record = (*found)->record;
  record.state = State::kEquipping;
  record.is_on = false;
  if (groups) {
    for (const cloud::GroupName& group : *groups) record.groups.push_back(group.str());
  }
  if (auto saved = record.save(folder_of(name)); !saved) return saved;
  (*found)->device->cut();
  devices_.erase(name);
  return equip(std::move(record));
}

Result<void> Fleet::remove(const std::string& name) {
  const auto found = entry(name);
  if (!found) return tl::unexpected(found.error());
  DeviceRecord record = (*found)->record;
  record.state = State::kRemoving;
  if (auto saved = record.save(folder_of(name)); !saved) return saved;
  (*found)->device->cut();
  devices_.erase(name);
  return finish_removal(record);
}

Result<void> Fleet::finish_removal(const DeviceRecord& record) {
  if (auto deleted = delete_thing(record.name); !deleted) return deleted;
  // The record goes last: as long as there is anything left, there is something that says so.
  const std::string folder = folder_of(record.name);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename() == DeviceRecord::kFile) continue;
    if (auto removed = remove_all(entry.path().string()); !removed) return removed;
  }
  return remove_all(folder);
}

cloud::ServiceResult<void> detach_policies(cloud::Cloud& cloud, const std::string& certificate) {
  const auto policies = cloud.policies().attached_to(certificate, {.max_results = cloud::kMaxPageSize});
  if (!policies) return tl::unexpected(policies.error());
  for (const cloud::Policy& policy : policies->items) {
    if (auto detached = cloud.policies().detach(policy.name, certificate); !detached) return detached;
  }
  return {};
}

/// Deletes a device's thing and its certificates; whatever of it is not there stays away.
Result<void> Fleet::delete_thing(const std::string& name) {
  const auto failed = [&name](const cloud::ServiceError& error) {
    return tl::unexpected(error.to_error(fmt::format("cannot delete the thing '{}'", name)));
  };
  cloud::Cloud& cloud = lab_.cloud();
  const auto thing = cloud::ThingName::trusted(name);
  const auto principals = cloud.things().principals_of(thing);
  if (!principals) {
    if (is_not_found(principals.error())) return {};
    return failed(principals.error());
  }
  for (const std::string& certificate : *principals) {
    if (auto detached = cloud.things().detach_principal(thing, certificate); !detached)
      return failed(detached.error());
    // A certificate that acts as other things, too, is not this device's alone.
    const auto others = cloud.things().things_of(certificate);
    if (!others) return failed(others.error());
    if (!others->empty()) continue;
    if (auto detached = detach_policies(cloud, certificate); !detached) return failed(detached.error());
    auto disabled = cloud.certificates().set_status(certificate, cloud::CertificateStatus::kInactive);
    if (!disabled) return failed(disabled.error());
    if (auto removed = cloud.certificates().remove(certificate); !removed) return failed(removed.error());
  }
  if (auto removed = cloud.things().remove(thing); !removed) return failed(removed.error());
  return {};
}

Result<void> Fleet::join_groups(const DeviceRecord& record) {
  for (const std::string& group : record.groups) {
    const auto joined = lab_.cloud().groups().add_thing(cloud::GroupName::trusted(group),
                                                        cloud::ThingName::trusted(record.name));
    // A group may have been deleted since the record was written.
    if (joined || is_not_found(joined.error())) continue;
    return tl::unexpected(joined.error().to_error(fmt::format("'{}' cannot join '{}'", record.name, group)));
  }
  return {};
}

Result<void> Fleet::start(const std::string& name) {
  const auto found = entry(name);
  if (!found) return tl::unexpected(found.error());
  if (auto started = (*found)->device->start(); !started) return started;
  return keep_power(**found, true);
}

Result<void> Fleet::cut(const std::string& name) {
  const auto found = entry(name);
  if (!found) return tl::unexpected(found.error());
  if ((*found)->device->power() == LabDevice::Power::kOff) {
    return fail(ExitCode::kUsage, fmt::format("device '{}' is off", name));
  }
  (*found)->device->cut();
  return keep_power(**found, false);
}

Result<void> Fleet::stop(const std::string& name, std::function<void()> done) {
  const auto found = entry(name);
  if (!found) return tl::unexpected(found.error());
  if ((*found)->device->power() == LabDevice::Power::kOff) {
    return fail(ExitCode::kUsage, fmt::format("device '{}' is off", name));
  }
  if (auto kept = keep_power(**found, false); !kept) return kept;
  (*found)->device->stop(std::move(done));
  return {};
}

Result<void> Fleet::reset(const std::string& name) {
  const auto found = find(name);
  if (!found) return tl::unexpected(found.error());
  return (*found)->reset();
}

void Fleet::stop_all(std::function<void()> done) {
  // One more than there are devices, so that `done` is called after the last has been asked.
  const auto open = std::make_shared<std::size_t>(devices_.size() + 1);
  const auto one_done = [open, done = std::move(done)] {
    if (--*open == 0) done();
  };
  for (auto& [name, entry] : devices_) entry.device->stop(one_done);
  one_done();
}

Result<LabDevice*> Fleet::find(const std::string& name) {
  const auto found = entry(name);
  if (!found) return tl::unexpected(found.error());
  return (*found)->device.get();
}

Result<Fleet::Entry*> Fleet::entry(const std::string& name) {
  const auto found = devices_.find(name);
  if (found == devices_.end()) return tl::unexpected(unknown_device(name));
  return &found->second;
}

std::vector<std::string> Fleet::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : devices_) names.push_back(name);
  return names;
}

Result<void> Fleet::keep_power(Entry& entry, bool is_on) {
  if (entry.record.is_on == is_on) return {};
  entry.record.is_on = is_on;
  return entry.record.save(folder_of(entry.record.name));
}

/// A locally administered address that no device of the lab has.
link::MacAddress Fleet::free_mac() const {
  for (unsigned number = 1;; ++number) {
    const link::MacAddress mac{
        0x02, 0x00, 0x00, 0x00, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
    const auto has_it = [&mac](const auto& entry) { return entry.second.record.mac == mac; };
    if (std::ranges::none_of(devices_, has_it)) return mac;
  }
}

std::string Fleet::folder_of(const std::string& name) const {
  return lab_.identities().device_folder(name);
}

}  // namespace otasim::lab
