#include "sim/image/version.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace otasim::image {
namespace {

/// Takes decimal digits from the front of `text`. No sign, no blanks, no value beyond T.
template <typename T>
bool take_number(std::string_view& text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 10);
  if (error != std::errc{} || text.front() == '-') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_character(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

bool parse(std::string_view text, Version& out) {
  if (text.empty() || !take_number(text, out.major) || !take_character(text, '.')) return false;
  if (text.empty() || !take_number(text, out.minor) || !take_character(text, '.')) return false;
  if (text.empty() || !take_number(text, out.revision)) return false;
  if (text.empty()) return true;
  return take_character(text, '+') && !text.empty() && take_number(text, out.build_number) && text.empty();
}

}  // namespace

Result<Version> parse_version(std::string_view text) {
  Version version;
  if (!parse(text, version)) {
    return fail(ExitCode::kUsage, fmt::format("'{}' is not a version", text),
                "Write MAJOR.MINOR.REVISION, for example 1.2.0; the parts go up to 255, 255 and 65535.");
  }
  return version;
}

std::string to_string(const Version& v) {
  std::string text = fmt::format("{}.{}.{}", v.major, v.minor, v.revision);
  if (v.build_number != 0) text += fmt::format("+{}", v.build_number);
  return text;
}

}  // namespace otasim::image
