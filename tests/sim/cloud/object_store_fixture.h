// An object store in a folder of its own, with a clock that stands still.
#pragma once

#include <gmock/gmock.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/cloud/multipart_uploads.h"
#include "sim/cloud/object_store.h"
#include "sim/cloud/schema.h"

namespace otasim::cloud {

class ObjectStoreFixture : public ::testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'700'000'000;  // 2023-11-14T22:13:20Z

  ObjectStoreFixture() { open(); }

  /// Opens the folder's store, anew if it is open already.
  void open() {
    close();
    database_ = Database::open(folder_.file("cloud.sqlite")).value();
    ASSERT_TRUE(migrate(*database_));
    objects_ = std::make_unique<ObjectStore>(*database_, clock_, random_uuid, content_folder(), options_);
    uploads_ = std::make_unique<MultipartUploads>(*database_, clock_, random_uuid, *objects_);
  }

  void close() {
    uploads_.reset();
    objects_.reset();
    database_.reset();
  }

  ObjectInfo put(const std::string& key, const std::vector<std::uint8_t>& content) {
    auto object = objects_->put("firmware", key, content);
    EXPECT_TRUE(object) << object.error().message;
    return *object;
  }

  /// Puts as a client of S3 does: into a bucket that is there.
  ObjectInfo put_in(const std::string& bucket, const std::string& key,
                    const std::vector<std::uint8_t>& content, ObjectHeaders headers = {}) {
    auto writer = objects_->begin_put({.bucket = bucket, .key = key, .headers = std::move(headers)});
    EXPECT_TRUE(writer) << writer.error().code;
    EXPECT_TRUE(writer->append(content));
    return writer->finish().value();
  }

  /// The names of all files with content.
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    if (!std::filesystem::exists(content_folder())) return names;
    for (const auto& entry : std::filesystem::directory_iterator(content_folder())) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  [[nodiscard]] std::string content_folder() const { return folder_.file("objects"); }

  static std::vector<std::uint8_t> bytes(const std::string& text) { return {text.begin(), text.end()}; }
  /// Bytes that differ from place to place: no two pieces of 4 KiB are equal.
  static std::vector<std::uint8_t> pattern(std::size_t size) {
    std::vector<std::uint8_t> content(size);
    std::uint32_t state = 1;
    for (std::uint8_t& byte : content) {
      state = state * 1664525 + 1013904223;
      byte = static_cast<std::uint8_t>(state >> 24);
    }
    return content;
  }

  TempDir folder_ = TempDir::create().value();
  ManualClock clock_{kNow};
  ObjectStoreOptions options_;  ///< of the next open()
  std::unique_ptr<Database> database_;
  std::unique_ptr<ObjectStore> objects_;
  std::unique_ptr<MultipartUploads> uploads_;
};

}  // namespace otasim::cloud
