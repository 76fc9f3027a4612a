#include "sim/scenario/update_run.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <filesystem>
#include <memory>

#include "sim/base/file_io.h"
#include "sim/base/signals.h"
#include "sim/base/temp_dir.h"
#include "sim/broker/broker.h"
#include "sim/cloud/broker_link.h"
#include "sim/cloud/cloud.h"
#include "sim/device/device.h"
#include "sim/flash/flash_file.h"
#include "sim/lab/factory.h"
#include "sim/lab/lab.h"
#include "sim/link/link.h"
#include "sim/scenario/update_observer.h"

namespace otasim::scenario {
namespace {

constexpr const char* kThing = "thing-1";
constexpr const char* kUpdateId = "demo-1";

/// The lab of one run. Members are in order of construction; destruction takes the device's power first.
class UpdateRun {
 public:
  UpdateRun(const UpdatePlan& plan, report::EventLog& log, TempDir folder)
      : plan_(plan),
        log_(log),
        folder_(std::move(folder)),
        signals_(io_,
                 [this](int) {
                   stop({ExitCode::kInterrupted, "interrupted", {}});
                 }),
        limit_(io_),
        observer_(std::make_shared<UpdateObserver>(kThing, plan.last_line)) {}
  ~UpdateRun() { listening_->owner = nullptr; }
  UpdateRun(const UpdateRun&) = delete;
  UpdateRun& operator=(const UpdateRun&) = delete;

  Result<UpdateOutcome> run() {
    listen();
    if (auto started = start(); !started) return tl::unexpected(started.error());
    limit_.expires_after(std::chrono::seconds(plan_.limit_seconds));
    limit_.async_wait([this](boost::system::error_code error) {
      if (!error) stop(limit_error());
    });
    io_.run();
    device_->power_off();
    if (error_) return tl::unexpected(*error_);
    return judge();
  }

 private:
  /// Lets the log's listener, which lives as long as the log, find out that the run is over.
  struct Listening {
    UpdateRun* owner = nullptr;
    std::mutex mutex;
  };

  void listen() {
    listening_->owner = this;
    log_.listen([listening = listening_](const nlohmann::json& event) {
      // Parts emit from their own threads; the run decides on its own one.
      const std::scoped_lock lock(listening->mutex);
      if (listening->owner == nullptr) return;
      boost::asio::post(listening->owner->io_, [listening, event] {
        if (listening->owner != nullptr) listening->owner->handle(event);
      });
    });
  }

  Result<void> start() {
    if (auto made = make_lab(); !made) return made;
    if (auto made = start_cloud(); !made) return made;
    if (auto made = make_device(); !made) return made;
    broker_link_->when_ready([this] { power_on(); });
    return {};
  }

  Result<void> make_lab() {
    const std::string folder = folder_.path().string();
    auto lab = lab::Lab::create(folder);
    if (!lab) return tl::unexpected(lab.error());
    lab_ = std::make_unique<lab::Lab>(std::move(*lab));
    auto identity = lab_->issue_device(kThing);
    if (!identity) return tl::unexpected(identity.error());
    identity_ = std::make_unique<lab::Identity>(std::move(*identity));
    return {};
  }

  Result<void> start_cloud() {
    auto broker = broker::Broker::start(io_, {.folder = folder_.path().string(),
                                              .port = plan_.mqtt_port,
                                              .ca_path = lab_->authority().certificate_path,
                                              .certificate_path = lab_->endpoint().certificate_path,
                                              .key_path = lab_->endpoint().key_path,
                                              .plugin_path = plan_.products.broker_plugin});
    if (!broker) return tl::unexpected(broker.error());
    broker_ = std::move(*broker);
    broker_->on_exit([this](const Error& error) { stop(error); });

    auto cloud = cloud::Cloud::open(folder_.path().string(), clock_, log_,
                                    {.signing_key_path = lab_->code_signer().key_path});
    if (!cloud) return tl::unexpected(cloud.error());
    cloud_ = std::move(*cloud);
    const auto thing = cloud::ThingName::trusted(kThing);
    const auto created = cloud_->things().create(thing);
    if (!created) return tl::unexpected(created.error().to_error("cannot register the device"));
    const auto certificate = cloud_->certificates().register_certificate(identity_->certificate.pem());
    if (!certificate) {
      return tl::unexpected(certificate.error().to_error("cannot register the device's certificate"));
    }
    const auto attached = cloud_->things().attach_principal(thing, certificate->id);
    if (!attached) return tl::unexpected(attached.error().to_error("cannot attach the device's certificate"));

    // Mosquitto's end is told by the process itself, with its log; a lost connection alone would hide why.
    auto link = cloud::BrokerLink::connect(io_, *cloud_, broker_->socket_path(), [](const Error&) {});
    if (!link) return tl::unexpected(link.error());
    broker_link_ = std::move(*link);
    return {};
  }

  Result<void> make_device() {
    lab::DeviceSettings settings;
    settings.thing_name = kThing;
    settings.mqtt_port = broker_->port();
    settings.seed = plan_.seed;
    const auto provisioning = lab::provisioning_blob(*lab_, *identity_, settings);
    if (!provisioning) return tl::unexpected(provisioning.error());
    auto flash = flash_file::FlashFile::create(plan_.run_folder + "/flash.bin");
    if (!flash) return tl::unexpected(flash.error());
    flash_ = std::make_unique<flash_file::FlashFile>(std::move(*flash));
    if (auto equipped = lab::equip(flash_->bytes(), *provisioning, plan_.factory_image); !equipped)
      return equipped;

    link::MacAddress mac{};
    std::copy(settings.mac.begin(), settings.mac.end(), mac.begin());
    auto link = link::Link::start({.folder = folder_.path().string(),
                                   .allowed_tcp_ports = {broker_->port()},
                                   .host_names = {lab::kEndpointHost},
                                   .mac = mac,
                                   .pcap_path = plan_.run_folder + "/link.pcap",
                                   .events = &log_});
    if (!link) return tl::unexpected(link.error());
    link_ = std::move(*link);

    auto device = device::Device::create(io_, {.board = plan_.board,
                                               .bootloader_path = plan_.products.bootloader_elf,
                                               .flash_path = flash_->path(),
                                               .flash_plugin_path = plan_.products.flash_plugin,
                                               .op_log_path = plan_.run_folder + "/flash.ops",
                                               .seed = plan_.seed,
                                               .link_arguments = link_->qemu_arguments(),
                                               .uart_log_path = plan_.run_folder + "/uart.log",
                                               .run_folder = folder_.path().string(),
                                               .on_machine_reset =
                                                   [this] {
                                                     flash_->clear_volatile_state();
                                                     return Result<void>{};
                                                   },
                                               .events = &log_});
    if (!device) return tl::unexpected(device.error());
    device_ = std::move(*device);
    device_->on_exit([this](const device::Exit& exit) { stop(exit.error); });
    return {};
  }

  void power_on() {
    step(fmt::format("power on: {} with firmware in slot A, endpoint {}:{}", plan_.board, lab::kEndpointHost,
                     broker_->port()));
    if (auto on = device_->power_on(); !on) stop(on.error());
  }

  void handle(const nlohmann::json& event) {
    if (is_over_) return;
    switch (observer_->observe(event)) {
      case UpdateObserver::Next::kNothing:
        break;
      case UpdateObserver::Next::kOfferUpdate:
        offer_update();
        break;
      case UpdateObserver::Next::kShowProgress:
        show_progress();
        break;
      case UpdateObserver::Next::kEnd:
        finish();
        break;
    }
  }

  void offer_update() {
    const auto object = cloud_->objects().put("otasim", "update.img", plan_.update_image);
    if (!object) return stop(object.error().to_error("cannot store the update's image"));
    const auto update =
        cloud_->ota_updates().create({.id = cloud::OtaUpdateId::trusted(kUpdateId),
                                      .targets = {cloud::ThingName::trusted(kThing)},
                                      .files = {{.file_name = "/update.img",
                                                 .location = object->location,
                                                 .code_signing = cloud::LabSigning{lab::kCodeSignerName}}}});
    if (!update) return stop(update.error().to_error("cannot create the OTA update"));
    if (update->error) {
      return stop({ExitCode::kInternal, "cannot create the OTA update: " + update->error->message, {}});
    }
    step(fmt::format("OTA update {} created: {} bytes for {}", kUpdateId, plan_.update_image.size(), kThing));
  }

  void show_progress() {
    constexpr std::size_t kBlockSize = 4096;
    const auto total = (plan_.update_image.size() + kBlockSize - 1) / kBlockSize;
    log_.emit("run", "progress",
              {{"done", std::min<std::uint64_t>(observer_->blocks(), total)}, {"total", total}});
  }

  void step(std::string text) { log_.emit("run", "step", {{"text", std::move(text)}}); }

  void finish() {
    is_over_ = true;
    io_.stop();
  }

  void stop(Error error) {
    if (is_over_) return;
    error_ = std::move(error);
    finish();
  }

  [[nodiscard]] Error limit_error() const {
    return {ExitCode::kFailed,
            fmt::format("the update did not end within {} s; the device's last line was '{}'",
                        plan_.limit_seconds, observer_->last_console_line()),
            fmt::format("Read {}/uart.log, or give more time with --limit.", plan_.run_folder)};
  }

  Result<UpdateOutcome> judge() {
    UpdateOutcome outcome = observer_->outcome();
    const auto key = crypto::P256Key::load_private(plan_.products.boot_signing_key);
    if (!key) return tl::unexpected(key.error());
    auto approved = approved_image(flash_->bytes(), *key);
    if (approved) {
      outcome.flash_holds_update = slot_holds(flash_->bytes(), approved->slot, plan_.update_image);
      outcome.approved = std::move(*approved);
    } else {
      outcome.flash_problem = approved.error().message;
    }
    return outcome;
  }

  const UpdatePlan& plan_;
  report::EventLog& log_;
  TempDir folder_;
  boost::asio::io_context io_;
  TerminationSignals signals_;
  boost::asio::steady_timer limit_;
  cloud::LabClock clock_;
  std::shared_ptr<UpdateObserver> observer_;
  std::shared_ptr<Listening> listening_ = std::make_shared<Listening>();
  std::unique_ptr<lab::Lab> lab_;
  std::unique_ptr<lab::Identity> identity_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<cloud::Cloud> cloud_;
  std::unique_ptr<cloud::BrokerLink> broker_link_;
  std::unique_ptr<flash_file::FlashFile> flash_;
  std::unique_ptr<link::Link> link_;
  std::unique_ptr<device::Device> device_;
  std::optional<Error> error_;
  bool is_over_ = false;
};

}  // namespace

Result<UpdateOutcome> run_update(const UpdatePlan& plan, report::EventLog& log) {
  auto folder = TempDir::create();
  if (!folder) return tl::unexpected(folder.error());
  const std::filesystem::path broker_log = folder->path() / "mosquitto.log";
  Result<UpdateOutcome> outcome = [&] {
    UpdateRun run(plan, log, std::move(*folder));
    Result<UpdateOutcome> result = run.run();
    std::error_code ignored;  // a run that failed early has no broker log
    std::filesystem::copy_file(broker_log, plan.run_folder + "/broker.log", ignored);
    return result;
  }();
  return outcome;
}

}  // namespace otasim::scenario
