// A JSON text with comments, and where in it each value stands: what is wrong can be said with file and line.
//
//   auto text = JsonText::parse(bytes, "update.json");
//   text->value()["steps"][2]           the value
//   text->line_of("/steps/2")           its line
//
// Comments are those of C++ (`//` and `/* */`). A member that is given twice is an error.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "sim/base/json.h"
#include "sim/base/result.h"

namespace otasim::scenario {

class JsonText {
 public:
  static constexpr std::size_t kMaxBytes = 1024 * 1024;
  static constexpr int kMaxDepth = 32;
  static constexpr std::size_t kMaxNameBytes = 256;  ///< of a member

  /// @param name  of the file, for messages
  /// @returns kUsage, with file and line, for what is no JSON, too large, nested too deeply, or
  ///          has a member twice
  [[nodiscard]] static Result<JsonText> parse(std::string_view text, std::string name);
  /// @returns kUsage if the file cannot be read, or as above
  [[nodiscard]] static Result<JsonText> read(const std::string& path);

  [[nodiscard]] const nlohmann::json& value() const { return value_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// @param pointer  a JSON pointer; of a value that does not exist, its nearest parent's line
  [[nodiscard]] int line_of(std::string pointer) const;
  /// Another value of the same structure, as when parameters have been put in: places stay what they are.
  void replace(nlohmann::json value) { value_ = std::move(value); }
  /// "NAME:LINE: MESSAGE", kUsage.
  [[nodiscard]] Error error_at(const std::string& pointer, std::string_view message,
                               std::string hint = {}) const;

 private:
  JsonText(std::string name, nlohmann::json value, std::map<std::string, int> lines)
      : name_(std::move(name)), value_(std::move(value)), lines_(std::move(lines)) {}

  std::string name_;
  nlohmann::json value_;
  std::map<std::string, int> lines_;  // by JSON pointer
};

}  // namespace otasim::scenario
