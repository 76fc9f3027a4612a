// Versions, listings, and what is left of a put or a removal that was cut off.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "sim/base/file_io.h"
#include "tests/sim/cloud/object_store_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class ObjectStoreTest : public ObjectStoreFixture {
 protected:
  void write_content_file(const std::string& name) const {
    std::filesystem::create_directories(content_folder());
    ASSERT_TRUE(write_file_atomic(content_folder() + "/" + name, std::string("left over")));
  }

  std::vector<std::string> listed_keys(const ListObjectsRequest& request) {
    std::vector<std::string> keys;
    const auto page = objects_->list(request).value();
    for (const auto& object : page.objects) keys.push_back(object.location.key);
    return keys;
  }
};

TEST_F(ObjectStoreTest, TheEtagIsTheContentsMd5) {
  EXPECT_EQ(put("a", bytes("hello")).etag, "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(put("b", {}).etag, "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(objects_->describe("firmware", "a").value().etag, "5d41402abc4b2a76b9719d911017c592");
}

TEST_F(ObjectStoreTest, AnObjectIsLastModifiedWhenItWasPut) {
  put("a", {1});
  clock_.advance(10);
  EXPECT_EQ(put("b", {2}).last_modified, kNow + 10);
  EXPECT_EQ(objects_->describe("firmware", "a").value().last_modified, kNow);
}

TEST_F(ObjectStoreTest, ARemovedVersionIsNotFoundAndTheOneBeforeIsTheLatest) {
  const auto first = put("a", {1});
  const auto second = put("a", {2});
  ASSERT_TRUE(objects_->read_all(second.location));  // its file is open now
  ASSERT_TRUE(objects_->remove(second.location));

  EXPECT_EQ(objects_->describe("firmware", "a", second.location.version).error().code,
            ErrorCode::kResourceNotFound);
  std::vector<std::uint8_t> one(1);
  EXPECT_EQ(objects_->read(second.location, 0, one).error().code, ErrorCode::kResourceNotFound);
  EXPECT_EQ(objects_->read_all(second.location).error().code, ErrorCode::kResourceNotFound);
  EXPECT_EQ(objects_->open_content(second.location).error().code, ErrorCode::kResourceNotFound);
  EXPECT_EQ(objects_->remove(second.location).error().code, ErrorCode::kResourceNotFound);
  EXPECT_EQ(objects_->describe("firmware", "a").value().location.version, first.location.version);
  EXPECT_THAT(files(), ElementsAre(first.location.version));
}

TEST_F(ObjectStoreTest, WhatIsOpenIsReadableAfterItsRemoval) {
  const auto object = put("a", bytes("still here"));
  const UniqueFd content = std::move(objects_->open_content(object.location).value());
  ASSERT_TRUE(objects_->remove(object.location));
  std::vector<std::uint8_t> read(10);
  EXPECT_TRUE(read_content(content.get(), 0, read));
  EXPECT_EQ(read, bytes("still here"));
  EXPECT_FALSE(read_content(content.get(), 1, read)) << "one byte beyond the end";
}

TEST_F(ObjectStoreTest, ARemovalThatIsUndoneKeepsTheContent) {
  const auto object = put("a", {1, 2, 3});
  const auto undone = database_->transaction([&]() -> ServiceResult<void> {
    if (auto removed = objects_->remove(object.location); !removed) return removed;
    return refuse(ErrorCode::kInternalError, "on purpose");
  });
  ASSERT_FALSE(undone);
  EXPECT_EQ(objects_->read_all(object.location).value(), (std::vector<std::uint8_t>{1, 2, 3}));
}

TEST_F(ObjectStoreTest, NamesThatNoUrlCouldCarryAreRefused) {
  EXPECT_EQ(objects_->put("a/b", "k", {}).error().code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(objects_->put("b", "", {}).error().code, ErrorCode::kInvalidRequest);
  EXPECT_TRUE(objects_->put("b", std::string(kMaxObjectKeyBytes, 'k'), {}));
  EXPECT_EQ(objects_->put("b", std::string(kMaxObjectKeyBytes + 1, 'k'), {}).error().code,
            ErrorCode::kInvalidRequest);
}

TEST_F(ObjectStoreTest, AVersionFromOutsideDoesNotLeadOutOfTheFolder) {
  put("a", {1});
  for (const char* version : {"../cloud.sqlite", "/etc/passwd", "", "."}) {
    std::vector<std::uint8_t> one(1);
    EXPECT_FALSE(objects_->read({"firmware", "a", version}, 0, one)) << version;
  }
}

TEST_F(ObjectStoreTest, ASourceOfNamesThatRepeatsItselfChangesNoObject) {
  ObjectStore repeating(
      *database_, clock_, [] { return std::string("v1"); }, content_folder());
  const auto first = repeating.put("b", "one", bytes("first"));
  ASSERT_TRUE(first);
  const auto second = repeating.put("b", "two", bytes("second"));
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("'v1' exists already"));
  EXPECT_EQ(repeating.read_all(first->location).value(), bytes("first"));
  EXPECT_FALSE(repeating.describe("b", "two"));
}

TEST_F(ObjectStoreTest, APutThatCannotBeWrittenLeavesNoObject) {
  ASSERT_TRUE(write_file_atomic(content_folder(), std::string("a file where the folder should be")));
  EXPECT_EQ(objects_->put("b", "k", {}).error().code, ErrorCode::kInternalError);
  EXPECT_EQ(objects_->describe("b", "k").error().code, ErrorCode::kResourceNotFound);
}

TEST_F(ObjectStoreTest, ADamagedFolderIsSaidSo) {
  const auto object = put("a", {1, 2, 3});
  std::filesystem::resize_file(content_folder() + "/" + object.location.version, 2);
  EXPECT_EQ(objects_->read_all(object.location).error().code, ErrorCode::kInternalError);
  open();
  std::filesystem::remove(content_folder() + "/" + object.location.version);
  const auto gone = objects_->read_all(object.location);
  EXPECT_EQ(gone.error().code, ErrorCode::kInternalError);
  EXPECT_THAT(gone.error().message, HasSubstr(object.location.version));
}

// What a kill can leave: a file that is not complete, a complete one that the store does not name yet, and
// one that it names no more.
TEST_F(ObjectStoreTest, OpeningRemovesWhatKilledPutsAndRemovalsLeft) {
  const auto kept = put("a", {1});
  const auto removed = put("b", {2});
  ASSERT_TRUE(database_->execute("DELETE FROM objects WHERE version_id = ?", {removed.location.version}));
  write_content_file(random_uuid());
  write_content_file(random_uuid() + ".x7Gh2A");
  ASSERT_EQ(files().size(), 4U);

  open();
  EXPECT_THAT(files(), ElementsAre(kept.location.version));
  EXPECT_EQ(objects_->read_all(kept.location).value(), (std::vector<std::uint8_t>{1}));
}

TEST_F(ObjectStoreTest, OpeningLeavesFilesOfOthersAlone) {
  const std::vector<std::string> others{"README", "backup.tar", std::string(36, 'a'),
                                        random_uuid() + "-copy!!"};
  for (const auto& name : others) write_content_file(name);
  open();
  EXPECT_THAT(files(), ::testing::UnorderedElementsAreArray(others));
}

TEST_F(ObjectStoreTest, APutThatFindsItsNameTakenByAnOrphanReplacesIt) {
  write_content_file("v1");
  ObjectStore named(
      *database_, clock_, [] { return std::string("v1"); }, content_folder());
  const auto object = named.put("b", "k", bytes("new"));
  ASSERT_TRUE(object);
  EXPECT_EQ(named.read_all(object->location).value(), bytes("new"));
}

TEST_F(ObjectStoreTest, OpeningSparesThePutThatAnotherProcessIsAbout) {
  // The other process: its file is written, its row not committed.
  auto other = Database::open(folder_.file("cloud.sqlite")).value();
  ObjectStore others_objects(*other, clock_, random_uuid, content_folder());
  std::string version;
  const auto done = other->transaction([&]() -> ServiceResult<void> {
    const auto object = others_objects.put("b", "k", bytes("theirs"));
    if (!object) return tl::unexpected(object.error());
    version = object->location.version;
    EXPECT_TRUE(database_->run_script("PRAGMA busy_timeout = 0"));  // they will not be done while we wait
    const ObjectStore opened_meanwhile(*database_, clock_, random_uuid, content_folder());
    return {};
  });
  ASSERT_TRUE(done);
  EXPECT_EQ(objects_->read_all({"b", "k", version}).value(), bytes("theirs"));
}

TEST_F(ObjectStoreTest, AListingHasTheLatestOfEachKeyInByteOrder) {
  put("b", {1});
  put("a/2", {1});
  put("a/10", {1});
  put("B", {1});
  const auto latest = put("b", {1, 2});
  ASSERT_TRUE(objects_->put("other", "c", {}));
  const auto page = objects_->list({.bucket = "firmware"}).value();
  EXPECT_FALSE(page.next);
  EXPECT_THAT(listed_keys({.bucket = "firmware"}), ElementsAre("B", "a/10", "a/2", "b"));
  EXPECT_EQ(page.objects.back().location.version, latest.location.version);
  EXPECT_EQ(page.objects.back().size, 2);
  EXPECT_EQ(page.objects.back().etag, latest.etag);
  EXPECT_EQ(page.objects.back().last_modified, kNow);
}

TEST_F(ObjectStoreTest, APrefixChoosesKeysByTheirBytes) {
  const std::string ff = "\xFF";
  for (const std::string& key : {std::string("a"), std::string("a/"), std::string("a/x"), std::string("a0"),
                                 ff, ff + ff + "x", std::string("a%"), std::string("a/\0z", 4)}) {
    put(key, {});
  }
  EXPECT_THAT(listed_keys({.bucket = "firmware", .prefix = "a/"}),
              ElementsAre("a/", std::string("a/\0z", 4), "a/x"));
  EXPECT_THAT(listed_keys({.bucket = "firmware", .prefix = "a%"}), ElementsAre("a%"));
  EXPECT_THAT(listed_keys({.bucket = "firmware", .prefix = ff}), ElementsAre(ff, ff + ff + "x"));
  EXPECT_THAT(listed_keys({.bucket = "firmware", .prefix = "A"}), IsEmpty());
  EXPECT_THAT(listed_keys({.bucket = "none"}), IsEmpty());
}

TEST_F(ObjectStoreTest, AllVersionsAreListedNewestFirst) {
  const auto first = put("a", {1});
  const auto second = put("a", {2});
  const auto other = put("b", {3});
  std::vector<std::string> versions;
  const auto page = objects_->list({.bucket = "firmware", .all_versions = true}).value();
  for (const auto& object : page.objects) {
    versions.push_back(object.location.version);
  }
  EXPECT_THAT(versions, ElementsAre(second.location.version, first.location.version, other.location.version));
}

// What a bucket should hold, kept in the simplest way.
struct ModelVersion {
  std::string id;
  bool marker = false;
};
using Model = std::map<std::string, std::vector<ModelVersion>>;  // by key, newest last

void erase_null(std::vector<ModelVersion>& versions) {
  std::erase_if(versions, [](const ModelVersion& v) { return v.id == kNullVersion; });
}

struct Listed {
  std::vector<std::string> versions;
  std::vector<std::string> prefixes;
  bool operator==(const Listed&) const = default;
};

Listed expected_listing(const Model& model, const ListObjectsRequest& request) {
  Listed wanted;
  for (const auto& [key, versions] : model) {
    if (!key.starts_with(request.prefix) || versions.empty()) continue;
    if (!request.all_versions && versions.back().marker) continue;
    const auto at =
        request.delimiter.empty() ? std::string::npos : key.find(request.delimiter, request.prefix.size());
    if (at != std::string::npos) {
      const std::string prefix = key.substr(0, at + request.delimiter.size());
      if (wanted.prefixes.empty() || wanted.prefixes.back() != prefix) wanted.prefixes.push_back(prefix);
      continue;
    }
    const auto count = request.all_versions ? versions.size() : 1;
    for (std::size_t i = 0; i < count; ++i)
      wanted.versions.push_back(versions.rbegin()[static_cast<long>(i)].id);
  }
  return wanted;
}

// Whatever was put and deleted, under whichever versioning, pages of any size together list what a map would
// hold.
RC_GTEST_FIXTURE_PROP(ObjectStoreTest, PagesTogetherListWhatIsThere, ()) {
  Model model;
  const auto key_gen = rc::gen::element<std::string>("a", "a/", "a/b", "a/b/c", "a/c", "a0", "b", "\xC3\xA4",
                                                     "\xFF", "\xFF/\xFF");
  RC_ASSERT(objects_->buckets().create("firmware").has_value());
  Versioning versioning = Versioning::kNever;
  const int operations = *rc::gen::inRange(0, 24);
  for (int i = 0; i < operations; ++i) {
    const std::string key = *key_gen;
    auto& versions = model[key];
    switch (*rc::gen::inRange(0, 6)) {
      case 0: {  // delete a version, or one that is not there
        const bool known = !versions.empty() && *rc::gen::inRange(0, 4) != 0;
        const std::string id =
            known ? versions[*rc::gen::inRange<std::size_t>(0, versions.size())].id : "none";
        const auto deleted = objects_->delete_object("firmware", key, id).value();
        const auto found = std::ranges::find(versions, id, &ModelVersion::id);
        RC_ASSERT(deleted.delete_marker == (found != versions.end() && found->marker));
        if (found != versions.end()) versions.erase(found);
        break;
      }
      case 1: {  // delete the key
        const auto deleted = objects_->delete_object("firmware", key).value();
        if (versioning != Versioning::kEnabled) erase_null(versions);
        RC_ASSERT(deleted.delete_marker == (versioning != Versioning::kNever));
        if (versioning != Versioning::kNever) versions.push_back({deleted.version, true});
        break;
      }
      case 2:
        versioning = *rc::gen::element(Versioning::kEnabled, Versioning::kSuspended);
        RC_ASSERT(objects_->buckets().set_versioning("firmware", versioning).has_value());
        break;
      default: {
        const std::string id = put_in("firmware", key, {static_cast<std::uint8_t>(i)}).location.version;
        RC_ASSERT((id == kNullVersion) == (versioning != Versioning::kEnabled));
        if (id == kNullVersion) erase_null(versions);
        versions.push_back({id, false});
        RC_ASSERT(objects_->read_all({"firmware", key, id}).value() ==
                  std::vector<std::uint8_t>{static_cast<std::uint8_t>(i)});
      }
    }
  }
  ListObjectsRequest request{.bucket = "firmware"};
  request.prefix = *rc::gen::element<std::string>("", "a", "a/", "a/b", "\xC3", "\xFF");
  request.delimiter = *rc::gen::element<std::string>("", "/", "b", "a/");
  request.all_versions = *rc::gen::arbitrary<bool>();
  request.limit = *rc::gen::inRange<std::int64_t>(1, 6);
  const Listed wanted = expected_listing(model, request);
  Listed listed;
  do {
    const auto page = objects_->list(request).value();
    const auto entries = static_cast<std::int64_t>(page.objects.size() + page.common_prefixes.size());
    RC_ASSERT(entries <= request.limit);
    RC_ASSERT(!page.next || entries == request.limit);
    for (const auto& object : page.objects) {
      listed.versions.push_back(object.location.version);
      const auto& newest = model[object.location.key].back();
      RC_ASSERT(object.latest == (newest.id == object.location.version));
    }
    listed.prefixes.insert(listed.prefixes.end(), page.common_prefixes.begin(), page.common_prefixes.end());
    request.after = page.next;
  } while (request.after);
  RC_ASSERT(listed == wanted);
  // What is not listed has no file either.
  std::size_t contents = 0;
  for (const auto& [key, versions] : model) {
    contents += static_cast<std::size_t>(
        std::ranges::count_if(versions, [](const ModelVersion& v) { return !v.marker; }));
  }
  RC_ASSERT(files().size() == contents);
}

}  // namespace
}  // namespace otasim::cloud
