#include "sim/lab/boot_console.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace otasim::lab {
namespace {

constexpr std::string_view kBoot = "boot: ";
constexpr std::string_view kStart = "boot: start ";

/// More fields than any line of the report has; a device's line is an event, and is to stay a short one.
constexpr std::size_t kMostFields = 16;

/// What the event log itself says of an event, or of itself: a device's line says none of it.
bool is_reserved(std::string_view name) {
  constexpr auto kReserved =
      std::to_array<std::string_view>({"t_us", "n", "source", "event", "device", "log_version", "epoch_us"});
  return std::ranges::count(kReserved, name) != 0;
}

/// A stage's or field's name, as the bootloader writes them.
bool is_name(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// `fault` says, of every part of the lab, that a fault has struck, which no device is believed.
bool is_stage(std::string_view word) {
  return is_name(word) && word != "fault";
}

/// Up to the next space, which is taken, too.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

nlohmann::json value_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) return number;
  return std::string(text);
}

/// The value of ` key=value ` in the line about the image that starts; more must follow it.
std::string started(std::string_view line, std::string_view key) {
  if (!line.starts_with(kStart)) return {};
  const std::size_t found = line.find(key, kStart.size() - 1);
  if (found == std::string_view::npos) return {};
  line.remove_prefix(found + key.size());
  const std::size_t end = line.find(' ');
  return end == std::string_view::npos ? std::string() : std::string(line.substr(0, end));
}

}  // namespace

std::string started_version(std::string_view line) {
  return started(line, " version=");
}

std::string started_slot(std::string_view line) {
  return started_version(line).empty() ? std::string() : started(line, " slot=");
}

std::optional<BootLine> parse_boot_line(std::string_view line) {
  if (!line.starts_with(kBoot)) return std::nullopt;
  line.remove_prefix(kBoot.size());
  BootLine boot{.stage = std::string(take_word(line)), .fields = nlohmann::json::object()};
  if (!is_stage(boot.stage)) return std::nullopt;
  while (!line.empty()) {
    const std::string_view word = take_word(line);
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = word.substr(0, equals);
    if (!is_name(name) || is_reserved(name) || boot.fields.size() == kMostFields) return std::nullopt;
    boot.fields[std::string(name)] = value_of(word.substr(equals + 1));
  }
  return boot;
}

}  // namespace otasim::lab
