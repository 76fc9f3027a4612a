#include "tests/agent/posix/fake_service.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ota_test {

FakeService::~FakeService() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void FakeService::publish(std::string topic, Bytes payload) {
  const std::lock_guard lock(mutex_);
  inbox_.push_back({std::move(topic), std::move(payload)});
  changed_.notify_all();
}

void FakeService::buffer_processed(OtaEventData_t* data) {
  const std::lock_guard lock(mutex_);
  data->bufferUsed = false;
  changed_.notify_all();
}

void FakeService::hold_after(std::uint32_t blocks) {
  const std::lock_guard lock(mutex_);
  blocks_until_hold_ = blocks;
}

void FakeService::release() {
  hold_after(UINT32_MAX);
  changed_.notify_all();
}

void FakeService::lose_job_requests(int count) {
  const std::lock_guard lock(mutex_);
  requests_to_lose_ = count;
}

void FakeService::wait_until_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return inbox_.empty() && !is_answering_; });
}

std::size_t FakeService::buffers_in_use() {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count(buffers_, true, &OtaEventData_t::bufferUsed));
}

void FakeService::run() {
  while (true) {
    Message message;
    {
      std::unique_lock lock(mutex_);
      is_answering_ = false;
      changed_.notify_all();
      changed_.wait(lock, [this] { return is_ending_ || !inbox_.empty(); });
      if (is_ending_) return;
      message = std::move(inbox_.front());
      inbox_.pop_front();
      is_answering_ = true;
    }
    answer(message);
  }
}

void FakeService::answer(const Message& message) {
  const std::string_view topic = message.topic;
  if (topic.ends_with("/jobs/$next/get")) {
    if (requests_to_lose_ > 0) {
      --requests_to_lose_;
      return;
    }
    const std::string text =
        is_job_done_ ? R"({"clientToken":"0:t","timestamp":1700000000})" : job_text(job_);
    deliver(OtaAgentEventReceivedJobDocument, {text.begin(), text.end()});
  } else if (topic.ends_with("/get/cbor")) {
    send_blocks(message.payload);
  } else if (topic.ends_with("/update")) {
    const auto update = nlohmann::json::parse(message.payload);
    if (update["statusDetails"].value("self_test", "") == "ready") is_job_done_ = true;
  }
}

void FakeService::send_blocks(const Bytes& request) {
  const auto map = nlohmann::json::from_cbor(request);
  const auto& wanted = map["b"].get_binary();
  auto count = map["n"].get<std::uint32_t>();
  const auto size = static_cast<std::uint32_t>(job_.file_size);
  for (std::uint32_t index = 0; index < wanted.size() * 8 && count > 0; ++index) {
    if ((wanted[index / 8] >> (index % 8) & 1U) == 0) continue;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return is_ending_ || blocks_until_hold_ > 0; });
      if (is_ending_) return;
      --blocks_until_hold_;
    }
    deliver(OtaAgentEventReceivedFileBlock,
            block_message(job_.file_id, index, AgentHarness::block_content(size, index)));
    --count;
  }
}

void FakeService::deliver(OtaEvent_t event, const Bytes& bytes) {
  OtaEventData_t* buffer = nullptr;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      const auto free = std::ranges::find(buffers_, false, &OtaEventData_t::bufferUsed);
      buffer = free == buffers_.end() ? nullptr : &*free;
      return is_ending_ || buffer != nullptr;
    });
    if (is_ending_) return;
    buffer->bufferUsed = true;
  }
  std::ranges::copy(bytes, buffer->data);
  buffer->dataLength = static_cast<std::uint32_t>(bytes.size());
  const OtaEventMsg_t message{buffer, event};
  if (!OTA_SignalEvent(&message)) buffer_processed(buffer);
}

}  // namespace ota_test
