#include "sim/scenario/scenario_run.h"

#include <fmt/format.h>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>
#include <optional>

#include "sim/base/halt.h"
#include "sim/base/json_members.h"
#include "sim/base/signals.h"
#include "sim/scenario/event_pattern.h"
#include "sim/scenario/evidence.h"
#include "sim/scenario/fault_plan.h"
#include "sim/scenario/invariants.h"
#include "sim/scenario/judge.h"
#include "sim/scenario/lab_snapshots.h"
#include "sim/scenario/run_figures.h"
#include "sim/scenario/stage.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;

constexpr double kDefaultWaitSeconds = 20;
constexpr int kMaxCleanBoots = 3;
constexpr auto kCleanBootLimit = std::chrono::seconds(20);

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

/// What a wait waits for.
struct Wait {
  enum class Mode { kOne, kAll, kAny };
  Mode mode = Mode::kOne;
  std::vector<EventPattern> patterns;
  std::vector<bool> seen;
  std::vector<EventPattern> unless;
  std::int64_t times = 1;
  std::string where;
  double limit_s = kDefaultWaitSeconds;

  static Wait from(const Step& step) {
    Wait wait;
    wait.where = step.where;
    wait.limit_s = step.arguments.value("limit_s", kDefaultWaitSeconds);
    wait.times = step.arguments.value("times", std::int64_t{1});
    json patterns = json::array();
    if (step.arguments.contains("for")) {
      patterns.push_back(step.arguments.at("for"));
    } else if (step.arguments.contains("for_all")) {
      wait.mode = Mode::kAll;
      patterns = step.arguments.at("for_all");
    } else {
      wait.mode = Mode::kAny;
      patterns = step.arguments.value("for_any", json::array());
    }
    for (const json& pattern : patterns) wait.patterns.push_back(*EventPattern::parse(pattern));
    wait.seen.resize(wait.patterns.size());
    for (const json& pattern : step.arguments.value("unless", json::array()))
      wait.unless.push_back(*EventPattern::parse(pattern));
    return wait;
  }

  /// @returns whether that was the last event it waited for
  bool take(const json& event) {
    if (std::ranges::any_of(unless, [&](const EventPattern& one) { return one.matches(event); })) return true;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      if (seen[i] || !patterns[i].matches(event)) continue;
      if (mode == Mode::kOne) return --times == 0;
      if (mode == Mode::kAny) return true;
      seen[i] = true;
      return std::ranges::all_of(seen, [](bool one) { return one; });
    }
    return false;
  }

  [[nodiscard]] std::string text() const {
    std::string missing;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      if (seen[i]) continue;
      missing += missing.empty() ? "" : (mode == Mode::kAny ? " or " : " and ");
      missing += patterns[i].text();
    }
    if (mode == Mode::kOne && times > 1) missing += fmt::format(" ({} more times)", times);
    return missing;
  }
};

class ScenarioRun {
 public:
  ScenarioRun(const RunPlan& plan, report::EventLog& log)
      : plan_(plan),
        log_(log),
        signals_(io_,
                 [this](int) {
                   give_up({ExitCode::kInterrupted, "interrupted", {}});
                 }),
        limit_(io_, halt_of(plan)),
        wait_limit_(io_, halt_of(plan)) {}
  ~ScenarioRun() {
    {
      const std::scoped_lock lock(listening_->mutex);
      listening_->owner = nullptr;
    }
    if (plan_.debugger == nullptr) return;
    faults_.reset();
    stage_.reset();  // its devices let go of the debugger
    plan_.debugger->close();
  }
  ScenarioRun(const ScenarioRun&) = delete;
  ScenarioRun& operator=(const ScenarioRun&) = delete;

  Result<RunResult> run() {
    const auto start = std::chrono::steady_clock::now();
    listen();
    if (auto begun = begin(); !begun) return tl::unexpected(begun.error());
    limit_.wait(milliseconds(plan_.scenario.limit_s), [this] {
      if (phase_ == Phase::kSteps) fail_run(limit_text("the run", plan_.scenario.limit_s));
    });
    io_.run();
    if (error_) return tl::unexpected(*error_);
    auto judged = judge_run();
    if (!judged) return judged;
    if (plan_.debugger != nullptr) plan_.debugger->finish(io_, judged->passed());
    judged->wall_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start)
            .count();
    return judged;
  }

 private:
  static const Halt* halt_of(const RunPlan& plan) {
    return plan.debugger == nullptr ? nullptr : &plan.debugger->halt();
  }

  enum class Phase { kSteps, kCleanBoots, kOver };

  /// Lets the log's listener, which lives as long as the log, find out that the run is over.
  struct Listening {
    ScenarioRun* owner = nullptr;
    std::mutex mutex;
  };

  // ---- events

  void listen() {
    listening_->owner = this;
    log_.listen([listening = listening_](const json& event) {
      // Parts emit from their own threads; the run decides on its own one.
      const std::scoped_lock lock(listening->mutex);
      if (listening->owner == nullptr) return;
      listening->owner->keep_snapshot(event);
      boost::asio::post(listening->owner->io_, [listening, event] {
        if (listening->owner != nullptr) listening->owner->handle(event);
      });
    });
  }

  /// Changes of a job are emitted on the run's own thread, when they are in the store.
  void keep_snapshot(const json& event) {
    if (!snapshots_ || !stage_ || phase_ != Phase::kSteps) return;
    if (text_of(event, "source") == "cloud" && text_of(event, "event") == "job_execution")
      snapshots_->take(*stage_, event);
  }

  void handle(const json& event) {
    if (phase_ == Phase::kOver) return;
    if (plan_.debugger != nullptr) plan_.debugger->handle(event);
    evidence_.events.push_back(event);
    if (phase_ == Phase::kCleanBoots) return handle_clean_boot(event);
    note_last_seen(event);
    if (faults_) {
      if (auto struck = faults_->handle(event); !struck) return give_up(struck.error());
    }
    if (wait_) look_for_waited();
  }

  void note_last_seen(const json& event) {
    if (text_of(event, "source") == "uart") last_line_ = text_of(event, "text");
    // What it answered is long, and follows from what it was asked.
    const std::string name = text_of(event, "event");
    const bool is_answer = name == "mqtt_answer" || name == "mqtt_message";
    if (text_of(event, "source") == "cloud" && !is_answer) last_cloud_event_ = event.dump();
  }

  /// Goes through the events that the wait has not seen yet.
  void look_for_waited() {
    while (cursor_ < evidence_.events.size()) {
      if (!wait_->take(evidence_.events[cursor_++])) continue;
      wait_.reset();
      wait_limit_.cancel();
      return next_step();
    }
  }

  // ---- steps

  Result<void> begin() {
    if (plan_.keep_snapshots) {
      auto snapshots = LabSnapshots::begin(plan_.folder);
      if (!snapshots) return tl::unexpected(snapshots.error());
      snapshots_ = std::move(*snapshots);
    }
    if (plan_.debugger != nullptr) {
      auto begun = plan_.debugger->begin(io_, [this](Error error) { give_up(std::move(error)); });
      if (!begun) return begun;
    }
    auto stage = Stage::build(io_, plan_.scenario, plan_.cell, plan_.folder, plan_.checkpoint, log_,
                              plan_.debugger, plan_.key_log_path, plan_.keep_recordings);
    if (!stage) return tl::unexpected(stage.error());
    stage_ = std::move(*stage);
    stage_->on_lab_exit([this](const Error& error) { give_up(error); });
    stage_->on_device_exit([this](const std::string& device, const Error& error) {
      // Not from within its end: what is left of it must be gone before it is started again.
      boost::asio::post(io_, [this, device, why = error.message] { handle_device_exit(device, why); });
    });
    faults_ = std::make_unique<FaultPlan>(*stage_, log_,
                                          [this](const std::string& device) { damaged_.insert(device); });
    if (plan_.checkpoint) {
      step_ = plan_.checkpoint->step;
      damaged_ = plan_.checkpoint->damaged;
      evidence_.events = plan_.earlier_events;
      cursor_ = std::min(plan_.checkpoint->cursor, evidence_.events.size());
    }
    for (const auto* faults : {&plan_.scenario.faults, &plan_.faults}) {
      if (plan_.checkpoint) break;
      for (const json& fault : *faults) {
        if (auto armed = faults_->arm(fault); !armed) return armed;
      }
    }
    stage_->when_ready([this] {
      if (auto on = stage_->power_on_devices(); !on) return give_up(on.error());
      next_step();
    });
    return {};
  }

  /// Does steps until one has to wait.
  void next_step() {
    boost::asio::post(io_, [this] {
      if (phase_ != Phase::kSteps) return;
      if (step_ == plan_.scenario.steps.size()) return begin_clean_boots();
      const Step& step = plan_.scenario.steps[step_++];
      if (auto done = do_step(step); !done) {
        if (done.error().code != ExitCode::kFailed && done.error().code != ExitCode::kUsage)
          return give_up(done.error());
        fail_run(fmt::format("{}: {}: {}", step.where, step.name, done.error().message));
      }
    });
  }

  Result<void> do_step(const Step& step) {
    if (step.name == "wait") {
      begin_wait(step);
      return {};
    }
    if (step.name == "say") {
      log_.emit("run", "step", {{"text", step.arguments.at("text")}});
      next_step();
      return {};
    }
    cursor_ = evidence_.events.size();
    log_.emit("run", "do", {{"step", step.name}, {"arguments", step.arguments}, {"where", step.where}});
    if (step.name == "power") return stage_->power(step.arguments, [this] { next_step(); });
    if (step.name == "second_client") {
      stage_->second_client(step.arguments, [this, where = step.where](const Result<void>& done) {
        if (done) return next_step();
        fail_run(fmt::format("{}: second_client: {}", where, done.error().message));
      });
      return {};
    }
    auto done = do_immediate(step);
    if (done) next_step();
    return done;
  }

  Result<void> do_immediate(const Step& step) {
    if (step.name == "update") return stage_->create_update(step.arguments);
    if (step.name == "job") return stage_->create_job(step.arguments);
    if (step.name == "cancel") return stage_->cancel(step.arguments);
    if (step.name == "delete") return stage_->remove_job(step.arguments);
    if (step.name == "clock") {
      stage_->jump_clock(step.arguments);
      return {};
    }
    if (step.name == "certificate") return stage_->change_certificate(step.arguments);
    if (step.name == "fault") return faults_->arm(step.arguments);
    if (step.name == "clear") return faults_->clear(step.arguments.at("id"));
    if (step.name == "kill_simulator") return kill_simulator();
    return fail(ExitCode::kInternal, fmt::format("nobody does the step '{}'", step.name));
  }

  Result<void> kill_simulator() {
    Checkpoint checkpoint;
    checkpoint.step = step_;
    checkpoint.cursor = cursor_;
    checkpoint.damaged = damaged_;
    if (auto saved = stage_->save(std::move(checkpoint)); !saved) return saved;
    ::kill(::getpid(), SIGKILL);
    return {};
  }

  void begin_wait(const Step& step) {
    wait_ = Wait::from(step);
    const int number = ++waits_;
    // A handler that is on its way when the wait ends must not end the next one.
    wait_limit_.wait(milliseconds(wait_->limit_s), [this, number] {
      if (!wait_ || number != waits_) return;
      fail_run(limit_text(fmt::format("{}: wait", wait_->where), wait_->limit_s));
    });
    look_for_waited();
  }

  [[nodiscard]] std::string limit_text(const std::string& what, double seconds) const {
    std::string text = fmt::format("{} did not end within {} s", what, seconds);
    if (wait_) text += fmt::format("; it waited for {}", wait_->text());
    text += fmt::format("; the console's last line was '{}'", last_line_);
    if (!last_cloud_event_.empty()) text += fmt::format(", the cloud's last event {}", last_cloud_event_);
    return text;
  }

  // ---- the end

  void handle_device_exit(const std::string& device, const std::string& why) {
    if (phase_ == Phase::kSteps) return fail_run(fmt::format("{} went off by itself: {}", device, why));
    const bool is_booted = phase_ == Phase::kCleanBoots && booting_ < evidence_.devices.size() &&
                           evidence_.devices[booting_].name == device;
    if (is_booted && is_booting_) end_clean_boot({.slot = {}, .version = {}, .state = CleanBoot::kSilent});
  }

  /// The scenario does not hold; its devices are still looked at.
  void fail_run(std::string why) {
    if (phase_ != Phase::kSteps) return;
    log_.emit("run", "failed", {{"text", why}});
    failures_.push_back(std::move(why));
    begin_clean_boots();
  }

  void give_up(Error error) {
    if (phase_ == Phase::kOver) return io_.stop();  // a debugger's person has had enough, too
    error_ = std::move(error);
    end();
  }

  void end() {
    phase_ = Phase::kOver;
    io_.stop();
  }

  void begin_clean_boots() {
    phase_ = Phase::kCleanBoots;
    if (failures_.empty()) failures_ = faults_->missed(evidence_.events);
    evidence_.step_event_count = evidence_.events.size();
    wait_.reset();
    wait_limit_.cancel();
    limit_.cancel();
    faults_->clear_all();
    for (const std::string& name : stage_->device_names()) {
      stage_->device(name).cut();
      const auto flash = stage_->device(name).flash();
      evidence_.devices.push_back({.name = name,
                                   .factory_flash = stage_->factory_flash(name),
                                   .flash_at_end = Bytes(flash.begin(), flash.end()),
                                   .flash_was_damaged = damaged_.contains(name)});
    }
    if (snapshots_) {
      if (auto kept = snapshots_->finish(*stage_, plan_.scenario); !kept) return give_up(kept.error());
    }
    boot_next();
  }

  /// Boots one device, or the next one if that has been booted often enough.
  void boot_next() {
    while (booting_ < evidence_.devices.size() && is_settled(evidence_.devices[booting_])) ++booting_;
    if (booting_ == evidence_.devices.size()) return end();
    DeviceEvidence& device = evidence_.devices[booting_];
    log_.emit("run", "clean_boot", {{"device", device.name}, {"number", device.boots.size() + 1}});
    if (auto on = stage_->device(device.name).start(); !on) return give_up(on.error());
    const int number = ++waits_;
    wait_limit_.wait(kCleanBootLimit, [this, number] {
      if (phase_ != Phase::kCleanBoots || number != waits_) return;
      end_clean_boot({.slot = {}, .version = {}, .state = CleanBoot::kSilent});
    });
  }

  static bool is_settled(const DeviceEvidence& device) {
    const std::size_t count = device.boots.size();
    return count >= kMaxCleanBoots || (count >= 2 && device.boots[count - 1] == device.boots[count - 2]);
  }

  void handle_clean_boot(const json& event) {
    // What the device had said before it was cut is in the log before this boot's own event.
    if (text_of(event, "source") == "run" && text_of(event, "event") == "clean_boot") is_booting_ = true;
    if (!is_booting_ || text_of(event, "source") != "boot" ||
        text_of(event, "device") != evidence_.devices[booting_].name)
      return;
    if (text_of(event, "event") == "halt") return end_clean_boot({});
    if (text_of(event, "event") != "start") return;
    end_clean_boot({.slot = text_of(event, "slot"),
                    .version = text_of(event, "version"),
                    .state = text_of(event, "state")});
  }

  void end_clean_boot(CleanBoot boot) {
    is_booting_ = false;
    wait_limit_.cancel();
    DeviceEvidence& device = evidence_.devices[booting_];
    stage_->device(device.name).cut();
    device.boots.push_back(std::move(boot));
    boost::asio::post(io_, [this] {
      if (phase_ == Phase::kCleanBoots) boot_next();
    });
  }

  Result<RunResult> judge_run() {
    const auto key = crypto::P256Key::load_private(stage_->products().boot_signing_key);
    if (!key) return tl::unexpected(key.error());
    evidence_.boot_key = &*key;
    evidence_.updates = stage_->updates();
    evidence_.images = &stage_->images();
    for (DeviceEvidence& device : evidence_.devices) {
      const auto flash = stage_->device(device.name).flash();
      device.flash.assign(flash.begin(), flash.end());
      device.marginal = marginal_ranges(device.name);
      device.op_log = flash::read_op_log(stage_->device_folder(device.name) + "/flash.ops");
    }
    if (failures_.empty()) failures_ = judge(plan_.scenario, evidence_);
    const auto waived = plan_.scenario.expect.value("invariants_waived", std::set<std::string>{});
    for (std::string& failure : broken_invariants(evidence_, waived)) failures_.push_back(std::move(failure));
    RunResult result{
        .failures = std::move(failures_), .jobs = summary_of_jobs(), .images = summary_of_images()};
    for (const DeviceEvidence& device : evidence_.devices) result.devices.push_back(summary_of(device, *key));
    for (const DeviceEvidence& device : evidence_.devices) {
      if (const auto error = stage_->device(device.name).recording_error())
        result.warnings.push_back(
            fmt::format("{} was not recorded to the end: {}", device.name, error->message));
    }
    for (const std::string& failure : result.failures) log_.emit("run", "verdict", {{"text", failure}});
    return result;
  }

  [[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> marginal_ranges(
      const std::string& device) const {
    std::vector<std::pair<std::size_t, std::size_t>> ranges;
    for (const json& event : evidence_.events) {
      if (text_of(event, "source") != "flash" || text_of(event, "device") != device) continue;
      const auto marginal = std::max(integer_member(event, "marginal_bytes").value_or(0),
                                     integer_member(event, "random_bytes").value_or(0));
      if (marginal <= 0) continue;
      ranges.emplace_back(
          event.at("offset").get<std::size_t>() + event.at("applied_bytes").get<std::size_t>(),
          static_cast<std::size_t>(marginal));
    }
    return ranges;
  }

  [[nodiscard]] json summary_of_jobs() const {
    json jobs = evidence_.executions();
    for (json& job : jobs) {
      const JobTimes times = job_times(evidence_.step_events(), job.at("device"), job.at("job"));
      if (times.transfer_ms) job["transfer_ms"] = *times.transfer_ms;
      if (times.ended_ms) job["ended_ms"] = *times.ended_ms;
    }
    return jobs;
  }

  [[nodiscard]] json summary_of_images() const {
    json images = json::object();
    for (const auto& [name, bytes] : *evidence_.images) {
      const auto info = image::parse(bytes);
      images[name] = {{"bytes", bytes.size()}, {"version", info ? image::to_string(info->version) : ""}};
    }
    return images;
  }

  /// Name of the scenario's image that a slot holds, byte for byte; empty: none of them.
  [[nodiscard]] std::string image_in(const DeviceEvidence& device, boot::Slot slot) const {
    for (const auto& [name, bytes] : *evidence_.images) {
      if (slot_holds(device.flash_at_end, slot, bytes)) return name;
    }
    return {};
  }

  [[nodiscard]] json summary_of(const DeviceEvidence& device, const crypto::P256Key& key) const {
    const auto approved = approved_image(device.flash_at_end, key);
    const auto next = starts_next(device.flash_at_end, key);
    json boots = json::array();
    for (const CleanBoot& boot : device.boots) {
      boots.push_back({{"slot", boot.slot}, {"version", boot.version}, {"state", boot.state}});
    }
    json summary{{"device", device.name},
                 {"running", running_version(evidence_.step_events(), device.name)},
                 {"starts_next", next ? image::to_string(next->info.version) : ""},
                 {"slot", next ? slot_letter(next->slot) : ""},
                 {"standing", next ? next->standing : "none"},
                 {"image", next ? image_in(device, next->slot) : ""},
                 {"clean_boots", std::move(boots)}};
    if (!approved) summary["problem"] = approved.error().message;
    if (const auto ms = boot_to_connected_ms(evidence_.step_events(), device.name))
      summary["boot_to_connected_ms"] = *ms;
    if (std::string why = went_off(evidence_.events, device.name); !why.empty())
      summary["went_off"] = std::move(why);
    return summary;
  }

  const RunPlan& plan_;
  report::EventLog& log_;
  boost::asio::io_context io_;
  TerminationSignals signals_;
  HaltTimer limit_;
  HaltTimer wait_limit_;
  std::shared_ptr<Listening> listening_ = std::make_shared<Listening>();
  Evidence evidence_;
  std::unique_ptr<LabSnapshots> snapshots_;
  std::unique_ptr<Stage> stage_;
  std::unique_ptr<FaultPlan> faults_;
  std::set<std::string> damaged_;  ///< devices whose flash a fault has changed at rest
  Phase phase_ = Phase::kSteps;
  std::size_t step_ = 0;
  std::size_t cursor_ = 0;   ///< first event that no wait has seen
  std::size_t booting_ = 0;  ///< device that is booted on its own
  bool is_booting_ = false;
  std::optional<Wait> wait_;
  int waits_ = 0;  ///< so far, those for clean boots included
  std::string last_line_;
  std::string last_cloud_event_;
  std::vector<std::string> failures_;
  std::optional<Error> error_;
};

}  // namespace

bool kills_simulator(const Scenario& scenario) {
  return std::ranges::find(scenario.steps, "kill_simulator", &Step::name) != scenario.steps.end();
}

Result<RunResult> play(const RunPlan& plan, report::EventLog& log) {
  return ScenarioRun(plan, log).run();
}

}  // namespace otasim::scenario
