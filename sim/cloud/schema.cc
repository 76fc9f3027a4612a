#include "sim/cloud/schema.h"

#include <fmt/format.h>

#include <array>

namespace otasim::cloud {

namespace {

/// Entry N brings version N to version N + 1. Entries are only ever added: there are files of each version.
constexpr std::array<const char*, 1> kMigrations{R"sql(
CREATE TABLE things(
  name TEXT PRIMARY KEY,
  thing_id TEXT NOT NULL,
  created_at INTEGER NOT NULL) WITHOUT ROWID;

-- A principal is a certificate: the SHA-256 of its DER form, as AWS's certificate ids are.
CREATE TABLE thing_principals(
  principal TEXT NOT NULL PRIMARY KEY,
  thing TEXT NOT NULL REFERENCES things(name) ON DELETE CASCADE) WITHOUT ROWID;

CREATE TABLE objects(
  bucket TEXT NOT NULL,
  key TEXT NOT NULL,
  version_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  size INTEGER NOT NULL,
  etag TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY(bucket, key, version_id)) WITHOUT ROWID;

CREATE TABLE streams(
  stream_id TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  description TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_updated_at INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE stream_files(
  stream_id TEXT NOT NULL REFERENCES streams(stream_id) ON DELETE CASCADE,
  file_id INTEGER NOT NULL,
  bucket TEXT NOT NULL,
  key TEXT NOT NULL,
  version_id TEXT NOT NULL,
  PRIMARY KEY(stream_id, file_id)) WITHOUT ROWID;

CREATE TABLE jobs(
  job_id TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  document TEXT NOT NULL,
  description TEXT NOT NULL,
  target_selection TEXT NOT NULL,
  force_canceled INTEGER NOT NULL DEFAULT 0,
  reason_code TEXT,
  comment TEXT,
  created_at INTEGER NOT NULL,
  last_updated_at INTEGER NOT NULL,
  completed_at INTEGER) WITHOUT ROWID;

CREATE TABLE executions(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id TEXT NOT NULL REFERENCES jobs(job_id) ON DELETE CASCADE,
  thing TEXT NOT NULL,
  execution_number INTEGER NOT NULL,
  status TEXT NOT NULL,
  status_details TEXT NOT NULL,
  queued_at INTEGER NOT NULL,
  started_at INTEGER,
  last_updated_at INTEGER NOT NULL,
  version_number INTEGER NOT NULL,
  force_canceled INTEGER NOT NULL DEFAULT 0,
  UNIQUE(job_id, thing, execution_number));

CREATE INDEX pending_executions ON executions(thing, sequence) WHERE status IN ('QUEUED', 'IN_PROGRESS');

CREATE TABLE ota_updates(
  ota_update_id TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  description TEXT NOT NULL,
  job_id TEXT NOT NULL,
  stream_id TEXT NOT NULL,
  protocols TEXT NOT NULL,
  files TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_modified_at INTEGER NOT NULL) WITHOUT ROWID;
)sql"};

constexpr std::int64_t kVersion = kMigrations.size();

}  // namespace

Result<void> migrate(Database& database) {
  std::int64_t version = 0;
  auto read =
      database.query("PRAGMA user_version", {}, [&version](const Row& row) { version = row.integer(0); });
  if (!read) return read;
  if (version > kVersion) {
    return fail(ExitCode::kEnvironment,
                fmt::format("the lab's store has version {}; this otasim knows up to {}.", version, kVersion),
                "Use the otasim that made the lab, or start a new lab in another folder.");
  }
  return database.transaction([&]() -> Result<void> {
    for (std::int64_t step = version; step < kVersion; ++step) {
      if (auto done = database.run_script(kMigrations[static_cast<std::size_t>(step)]); !done) return done;
    }
    return database.run_script(fmt::format("PRAGMA user_version = {}", kVersion));
  });
}

}  // namespace otasim::cloud
