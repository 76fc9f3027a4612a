// AWS's side and the device's MQTT client, on a thread of their own: answers what the agent publishes.
//
//   FakeService service({.file_size = ...});
//   interfaces.mqtt.publish = ... service.publish(topic, payload) ...
//   service.hold_after(5);      // blocks from the sixth on wait for release()
//
// Messages go to the agent as a network task would bring them: a free event buffer is filled and signalled,
// and comes back through buffer_processed().
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "tests/agent/src/fake_environment.h"

namespace ota_test {

class FakeService {
 public:
  explicit FakeService(JobSpec job) : job_(std::move(job)), thread_([this] { run(); }) {}
  ~FakeService();
  FakeService(const FakeService&) = delete;
  FakeService& operator=(const FakeService&) = delete;

  /// From the agent's thread.
  void publish(std::string topic, Bytes payload);
  void buffer_processed(OtaEventData_t* data);

  /// From the test's.
  void hold_after(std::uint32_t blocks);
  void release();
  void lose_job_requests(int count);
  /// Returns when all that was published is answered.
  void wait_until_idle();
  [[nodiscard]] std::size_t buffers_in_use();

 private:
  struct Message {
    std::string topic;
    Bytes payload;
  };

  void run();
  void answer(const Message& message);
  void send_blocks(const Bytes& request);
  void deliver(OtaEvent_t event, const Bytes& bytes);

  const JobSpec job_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Message> inbox_;
  std::array<OtaEventData_t, 3> buffers_{};
  std::uint32_t blocks_until_hold_ = UINT32_MAX;
  int requests_to_lose_ = 0;
  bool is_job_done_ = false;
  bool is_answering_ = false;
  bool is_ending_ = false;
  std::thread thread_;  // last: everything it uses is there before it
};

}  // namespace ota_test
