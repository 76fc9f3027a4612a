#include "agent/src/job_status.h"

namespace ota {
namespace {

constexpr std::size_t kMaxThingNameInToken = 53;

constexpr std::string_view kInProgress = R"({"status":"IN_PROGRESS","statusDetails":{)";
constexpr std::string_view kSucceeded = R"({"status":"SUCCEEDED","statusDetails":{)";
constexpr std::string_view kFailed = R"({"status":"FAILED","statusDetails":{)";
constexpr std::string_view kEnd = R"("}})";

void add_version(StatusMessage& message, std::uint32_t version) {
  message.add("  v").add_decimal(version >> 24).add(".");
  message.add_decimal(version >> 16 & 0xFF).add(".").add_decimal(version & 0xFFFF);
}

}  // namespace

StatusMessage job_request_message(std::uint32_t request_number, std::string_view thing_name) {
  StatusMessage message;
  message.add(R"({"clientToken":")").add_decimal(request_number).add(":");
  message.add(thing_name.substr(0, kMaxThingNameInToken)).add(R"("})");
  return message;
}

StatusMessage progress_message(std::uint32_t received, std::uint32_t total) {
  StatusMessage message;
  message.add(kInProgress).add(R"("receive":")").add_decimal(received).add("/").add_decimal(total).add(kEnd);
  return message;
}

StatusMessage self_test_message(std::string_view self_test, std::uint32_t running_version) {
  StatusMessage message;
  message.add(kInProgress).add(R"("self_test":")").add(self_test).add(R"(","updatedBy":"0x)");
  message.add_hex32(running_version).add(kEnd);
  return message;
}

StatusMessage accepted_message(std::uint32_t version, std::uint32_t previous_version) {
  StatusMessage message;
  message.add(kSucceeded).add(R"("reason":"accepted)");
  add_version(message, version);
  message.add(R"(","updatedBy":")");
  add_version(message, previous_version);
  message.add(kEnd);
  return message;
}

StatusMessage failed_message(std::string_view word, std::uint32_t reason) {
  StatusMessage message;
  message.add(kFailed).add(R"("reason":")").add(word).add(": 0x").add_hex32(reason).add(kEnd);
  return message;
}

StatusMessage failed_with_values_message(std::uint32_t reason, std::uint32_t sub_reason) {
  StatusMessage message;
  message.add(kFailed).add(R"("reason":"0x)").add_hex32(reason).add(": 0x").add_hex32(sub_reason).add(kEnd);
  return message;
}

}  // namespace ota
