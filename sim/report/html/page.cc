#include "sim/report/html/page.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include "sim/base/text.h"
#include "sim/crypto/key.h"
#include "sim/report/html/embedded_files.h"

namespace otasim::report::html {
namespace {

/// As a content security policy names what may run.
std::string hash_source(std::string_view text) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const crypto::Bytes digest = crypto::sha256({bytes, text.size()});
  std::string base64((digest.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()), digest.data(),
                                     static_cast<int>(digest.size()));
  base64.resize(static_cast<std::size_t>(length));
  return fmt::format("'sha256-{}'", base64);
}

}  // namespace

std::string escape_json(std::string json) {
  // '<' stands inside strings only, where it may be written so.
  std::size_t count = 0;
  for (const char c : json) count += c == '<' ? 1U : 0U;
  if (count == 0) return json;
  std::string out;
  out.reserve(json.size() + count * 5);
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

std::string script_json(const nlohmann::json& value) {
  return escape_json(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void Page::add_style(std::string_view name) {
  style_ += embedded_file(name);
}

void Page::add_script(std::string_view name) {
  script_ += embedded_file(name);
}

std::string Page::html() const {
  const std::string title = escape_markup(title_);
  // The scripts share one scope of their own.
  const std::string script = "\"use strict\";\n(() => {\n" + script_ + "})();\n";
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; "
      "form-action 'none'; style-src {}; script-src {}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" "
      "content=\"no-referrer\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<noscript><h1>{}</h1><pre>{}</pre></noscript>\n"
      "<main id=\"page\"></main>\n",
      hash_source(style_), hash_source(script), title, style_, title, escape_markup(without_script_));
  for (const auto& [name, json] : data_) {
    out += fmt::format("<script type=\"application/json\" data-name=\"{}\">", escape_markup(name));
    out += json;
    out += "</script>\n";
  }
  out += "<script>";
  out += script;
  out += "</script>\n</body>\n</html>\n";
  return out;
}

}  // namespace otasim::report::html
