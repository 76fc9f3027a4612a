#include "sim/cloud/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/broker/iot_policy.h"
#include "sim/cloud/policies.h"

namespace otasim::cloud {

namespace {

/// Entry N brings version N to version N + 1. Entries are only ever added: there are files of each version.
constexpr std::array<const char*, 7> kMigrations{R"sql(
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
)sql",
                                                 R"sql(
-- Timers: `deadline` is the earlier of the two, so that one index finds what is due.
ALTER TABLE executions ADD COLUMN retry_attempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN in_progress_deadline INTEGER;
ALTER TABLE executions ADD COLUMN step_deadline INTEGER;
ALTER TABLE executions ADD COLUMN deadline INTEGER;
DROP INDEX pending_executions;
CREATE INDEX pending_executions ON executions(thing, status, sequence)
  WHERE status IN ('QUEUED', 'IN_PROGRESS');
CREATE INDEX executions_of_job ON executions(job_id, sequence);
CREATE INDEX executions_of_thing ON executions(thing, sequence);
CREATE INDEX due_executions ON executions(deadline) WHERE deadline IS NOT NULL;

ALTER TABLE jobs ADD COLUMN presigned_expires_sec INTEGER NOT NULL DEFAULT 3600;
ALTER TABLE jobs ADD COLUMN in_progress_timeout_minutes INTEGER;
ALTER TABLE jobs ADD COLUMN failed_retries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN timed_out_retries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN any_retries INTEGER NOT NULL DEFAULT 0;

-- What a job was aimed at; `kind` is thing or group.
CREATE TABLE job_targets(
  job_id TEXT NOT NULL REFERENCES jobs(job_id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY(job_id, kind, name)) WITHOUT ROWID;
CREATE INDEX jobs_of_target ON job_targets(kind, name);
INSERT OR IGNORE INTO job_targets SELECT job_id, 'thing', thing FROM executions;

CREATE TABLE thing_groups(
  name TEXT PRIMARY KEY,
  group_id TEXT NOT NULL,
  parent TEXT REFERENCES thing_groups(name),
  description TEXT NOT NULL,
  created_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX child_groups ON thing_groups(parent);

CREATE TABLE thing_group_members(
  group_name TEXT NOT NULL REFERENCES thing_groups(name) ON DELETE CASCADE,
  thing TEXT NOT NULL REFERENCES things(name) ON DELETE CASCADE,
  PRIMARY KEY(group_name, thing)) WITHOUT ROWID;
CREATE INDEX groups_of_thing ON thing_group_members(thing);

CREATE TABLE certificates(
  certificate_id TEXT PRIMARY KEY,
  pem TEXT NOT NULL,
  status TEXT NOT NULL,
  created_at INTEGER NOT NULL) WITHOUT ROWID;
-- Principals attached before certificates were kept: known by their fingerprint alone.
INSERT INTO certificates SELECT principal, '', 'ACTIVE', 0 FROM thing_principals;

-- The object as it stood when the file was put into the stream.
ALTER TABLE stream_files ADD COLUMN etag TEXT NOT NULL DEFAULT '';
UPDATE stream_files SET etag = COALESCE((SELECT etag FROM objects o
  WHERE o.bucket = stream_files.bucket AND o.key = stream_files.key
    AND o.version_id = stream_files.version_id), '');

-- `files` takes the form of requests, which the first version did not keep.
ALTER TABLE ota_updates RENAME TO ota_updates_1;
CREATE TABLE ota_updates(
  ota_update_id TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  error_code TEXT,
  error_message TEXT,
  description TEXT NOT NULL,
  job_id TEXT NOT NULL,
  stream_id TEXT,
  owns_stream INTEGER NOT NULL DEFAULT 0,
  target_selection TEXT NOT NULL,
  targets TEXT NOT NULL,
  protocols TEXT NOT NULL,
  files TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_modified_at INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO ota_updates SELECT ota_update_id, status, NULL, NULL, description, job_id, stream_id, 1,
  'SNAPSHOT', '[]', protocols, '[]', created_at, last_modified_at FROM ota_updates_1;
DROP TABLE ota_updates_1;
)sql",
                                                 R"sql(
-- Policies and principals: a certificate may be attached to several things, and has policies. Those that were let
-- in before there were policies have what the lab's own devices have (ota_device_policy(), iot_policy.h).
CREATE TABLE policies(
  name TEXT PRIMARY KEY,
  document TEXT NOT NULL,
  created_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE policy_targets(
  policy TEXT NOT NULL REFERENCES policies(name),
  certificate_id TEXT NOT NULL REFERENCES certificates(certificate_id) ON DELETE CASCADE,
  PRIMARY KEY(certificate_id, policy)) WITHOUT ROWID;
CREATE INDEX targets_of_policy ON policy_targets(policy, certificate_id);

ALTER TABLE thing_principals RENAME TO thing_principals_1;
CREATE TABLE thing_principals(
  principal TEXT NOT NULL,
  thing TEXT NOT NULL REFERENCES things(name) ON DELETE CASCADE,
  PRIMARY KEY(principal, thing)) WITHOUT ROWID;
CREATE INDEX principals_of_thing ON thing_principals(thing, principal);
INSERT INTO thing_principals SELECT principal, thing FROM thing_principals_1;
DROP TABLE thing_principals_1;
)sql",
                                                 R"sql(
-- Jobs: how they proceed. Configurations are JSON in AWS's form (job_config.h).
ALTER TABLE jobs ADD COLUMN rollout TEXT NOT NULL DEFAULT '{}';
ALTER TABLE jobs ADD COLUMN abort TEXT NOT NULL DEFAULT '{}';
ALTER TABLE jobs ADD COLUMN scheduling TEXT NOT NULL DEFAULT '{}';
ALTER TABLE jobs ADD COLUMN namespace_id TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN document_source TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN template_arn TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN document_parameters TEXT NOT NULL DEFAULT '{}';
-- How far a job's rollout is; `due_at` is when the job must be looked at next.
ALTER TABLE jobs ADD COLUMN planned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN rollout_stopped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN notified INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN minute_started_at INTEGER;
ALTER TABLE jobs ADD COLUMN minute_left INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN due_at INTEGER;
UPDATE jobs SET planned = 1,
  notified = (SELECT COUNT(DISTINCT thing) FROM executions e WHERE e.job_id = jobs.job_id);
CREATE INDEX due_jobs ON jobs(due_at) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_being_deleted ON jobs(status) WHERE status = 'DELETION_IN_PROGRESS';

-- Whom a job has still to reach, in this order.
CREATE TABLE rollout_things(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id TEXT NOT NULL REFERENCES jobs(job_id) ON DELETE CASCADE,
  thing TEXT NOT NULL,
  retry_attempt INTEGER NOT NULL,
  UNIQUE(job_id, thing));
CREATE INDEX rollout_of_job ON rollout_things(job_id, sequence);
CREATE INDEX rollout_of_thing ON rollout_things(thing);

-- How many executions of a job are in each status, and how many jobs are active: kept by triggers, because
-- they are asked for at each execution's end and each job's beginning.
CREATE TABLE execution_counts(
  job_id TEXT NOT NULL,
  status TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY(job_id, status)) WITHOUT ROWID;
INSERT INTO execution_counts SELECT job_id, status, COUNT(*) FROM executions GROUP BY job_id, status;
CREATE TRIGGER count_execution_added AFTER INSERT ON executions BEGIN
  INSERT INTO execution_counts VALUES (NEW.job_id, NEW.status, 1)
    ON CONFLICT(job_id, status) DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER count_execution_changed AFTER UPDATE OF status ON executions
WHEN OLD.status <> NEW.status BEGIN
  UPDATE execution_counts SET number = number - 1 WHERE job_id = OLD.job_id AND status = OLD.status;
  INSERT INTO execution_counts VALUES (NEW.job_id, NEW.status, 1)
    ON CONFLICT(job_id, status) DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER count_execution_removed AFTER DELETE ON executions BEGIN
  UPDATE execution_counts SET number = number - 1 WHERE job_id = OLD.job_id AND status = OLD.status;
END;

CREATE TABLE active_jobs(
  target_selection TEXT PRIMARY KEY,
  number INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO active_jobs VALUES ('SNAPSHOT', 0), ('CONTINUOUS', 0);
UPDATE active_jobs SET number = (SELECT COUNT(*) FROM jobs j
  WHERE j.target_selection = active_jobs.target_selection AND j.status IN ('SCHEDULED', 'IN_PROGRESS'));
CREATE TRIGGER count_job_added AFTER INSERT ON jobs WHEN NEW.status IN ('SCHEDULED', 'IN_PROGRESS') BEGIN
  UPDATE active_jobs SET number = number + 1 WHERE target_selection = NEW.target_selection;
END;
CREATE TRIGGER count_job_changed AFTER UPDATE OF status ON jobs
WHEN (OLD.status IN ('SCHEDULED', 'IN_PROGRESS')) <> (NEW.status IN ('SCHEDULED', 'IN_PROGRESS')) BEGIN
  UPDATE active_jobs
    SET number = number + CASE WHEN NEW.status IN ('SCHEDULED', 'IN_PROGRESS') THEN 1 ELSE -1 END
    WHERE target_selection = NEW.target_selection;
END;
CREATE TRIGGER count_job_removed AFTER DELETE ON jobs BEGIN
  UPDATE active_jobs SET number = number - 1
    WHERE target_selection = OLD.target_selection AND OLD.status IN ('SCHEDULED', 'IN_PROGRESS');
  DELETE FROM execution_counts WHERE job_id = OLD.job_id;
END;

CREATE TABLE job_templates(
  template_id TEXT PRIMARY KEY,
  description TEXT NOT NULL,
  document TEXT NOT NULL,
  document_source TEXT NOT NULL,
  presigned_expires_sec INTEGER,
  rollout TEXT NOT NULL,
  abort TEXT NOT NULL,
  in_progress_timeout_minutes INTEGER,
  retries TEXT NOT NULL,
  scheduling TEXT NOT NULL,
  created_at INTEGER NOT NULL) WITHOUT ROWID;

-- Which events are published (job_events.h).
CREATE TABLE event_configurations(
  event_type TEXT PRIMARY KEY,
  enabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  last_modified_at INTEGER NOT NULL) WITHOUT ROWID;
)sql",
                                                 R"sql(
-- The registry as the control plane shows it: attributes (JSON objects of texts), versions, tags.
ALTER TABLE things ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE things ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';
ALTER TABLE thing_groups ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE thing_groups ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';
ALTER TABLE certificates ADD COLUMN last_modified_at INTEGER NOT NULL DEFAULT 0;
UPDATE certificates SET last_modified_at = created_at;
ALTER TABLE streams ADD COLUMN role_arn TEXT NOT NULL DEFAULT '';
ALTER TABLE ota_updates ADD COLUMN additional_parameters TEXT NOT NULL DEFAULT '{}';

-- `kind` and `name` as in the resource's ARN.
CREATE TABLE tags(
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY(kind, name, key)) WITHOUT ROWID;
CREATE TRIGGER group_tags_go AFTER DELETE ON thing_groups BEGIN
  DELETE FROM tags WHERE kind = 'thinggroup' AND name = OLD.name; END;
CREATE TRIGGER job_tags_go AFTER DELETE ON jobs BEGIN
  DELETE FROM tags WHERE kind = 'job' AND name = OLD.job_id; END;
CREATE TRIGGER stream_tags_go AFTER DELETE ON streams BEGIN
  DELETE FROM tags WHERE kind = 'stream' AND name = OLD.stream_id; END;
CREATE TRIGGER ota_update_tags_go AFTER DELETE ON ota_updates BEGIN
  DELETE FROM tags WHERE kind = 'otaupdate' AND name = OLD.ota_update_id; END;
CREATE TRIGGER policy_tags_go AFTER DELETE ON policies BEGIN
  DELETE FROM tags WHERE kind = 'policy' AND name = OLD.name; END;
CREATE TRIGGER job_template_tags_go AFTER DELETE ON job_templates BEGIN
  DELETE FROM tags WHERE kind = 'jobtemplate' AND name = OLD.template_id; END;
)sql",
                                                 R"sql(
-- Objects: buckets of their own, delete markers, null versions, headers, multipart uploads.
-- `versioning` is Never, Enabled or Suspended.
CREATE TABLE buckets(
  name TEXT PRIMARY KEY,
  versioning TEXT NOT NULL,
  created_at INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO buckets SELECT bucket, 'Enabled', MIN(created_at) FROM objects GROUP BY bucket;

-- `content` names the file; a delete marker has none. A null version is called `null`, which says nothing of
-- its file. `headers` are lines `name: value`; `checksum` is NAME:BASE64.
ALTER TABLE objects ADD COLUMN content TEXT NOT NULL DEFAULT '';
UPDATE objects SET content = version_id;
ALTER TABLE objects ADD COLUMN headers TEXT NOT NULL DEFAULT '';
ALTER TABLE objects ADD COLUMN checksum TEXT NOT NULL DEFAULT '';
CREATE INDEX objects_by_content ON objects(content);
CREATE INDEX objects_in_order ON objects(bucket, key, sequence DESC);

CREATE TABLE uploads(
  upload_id TEXT PRIMARY KEY,
  bucket TEXT NOT NULL REFERENCES buckets(name) ON DELETE CASCADE,
  key TEXT NOT NULL,
  headers TEXT NOT NULL,
  checksum_algorithm TEXT NOT NULL,
  initiated_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX uploads_in_order ON uploads(bucket, key, upload_id);

CREATE TABLE upload_parts(
  upload_id TEXT NOT NULL REFERENCES uploads(upload_id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  content TEXT NOT NULL,
  size INTEGER NOT NULL,
  etag TEXT NOT NULL,
  checksum TEXT NOT NULL,
  last_modified INTEGER NOT NULL,
  PRIMARY KEY(upload_id, number)) WITHOUT ROWID;

-- Signing: imported certificates, whose keys are files; profiles; jobs, which are over when they are here.
CREATE TABLE signing_certificates(
  arn TEXT PRIMARY KEY,
  certificate TEXT NOT NULL,
  chain TEXT NOT NULL,
  imported_at INTEGER NOT NULL,
  key_file TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE signing_profiles(
  name TEXT PRIMARY KEY,
  platform TEXT NOT NULL,
  certificate_arn TEXT NOT NULL,
  parameters TEXT NOT NULL,
  version TEXT NOT NULL,
  canceled INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE signing_jobs(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id TEXT NOT NULL UNIQUE,
  token TEXT NOT NULL,
  bucket TEXT NOT NULL,
  key TEXT NOT NULL,
  version_id TEXT NOT NULL,
  profile TEXT NOT NULL,
  profile_version TEXT NOT NULL,
  platform TEXT NOT NULL,
  certificate_arn TEXT NOT NULL,
  parameters TEXT NOT NULL,
  succeeded INTEGER NOT NULL,
  reason TEXT NOT NULL,
  signed_bucket TEXT NOT NULL,
  signed_key TEXT NOT NULL,
  signature TEXT NOT NULL,
  created_at INTEGER NOT NULL);
CREATE INDEX signing_jobs_by_token ON signing_jobs(token) WHERE token <> '';
)sql",
                                                 R"sql(
-- Access of devices: what the lab's own have (ota_device_policy(), iot_policy.h) lets them use their jobs over
-- HTTPS too.
UPDATE policies SET document =
  '{"Statement":[{"Action":"iot:Connect","Effect":"Allow",' ||
  '"Resource":"arn:aws:iot:us-east-1:000000000000:client/${iot:Connection.Thing.ThingName}"},' ||
  '{"Action":"iot:Subscribe","Effect":"Allow","Resource":[' ||
  '"arn:aws:iot:us-east-1:000000000000:topicfilter/$aws/things/${iot:Connection.Thing.ThingName}/jobs/*",' ||
  '"arn:aws:iot:us-east-1:000000000000:topicfilter/$aws/things/${iot:Connection.Thing.ThingName}/streams/*"]},' ||
  '{"Action":["iot:Publish","iot:Receive"],"Effect":"Allow","Resource":[' ||
  '"arn:aws:iot:us-east-1:000000000000:topic/$aws/things/${iot:Connection.Thing.ThingName}/jobs/*",' ||
  '"arn:aws:iot:us-east-1:000000000000:topic/$aws/things/${iot:Connection.Thing.ThingName}/streams/*"]},' ||
  '{"Action":["iotjobsdata:DescribeJobExecution","iotjobsdata:GetPendingJobExecutions",' ||
  '"iotjobsdata:StartNextPendingJobExecution","iotjobsdata:UpdateJobExecution"],"Effect":"Allow",' ||
  '"Resource":"arn:aws:iot:us-east-1:000000000000:thing/${iot:Connection.Thing.ThingName}"}],' ||
  '"Version":"2012-10-17"}'
WHERE name = 'otasim-device';
)sql"};

constexpr std::int64_t kVersion = kMigrations.size();
constexpr std::int64_t kFirstVersionWithPolicies = 3;

/// Makes the policy of the lab's own devices, and gives it to those that were let in without one.
Result<void> give_device_policy(Database& database) {
  auto made = database.execute("INSERT INTO policies(name, document, created_at) VALUES (?, ?, 0)",
                               {kOtaDevicePolicyName, broker::ota_device_policy()});
  if (!made) return made;
  return database.execute(
      "INSERT INTO policy_targets SELECT ?, certificate_id FROM certificates "
      "WHERE certificate_id IN (SELECT principal FROM thing_principals)",
      {kOtaDevicePolicyName});
}

}  // namespace

Result<void> migrate(Database& database, std::optional<std::int64_t> up_to) {
  const std::int64_t last = std::min(up_to.value_or(kVersion), kVersion);
  // All within one transaction: of two that open a store at a time, the second finds it as the first has left
  // it.
  return database.transaction([&]() -> Result<void> {
    std::int64_t version = 0;
    auto read =
        database.query("PRAGMA user_version", {}, [&version](const Row& row) { version = row.integer(0); });
    if (!read) return read;
    if (version > kVersion) {
      return fail(
          ExitCode::kEnvironment,
          fmt::format("the lab's store has version {}; this otasim knows up to {}.", version, kVersion),
          "Use the otasim that made the lab, or start a new lab in another folder.");
    }
    for (std::int64_t step = version; step < last; ++step) {
      if (auto done = database.run_script(kMigrations[static_cast<std::size_t>(step)]); !done) return done;
    }
    if (version < kFirstVersionWithPolicies && last >= kFirstVersionWithPolicies) {
      if (auto given = give_device_policy(database); !given) return given;
    }
    return database.run_script(fmt::format("PRAGMA user_version = {}", std::max(version, last)));
  });
}

}  // namespace otasim::cloud
