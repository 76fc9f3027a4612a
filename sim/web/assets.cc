#include "sim/web/assets.h"

#include <fmt/format.h>

#include "sim/base/text.h"
#include "sim/report/html/embedded_files.h"
#include "sim/report/html/page.h"
#include "sim/web/embedded_files.h"

namespace otasim::web {
namespace {

constexpr std::string_view kPage = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>otasim lab</title>
<link rel="stylesheet" href="/live.css">
</head>
<body>
<noscript><h1>otasim lab</h1><p>This page needs JavaScript. The same is told by otasim device list and otasim job
list.</p></noscript>
<main id="page"></main>
<script src="/live.js"></script>
</body>
</html>
)";

std::string style() {
  std::string text;
  for (const char* file : {"base.css", "run.css"}) text += report::html::embedded_file(file);
  return text += embedded_file("live.css");
}

/// The scripts share one scope of their own.
std::string script() {
  std::string text = "\"use strict\";\n(() => {\n";
  for (const char* file : {"base.js", "run_model.js", "run_panels.js", "event_page.js"})
    text += report::html::embedded_file(file);
  for (const char* file : {"live_model.js", "live_panels.js", "live.js"}) text += embedded_file(file);
  return text += "})();\n";
}

}  // namespace

std::optional<Asset> find_asset(std::string_view target) {
  if (target == "/") return Asset{"text/html; charset=utf-8", std::string(kPage)};
  if (target == "/live.css") return Asset{"text/css; charset=utf-8", style()};
  if (target == "/live.js") return Asset{"text/javascript; charset=utf-8", script()};
  return std::nullopt;
}

std::string refusal_page(std::string_view title, std::string_view text, std::string_view hint) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title></head>\n"
      "<body><h1>{0}</h1><p>{1}</p><pre>{2}</pre></body></html>\n",
      escape_markup(title), escape_markup(text), escape_markup(hint));
}

rest::HeaderFields security_headers(std::uint16_t port) {
  // 'self' is not a WebSocket's address to every browser.
  std::string sockets;
  for (const char* name : {"127.0.0.1", "localhost"}) sockets += fmt::format(" ws://{}:{}", name, port);
  return {{"Content-Security-Policy",
           fmt::format("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'{}; "
                       "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                       sockets)},
          {"X-Content-Type-Options", "nosniff"},
          {"X-Frame-Options", "DENY"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"Cache-Control", "no-store"}};
}

}  // namespace otasim::web
