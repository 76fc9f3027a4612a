#include "sim/cloud/database.h"

#include <fmt/format.h>

namespace otasim::cloud {

namespace {

/// How long another process with the same lab may hold the file.
constexpr int kBusyTimeoutMs = 2000;

int bind(sqlite3_stmt* statement, int index, const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return sqlite3_bind_int64(statement, index, *integer);
  }
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    // A null pointer would bind NULL; empty text is not nothing.
    return sqlite3_bind_text64(statement, index, text->data() == nullptr ? "" : text->data(), text->size(),
                               SQLITE_STATIC, SQLITE_UTF8);
  }
  return sqlite3_bind_null(statement, index);
}

/// Lets go of a statement's row and parameters, whichever way the call ends.
class Use {
 public:
  explicit Use(sqlite3_stmt* statement) : statement_(statement) {}
  ~Use() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  sqlite3_stmt* statement_;
};

}  // namespace

std::string Row::text(int column) const {
  const auto* const data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int status = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  std::unique_ptr<Database> database(new Database(std::unique_ptr<sqlite3, Close>(raw)));
  if (status != SQLITE_OK) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot open the lab's store '{}': {}.", path, sqlite3_errstr(status)),
                "Choose a folder you may write to.");
  }
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  const auto configured = database->run_script(
      "PRAGMA journal_mode = WAL;"
      "PRAGMA synchronous = NORMAL;"
      "PRAGMA foreign_keys = ON;");
  if (!configured) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot use the lab's store '{}': {}", path, configured.error().message),
                "If the file is damaged, remove it and start the lab anew.");
  }
  return database;
}

tl::unexpected<Error> Database::failure(std::string_view what) const {
  return fail(ExitCode::kEnvironment,
              fmt::format("the lab's store failed: {}: {}.", what, sqlite3_errmsg(connection_.get())),
              "Check that the disk has room and that no other program changes the file.");
}

Result<sqlite3_stmt*> Database::prepare(std::string_view sql) {
  std::string text{sql};
  const auto known = statements_.find(text);
  if (known != statements_.end()) return known->second.get();
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(connection_.get(), text.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) !=
      SQLITE_OK) {
    return failure(sql);
  }
  statements_.emplace(std::move(text), Statement(raw));
  return raw;
}

Result<void> Database::query(std::string_view sql, std::initializer_list<Value> values,
                             const RowHandler& on_row) {
  const auto statement = prepare(sql);
  if (!statement) return tl::unexpected(statement.error());
  const Use use(*statement);
  int index = 0;
  for (const Value& value : values) {
    if (bind(*statement, ++index, value) != SQLITE_OK) return failure(sql);
  }
  for (;;) {
    const int status = sqlite3_step(*statement);
    if (status == SQLITE_DONE) return {};
    if (status != SQLITE_ROW) return failure(sql);
    on_row(Row(*statement));
  }
}

Result<void> Database::execute(std::string_view sql, std::initializer_list<Value> values) {
  return query(sql, values, [](const Row&) {});
}

Result<void> Database::run_script(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failure("a script");
  }
  return {};
}

Result<void> Database::begin() {
  if (auto begun = execute("BEGIN IMMEDIATE"); !begun) return begun;
  in_transaction_ = true;
  return {};
}

Result<void> Database::commit() {
  if (auto committed = execute("COMMIT"); !committed) {
    roll_back();
    return committed;
  }
  in_transaction_ = false;
  const auto actions = std::exchange(after_commit_, {});
  for (const auto& action : actions) action();
  return {};
}

void Database::roll_back() {
  in_transaction_ = false;
  after_commit_.clear();
  // Fails only if SQLite has undone the transaction by itself.
  static_cast<void>(execute("ROLLBACK"));
}

void Database::after_commit(std::function<void()> action) {
  if (in_transaction_) {
    after_commit_.push_back(std::move(action));
  } else {
    action();
  }
}

}  // namespace otasim::cloud
