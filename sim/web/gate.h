// Who may come in: decides of each request by its head, before anything else is done with it.
//
// The page is for the person who started the lab, on this machine. Others who can reach the port, and their
// means:
//
//   other users of the machine      do not know the token
//   web pages in the same browser   may send requests here, with the browser's cookie unless it is
//                                   SameSite=Strict (it is), and open WebSockets; `Origin` tells them apart
//   DNS names that lead to 127.0.0.1 (rebinding)   make such a page same-origin; `Host` tells them apart
//
// So each request must name a loopback host and this port, carry one Host; only GET is served, so no request
// changes anything; a WebSocket needs the Origin that this page has; and all but the way in need the session.
// The way in is `/?token=TOKEN`: it gives the session as a cookie and leads to `/`, so that the token does
// not stay in the address bar. A cookie belongs to a host and not to a port: its name has the port in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/rest/http_message.h"
#include "sim/web/token.h"

namespace otasim::web {

enum class Verdict : std::uint8_t {
  kServe,        ///< the session is good
  kLetIn,        ///< the token is: give the cookie, lead to /
  kWrongMethod,  ///< 405
  kWrongHost,    ///< 403: no loopback name, another port, or not exactly one
  kWrongOrigin,  ///< 403: a WebSocket of another page
  kNoSession,    ///< 403: no cookie, or a wrong one or token
  kHasBody,      ///< 413: nothing here takes one
};

class Gate {
 public:
  explicit Gate(std::uint16_t port);

  [[nodiscard]] Verdict judge(const rest::HttpRequestHead& head, bool is_websocket) const;

  /// `otasim_PORT=...; HttpOnly; SameSite=Strict; Path=/`
  [[nodiscard]] std::string cookie() const;
  /// With the token in it: for the user's eyes only.
  [[nodiscard]] std::string way_in() const;
  [[nodiscard]] std::string address() const;

 private:
  [[nodiscard]] bool is_own_host(std::string_view host) const;
  [[nodiscard]] bool has_session(const rest::HttpRequestHead& head) const;

  std::uint16_t port_;
  Secret token_ = Secret::make();
  Secret session_ = Secret::make();
};

/// Whether one of the cookies in a Cookie header has this name and fits. @param fits  asked for each value
template <typename Fits>
[[nodiscard]] bool any_cookie(std::string_view header, std::string_view name, const Fits& fits) {
  while (!header.empty()) {
    const std::size_t end = header.find(';');
    std::string_view pair = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
    while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name && fits(pair.substr(equals + 1)))
      return true;
  }
  return false;
}

}  // namespace otasim::web
