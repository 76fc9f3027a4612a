#include "sim/report/event_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "sim/report/reasons.h"

namespace otasim::report {
namespace {

using nlohmann::json;

constexpr std::string_view kFirstC1 = "\xC2\x80";
constexpr std::string_view kLastC1 = "\xC2\x9F";

std::string text_of(const json& event, const char* member) {
  const auto found = event.find(member);
  if (found == event.end()) return "?";
  if (found->is_string()) return found->get<std::string>();
  return found->dump(-1, ' ', false, json::error_handler_t::replace);
}

std::uint64_t number_of(const json& event, const char* member) {
  const auto found = event.find(member);
  return found != event.end() && found->is_number_unsigned()                 ? found->get<std::uint64_t>()
         : found != event.end() && found->is_number_integer() && *found >= 0 ? found->get<std::uint64_t>()
                                                                             : 0;
}

std::string execution_text(const json& event) {
  std::string text =
      fmt::format("{} is {} on {}", text_of(event, "job"), text_of(event, "status"), text_of(event, "thing"));
  const auto details = event.find("details");
  if (details == event.end() || !details->is_object()) return text;
  for (const auto& [key, value] : details->items())
    text += fmt::format(", {} {}", key, text_of(*details, key.c_str()));
  const auto reason = details->find("reason");
  if (reason == details->end() || !reason->is_string()) return text;
  const std::string words = explain_reason(reason->get_ref<const std::string&>());
  return words.empty() ? text : text + " (" + words + ")";
}

std::string operation_text(const json& event) {
  std::string text =
      fmt::format("#{} {} {} bytes at {:#x}", number_of(event, "number"), text_of(event, "kind"),
                  number_of(event, "length_bytes"), number_of(event, "offset"));
  const std::string partition = text_of(event, "partition");
  if (!partition.empty()) text += " in " + partition;
  text += fmt::format(", by {}: {}", text_of(event, "writer"), text_of(event, "result"));
  const std::uint64_t applied = number_of(event, "applied_bytes");
  const bool is_partial = applied != 0 && applied != number_of(event, "length_bytes");
  return is_partial ? text + fmt::format(", {} bytes done", applied) : text;
}

std::string frame_text(const json& event) {
  const std::string direction = text_of(event, "direction");
  const std::string_view arrow = direction == "from_device" ? "->" : direction == "to_device" ? "<-" : "<*";
  return fmt::format("{} {}, {} bytes", arrow, text_of(event, "summary"), number_of(event, "length_bytes"));
}

/// Members that stand before the text, or say nothing to people.
bool is_told_elsewhere(std::string_view member) {
  constexpr std::array<std::string_view, 7> kElsewhere{"t_us",   "n",           "source",  "event",
                                                       "device", "log_version", "epoch_us"};
  return std::ranges::find(kElsewhere, member) != kElsewhere.end();
}

std::string members_text(const json& event) {
  std::string text = text_of(event, "event");
  for (const auto& [name, value] : event.items()) {
    if (is_told_elsewhere(name)) continue;
    text += name == "text" ? " " + text_of(event, "text")
                           : fmt::format(" {}={}", name, text_of(event, name.c_str()));
  }
  return text;
}

std::string sentence(const json& event) {
  const std::string name = text_of(event, "source") + '.' + text_of(event, "event");
  if (name == "uart.line" || name == "run.step") return text_of(event, "text");
  if (name == "cloud.job_execution") return execution_text(event);
  if (name == "flash.operation") return operation_text(event);
  if (name == "link.frame") return frame_text(event);
  return members_text(event);
}

}  // namespace

std::string printable_text(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::string_view pair = text.substr(i, 2);
    if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else if (pair.size() == 2 && pair >= kFirstC1 && pair <= kLastC1) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(pair[1]));
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string event_text(const json& event) {
  return printable_text(sentence(event));
}

}  // namespace otasim::report
