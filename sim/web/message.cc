#include "sim/web/message.h"

#include "sim/base/json_members.h"
#include "sim/base/json_nesting.h"

namespace otasim::web {
namespace {

tl::unexpected<Error> no_message(const char* why) {
  return fail(ExitCode::kUsage, std::string("not a message: ") + why);
}

Result<Message> parse_hello(const nlohmann::json& value) {
  const auto log = text_member(value, "log");
  const auto after = integer_member(value, "after");
  if (!log || !after || *after < 0) return no_message("a hello has 'log' and 'after'");
  return Hello{*log, static_cast<std::uint64_t>(*after)};
}

Result<Message> parse_command(const nlohmann::json& value) {
  const auto id = integer_member(value, "id");
  const auto command = text_member(value, "command");
  const auto arguments = value.find("arguments");
  if (!id || !command || arguments == value.end() || !arguments->is_object())
    return no_message("a command has 'id', 'command' and 'arguments'");
  return CommandMessage{*id, {*command, *arguments}};
}

}  // namespace

Result<Message> parse_message(std::string_view text) {
  if (text.size() > kMaxMessageBytes) return no_message("it is too long");
  if (nesting_depth(text) > kMaxNesting) return no_message("it is nested too deeply");
  const nlohmann::json value = parse_json(text);
  const auto type = text_member(value, "type");
  if (!type) return no_message("it has no type");
  if (*type == "hello") return parse_hello(value);
  if (*type == "command") return parse_command(value);
  if (*type != "watch") return no_message("its type is unknown");
  const auto device = text_member(value, "device");
  if (!device) return no_message("a watch has 'device'");
  return Watch{*device};
}

}  // namespace otasim::web
