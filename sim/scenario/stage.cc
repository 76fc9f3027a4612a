#include "sim/scenario/stage.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "sim/base/file_io.h"
#include "sim/base/file_lock.h"
#include "sim/lab/factory.h"
#include "sim/lab/firmware.h"
#include "sim/lab/transfer_settings.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;

constexpr const char* kBucket = "otasim";
constexpr std::string_view kGroupPrefix = "group:";
constexpr std::string_view kUpdatePrefix = "AFR_OTA-";
constexpr std::uint8_t kInverted = 0xFF;
constexpr mode_t kOwnersAlone = 0600;  // a part holds its device's key

cloud::Protocol protocol_of(const std::string& name) {
  return name == "http" ? cloud::Protocol::kHttp : cloud::Protocol::kMqtt;
}

Bytes bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

Error refused(const cloud::ServiceError& error, const std::string& what) {
  Error result = error.to_error(what);
  result.code = ExitCode::kFailed;
  return result;
}

}  // namespace

Result<std::unique_ptr<Stage>> Stage::build(boost::asio::io_context& io, const Scenario& scenario,
                                            const Cell& cell, const std::string& folder,
                                            const std::optional<Checkpoint>& checkpoint,
                                            report::EventLog& log, RunDebugger* debugger,
                                            const std::string& key_log_path, bool keeps_recordings) {
  // Broker and devices of a process that was killed end a moment after it.
  if (auto held = hold_with_children(io, folder + "/children.lock"); !held)
    return tl::unexpected(held.error());
  auto temp = checkpoint ? Result<TempDir>(TempDir::adopt(checkpoint->lab_folder)) : TempDir::create();
  if (!temp) return tl::unexpected(temp.error());
  std::unique_ptr<Stage> stage(new Stage(io, cell, folder, log, std::move(*temp)));
  stage->debugger_ = debugger;
  stage->key_log_path_ = key_log_path;
  stage->keeps_recordings_ = keeps_recordings;
  if (auto made = checkpoint ? stage->go_on(scenario, *checkpoint) : stage->set_up(scenario); !made) {
    return tl::unexpected(made.error());
  }
  return stage;
}

Stage::~Stage() {
  devices_.clear();
  lab_.reset();
  std::error_code ignored;  // a stage that was never complete has no broker log
  std::filesystem::copy_file(sockets_ + "/mosquitto.log", folder_ + "/broker.log",
                             std::filesystem::copy_options::overwrite_existing, ignored);
}

Result<void> Stage::find_products() {
  board_ = lab::find_board(cell_.board);
  auto products = lab::BuildProducts::find(cell_.board);
  if (!products) return tl::unexpected(products.error());
  products_ = std::move(*products);
  return {};
}

Result<void> Stage::set_up(const Scenario& scenario) {
  if (auto found = find_products(); !found) return found;
  auto images = make_images(scenario.images, *board_, products_, cell_.seed);
  if (!images) return tl::unexpected(images.error());
  images_ = std::move(*images);
  auto recovery = lab::make_recovery_image(*board_, products_);
  if (!recovery) return tl::unexpected(recovery.error());
  recovery_image_ = std::move(*recovery);
  sockets_ = temp_.path().string();
  if (auto started = start_lab(lab::Lab::create(temp_.path().string()), scenario.mqtt_port); !started)
    return started;
  if (auto made = make_groups(scenario.groups); !made) return made;
  int number = 1;
  for (const json& spec : scenario.devices) {
    if (auto made = make_device(spec, number++); !made) return made;
  }
  return {};
}

/// What save() has written, and what the killed process has left.
Result<void> Stage::go_on(const Scenario& scenario, const Checkpoint& checkpoint) {
  if (auto found = find_products(); !found) return found;
  for (const auto& [name, spec] : scenario.images.items()) {
    auto image = read_file(image_file(name));
    if (!image) return tl::unexpected(image.error());
    images_[name] = std::move(*image);
  }
  updates_ = checkpoint.updates;
  // Its sockets are still in the way.
  sockets_ = temp_.file(fmt::format("s{}", getpid()));
  std::error_code error;
  std::filesystem::create_directories(sockets_, error);
  if (auto started = start_lab(lab::Lab::open(temp_.path().string()), checkpoint.mqtt_port); !started)
    return started;
  int number = 1;
  for (const json& spec : scenario.devices) {
    const auto device = spec_of(spec, number++);
    if (!device) return tl::unexpected(device.error());
    if (checkpoint.mqtt_port == 0) {
      if (auto told = tell_port(*device); !told) return told;
    }
    if (auto opened = open_device(*device, checkpoint.devices_on.contains(device->name)); !opened)
      return opened;
    auto factory = read_file(device->folder + "/" + kFactoryFlashFile);
    if (!factory) return tl::unexpected(factory.error());
    devices_[device->name].factory_flash = std::move(*factory);
  }
  return {};
}

/// The lab has another port than the one that the device was made for.
Result<void> Stage::tell_port(const lab::DeviceSpec& device) const {
  const auto key = lab::load_device_key(products_.device_key);
  if (!key) return tl::unexpected(key.error());
  auto factory = read_file(device.folder + "/" + kFactoryFlashFile);
  if (!factory) return tl::unexpected(factory.error());
  auto flash = read_file(device.folder + "/flash.bin");
  if (!flash) return tl::unexpected(flash.error());
  if (factory->size() != flash::kWindowSize || flash->size() != flash::kWindowSize)
    return fail(ExitCode::kEnvironment, fmt::format("the flash of '{}' has a wrong size", device.name));
  if (auto told = lab::provision_port(*factory, lab_->mqtt_port(), *key); !told) return told;
  const auto begin = factory->begin() + flash::kProvisioning0.offset;
  std::copy(begin, factory->begin() + flash::kProvisioning1.end(),
            flash->begin() + flash::kProvisioning0.offset);
  if (auto written = write_file_atomic(device.folder + "/" + kFactoryFlashFile, *factory, kOwnersAlone);
      !written)
    return written;
  if (auto written = write_file_atomic(device.folder + "/flash.bin", *flash, kOwnersAlone); !written)
    return written;
  return {};
}

Result<void> Stage::save_images(const std::string& folder) const {
  for (const auto& [name, image] : images_) {
    if (auto written = write_file_atomic(fmt::format("{}/{}.img", folder, name), image); !written)
      return written;
  }
  return {};
}

Result<void> Stage::save(Checkpoint checkpoint) {
  checkpoint.lab_folder = temp_.path().string();
  checkpoint.mqtt_port = lab_->mqtt_port();
  checkpoint.updates = updates_;
  if (auto saved = save_images(folder_); !saved) return saved;
  for (const auto& [name, entry] : devices_) {
    if (entry.device->power() != lab::LabDevice::Power::kOff) checkpoint.devices_on.insert(name);
  }
  return checkpoint.save(folder_);
}

std::string Stage::image_file(const std::string& name) const {
  return fmt::format("{}/{}.img", folder_, name);
}

Result<void> Stage::start_lab(Result<lab::Lab> identities, std::uint16_t mqtt_port) {
  if (!identities) return tl::unexpected(identities.error());
  auto lab = lab::RunningLab::start(io_, std::move(*identities),
                                    {.socket_folder = sockets_,
                                     .ports = {.mqtt = mqtt_port},
                                     .broker_plugin = products_.broker_plugin,
                                     .halt = debugger_ != nullptr ? &debugger_->halt() : nullptr,
                                     .key_log_path = key_log_path_},
                                    log_);
  if (!lab) return tl::unexpected(lab.error());
  lab_ = std::move(*lab);
  lab_->on_exit([this](const Error& error) {
    if (on_lab_exit_) on_lab_exit_(error);
  });
  return {};
}

/// Parents first.
Result<void> Stage::make_groups(const json& groups) {
  std::set<std::string> made;
  while (made.size() < groups.size()) {
    const std::size_t before = made.size();
    for (const auto& [name, spec] : groups.items()) {
      const std::string parent = spec.value("parent", "");
      if (made.contains(name) || (!parent.empty() && !made.contains(parent))) continue;
      cloud::CreateThingGroupRequest request{.name = cloud::GroupName::trusted(name)};
      if (!parent.empty()) request.parent = cloud::GroupName::trusted(parent);
      if (const auto created = lab_->cloud().groups().create(request); !created) {
        return tl::unexpected(created.error().to_error(fmt::format("cannot make the group '{}'", name)));
      }
      made.insert(name);
    }
    if (made.size() == before) return fail(ExitCode::kUsage, "groups are each other's parents");
  }
  return {};
}

Result<lab::DeviceSpec> Stage::spec_of(const json& spec, int number) const {
  const std::string name = spec.at("name");
  if (!cloud::ThingName::parse(name)) {
    return fail(ExitCode::kUsage, fmt::format("'{}' is not a device's name", name));
  }
  const std::string folder = device_folder(name);
  const std::string sockets = fmt::format("{}/d{}", sockets_, number);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) std::filesystem::create_directories(sockets, error);
  if (error)
    return fail(ExitCode::kEnvironment, fmt::format("cannot make '{}': {}", folder, error.message()));
  json transfer = spec.value("transfer", json::object());
  if (!transfer.contains("protocol")) transfer["protocol"] = cell_.data;
  const auto settings = lab::transfer_settings_from(transfer);
  if (!settings) return tl::unexpected(settings.error());
  lab::DeviceSpec device{.name = name,
                         .board = board_,
                         .mac = {0x02, 0x00, 0x00, 0x00, 0x00, static_cast<std::uint8_t>(number)},
                         .seed = cell_.seed + static_cast<std::uint64_t>(number) - 1,
                         .transfer = *settings,
                         .folder = folder,
                         .socket_folder = sockets,
                         .record = true};
  if (debugger_ != nullptr) device.debug_port = debugger_->port_of(name);
  if (keeps_recordings_) device.recording_folder = folder + "/recording";
  device.request_wait_ms = spec.value("request_wait_ms", device.request_wait_ms);
  device.self_test_ms = spec.value("self_test_ms", device.self_test_ms);
  device.keep_alive_seconds = spec.value("keep_alive_s", device.keep_alive_seconds);
  return device;
}

Result<void> Stage::make_device(const json& spec, int number) {
  const auto device = spec_of(spec, number);
  if (!device) return tl::unexpected(device.error());
  const std::string& name = device->name;
  const auto identity = lab::register_device(*lab_, name);
  if (!identity) return tl::unexpected(identity.error());
  for (const std::string& group : spec.value("groups", std::vector<std::string>{})) {
    const auto joined =
        lab_->cloud().groups().add_thing(cloud::GroupName::trusted(group), cloud::ThingName::trusted(name));
    if (!joined)
      return tl::unexpected(joined.error().to_error(fmt::format("'{}' cannot join '{}'", name, group)));
  }
  lab::FactoryImages images{.application = images_.at(spec.at("image").get<std::string>())};
  if (spec.value("recovery", true)) images.recovery = recovery_image_;
  if (auto made = lab::equip_device(*lab_, *device, *identity, images, products_); !made) return made;
  if (auto opened = open_device(*device, spec.value("on", true)); !opened) return opened;
  const auto flash = devices_.at(name).device->flash();
  devices_.at(name).factory_flash.assign(flash.begin(), flash.end());
  return write_file_atomic(device_folder(name) + "/" + kFactoryFlashFile, devices_.at(name).factory_flash,
                           kOwnersAlone);
}

Result<void> Stage::open_device(const lab::DeviceSpec& spec, bool starts_on) {
  auto opened = lab::LabDevice::open(*lab_, spec, products_);
  if (!opened) return tl::unexpected(opened.error());
  (*opened)->on_exit([this, name = spec.name](const Error& exit) {
    if (on_device_exit_) on_device_exit_(name, exit);
  });
  devices_[spec.name] = {.device = std::move(*opened), .factory_flash = {}, .starts_on = starts_on};
  names_.push_back(spec.name);
  return {};
}

Result<void> Stage::power_on_devices() {
  for (const std::string& name : names_) {
    Entry& entry = devices_.at(name);
    if (!entry.starts_on) continue;
    if (auto on = entry.device->start(); !on) return on;
  }
  return {};
}

Result<std::vector<cloud::JobTarget>> Stage::targets_of(const json& arguments) const {
  std::vector<cloud::JobTarget> targets;
  for (const std::string& name : arguments.value("to", names_)) {
    if (name.starts_with(kGroupPrefix)) {
      targets.emplace_back(cloud::GroupName::trusted(name.substr(kGroupPrefix.size())));
    } else {
      targets.emplace_back(cloud::ThingName::trusted(name));
    }
  }
  return targets;
}

Result<cloud::CodeSigning> Stage::signing_of(const json& arguments, Bytes& object) {
  const json signing = arguments.value("signing", json{{"by", "lab"}});
  const std::string by = signing.at("by");
  const bool damages = signing.value("damaged", false) || signing.value("image_damaged_after", false);
  if (by == "none") return cloud::Unsigned{};
  if (by == "lab" && !damages) return cloud::LabSigning{lab::kCodeSignerName};
  cloud::CustomSigning custom;
  custom.certificate_name = signing.value("certificate", std::string(lab::kCodeSignerName));
  custom.hash_algorithm = signing.value("hash", custom.hash_algorithm);
  custom.signature_algorithm = signing.value("algorithm", custom.signature_algorithm);
  Result<Bytes> signature = [&]() -> Result<Bytes> {
    if (by == "custom") return bytes_of(signing.value("signature", ""));
    if (by == "lab") return lab_->cloud().signer()->sign(object);
    const auto key = crypto::P256Key::generate();
    if (!key) return tl::unexpected(key.error());
    return key->sign(object);
  }();
  if (!signature) return tl::unexpected(signature.error());
  if (signing.value("damaged", false) && !signature->empty()) signature->back() ^= kInverted;
  if (signing.value("image_damaged_after", false) && !object.empty()) object[object.size() / 2] ^= kInverted;
  custom.signature = std::move(*signature);
  return custom;
}

Result<void> Stage::create_update(const json& arguments) {
  const std::string id = arguments.at("id");
  const std::string image = arguments.at("image");
  Bytes bytes = images_.at(image);
  auto signing = signing_of(arguments, bytes);
  if (!signing) return tl::unexpected(signing.error());
  const auto object = lab_->cloud().objects().put(kBucket, id + ".img", bytes);
  if (!object) return tl::unexpected(refused(object.error(), "cannot store the update's image"));
  const auto targets = targets_of(arguments);
  if (!targets) return tl::unexpected(targets.error());
  cloud::CreateOtaUpdateRequest request{.id = cloud::OtaUpdateId::trusted(id),
                                        .targets = *targets,
                                        .files = {{.file_name = arguments.value("file_name", "/update.img"),
                                                   .location = object->location,
                                                   .code_signing = std::move(*signing)}}};
  request.protocols.clear();
  for (const std::string& name : arguments.value("protocols", std::vector<std::string>{cell_.data})) {
    request.protocols.push_back(protocol_of(name));
  }
  request.presigned_expires_sec = arguments.value("url_expires_s", request.presigned_expires_sec);
  if (arguments.contains("timeout_minutes"))
    request.in_progress_timeout_minutes = arguments.at("timeout_minutes");
  if (arguments.value("continuous", false)) request.target_selection = cloud::TargetSelection::kContinuous;
  updates_[std::string(kUpdatePrefix) + id] = image;
  const auto update = lab_->cloud().ota_updates().create(request);
  const std::string wanted = arguments.value("expect_error", "");
  std::string code;
  std::string message;
  if (!update) {
    code = to_string(update.error().code);
    message = update.error().message;
  } else if (update->error) {
    code = update->error->code;
    message = update->error->message;
  }
  log_.emit("run", "step",
            {{"text", fmt::format("update {}: {} ({} bytes){}", id, image, bytes.size(),
                                  code.empty() ? "" : fmt::format(", refused: {}", code))}});
  if (!code.empty())
    log_.emit("cloud", "update_refused", {{"update", id}, {"error", code}, {"message", message}});
  if (code == wanted) return {};
  if (code.empty()) {
    return fail(ExitCode::kFailed,
                fmt::format("the update '{}' was to be refused with {}, but was created", id, wanted));
  }
  return fail(ExitCode::kFailed, fmt::format("the update '{}' cannot be created: {}: {}", id, code, message));
}

Result<void> Stage::create_job(const json& arguments) {
  const std::string id = arguments.at("id");
  const json& document = arguments.at("document");
  const auto targets = targets_of(arguments);
  if (!targets) return tl::unexpected(targets.error());
  const auto made = lab_->cloud().jobs().create(
      {.id = cloud::JobId::trusted(id),
       .document = document.is_string() ? document.get<std::string>() : document.dump(),
       .targets = *targets});
  if (!made) return tl::unexpected(refused(made.error(), fmt::format("cannot create the job '{}'", id)));
  return {};
}

Result<void> Stage::cancel(const json& arguments) {
  const std::string id = arguments.at("job");
  const bool force = arguments.value("force", false);
  const auto job = cloud::JobId::trusted(id);
  const auto canceled =
      arguments.contains("device")
          ? lab_->cloud().jobs().cancel_execution(
                job, cloud::ThingName::trusted(arguments.at("device").get<std::string>()), {.force = force})
          : lab_->cloud().jobs().cancel(job, {.force = force});
  if (!canceled) return tl::unexpected(refused(canceled.error(), fmt::format("cannot cancel '{}'", id)));
  return {};
}

Result<void> Stage::remove_job(const json& arguments) {
  const std::string id = arguments.at("job");
  const auto removed =
      lab_->cloud().jobs().remove_job(cloud::JobId::trusted(id), arguments.value("force", false));
  if (!removed) return tl::unexpected(refused(removed.error(), fmt::format("cannot delete '{}'", id)));
  return {};
}

Result<void> Stage::power(const json& arguments, std::function<void()> done) {
  lab::LabDevice& target = device(arguments.at("device"));
  const std::string to = arguments.at("to");
  if (to == "off") {
    target.stop(std::move(done));
    return {};
  }
  Result<void> result;
  if (to == "on") {
    result = target.start();
  } else if (to == "cut") {
    target.cut();
  } else {
    result = target.reset();
  }
  if (result) done();
  return result;
}

Result<void> Stage::change_certificate(const json& arguments) {
  constexpr std::int64_t kDay = 86'400;
  const std::string becomes = arguments.at("becomes");
  const std::int64_t now = lab_->clock().now();
  lab::EndpointCertificate wanted;
  if (becomes == "expired") {
    wanted.valid_from = now - 2 * kDay;
    wanted.valid_until = now - kDay;
  } else if (becomes == "not_yet_valid") {
    wanted.valid_from = now + kDay;
  } else if (becomes == "wrong_name") {
    wanted.host = "impostor.example";
  }
  wanted.by_stranger = becomes == "other_authority";
  if (auto issued = lab_->reissue_endpoint(wanted); !issued) return issued;
  restart_broker(0);
  return {};
}

void Stage::jump_clock(const json& arguments) {
  lab_->jump_clock(static_cast<std::int64_t>(arguments.value("jump_s", 0.0)));
}

void Stage::second_client(const json& arguments, std::function<void(const Result<void>&)> done) {
  lab_->connect_second_client(arguments.at("device"), arguments.value("hold_ms", std::int64_t{0}),
                              [done = std::move(done)](const Result<broker::SecondClient::End>& end) {
                                done(end ? Result<void>{} : tl::unexpected(end.error()));
                              });
}

void Stage::bring_broker_up() {
  if (const auto up = lab_->bring_broker_up(); !up && on_lab_exit_) on_lab_exit_(up.error());
}

void Stage::restart_broker(std::int64_t down_ms) {
  lab_->restart_broker(down_ms, [this](const Result<void>& restarted) {
    if (!restarted && on_lab_exit_) on_lab_exit_(restarted.error());
  });
}

}  // namespace otasim::scenario
