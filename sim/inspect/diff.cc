#include "sim/inspect/diff.h"

#include <algorithm>
#include <set>

#include "pal_sim/flash/flash_map.h"
#include "sim/flash/flash_range.h"

namespace otasim::inspect {
namespace {

using nlohmann::json;
using Bytes = std::span<const std::uint8_t>;

constexpr std::uint32_t kCellsEnd = flash::kOtpOffset + flash::kOtpSize;

const json& member(const json& object, const std::string& name) {
  static const json kNone;
  const auto found = object.find(name);
  return found == object.end() ? kNone : *found;
}

/// Objects are gone into; one that is in one report only is told as a whole.
void compare(const std::string& path, const json& from, const json& to, std::vector<Change>& out) {
  if (from == to) return;
  if (!from.is_object() || !to.is_object()) {
    out.push_back({path, from, to});
    return;
  }
  std::set<std::string> names;
  for (const json* const object : {&from, &to}) {
    for (const auto& item : object->items()) names.insert(item.key());
  }
  for (const std::string& name : names)
    compare(path.empty() ? name : path + "." + name, member(from, name), member(to, name), out);
}

/// What partition begins, or ends, next after `offset`: the bytes up to there belong to one of them.
std::uint32_t next_border(std::uint32_t offset) {
  std::uint32_t border = kCellsEnd;
  const auto consider = [&](std::uint32_t at) {
    if (at > offset) border = std::min(border, at);
  };
  for (const flash::Partition& partition : flash::kPartitions) {
    consider(partition.offset);
    consider(partition.end());
  }
  consider(flash::kOtpOffset);
  return border;
}

void add_range(PartitionDifference& out, std::uint32_t begin, std::uint32_t end) {
  if (!out.ranges.empty() && out.left_off == 0) {
    ByteRange& last = out.ranges.back();
    if (begin - (last.offset + last.length) < kMergedGap) {
      last.length = end - last.offset;
      return;
    }
  }
  if (out.ranges.size() == PartitionDifference::kMostRanges) {
    ++out.left_off;
    return;
  }
  out.ranges.push_back({begin, end - begin});
}

PartitionDifference compare_range(Bytes from, Bytes to, std::uint32_t begin, std::uint32_t end) {
  PartitionDifference difference{.partition = std::string(flash_file::partition_at(begin))};
  std::uint32_t at = begin;
  while (at < end) {
    const auto place = std::mismatch(from.begin() + at, from.begin() + end, to.begin() + at).first;
    const auto first = static_cast<std::uint32_t>(place - from.begin());
    if (first == end) break;
    std::uint32_t last = first;
    while (last < end && from[last] != to[last]) ++last;
    difference.differing_bytes += last - first;
    add_range(difference, first, last);
    at = last;
  }
  return difference;
}

}  // namespace

std::vector<Change> changes_between(const json& from, const json& to) {
  std::vector<Change> changes;
  compare("", from, to, changes);
  return changes;
}

std::vector<PartitionDifference> byte_differences(Bytes from, Bytes to) {
  std::vector<PartitionDifference> differences;
  for (std::uint32_t begin = 0; begin < kCellsEnd;) {
    const std::uint32_t end = next_border(begin);
    PartitionDifference difference = compare_range(from, to, begin, end);
    if (difference.differing_bytes != 0) differences.push_back(std::move(difference));
    begin = end;
  }
  return differences;
}

}  // namespace otasim::inspect
