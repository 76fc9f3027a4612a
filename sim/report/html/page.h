// One self-contained page: style, script and data in one file that loads nothing.
//
//   Page page("OTAE2EGreaterVersion on mps2-an385", "failed: ...");
//   page.add_style("base.css");
//   page.add_script("base.js");
//   page.add_data("summary", json);
//   write(page.html());
//
// Whatever the data hold came from a device or a network and is anybody's. It stands in script elements of
// the type application/json, where no character can end the element (every '<' is escaped); the scripts put
// it on the page as text only; and a content security policy lets nothing run but the scripts whose hashes it
// names, so that a line that looks like markup stays a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/base/json.h"

namespace otasim::report::html {

/// JSON as it may stand in a script element. Bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string script_json(const nlohmann::json& value);
/// The same for text that is JSON already.
[[nodiscard]] std::string escape_json(std::string json);

class Page {
 public:
  /// @param without_script  what somebody reads who runs no scripts
  Page(std::string title, std::string without_script)
      : title_(std::move(title)), without_script_(std::move(without_script)) {}

  /// Adds an embedded file.
  void add_style(std::string_view name);
  void add_script(std::string_view name);
  /// Adds data; several with one name are read in this order. @param json  escaped
  void add_data(std::string_view name, std::string json) { data_.emplace_back(name, std::move(json)); }

  [[nodiscard]] std::string html() const;

 private:
  std::string title_;
  std::string without_script_;
  std::string style_;
  std::string script_;
  std::vector<std::pair<std::string, std::string>> data_;
};

}  // namespace otasim::report::html
