// Objects when the process that puts and removes them is killed at any instant.
#include <openssl/evp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
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

  Acknowledged killed_after(int objects) {
    int acknowledged[2];
    EXPECT_EQ(::pipe(acknowledged), 0);
    const pid_t child = ::fork();
    EXPECT_GE(child, 0);
    if (child == 0) {
      ::close(acknowledged[0]);
      put_and_remove(acknowledged[1]);
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
    objects_.reset();
    database_.reset();
    const Acknowledged said = killed_after(objects);
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

}  // namespace
}  // namespace otasim::cloud
