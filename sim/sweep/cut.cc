#include "sim/sweep/cut.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "pal_sim/flash/flash_map.h"

namespace otasim::sweep {
namespace {

using Tear = FlashState::Tear;

constexpr unsigned kMaxDraw = 255;

/// Takes a number off the text's beginning.
template <typename Number>
bool take(std::string_view& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Cut> take_cut(std::string_view& text, bool is_first) {
  Cut cut;
  if (!is_first && !(take(text, cut.boot) && cut.boot > 0 && take(text, '.'))) return std::nullopt;
  if (!take(text, cut.operation) || !take(text, ':') || !take(text, cut.tear.bytes)) return std::nullopt;
  if (take(text, '+') && !take(text, cut.tear.marginal_bytes)) return std::nullopt;
  if (take(text, '#') && (!take(text, cut.draw) || cut.draw > kMaxDraw)) return std::nullopt;
  return cut;
}

}  // namespace

std::string to_string(const CutPath& path) {
  std::string text;
  for (const Cut& cut : path) {
    if (!text.empty()) text += fmt::format("/{}.", cut.boot);
    text += fmt::format("{}:{}", cut.operation, cut.tear.bytes);
    if (cut.tear.marginal_bytes != 0) text += fmt::format("+{}", cut.tear.marginal_bytes);
    if (cut.draw != 0) text += fmt::format("#{}", cut.draw);
  }
  return text;
}

std::optional<CutPath> parse_cut_path(std::string_view text) {
  CutPath path;
  do {
    const auto cut = take_cut(text, path.empty());
    if (!cut || path.size() == kMaxCuts) return std::nullopt;
    path.push_back(*cut);
  } while (take(text, '/'));
  return text.empty() ? std::optional(path) : std::nullopt;
}

std::string_view to_string(CutKind kind) {
  switch (kind) {
    case CutKind::kBefore:
      return "before";
    case CutKind::kTorn:
      return "torn";
    case CutKind::kMarginal:
      return "marginal";
    case CutKind::kAfter:
      return "after";
  }
  return "";
}

CutKind kind_of(const Tear& tear, std::uint32_t length) {
  if (tear.marginal_bytes != 0) return CutKind::kMarginal;
  if (tear.bytes == 0) return CutKind::kBefore;
  return tear.bytes >= length ? CutKind::kAfter : CutKind::kTorn;
}

std::uint32_t cell_bytes(const flash::LoggedOperation& operation) {
  switch (operation.kind) {
    case flash::OpKind::kLock:
    case flash::OpKind::kOtpLock:
      return 0;
    default:
      // What was refused has changed nothing, and would not if power went.
      return operation.applied == 0 && operation.status != flash::Status::kNoDevice ? 0 : operation.length;
  }
}

std::vector<Tear> tears_of(const flash::LoggedOperation& operation, Granularity granularity) {
  const std::uint32_t length = cell_bytes(operation);
  if (length == 0) return {};
  std::vector<Tear> tears{{0, 0}};
  const auto add = [&tears](Tear tear) {
    if (std::ranges::find(tears, tear) == tears.end()) tears.push_back(tear);
  };
  if (granularity == Granularity::kTorn) {
    for (const std::uint32_t bytes : {std::uint32_t{1}, length / 2, length - 1}) {
      if (bytes < length) add({bytes, 0});
    }
  }
  if (granularity == Granularity::kByte) {
    for (std::uint32_t bytes = 1; bytes < length; ++bytes) tears.push_back({bytes, 0});
  }
  if (granularity != Granularity::kOperation) {
    add({0, length});
    add({length / 2, length - length / 2});
  }
  add({length, 0});
  return tears;
}

unsigned draws_of(const flash::LoggedOperation& operation) {
  constexpr unsigned kWhereItMatters = 4;
  const bool is_record =
      operation.kind == flash::OpKind::kOtpProgram || operation.offset < flash::kBootControl1.end();
  const bool is_header = operation.offset == flash::kSlotA.offset || operation.offset == flash::kSlotB.offset;
  return is_record || is_header ? kWhereItMatters : 1;
}

}  // namespace otasim::sweep
