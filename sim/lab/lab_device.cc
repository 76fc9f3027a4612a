#include "sim/lab/lab_device.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/lab/boot_console.h"
#include "sim/lab/factory.h"

namespace otasim::lab {

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
  auto flash = flash_file::FlashFile::create(spec.folder + "/flash.bin");
  if (!flash) return tl::unexpected(flash.error());
  return equip(flash->bytes(), *provisioning, images);
}

Result<std::unique_ptr<LabDevice>> LabDevice::open(RunningLab& lab, DeviceSpec spec, BuildProducts products) {
  auto flash = flash_file::FlashFile::open(spec.folder + "/flash.bin");
  if (!flash) return tl::unexpected(flash.error());
  return std::unique_ptr<LabDevice>(
      new LabDevice(lab, std::move(spec), std::move(products), std::move(*flash)));
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
  return device_->power_on();
}

/// The link outlives a cut: then it is still up, with its half-open connections.
Result<void> LabDevice::bring_link_up() {
  if (link_) return {};
  auto link = link::Link::start({.device = spec_.name,
                                 .folder = spec_.socket_folder,
                                 .allowed_tcp_ports = lab_.device_ports(),
                                 .host_names = {kEndpointHost},
                                 .mac = spec_.mac,
                                 .pcap_path = spec_.record ? spec_.folder + "/link.pcap" : "",
                                 .now = [&clock = lab_.clock()] { return clock.now(); },
                                 .events = &lab_.log()});
  if (!link) return tl::unexpected(link.error());
  link_ = std::move(*link);
  return {};
}

Result<void> LabDevice::create_device() {
  auto device =
      device::Device::create(lab_.io(), {.name = spec_.name,
                                         .board = std::string(spec_.board->name),
                                         .bootloader_path = products_.bootloader_elf,
                                         .flash_path = flash_.path(),
                                         .flash_plugin_path = products_.flash_plugin,
                                         .op_log_path = spec_.record ? spec_.folder + "/flash.ops" : "",
                                         .seed = spec_.seed,
                                         .more_arguments = link_->qemu_arguments(spec_.board->nic_model),
                                         .uart_log_path = spec_.folder + "/uart.log",
                                         .run_folder = spec_.socket_folder,
                                         .on_machine_reset =
                                             [this] {
                                               flash_.clear_volatile_state();
                                               return Result<void>{};
                                             },
                                         .events = &lab_.log()});
  if (!device) return tl::unexpected(device.error());
  device_ = std::move(*device);
  device_->on_console_line([this](std::string_view line) { handle_line(line); });
  device_->on_exit([this](const device::Exit& exit) {
    is_stopping_ = false;
    problem_ = exit.error.message;
    if (on_exit_) on_exit_(exit.error);
  });
  return {};
}

void LabDevice::cut() {
  if (device_) device_->power_off();
}

void LabDevice::stop(std::function<void()> done) {
  if (power() == Power::kOff) return done();
  is_stopping_ = true;
  device_->shut_down([this, done = std::move(done)] {
    is_stopping_ = false;
    link_.reset();
    done();
  });
}

Result<void> LabDevice::reset() {
  if (power() != Power::kOn) return fail(ExitCode::kUsage, fmt::format("device '{}' is off", spec_.name));
  device_->reset();
  return {};
}

LabDevice::Power LabDevice::power() const {
  if (!device_ || !device_->powered()) return Power::kOff;
  return is_stopping_ ? Power::kStopping : Power::kOn;
}

cloud::Subscription LabDevice::listen_console(ConsoleListener listener) {
  return console_listeners_.add(std::move(listener));
}

void LabDevice::handle_line(std::string_view line) {
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
