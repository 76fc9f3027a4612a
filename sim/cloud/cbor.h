// CBOR (RFC 8949) as far as file streams need it: one map with text keys, read from anybody's bytes, and a
// writer for the answers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace otasim::cloud {

/// A value of the map; monostate for one of a type that streams do not use.
using CborValue = std::variant<std::monostate, std::int64_t, std::string, std::vector<std::uint8_t>>;
using CborMap = std::map<std::string, CborValue, std::less<>>;

/// Reads one map. Keys that are not text, values nested deeper than any stream's, a key that comes twice,
/// and bytes after the map make it malformed, as does everything that is no CBOR.
/// @returns nothing if malformed
[[nodiscard]] std::optional<CborMap> read_cbor_map(std::string_view bytes);

/// Writes items one after the other; what they form is the caller's care.
class CborWriter {
 public:
  void map(std::uint64_t pairs) { head(5, pairs); }
  void array(std::uint64_t items) { head(4, items); }
  void integer(std::int64_t value);
  void text(std::string_view value);
  void bytes(std::span<const std::uint8_t> value);

  [[nodiscard]] const std::string& result() const { return out_; }

 private:
  void head(std::uint8_t major, std::uint64_t argument);

  std::string out_;
};

}  // namespace otasim::cloud
