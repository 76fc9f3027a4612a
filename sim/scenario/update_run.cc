#include "sim/scenario/update_run.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <memory>

#include "sim/base/signals.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/lab_device.h"
#include "sim/lab/running_lab.h"
#include "sim/scenario/update_observer.h"

namespace otasim::scenario {
namespace {

constexpr const char* kThing = "thing-1";
constexpr const char* kUpdateId = "demo-1";
constexpr std::uint64_t kDefaultBlockSize = 4096;

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
    device_->cut();
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
    const std::string folder = folder_.path().string();
    auto identities = lab::Lab::create(folder);
    if (!identities) return tl::unexpected(identities.error());
    auto lab = lab::RunningLab::start(io_, std::move(*identities),
                                      {.socket_folder = folder,
                                       .ports = {.mqtt = plan_.mqtt_port},
                                       .broker_plugin = plan_.products.broker_plugin},
                                      log_);
    if (!lab) return tl::unexpected(lab.error());
    lab_ = std::move(*lab);
    if (plan_.object_faults) lab_->object_handler().set_fault_handler(plan_.object_faults);
    lab_->on_exit([this](const Error& error) { stop(error); });
    if (auto made = make_device(); !made) return made;
    lab_->when_ready([this] { power_on(); });
    return {};
  }

  Result<void> make_device() {
    const lab::DeviceSpec spec{.name = kThing,
                               .board = lab::find_board(plan_.board),
                               .mac = {0x02, 0x00, 0x00, 0x00, 0x00, 0x01},
                               .seed = plan_.seed,
                               .transfer = plan_.transfer,
                               .request_wait_ms = plan_.request_wait_ms,
                               .folder = plan_.run_folder,
                               .socket_folder = folder_.path().string(),
                               .record = true};
    const auto identity = lab::register_device(*lab_, kThing);
    if (!identity) return tl::unexpected(identity.error());
    const lab::FactoryImages images{.application = plan_.factory_image, .recovery = plan_.recovery_image};
    if (auto made = lab::equip_device(*lab_, spec, *identity, images, plan_.products); !made) return made;
    auto device = lab::LabDevice::open(*lab_, spec, plan_.products);
    if (!device) return tl::unexpected(device.error());
    device_ = std::move(*device);
    device_->on_exit([this](const Error& error) { stop(error); });
    return {};
  }

  void power_on() {
    step(fmt::format("power on: {} with firmware in slot A, endpoint {}:{}", plan_.board, lab::kEndpointHost,
                     lab_->mqtt_port()));
    if (auto on = device_->start(); !on) stop(on.error());
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
    const auto object = lab_->cloud().objects().put("otasim", "update.img", plan_.update_image);
    if (!object) return stop(object.error().to_error("cannot store the update's image"));
    const auto update = lab_->cloud().ota_updates().create(
        {.id = cloud::OtaUpdateId::trusted(kUpdateId),
         .targets = {cloud::ThingName::trusted(kThing)},
         .files = {{.file_name = "/update.img",
                    .location = object->location,
                    .code_signing = cloud::LabSigning{lab::kCodeSignerName}}},
         .protocols = plan_.protocols});
    if (!update) return stop(update.error().to_error("cannot create the OTA update"));
    if (update->error) {
      return stop({ExitCode::kInternal, "cannot create the OTA update: " + update->error->message, {}});
    }
    step(fmt::format("OTA update {} created: {} bytes for {}", kUpdateId, plan_.update_image.size(), kThing));
  }

  void show_progress() {
    const std::uint64_t block_size = plan_.transfer.block_size.value_or(kDefaultBlockSize);
    const std::uint64_t total = (plan_.update_image.size() + block_size - 1) / block_size;
    const std::uint64_t done = (observer_->served_bytes(block_size) + block_size - 1) / block_size;
    log_.emit("run", "progress", {{"done", std::min(done, total)}, {"total", total}});
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
    auto approved = approved_image(device_->flash(), *key);
    if (approved) {
      outcome.flash_holds_update = slot_holds(device_->flash(), approved->slot, plan_.update_image);
      outcome.approved = std::move(*approved);
    } else {
      outcome.flash_problem = approved.error().message;
      if (auto recovery = fail_safe_image(device_->flash(), *key)) outcome.fail_safe = std::move(*recovery);
    }
    return outcome;
  }

  const UpdatePlan& plan_;
  report::EventLog& log_;
  TempDir folder_;
  boost::asio::io_context io_;
  TerminationSignals signals_;
  boost::asio::steady_timer limit_;
  std::shared_ptr<UpdateObserver> observer_;
  std::shared_ptr<Listening> listening_ = std::make_shared<Listening>();
  std::unique_ptr<lab::RunningLab> lab_;
  std::unique_ptr<lab::LabDevice> device_;
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
