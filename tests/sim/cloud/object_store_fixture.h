// An object store in a folder of its own, with a clock that stands still.
#pragma once

#include <gmock/gmock.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/cloud/object_store.h"
#include "sim/cloud/schema.h"

namespace otasim::cloud {

class ObjectStoreFixture : public ::testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'700'000'000;  // 2023-11-14T22:13:20Z

  ObjectStoreFixture() { open(); }

  /// Opens the folder's store, anew if it is open already.
  void open() {
    objects_.reset();
    database_ = Database::open(folder_.file("cloud.sqlite")).value();
    ASSERT_TRUE(migrate(*database_));
    objects_ = std::make_unique<ObjectStore>(*database_, clock_, random_uuid, content_folder());
  }

  ObjectInfo put(const std::string& key, const std::vector<std::uint8_t>& content) {
    auto object = objects_->put("firmware", key, content);
    EXPECT_TRUE(object) << object.error().message;
    return *object;
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
  std::unique_ptr<Database> database_;
  std::unique_ptr<ObjectStore> objects_;
};

}  // namespace otasim::cloud
