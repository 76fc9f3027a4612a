// A request's arguments: read as the types a command wants, checked all at once.
//
//   Arguments arguments(request.arguments);
//   const std::string name = arguments.text("name");
//   const bool follow = arguments.flag("follow");
//   if (auto checked = arguments.check(); !checked) return ...;   // before any of it is used
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"

namespace otasim::control {

class Arguments {
 public:
  /// @param values  an object; must outlive this
  explicit Arguments(const nlohmann::json& values) : values_(values) {}

  // Each gives a value of no meaning if check() fails.
  [[nodiscard]] std::string text(const char* name);
  [[nodiscard]] std::string text(const char* name, std::string fallback);
  [[nodiscard]] std::optional<std::string> optional_text(const char* name);
  [[nodiscard]] std::optional<std::int64_t> optional_integer(const char* name);
  [[nodiscard]] bool flag(const char* name);                       ///< false if it is not there
  [[nodiscard]] std::vector<std::string> texts(const char* name);  ///< empty if it is not there

  /// @returns kUsage for an argument that is missing, of another type, or unknown: asked for by none
  [[nodiscard]] Result<void> check() const;

 private:
  [[nodiscard]] bool has(const char* name);
  void complain(std::string problem);

  const nlohmann::json& values_;
  std::vector<std::string> known_;
  std::string problem_;
};

}  // namespace otasim::control
