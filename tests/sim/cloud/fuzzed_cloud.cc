#include "tests/sim/cloud/fuzzed_cloud.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzzing/claim.h"

namespace otasim::cloud {

namespace {

using testing::claim;

const ThingName kLamp = ThingName::trusted("lamp");
const ThingName kDoor = ThingName::trusted("door");

/// UUIDs that are the same in every run.
UuidSource counted_uuids() {
  return [n = 0]() mutable { return fmt::format("00000000-0000-4000-8000-{:012}", n++); };
}

template <typename T>
T made(ServiceResult<T> result) {
  claim(result.has_value(), "the cloud can be filled");
  return std::move(*result);
}
void made(const ServiceResult<void>& result) {
  claim(result.has_value(), "the cloud can be filled");
}

}  // namespace

const std::vector<std::pair<std::int64_t, std::size_t>>& FuzzedCloud::files() {
  static const std::vector<std::pair<std::int64_t, std::size_t>> kFiles{{0, 10'000}, {7, 1}, {255, 300'000}};
  return kFiles;
}

TempDir FuzzedCloud::make_folder() {
  const std::filesystem::path memory = "/dev/shm";
  if (!std::filesystem::is_directory(memory)) return TempDir::create().value();
  return TempDir::create_at(memory / std::filesystem::path(TempDir::propose()).filename()).value();
}

FuzzedCloud::FuzzedCloud() {
  open();
  fill();
  front_end_.reset();
  cloud_.reset();  // SQLite writes its log back into the file
  std::ifstream in(store_, std::ios::binary);
  filled_.assign(std::istreambuf_iterator<char>(in), {});
  claim(!filled_.empty(), "the store can be read");
}

void FuzzedCloud::reset() {
  front_end_.reset();
  cloud_.reset();
  for (const char* left_over : {"-wal", "-shm"}) std::filesystem::remove(store_ + left_over);
  std::ofstream(store_, std::ios::binary | std::ios::trunc) << filled_;
  open();
}

void FuzzedCloud::open() {
  auto opened = Cloud::open(
      folder_.path().string(), clock_, *log_,
      {.uuid = counted_uuids(), .presigner = {.access_key_id = "key", .secret_access_key = "secret"}});
  claim(opened.has_value(), "the store can be opened");
  cloud_ = std::move(*opened);
  front_end_.emplace(cloud_->jobs(), cloud_->streams(), clock_, *log_, cloud_->faults(),
                     static_cast<Publisher&>(*this));
}

void FuzzedCloud::fill() {
  made(cloud_->things().create(kLamp));
  made(cloud_->things().create(kDoor));

  CreateStreamRequest stream{.id = StreamId::trusted(kStream), .files = {}};
  for (const auto& [id, size] : files()) {
    std::vector<std::uint8_t> content(size);
    for (std::size_t i = 0; i < size; ++i) content[i] = byte_at(i);
    const auto object = made(cloud_->objects().put("firmware", fmt::format("file-{}", id), content));
    stream.files.push_back({id, object.location});
  }
  made(cloud_->streams().create(stream));

  const auto job = [this](const char* id, std::string_view note, std::vector<JobTarget> targets) {
    made(cloud_->jobs().create({.id = JobId::trusted(id),
                                .document = fmt::format(R"({{"note":"{}"}})", note),
                                .targets = std::move(targets)}));
  };
  const auto update = [this](const char* id, const ThingName& thing, ExecutionStatus status,
                             const char* detail) {
    made(cloud_->jobs().update(JobId::trusted(id), thing,
                               {.status = status, .details = StatusDetails{{"step", detail}}}));
  };
  job("over", "of both", {kLamp, kDoor});
  update("over", kLamp, ExecutionStatus::kSucceeded, "of-lamp");
  update("over", kDoor, ExecutionStatus::kFailed, "of-door");
  job("begun", "of both", {kLamp, kDoor});
  update("begun", kLamp, ExecutionStatus::kInProgress, "of-lamp");
  update("begun", kDoor, ExecutionStatus::kInProgress, "of-door");
  job("waiting", "of both", {kLamp, kDoor});
  job("lamps", "of-lamp", {kLamp});
  job("doors", "of-door", {kDoor});
  const ObjectLocation image{.bucket = "firmware", .key = "file-0", .version = {}};
  made(cloud_->ota_updates().create({.id = OtaUpdateId::trusted("u1"),
                                     .targets = {kLamp},
                                     .files = {{.file_name = "/fw.bin", .location = image}}}));
}

std::vector<Sent> FuzzedCloud::request(const ClientAddress& client, const std::string& topic,
                                       std::string_view payload) {
  sent_.clear();
  front_end_->handle_request(client, topic, payload);
  return std::move(sent_);
}

void FuzzedCloud::deliver(const ClientAddress& client, const std::string& topic, std::string_view payload) {
  sent_.push_back({client, topic, std::string{payload}});
}

void FuzzedCloud::publish(const std::string& topic, std::string_view payload, int) {
  sent_.push_back({{}, topic, std::string{payload}});
}

}  // namespace otasim::cloud
