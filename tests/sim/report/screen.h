// A terminal as far as progress uses one: text, CR, LF, cursor up, erasing below, colours; with wrapping,
// also of what stands there already when it becomes narrower, as terminals do today.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace otasim::test {

class Screen {
 public:
  explicit Screen(std::size_t columns) : columns_(columns) {}

  /// @throws std::runtime_error  a control sequence that it does not know
  void write(std::string_view bytes);
  void resize(std::size_t columns);

  /// What is to be seen, row by row, without what is empty at the end.
  [[nodiscard]] std::vector<std::string> rows() const;
  [[nodiscard]] std::size_t cursor_row() const { return row_; }
  [[nodiscard]] std::size_t cursor_column() const { return column_; }
  [[nodiscard]] bool cursor_is_visible() const { return is_visible_; }

 private:
  struct Row {
    std::string text;
    bool goes_on = false;  ///< wrapped into the next one
  };
  void put(char c);
  void line_feed();
  std::size_t control(std::string_view sequence);

  std::size_t columns_;
  std::vector<Row> rows_{1};
  std::size_t row_ = 0;
  std::size_t column_ = 0;
  bool is_visible_ = true;
};

}  // namespace otasim::test
