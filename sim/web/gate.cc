#include "sim/web/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace otasim::web {
namespace {

constexpr std::array<std::string_view, 2> kLoopbackNames{"127.0.0.1", "localhost"};
constexpr std::string_view kWayIn = "/?token=";
constexpr std::string_view kScheme = "http://";

}  // namespace

Gate::Gate(std::uint16_t port) : port_(port) {}

Verdict Gate::judge(const rest::HttpRequestHead& head, bool is_websocket) const {
  const auto host = head.single("Host");
  if (!host || !is_own_host(*host)) return Verdict::kWrongHost;
  if (head.method != "GET") return Verdict::kWrongMethod;
  if (head.has_body) return Verdict::kHasBody;
  if (is_websocket) {
    const auto origin = head.single("Origin");
    if (!origin || !origin->starts_with(kScheme) || origin->substr(kScheme.size()) != *host)
      return Verdict::kWrongOrigin;
  }
  if (std::string_view(head.target).starts_with(kWayIn)) {
    const bool is_right = token_.is(std::string_view(head.target).substr(kWayIn.size()));
    return is_right && !is_websocket ? Verdict::kLetIn : Verdict::kNoSession;
  }
  return has_session(head) ? Verdict::kServe : Verdict::kNoSession;
}

bool Gate::is_own_host(std::string_view host) const {
  return std::ranges::any_of(kLoopbackNames, [&](std::string_view name) {
    return host.starts_with(name) && host.substr(name.size()) == fmt::format(":{}", port_);
  });
}

bool Gate::has_session(const rest::HttpRequestHead& head) const {
  const std::string name = fmt::format("otasim_{}", port_);
  return std::ranges::any_of(head.headers, [&](const auto& field) {
    return rest::same_field(field.first, "Cookie") &&
           any_cookie(field.second, name, [this](std::string_view value) { return session_.is(value); });
  });
}

std::string Gate::cookie() const {
  return fmt::format("otasim_{}={}; HttpOnly; SameSite=Strict; Path=/", port_, session_.text());
}

std::string Gate::address() const {
  return fmt::format("http://127.0.0.1:{}/", port_);
}

std::string Gate::way_in() const {
  return fmt::format("http://127.0.0.1:{}{}{}", port_, kWayIn, token_.text());
}

}  // namespace otasim::web
