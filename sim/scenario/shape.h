// What a scenario file may look like, as tables: each kind of object lists its members. From the same tables
// come the check of a file (with line and hint), the JSON schema for editors and the reference's tables, so
// that none of them can say something else than the others.
//
//   const Shape kPower{"power", "Switches a device's power.", {{"device", Kind::kText, "Its name"}, ...}};
//   check(text, kPower)         what is wrong, or nothing
//   json_schema(kPower)         for editors
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/scenario/json_text.h"

namespace otasim::scenario {

enum class Kind {
  kText,
  kInteger,
  kNumber,
  kFlag,
  kScalar,   ///< text, number, true, false or null
  kAny,      ///< any value, checked by whoever reads it
  kObject,   ///< of `shape`
  kList,     ///< of objects of `shape`
  kMap,      ///< names of the author's choice, to objects of `shape`
  kTexts,    ///< list of texts
  kScalars,  ///< names of the author's choice, to scalars
};

struct Shape;

struct Member {
  std::string_view name;
  Kind kind = Kind::kText;
  std::string_view doc;  ///< for people: what it is, units and default
  const Shape* shape = nullptr;
  bool is_required = false;
  std::vector<std::string_view> values = {};  ///< of a text, or of each of the texts; empty: any
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

struct Shape {
  std::string_view name;  ///< in the schema and the reference
  std::string_view doc;
  std::vector<Member> members = {};
  /// The object is a choice: exactly one of `members`; `common` may stand beside it.
  bool is_choice = false;
  std::vector<Member> common = {};
  /// Members of any name are allowed, too.
  bool is_open = false;
};

/// Checks `text` at `pointer` against a shape.
/// @returns kUsage for the first thing that is wrong, with file, line and what would be right
[[nodiscard]] Result<void> check(const JsonText& text, const std::string& pointer, const Shape& shape);
/// The same for a value that has no text (a command line's): `where` stands in the message.
[[nodiscard]] Result<void> check_value(const nlohmann::json& value, const std::string& where,
                                       const Shape& shape);

/// A JSON schema (draft 2020-12) of files that are such an object.
[[nodiscard]] nlohmann::json json_schema(const Shape& root);

/// The name among `names` that a misspelt one probably means; empty if none is near.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string_view>& names);

}  // namespace otasim::scenario
