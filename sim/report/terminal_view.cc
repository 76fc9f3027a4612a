#include "sim/report/terminal_view.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace otasim::report {
namespace {

constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kBootColor = "\x1b[35m";
constexpr std::string_view kAppColor = "\x1b[36m";
constexpr std::string_view kCloudColor = "\x1b[33m";
constexpr std::string_view kRunColor = "\x1b[1m";

/// A device's console may hold anything; a terminal must not act on it.
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

std::string describe_execution(const nlohmann::json& event, bool with_thing) {
  std::string text = fmt::format("job {} is {}", event.value("job", "?"), event.value("status", "?"));
  if (with_thing) text += fmt::format(" on {}", event.value("thing", "?"));
  const auto details = event.find("details");
  if (details != event.end() && details->is_object()) {
    for (const auto& [key, value] : details->items()) {
      text += fmt::format(", {} {}", key, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  return text;
}

}  // namespace

TerminalView::Style TerminalView::style_for(std::FILE* stream) {
  Style style;
  const int fd = fileno(stream);
  if (isatty(fd) != 1) return style;
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) style.width = size.ws_col;
  const char* term = std::getenv("TERM");
  const bool is_dumb = term == nullptr || std::string_view(term) == "dumb";
  style.bar = !is_dumb;
  style.color = !is_dumb && std::getenv("NO_COLOR") == nullptr;
  return style;
}

TerminalView::TerminalView(std::FILE* stream, Style style) : stream_(stream), style_(style) {}

TerminalView::~TerminalView() {
  finish();
}

void TerminalView::show(const nlohmann::json& event) {
  const std::string source = event.value("source", "");
  const std::string kind = event.value("event", "");
  if (source == "uart" && kind == "line") {
    const std::string text = printable(event.value("text", ""));
    const bool is_boot = text.starts_with("boot:");
    const std::string who = style_.fleet ? printable(event.value("device", "device")) : "device";
    print_line(event, who, is_boot ? kBootColor : kAppColor, text);
  } else if (source == "device" && style_.fleet) {
    show_power(event, kind);
  } else if (source == "broker" && style_.fleet) {
    show_client(event, kind);
  } else if (source == "cloud" && kind == "job_execution") {
    print_line(event, "cloud", kCloudColor, printable(describe_execution(event, style_.fleet)));
  } else if (source == "run" && kind == "step") {
    print_line(event, "otasim", kRunColor, printable(event.value("text", "")));
  } else if (source == "run" && kind == "progress") {
    set_progress(event.value("done", 0U), event.value("total", 0U));
  }
}

void TerminalView::show_power(const nlohmann::json& event, const std::string& kind) {
  const std::string who = printable(event.value("device", "device"));
  if (kind == "power_on") {
    print_line(event, who, kRunColor, "power on");
  } else if (kind == "power_off") {
    print_line(event, who, kRunColor, "power off");
  } else if (kind == "exit") {
    print_line(event, who, kRunColor, printable("went off: " + event.value("message", "")));
  }
}

void TerminalView::show_client(const nlohmann::json& event, std::string_view kind) {
  kind.remove_prefix(std::min(kind.find('_') + 1, kind.size()));  // "client_connected"
  std::string text(kind);
  const std::string reason = event.value("disconnectReason", "UNKNOWN");
  if (reason != "UNKNOWN") text += ", " + reason;
  for (const char* more : {"message", "action", "topic"}) {
    if (event.contains(more)) text += fmt::format(": {}", event.value(more, ""));
  }
  print_line(event, printable(event.value("clientId", "?")), kCloudColor, printable(text));
}

void TerminalView::finish() {
  clear_bar();
  total_ = 0;
}

void TerminalView::print_line(const nlohmann::json& event, std::string_view who, std::string_view color,
                              std::string_view text) {
  clear_bar();
  constexpr int kWidth = 6;
  constexpr int kFleetWidth = 12;
  const int width = style_.fleet ? kFleetWidth : kWidth;
  const double seconds = static_cast<double>(event.value("t_us", std::int64_t{0})) / 1e6;
  if (style_.color) {
    fmt::print(stream_, "{}{:8.3f}{} {}{:<{}}{} {}\n", kDim, seconds, kReset, color, who, width, kReset,
               text);
  } else {
    fmt::print(stream_, "{:8.3f} {:<{}} {}\n", seconds, who, width, text);
  }
  draw_bar();
  std::fflush(stream_);
}

void TerminalView::set_progress(unsigned done, unsigned total) {
  clear_bar();
  done_ = std::min(done, total);
  total_ = done >= total ? 0 : total;
  draw_bar();
  std::fflush(stream_);
}

void TerminalView::draw_bar() {
  if (!style_.bar || total_ == 0) return;
  const std::string count = fmt::format(" {:3d} % {}/{} blocks", done_ * 100 / total_, done_, total_);
  const unsigned room =
      style_.width > count.size() + 4 ? style_.width - static_cast<unsigned>(count.size()) - 4 : 0;
  const unsigned filled = room * done_ / total_;
  fmt::print(stream_, "[{:#<{}}{:.<{}}]{}", "", filled, "", room - filled, count);
  bar_is_drawn_ = true;
}

void TerminalView::clear_bar() {
  if (!bar_is_drawn_) return;
  fmt::print(stream_, "\r\x1b[K");
  bar_is_drawn_ = false;
}

}  // namespace otasim::report
