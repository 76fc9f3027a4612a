#include "sim/report/console.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace otasim::report {
namespace {

constexpr unsigned kDefaultColumns = 80;
constexpr std::string_view kEllipsis = "...";
/// From here on characters may be two columns wide.
constexpr unsigned char kFirstWideLead = 0xE1;  // U+1000

bool is_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool forces_color() {
  return is_set("CLICOLOR_FORCE") && std::string_view(std::getenv("CLICOLOR_FORCE")) != "0";
}

unsigned terminal_columns() {
  winsize size{};
  const bool is_known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return is_known ? size.ws_col : kDefaultColumns;
}

void write_to_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;  // nobody reads any more
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::size_t columns_of_lead(char c) {
  return static_cast<unsigned char>(c) >= kFirstWideLead ? 2 : 1;
}

}  // namespace

Console Console::standard_error() {
  const bool is_terminal = isatty(STDERR_FILENO) == 1;
  const bool moves_cursor = is_terminal && is_set("TERM") && std::string_view(std::getenv("TERM")) != "dumb";
  return {.write = write_to_stderr,
          .columns = terminal_columns,
          .now = [] { return Clock::now(); },
          .moves_cursor = moves_cursor,
          .has_color = !is_set("NO_COLOR") && (moves_cursor || forces_color())};
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (const char c : text) {
    if (!continues_character(c)) columns += columns_of_lead(c);
  }
  return columns;
}

std::string fit(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  const std::string_view end = kEllipsis.substr(0, columns);
  std::size_t used = end.size();
  std::size_t at = 0;
  while (at < text.size()) {
    used += columns_of_lead(text[at]);
    if (used > columns) break;
    ++at;
    while (at < text.size() && continues_character(text[at])) ++at;
  }
  return std::string(text.substr(0, at)) + std::string(end);
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace otasim::report
