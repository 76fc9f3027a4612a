// Objects when the process that puts and removes them is killed at any instant.
#include <openssl/evp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include "sim/crypto/key.h"
#include "tests/sim/cloud/object_store_fixture.h"

namespace otasim::cloud {
namespace {

class ObjectStoreKillTest : public ObjectStoreFixture {
 protected:
  /// In the child: puts objects, removes every other one, and says each version that is done, until it is
  /// killed.
  [[noreturn]] void put_and_remove(int acknowledged) {
    open();
    const auto content = pattern(200'000);
    for (std::size_t i = 0;; ++i) {
      const auto object =
          objects_->put("firmware", std::to_string(i), std::span(content).first(i * 977 % content.size()));
      const bool keep = i % 2 == 0;
      if (!object || (!keep && !objects_->remove(object->location))) break;
      const std::string said = (keep ? "+" : "-") + object->location.version;
      if (::write(acknowledged, said.data(), said.size()) != static_cast<ssize_t>(said.size())) break;
    }
    ::_exit(1);
  }

  /// What the child said: versions that are there to stay, and those that are gone.
  struct Acknowledged {
    std::set<std::string> kept;
    std::set<std::string> removed;
  };

  /// In the child: uploads each object in two parts, replaces a null version, and says the key of each upload
  /// whose parts are kept, until it is killed.
  [[noreturn]] void upload_and_replace(int acknowledged) {
    open();
    for (std::uint8_t i = 0;; ++i) {
      const std::string key = random_uuid();
      const auto upload = uploads_->create({.bucket = kVersioned, .key = key});
      if (!upload) break;
      std::vector<CompletedPart> parts;
      for (int number = 1; number <= 2; ++number) {
        auto writer = uploads_->begin_part(upload->place, number);
        if (!writer || !writer->append(part_content(number))) break;
        const auto part = writer->finish();
        if (part) parts.push_back({number, part->etag});
      }
      const std::string said = "+" + key;
      if (parts.size() != 2 ||
          ::write(acknowledged, said.data(), said.size()) != static_cast<ssize_t>(said.size())) {
        break;
      }
      auto writer = objects_->begin_put({.bucket = kPlain, .key = "replaced"});
      if (!writer || !writer->append(std::vector<std::uint8_t>(50'000, i)) || !writer->finish()) break;
      if (!objects_->delete_object(kVersioned, "deleted")) break;
      if (!uploads_->complete(upload->place, parts)) break;
    }
    ::_exit(1);
  }

  static std::vector<std::uint8_t> part_content(int number) {
    return std::vector<std::uint8_t>(100'000, static_cast<std::uint8_t>(number));
  }

  /// The file of each object and part that the store names.
  std::multiset<std::string> named_files() {
    std::multiset<std::string> named;
    EXPECT_TRUE(database_->query(
        "SELECT content FROM objects WHERE content <> '' UNION ALL SELECT content FROM upload_parts", {},
        [&named](const Row& row) { named.insert(row.text(0)); }));
    return named;
  }

  void expect_upload(const std::string& key) {
    if (const auto object = objects_->find(kVersioned, key)) {
      std::vector<std::uint8_t> expected = part_content(1);
      const auto second = part_content(2);
      expected.insert(expected.end(), second.begin(), second.end());
      EXPECT_EQ(objects_->read_all(object->location).value(), expected);
      return;
    }
    const auto page = uploads_->list({.bucket = kVersioned, .prefix = key}).value();
    ASSERT_EQ(page.uploads.size(), 1U) << "an upload whose parts were kept is gone";
    const auto parts = uploads_->list_parts(page.uploads[0].place, 0, 10)->parts;
    ASSERT_EQ(parts.size(), 2U) << "a part that was kept is gone";
    const auto done = uploads_->complete(page.uploads[0].place, {{1, parts[0].etag}, {2, parts[1].etag}});
    EXPECT_TRUE(done) << "an upload cannot go on where it was left";
  }

  static constexpr const char* kVersioned = "versioned";
  static constexpr const char* kPlain = "plain";

  /// Kills a child after so many objects.
  static Acknowledged what_was_said(int from, pid_t child, int objects) {
    Acknowledged all;
    char said[37];
    for (int i = 1; ::read(from, said, sizeof said) == static_cast<ssize_t>(sizeof said); ++i) {
      (said[0] == '+' ? all.kept : all.removed).emplace(said + 1, sizeof said - 1);
      if (i != objects) continue;
      EXPECT_EQ(::kill(child, SIGKILL), 0);
    }
    return all;
  }

  using Work = std::function<void(int acknowledged)>;

  Acknowledged killed_after(int objects, const Work& work) {
    int acknowledged[2];
    EXPECT_EQ(::pipe(acknowledged), 0);
    const pid_t child = ::fork();
    EXPECT_GE(child, 0);
    if (child == 0) {
      ::close(acknowledged[0]);
      work(acknowledged[1]);
    }
    ::close(acknowledged[1]);
    Acknowledged all = what_was_said(acknowledged[0], child, objects);
    ::close(acknowledged[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
    return all;
  }
};

TEST_F(ObjectStoreKillTest, EveryObjectIsWholeEveryAcknowledgedOneIsThereAndNoFileIsLeftOver) {
  for (int objects = 1; objects <= 24; ++objects) {
    close();
    const Acknowledged said = killed_after(objects, [this](int to) { put_and_remove(to); });
    open();
    std::set<std::string> listed;
    ListObjectsRequest request{.bucket = "firmware", .all_versions = true};
    do {
      const auto page = objects_->list(request).value();
      for (const auto& object : page.objects) {
        listed.insert(object.location.version);
        const auto content = objects_->read_all(object.location);
        ASSERT_TRUE(content) << content.error().message;
        crypto::Bytes digest(16);
        ASSERT_EQ(EVP_Digest(content->data(), content->size(), digest.data(), nullptr, EVP_md5(), nullptr),
                  1);
        EXPECT_EQ(crypto::hex(digest), object.etag);
      }
      request.after = page.next;
    } while (request.after);
    EXPECT_TRUE(std::ranges::includes(listed, said.kept)) << "an acknowledged object is gone";
    EXPECT_TRUE(std::ranges::none_of(said.removed, [&](const auto& version) {
      return listed.contains(version);
    })) << "a removed object is back";
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(content_folder())) {
      files.insert(entry.path().filename().string());
    }
    EXPECT_EQ(files, listed);
    ASSERT_FALSE(HasFailure()) << "after a kill at object " << objects;
  }
}

TEST_F(ObjectStoreKillTest, UploadsGoOnAndNullVersionsAreWhole) {
  options_.min_part_bytes = 1;
  open();
  ASSERT_TRUE(objects_->buckets().create(kVersioned));
  ASSERT_TRUE(objects_->buckets().set_versioning(kVersioned, Versioning::kEnabled));
  ASSERT_TRUE(objects_->buckets().create(kPlain));
  for (int uploads = 1; uploads <= 16; ++uploads) {
    close();
    const Acknowledged said = killed_after(uploads, [this](int to) { upload_and_replace(to); });
    open();
    const auto named = named_files();
    const auto left = files();
    EXPECT_EQ(std::multiset<std::string>(left.begin(), left.end()), named);
    for (const std::string& key : said.kept) expect_upload(key);
    if (const auto object = objects_->find(kPlain, "replaced")) {
      const auto content = objects_->read_all(object->location).value();
      EXPECT_EQ(content, std::vector<std::uint8_t>(50'000, content.at(0))) << "two puts are mixed";
    } else {
      EXPECT_EQ(uploads, 1) << "an object that was only ever replaced is gone";
    }
    ASSERT_FALSE(HasFailure()) << "after a kill at upload " << uploads;
  }
}

}  // namespace
}  // namespace otasim::cloud
