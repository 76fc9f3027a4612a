#include "sim/control/protocol.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sim/base/json_members.h"

namespace otasim::control {
namespace {

constexpr std::array<std::pair<ExitCode, std::string_view>, 5> kCodes{
    {{ExitCode::kFailed, "failed"},
     {ExitCode::kUsage, "usage"},
     {ExitCode::kEnvironment, "environment"},
     {ExitCode::kInternal, "internal"},
     {ExitCode::kInterrupted, "interrupted"}}};

std::string_view name_of(ExitCode code) {
  const auto* const found = std::ranges::find(kCodes, code, &std::pair<ExitCode, std::string_view>::first);
  return found == kCodes.end() ? "internal" : found->second;
}

}  // namespace

Result<Request> parse_request(std::string_view line) {
  const auto no_request = [](const char* why) {
    return fail(ExitCode::kUsage, std::string("not a request: ") + why,
                R"(A request is one line: {"command": "...", "arguments": {...}}.)");
  };
  const nlohmann::json message = parse_json(line);
  if (!message.is_object()) return no_request("the line is no JSON object");
  auto command = text_member(message, "command");
  if (!command) return no_request("it has no command");
  Request request{std::move(*command)};
  if (const auto arguments = message.find("arguments"); arguments != message.end()) {
    if (!arguments->is_object()) return no_request("its arguments are no object");
    request.arguments = *arguments;
  }
  return request;
}

std::string to_line(const nlohmann::json& message) {
  return message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

nlohmann::json error_message(const Error& error) {
  return {{"error", {{"code", name_of(error.code)}, {"message", error.message}, {"hint", error.hint}}}};
}

Error parse_error(const nlohmann::json& error) {
  const std::string code = text_member(error, "code").value_or("");
  const auto* const found = std::ranges::find(kCodes, code, &std::pair<ExitCode, std::string_view>::second);
  return {found == kCodes.end() ? ExitCode::kInternal : found->first,
          text_member(error, "message").value_or("the lab refused the command without a reason"),
          text_member(error, "hint").value_or("")};
}

}  // namespace otasim::control
