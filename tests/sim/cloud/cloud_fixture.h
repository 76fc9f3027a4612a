// A cloud in a folder of its own, with a clock that stands still.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/cloud/cloud.h"
#include "sim/crypto/certificate.h"
#include "sim/crypto/key.h"

namespace otasim::cloud {

class CloudFixture : public ::testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'700'000'000;

  CloudFixture() { open(); }

  /// Opens the folder's cloud, anew if it is open already.
  void open(JobsOptions options = {}) {
    cloud_.reset();
    CloudOptions cloud_options;
    cloud_options.signing_key_path = key_path_;
    cloud_options.jobs = options;
    auto opened = Cloud::open(folder_.path().string(), clock_, *log_, cloud_options);
    ASSERT_TRUE(opened) << opened.error().message;
    cloud_ = std::move(*opened);
    ASSERT_TRUE(cloud_->things().create(lamp_));
    ASSERT_TRUE(cloud_->things().create(door_));
  }

  void create_job(const std::string& id, std::vector<JobTarget> targets) {
    const auto created =
        jobs().create({.id = job(id), .document = R"({"operation":"test"})", .targets = std::move(targets)});
    ASSERT_TRUE(created) << created.error().message;
  }
  void create_job(const std::string& id) { create_job(id, {lamp_}); }

  ObjectInfo upload(const std::vector<std::uint8_t>& content) {
    auto object = cloud_->objects().put("firmware", "app.bin", content);
    EXPECT_TRUE(object) << object.error().message;
    return *object;
  }

  static std::vector<std::uint8_t> pattern(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + i / 251);
    return bytes;
  }

  /// Registers a certificate of its own for a thing and attaches it. @returns its id
  std::string attach_certificate(const ThingName& thing) {
    const auto key = crypto::P256Key::generate().value();
    const auto certificate =
        crypto::Certificate::self_signed({.common_name = "test", .dns_names = {}, .ip_addresses = {}}, key)
            .value();
    const auto record = cloud_->certificates().register_certificate(certificate.pem());
    EXPECT_TRUE(record) << record.error().message;
    EXPECT_TRUE(cloud_->policies().attach(PolicyName::trusted(kOtaDevicePolicyName), record->id));
    EXPECT_TRUE(cloud_->things().attach_principal(thing, record->id));
    return record->id;
  }

  /// A thing's executions that are not over: those begun first.
  std::vector<JobExecution> pending(const ThingName& thing) {
    auto all = jobs().pending(thing, ExecutionStatus::kInProgress, 100).value();
    const auto queued = jobs().pending(thing, ExecutionStatus::kQueued, 100).value();
    all.insert(all.end(), queued.begin(), queued.end());
    return all;
  }

  JobsService& jobs() { return cloud_->jobs(); }
  static JobId job(const std::string& id) { return JobId::parse(id).value(); }

  const ThingName lamp_ = ThingName::parse("lamp").value();
  const ThingName door_ = ThingName::parse("door").value();
  TempDir folder_ = TempDir::create().value();
  crypto::P256Key key_ = crypto::P256Key::generate().value();
  std::string key_path_ = save_key();
  ManualClock clock_{kNow};
  std::unique_ptr<report::EventLog> log_ = report::EventLog::in_memory();
  std::unique_ptr<Cloud> cloud_;

 private:
  std::string save_key() const {
    const std::string path = folder_.file("signer.key");
    EXPECT_TRUE(write_file_atomic(path, key_.private_pem(), 0600));
    return path;
  }
};

}  // namespace otasim::cloud
