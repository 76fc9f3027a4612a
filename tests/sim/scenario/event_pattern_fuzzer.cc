// Patterns against events: a pattern that is taken matches, or not, without an exception and in bounded time;
// and the operators keep their promises to each other.
//
// Input: a pattern on a line, then an event.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sim/base/json.h"
#include "sim/scenario/event_pattern.h"
#include "sim/scenario/json_text.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"

namespace {

using namespace otasim;
using otasim::testing::claim;
using scenario::EventPattern;
using scenario::JsonText;
using scenario::value_matches;
using Json = nlohmann::json;

void check_member(const Json& value, const Json& wanted) {
  if (!scenario::problem_with(wanted).empty()) return;
  const bool matches = value_matches(value, wanted);
  claim(value_matches(value, {{"not", wanted}}) == !matches, "'not' is the opposite");
  claim(value_matches(value, {{"any_of", Json::array({wanted})}}) == matches, "one of one is it");
  claim(!value_matches(value, {{"any_of", Json::array()}}), "none of none");
  claim(value_matches(value, {{"exists", true}}), "what is there exists");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto wanted = JsonText::parse(otasim::testing::take_line(rest), "pattern");
  const auto event = JsonText::parse(rest, "event");
  if (!wanted || !event) return 0;
  const auto pattern = EventPattern::parse(wanted->value());
  if (!pattern) return 0;
  claim(pattern->value() == wanted->value(), "a pattern is what was asked for");
  const bool matches = pattern->matches(event->value());
  if (!event->value().is_object()) {
    claim(!matches, "what is no object is no event");
    return 0;
  }
  for (const auto& [name, inner] : pattern->value().items()) {
    if (const auto found = event->value().find(name); found != event->value().end() && name != "event")
      check_member(*found, inner);
  }
  const Json more = [&] {
    Json copy = event->value();
    copy["a member that no pattern names"] = 1;
    return copy;
  }();
  if (!pattern->value().contains("a member that no pattern names")) {
    claim(pattern->matches(more) == matches, "members that are not asked for do not count");
  }
  return 0;
}
