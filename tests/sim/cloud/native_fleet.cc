#include "tests/sim/cloud/native_fleet.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace otasim::cloud::testing {

namespace {

constexpr std::uint32_t kNewVersion = 0x0101'0000;  // 1.1.0
constexpr std::int64_t kMinute = 60;
constexpr std::string_view kThings = "$aws/things/";

bool has_job(const std::string& payload) {
  return payload.find("\"execution\"") != std::string::npos;
}

}  // namespace

NativeDevice::NativeDevice(NativeFleet& fleet, std::string name) : fleet_(fleet), name_(std::move(name)) {
  on_activate = [this] {
    EXPECT_EQ(agent_->activate_new_image(), OtaErrNone);
    restarts_ = true;
  };
  on_start_test = [this] { EXPECT_EQ(agent_->set_image_state(OtaImageStateAccepted), OtaErrNone); };
}

void NativeDevice::start() {
  topics_.clear();
  timers.clear();
  agent_ = std::make_unique<ota::Agent>(*this);
  ASSERT_EQ(agent_->init({}, name_), OtaErrNone);
  agent_->process_next_event();  // Init becomes Ready
  ASSERT_TRUE(agent_->signal({nullptr, OtaAgentEventStart}));
  run();
}

void NativeDevice::wake() {
  is_silent_ = false;
  start();
}

void NativeDevice::receive(const std::string& topic, const std::string& payload) {
  if (is_silent_ || behavior == Behavior::kIsOff) return;
  const bool is_block = topic.ends_with("/data/cbor");
  const bool is_job = topic.ends_with("/notify-next") || topic.ends_with("/$next/get/accepted");
  if (!is_block && !is_job) return;
  if (is_job && has_job(payload) && !notified_at_) notified_at_ = fleet_.now();
  close_result = behavior == Behavior::kFails
                     ? static_cast<OtaPalStatus_t>(OTA_PAL_COMBINE_ERR(OtaPalSignatureCheckFailed, 0))
                     : 0;
  const auto buffer = std::make_unique<OtaEventData_t>();
  ASSERT_LE(payload.size(), sizeof buffer->data);
  std::ranges::copy(payload, buffer->data);
  buffer->dataLength = static_cast<std::uint32_t>(payload.size());
  buffer->bufferUsed = true;
  const auto event = is_block ? OtaAgentEventReceivedFileBlock : OtaAgentEventReceivedJobDocument;
  ASSERT_TRUE(agent_->signal({buffer.get(), event}));
  run();
  if (!restarts_) return;
  restarts_ = false;
  version = kNewVersion;
  pal_state = OtaPalImageStatePendingCommit;
  start();
}

void NativeDevice::run() {
  while (queued() != 0 && agent_->state() != OtaAgentStateStopped) agent_->process_next_event();
}

OtaMqttStatus_t NativeDevice::subscribe(std::string_view filter, std::uint8_t) {
  topics_.emplace(filter);
  return OtaMqttSuccess;
}

OtaMqttStatus_t NativeDevice::publish(std::string_view topic, std::span<const std::uint8_t> payload,
                                      std::uint8_t) {
  if (is_silent_) return OtaMqttSuccess;
  fleet_.request(name_, std::string{topic}, {payload.begin(), payload.end()});
  // From the first word about a job on.
  is_silent_ = behavior == Behavior::kFallsSilent && topic.ends_with("/update");
  return OtaMqttSuccess;
}

NativeFleet::NativeFleet(Cloud& cloud, ManualClock& clock, report::EventLog& log)
    : cloud_(cloud),
      clock_(clock),
      front_end_(cloud.jobs(), cloud.streams(), clock, log, cloud.faults(), *this) {
  EXPECT_TRUE(cloud.groups().create({.name = group()}));
}

void NativeFleet::add(int devices) {
  for (int i = 0; i < devices; ++i) {
    const std::string name = fmt::format("d{:04}", devices_.size());
    ASSERT_TRUE(cloud_.things().create(ThingName::trusted(name)));
    ASSERT_TRUE(cloud_.groups().add_thing(group(), ThingName::trusted(name)));
    devices_.push_back(std::make_unique<NativeDevice>(*this, name));
    by_name_[name] = devices_.back().get();
    devices_.back()->start();
  }
  settle();
}

void NativeFleet::settle() {
  while (!messages_.empty()) {
    const Message message = std::move(messages_.front());
    messages_.pop_front();
    if (message.to != nullptr) {
      message.to->receive(message.topic, message.payload);
    } else {
      front_end_.handle_request({message.from, 1}, message.topic, message.payload);
    }
  }
}

void NativeFleet::minute() {
  clock_.advance(kMinute);
  ASSERT_TRUE(cloud_.jobs().run_due());
  settle();
}

std::vector<std::int64_t> NativeFleet::notified_each_minute(std::int64_t start, int minutes) const {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(minutes));
  for (const auto& device : devices_) {
    if (!device->notified_at()) continue;
    ++numbers.at(static_cast<std::size_t>((*device->notified_at() - start) / kMinute));
  }
  return numbers;
}

NativeDevice* NativeFleet::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

void NativeFleet::request(const std::string& device, std::string topic, std::string payload) {
  messages_.push_back({nullptr, device, std::move(topic), std::move(payload)});
}

void NativeFleet::deliver(const ClientAddress& client, const std::string& topic, std::string_view payload) {
  NativeDevice* const device = find(client.client_id);
  ASSERT_NE(device, nullptr) << client.client_id;
  messages_.push_back({device, {}, topic, std::string{payload}});
}

void NativeFleet::publish(const std::string& topic, std::string_view payload, int) {
  const std::string rest = topic.substr(kThings.size());
  NativeDevice* const device = find(rest.substr(0, rest.find('/')));
  if (device != nullptr && device->listens_to(topic)) {
    messages_.push_back({device, {}, topic, std::string{payload}});
  }
}

}  // namespace otasim::cloud::testing
