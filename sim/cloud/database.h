// SQLite with values for errors: one file, one connection, one thread.
//
//   db.execute("INSERT INTO things VALUES (?, ?)", {name, now});
//   db.query("SELECT name FROM things", {}, [&](const Row& row) { names.push_back(row.text(0)); });
//   db.transaction([&]() -> ServiceResult<void> { ... });   // committed if it returns a value, else undone
//
// Committed work survives the death of the process at any instant (write-ahead log). What is to happen only
// once a change is certain (telling devices) is handed to after_commit().
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <variant>
#include <vector>

#include "sim/base/result.h"

namespace otasim::cloud {

/// A parameter of a statement; text must live until the call returns.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view>;

/// NULL for nothing.
[[nodiscard]] inline Value nullable(const std::optional<std::int64_t>& value) {
  return value ? Value{*value} : Value{nullptr};
}

/// The current row of a query; lives as long as the handler's call. Columns count from 0.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const {
    if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
    return integer(column);
  }
  [[nodiscard]] std::string text(int column) const;

 private:
  sqlite3_stmt* statement_;
};

class Database {
 public:
  using RowHandler = std::function<void(const Row&)>;

  /// Opens or makes the file. @returns kEnvironment if it cannot be used
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(const std::string& path);

  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs one statement. @returns kEnvironment with SQLite's reason if it fails
  [[nodiscard]] Result<void> execute(std::string_view sql, std::initializer_list<Value> values = {});
  /// Runs one query, calling `on_row` for each row; the handler must not use the database.
  [[nodiscard]] Result<void> query(std::string_view sql, std::initializer_list<Value> values,
                                   const RowHandler& on_row);
  /// Runs several statements without parameters.
  [[nodiscard]] Result<void> run_script(const std::string& sql);

  /// Runs `body` in a transaction; within one already, as part of it.
  template <typename Body>
  auto transaction(Body&& body) -> std::invoke_result_t<Body> {
    if (in_transaction_) return body();
    if (auto begun = begin(); !begun) return tl::unexpected(begun.error());
    RollBack undone{this};  // also if the body throws
    auto result = body();
    if (!result) return result;
    undone.database = nullptr;
    if (auto committed = commit(); !committed) return tl::unexpected(committed.error());
    return result;
  }

  /// Runs `body` within a transaction so that, if it fails, what it did is undone and the transaction goes
  /// on.
  template <typename Body>
  auto attempt(Body&& body) -> std::invoke_result_t<Body> {
    if (auto begun = execute("SAVEPOINT attempt"); !begun) return tl::unexpected(begun.error());
    const std::size_t actions_before = after_commit_.size();
    auto result = body();
    if (!result) {
      after_commit_.resize(actions_before);
      if (auto undone = execute("ROLLBACK TO attempt"); !undone) return tl::unexpected(undone.error());
    }
    if (auto released = execute("RELEASE attempt"); !released) return tl::unexpected(released.error());
    return result;
  }

  /// Calls `action` when the running transaction has been committed; never, if it is undone.
  void after_commit(std::function<void()> action);

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close(connection); }
  };
  struct RollBack {
    Database* database;
    ~RollBack() {
      if (database != nullptr) database->roll_back();
    }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  explicit Database(std::unique_ptr<sqlite3, Close> connection) : connection_(std::move(connection)) {}
  [[nodiscard]] Result<sqlite3_stmt*> prepare(std::string_view sql);
  [[nodiscard]] tl::unexpected<Error> failure(std::string_view what) const;
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Result<void> commit();
  void roll_back();

  std::unique_ptr<sqlite3, Close> connection_;
  std::unordered_map<std::string, Statement> statements_;  ///< by text; each is compiled once
  bool in_transaction_ = false;
  std::vector<std::function<void()>> after_commit_;
};

}  // namespace otasim::cloud
