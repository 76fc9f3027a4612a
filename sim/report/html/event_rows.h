// Events as rows for a page: short, in chunks that a browser takes one after the other.
//
//   EventRows rows;
//   while (auto event = stream.next()) rows.take(std::move(*event));
//   rows.finish();
//
// A row is [t_us, NAME, DEVICE, MEMBERS]: NAME counts in `names` ("uart.line"), DEVICE in `devices` (-1:
// none), and MEMBERS are the event's further ones; of a console line only its text. A row whose number is not
// its place has that as a fifth element.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sim/base/json.h"

namespace otasim::report::html {

class EventRows {
 public:
  /// Takes the next event of a RunStream.
  void take(nlohmann::json event);
  /// Ends the last chunk.
  void finish();

  [[nodiscard]] const std::vector<std::string>& names() const { return names_.texts; }
  [[nodiscard]] const std::vector<std::string>& devices() const { return devices_.texts; }
  /// JSON arrays of rows, escaped for a page.
  [[nodiscard]] std::vector<std::string>& chunks() { return chunks_; }
  /// Takes in what else stands on the page with reasons in it.
  void note_reasons(const nlohmann::json& value);
  /// Reason strings of jobs that came up in any text and can be told in words, each once.
  [[nodiscard]] const std::vector<std::string>& reasons() const { return reasons_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  /// Numbers texts in the order in which they come up.
  struct Interned {
    std::vector<std::string> texts = {};
    std::unordered_map<std::string, std::size_t> numbers = {};

    std::size_t number(const std::string& text);
  };

  void note_reasons_in(const std::string& text);
  void add(const std::string& row);

  Interned names_;
  Interned devices_;
  std::vector<std::string> chunks_;
  std::vector<std::string> reasons_;
  std::string chunk_;
  std::uint64_t count_ = 0;
};

}  // namespace otasim::report::html
