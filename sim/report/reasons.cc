#include "sim/report/reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <regex>

namespace otasim::report {
namespace {

constexpr std::uint32_t kPalShift = 24;
constexpr std::uint32_t kPalSubMask = 0xFFFFFF;
constexpr std::uint32_t kFirstPalStatus = 0xe0;
constexpr std::uint32_t kFirstPalReason = 0x100;
constexpr std::uint32_t kJobParserError = 12;
/// Shorter names than this are words of everyday, and not looked for within a sentence.
constexpr std::size_t kMinNameInSentence = 8;

/// "SUCCEEDED" and "accepted" stand in many sentences, and explain none of them.
bool is_telling(std::string_view name) {
  return name.size() >= kMinNameInSentence && (name.find_first_of(" _") != std::string_view::npos ||
                                               name.starts_with("Ota") || name.starts_with("kOTA"));
}
/// Of a text that is taken apart.
constexpr std::size_t kMaxText = 4096;

using Parts = std::vector<Explained>;

std::optional<std::uint32_t> parse_code(std::string_view text) {
  const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
  if (is_hex) text.remove_prefix(2);
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code, is_hex ? 16 : 10);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return code;
}

/// Of the codes in reasons: the agent writes no other.
std::optional<std::uint32_t> parse_hex(std::string_view text) {
  return text.starts_with("0x") ? parse_code(text) : std::nullopt;
}

bool add(Parts& parts, std::uint32_t code, std::string_view topic) {
  const Topic* const where = find_topic(topic);
  const Term* const term = where == nullptr ? nullptr : find_in(*where, code);
  if (term == nullptr) return false;
  parts.push_back({fmt::format("{:#x}", code), where, term});
  return true;
}

/// Which list the platform's further code is of depends on the main status (pal_sim/pal/pal.h).
void add_pal_sub(Parts& parts, const Term& main, std::uint32_t sub) {
  if (sub == 0) return;
  if (main.name == "OtaPalBadSignerCert") {
    add(parts, sub, topic::kSigner);
  } else if (main.name == "OtaPalActivateFailed") {
    add(parts, sub, topic::kImageVerdict);
  } else {
    add(parts, sub, sub >= kFirstPalReason ? topic::kPalReason : topic::kFlashStatus);
  }
}

bool add_pal(Parts& parts, std::uint32_t main, std::uint32_t sub) {
  if (main < kFirstPalStatus || !add(parts, main, topic::kPalStatus)) return false;
  add_pal_sub(parts, *parts.back().term, sub);
  return true;
}

/// A code of one word.
bool add_code(Parts& parts, std::uint32_t code) {
  const std::uint32_t main = code >> kPalShift;
  if (main == 0) return add_pal(parts, code, 0) || add(parts, code, topic::kAgentError);
  return add_pal(parts, main, code & kPalSubMask) || add(parts, main, topic::kOldAgentError);
}

/// "CODE: FURTHER CODE".
bool add_pair(Parts& parts, std::uint32_t first, std::uint32_t second) {
  const std::uint32_t main = first >> kPalShift;
  if (main >= kFirstPalStatus) return add_pal(parts, main, first & kPalSubMask);
  if (add_pal(parts, first, second)) return true;
  if (!add_code(parts, first)) return false;
  if (second == 0) return true;
  if (first == kJobParserError) {
    add(parts, second, topic::kJobParseError);
  } else {
    add_code(parts, second);
  }
  return true;
}

/// What a job's reason says; `word` is what came of the job.
struct Reason {
  std::string_view word;
  Parts parts;
  std::string unknown;  ///< the first code, if it has no name
};

std::optional<Reason> decode_reason(std::string_view text) {
  if (text.starts_with("accepted")) {
    Reason reason{.word = "the image passed its self test and is committed", .parts = {}, .unknown = {}};
    for (const Found& one : find("reason accepted"))
      reason.parts.push_back({"accepted", one.topic, one.term});
    return reason;
  }
  for (const std::string_view word : {"rejected", "aborted"}) {
    if (!text.starts_with(word) || !text.substr(word.size()).starts_with(": ")) continue;
    const auto code = parse_hex(text.substr(word.size() + 2));
    if (!code) return std::nullopt;
    Reason reason{.word = word, .parts = {}, .unknown = {}};
    if (!add_code(reason.parts, *code)) reason.unknown = fmt::format("{:#x}", *code);
    return reason;
  }
  const std::size_t colon = text.find(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  const auto first = parse_hex(text.substr(0, colon));
  const auto second = parse_hex(text.substr(colon + 2));
  if (!first || !second) return std::nullopt;
  Reason reason{.word = "failed", .parts = {}, .unknown = {}};
  if (!add_pair(reason.parts, *first, *second)) reason.unknown = fmt::format("{:#x}", *first);
  return reason;
}

/// Whether the pieces of a name between its "{}" stand in a text in this order.
bool stands_in(std::string_view name, std::string_view text) {
  std::size_t at = 0;
  while (true) {
    const std::size_t hole = name.find("{}");
    const std::string_view piece = name.substr(0, hole);
    const std::size_t found = text.find(piece, at);
    if (found == std::string_view::npos) return false;
    if (hole == std::string_view::npos) return true;
    at = found + piece.size();
    name.remove_prefix(hole + 2);
  }
}

bool is_of_boot_report(const Topic& topic) {
  return topic.name.starts_with("boot-") || topic.name.ends_with("-reason") || topic.name == "staged-state" ||
         topic.name == topic::kImageVerdict || topic.name == topic::kFlashStatus;
}

/// "boot: STAGE key=value ...": which list a value is of, its stage and key say.
std::string_view topic_of_value(std::string_view stage, std::string_view key) {
  if (key == "result") return topic::kImageVerdict;
  if (key == "flash") return topic::kFlashStatus;
  if (key == "step") return "boot-step";
  if (key == "state") return stage == "start" ? "boot-state" : "staged-state";
  if (key != "reason") return {};
  if (stage == "reset") return "reset-reason";
  if (stage == "reject") return "reject-reason";
  return stage == "halt" ? "halt-reason" : "boot-reason";
}

Parts explain_boot_line(std::string_view line) {
  Parts parts;
  line.remove_prefix(line.find("boot: ") + 6);
  std::string stage;
  while (!line.empty()) {
    const std::size_t blank = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, blank);
    line.remove_prefix(std::min(blank + 1, line.size()));
    if (stage.empty()) {
      stage = word;
      const Topic* const stages = find_topic(topic::kBootStage);
      if (const Term* const term = find_in(*stages, word)) parts.push_back({stage, stages, term});
      continue;
    }
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const Topic* const topic = find_topic(topic_of_value(stage, word.substr(0, equals)));
    if (topic == nullptr) continue;
    const Term* const term = find_in(*topic, word.substr(equals + 1));
    if (term != nullptr) parts.push_back({std::string(word), topic, term});
  }
  return parts;
}

/// A sentence may hold names, a reason, and begin with an invariant's name.
Parts explain_sentence(std::string_view text) {
  Parts parts;
  if (const Topic* const invariants = find_topic("invariant"); text.size() > 2 && text[2] == ':') {
    if (const Term* const term = find_in(*invariants, text.substr(0, 2)))
      parts.push_back({std::string(term->name), invariants, term});
  }
  static const std::regex kReason("((rejected|aborted|0x[0-9a-f]{1,8}): 0x[0-9a-f]{1,8})");
  const std::string searched(text);
  for (std::sregex_iterator at(searched.begin(), searched.end(), kReason); at != std::sregex_iterator();
       ++at) {
    if (auto reason = decode_reason((*at)[1].str()))
      std::ranges::move(reason->parts, std::back_inserter(parts));
  }
  for (const Topic& topic : topics()) {
    if (is_of_boot_report(topic)) continue;
    for (const Term& term : topic.terms) {
      if (!is_telling(term.name) || !stands_in(term.name, text)) continue;
      parts.push_back({std::string(term.name), &topic, &term});
    }
  }
  return parts;
}

std::string part_text(const Explained& one) {
  std::string text = fmt::format("{}: {}", one.term->name, one.term->meaning);
  if (one.term->look_at.empty()) return text;
  std::string hints(one.term->look_at);
  for (std::size_t at = 0; (at = hints.find('\n', at)) != std::string::npos;) hints.replace(at, 1, "; ");
  return text + fmt::format(" (look at: {})", hints);
}

}  // namespace

CodeWords explain_code(std::uint32_t code) {
  Parts parts;
  if (!add_code(parts, code)) return {};
  const Term& term = *parts.front().term;
  return {term.name, term.meaning, term.look_at};
}

std::string explain_reason(std::string_view reason) {
  const auto decoded = decode_reason(reason.substr(0, kMaxText));
  if (!decoded) return {};
  std::string text(decoded->word);
  if (reason.starts_with("accepted")) return text;
  if (!decoded->unknown.empty()) return text + fmt::format("; code {}, which has no name", decoded->unknown);
  std::string_view joint = "; ";
  for (const Explained& part : decoded->parts) {
    text += joint;
    text += part_text(part);
    joint = "; further ";
  }
  return text;
}

std::vector<Explained> explain(std::string_view text) {
  text = text.substr(0, kMaxText);
  Parts parts;
  for (const Found& one : find(text)) parts.push_back({std::string(one.term->name), one.topic, one.term});
  if (!parts.empty()) return parts;
  if (auto reason = decode_reason(text)) return std::move(reason->parts);
  if (const auto code = parse_code(text)) {
    add_code(parts, *code);
    for (const Topic& topic : topics()) {
      const Term* const term = find_in(topic, std::int64_t{*code});
      const bool is_known = term != nullptr && !parts.empty() && parts.front().term == term;
      if (term != nullptr && !is_known && topic.name != topic::kOldAgentError)
        parts.push_back({fmt::format("{:#x}", *code), &topic, term});
    }
    return parts;
  }
  if (text.find("boot: ") != std::string_view::npos) parts = explain_boot_line(text);
  return parts.empty() ? explain_sentence(text) : parts;
}

}  // namespace otasim::report
