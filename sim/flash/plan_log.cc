#include "sim/flash/plan_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <type_traits>

namespace otasim::flash_file {
namespace {

static_assert(std::is_trivially_copyable_v<FaultPlan>, "plans are stored as they stand in memory");

/// The size tells of a plan that has changed its members.
struct Header {
  std::array<char, 4> magic = {'O', 'T', 'P', 'L'};
  std::uint32_t version = 1;
  std::uint64_t plan_bytes = sizeof(FaultPlan);

  bool operator==(const Header&) const = default;
};

struct StoredEntry {
  std::uint64_t questions;
  FaultPlan plan;
};

/// Of a run that arms and clears all day.
constexpr std::uint64_t kMaxEntries = 100'000;

bool write_whole(int file, const void* data, std::size_t size) {
  return ::write(file, data, size) == static_cast<ssize_t>(size);
}

tl::unexpected<Error> failure(const std::string& what, const std::string& path, const std::string& why) {
  return fail(ExitCode::kEnvironment, "cannot " + what + " the plan log " + path + ": " + why + ".");
}

}  // namespace

Result<PlanLog> PlanLog::create(const std::string& path) {
  PlanLog log;
  log.file_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  const Header header;
  if (!log.file_ || !write_whole(log.file_.get(), &header, sizeof header))
    return failure("make", path, std::strerror(errno));
  return log;
}

Result<PlanLog> PlanLog::open(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  Header header;
  if (!file) return failure("open", path, std::strerror(errno));
  const bool is_whole = ::read(file.get(), &header, sizeof header) == static_cast<ssize_t>(sizeof header);
  if (!is_whole || header != Header{}) return failure("use", path, "it is of another version, or damaged");
  PlanLog log;
  StoredEntry stored{};
  while (::read(file.get(), &stored, sizeof stored) == static_cast<ssize_t>(sizeof stored)) {
    if (log.entries_.size() == kMaxEntries) return failure("use", path, "it is too long");
    log.entries_.push_back({stored.questions, stored.plan});
  }
  return log;
}

void PlanLog::append(std::uint64_t questions, const FaultPlan& plan) {
  if (failed_) return;
  StoredEntry stored;
  std::memset(static_cast<void*>(&stored), 0, sizeof stored);
  stored.questions = questions;
  stored.plan = plan;
  failed_ = !write_whole(file_.get(), &stored, sizeof stored);
  if (!failed_) return;
  // Half a log would send a replay another way; an empty one is none. Of an error here nothing better can be
  // made.
  [[maybe_unused]] const int error = ::ftruncate(file_.get(), 0);
}

std::optional<FaultPlan> PlanLog::due(std::uint64_t questions) {
  if (next_ == entries_.size() || entries_[next_].questions > questions) return std::nullopt;
  return entries_[next_++].plan;
}

}  // namespace otasim::flash_file
