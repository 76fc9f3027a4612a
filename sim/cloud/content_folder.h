// The folder with objects' bytes: files that are written once and never changed.
//
//   auto writer = folder.begin(name);            // a temporary file
//   writer->append(piece);                       // again and again
//   writer->seal();                              // complete, and on the disk
//   database.transaction([&] { ...; return folder.publish(*writer); });   // has its name from now on
//
// A writer that goes without being published takes its file along. The process may be killed at any instant:
// what it leaves is a temporary file, or one that nothing names; remove_orphans() removes both. It knows a
// temporary file that somebody is still writing by the lock the writer holds on it, and one that is published
// but not named yet by the store's write lock: publish() and remove_orphans() belong within a transaction.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>

#include "sim/base/result.h"
#include "sim/base/unique_fd.h"
#include "sim/cloud/digest.h"

namespace otasim::cloud {

class ContentWriter {
 public:
  ContentWriter(ContentWriter&& other) noexcept;
  ContentWriter& operator=(ContentWriter&& other) = delete;
  ContentWriter(const ContentWriter&) = delete;
  ContentWriter& operator=(const ContentWriter&) = delete;
  ~ContentWriter();

  /// @returns kEnvironment  it cannot be written, the disk is full for instance
  [[nodiscard]] Result<void> append(std::span<const std::uint8_t> piece);
  /// Adds a part of another file. @returns kEnvironment, also if that file ends before
  [[nodiscard]] Result<void> append_file(int fd, std::int64_t offset, std::int64_t length);
  /// Ends the content. @returns kEnvironment
  [[nodiscard]] Result<void> seal();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::int64_t size() const { return size_; }
  /// Of the whole, once it is sealed.
  [[nodiscard]] const std::vector<std::uint8_t>& md5() const { return md5_; }

 private:
  friend class ContentFolder;
  ContentWriter(std::string name, std::string temporary, UniqueFd file)
      : name_(std::move(name)), temporary_(std::move(temporary)), file_(std::move(file)) {}

  std::string name_;
  std::string temporary_;  ///< the path; empty once it is published
  UniqueFd file_;          ///< locked
  std::int64_t size_ = 0;
  Digest digest_{DigestKind::kMd5};
  std::vector<std::uint8_t> md5_;
};

class ContentFolder {
 public:
  /// @param path  made by the first writer if it is missing
  explicit ContentFolder(std::string path) : path_(std::move(path)) {}

  /// @param name  a UUID, else it is not found to be an orphan. @returns kEnvironment
  [[nodiscard]] Result<ContentWriter> begin(const std::string& name) const;
  /// Gives the content its name, for good if the process dies, taking the place of an orphan.
  /// @returns kEnvironment
  [[nodiscard]] Result<void> publish(ContentWriter& writer) const;
  void remove(const std::string& name) const;
  /// @returns kEnvironment  there is no such file; a name that would lead out of the folder names none
  [[nodiscard]] Result<UniqueFd> open(const std::string& name) const;
  /// Removes all content but what is named. What is no content, and what cannot be removed, stays.
  void remove_orphans(const std::unordered_set<std::string>& named) const;

  [[nodiscard]] std::string path_of(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Reads `into.size()` bytes of a file from `offset`. @returns false if it ends before or fails
[[nodiscard]] bool read_content(int fd, std::int64_t offset, std::span<std::uint8_t> into);

}  // namespace otasim::cloud
