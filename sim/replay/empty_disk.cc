#include "sim/replay/empty_disk.h"

#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/file_io.h"

namespace otasim::replay {
namespace {

// QEMU's docs/interop/qcow2.txt, version 2 of the format. All numbers have their highest byte first.
constexpr unsigned kClusterBits = 16;
constexpr std::size_t kCluster = std::size_t{1} << kClusterBits;
constexpr std::uint64_t kDiskBytes = 1024 * 1024;  // snapshots stand behind it; nothing is on it
constexpr std::size_t kRefcountTable = kCluster;
constexpr std::size_t kRefcountBlock = 2 * kCluster;
constexpr std::size_t kL1Table = 3 * kCluster;
constexpr std::size_t kClusters = 4;

void put(std::span<std::uint8_t> bytes, std::size_t offset, std::uint64_t number, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    bytes[offset + size - 1 - i] = static_cast<std::uint8_t>(number & 0xFF);
    number >>= 8;
  }
}

}  // namespace

Result<void> make_empty_disk(const std::string& path) {
  std::vector<std::uint8_t> disk(kClusters * kCluster, 0);
  put(disk, 0, 0x514649FB, 4);       // magic
  put(disk, 4, 2, 4);                // version
  put(disk, 20, kClusterBits, 4);    // cluster_bits
  put(disk, 24, kDiskBytes, 8);      // size
  put(disk, 36, 1, 4);               // l1_size
  put(disk, 40, kL1Table, 8);        // l1_table_offset
  put(disk, 48, kRefcountTable, 8);  // refcount_table_offset
  put(disk, 56, 1, 4);               // refcount_table_clusters
  put(disk, kRefcountTable, kRefcountBlock, 8);
  for (std::size_t cluster = 0; cluster < kClusters; ++cluster) put(disk, kRefcountBlock + 2 * cluster, 1, 2);
  return write_file_atomic(path, disk);
}

}  // namespace otasim::replay
