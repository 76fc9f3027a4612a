// The NBD server's parser: whatever a client sends, in whatever pieces, the part changes only as a NOR part
// does, and no answer is longer than a request can ask for.
//
// Input: the bytes of the connection. A byte says in how large a piece the next ones come.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "pal_sim/flash/nor_model.h"
#include "sim/flash/flash_file.h"
#include "sim/flash/nbd_connection.h"
#include "tests/fuzzing/claim.h"

namespace {

using namespace otasim::flash_file;
using otasim::testing::claim;

/// One part for all inputs: what an input has programmed is erased again by the next.
class Fuzzed {
 public:
  Fuzzed() {
    std::string folder = "/tmp/otasim-fuzz-XXXXXX";
    claim(::mkdtemp(folder.data()) != nullptr, "there is a folder for the flash file");
    const std::string path = folder + "/flash.bin";
    file_.emplace(FlashFile::create(path, flash::kSpiNorPart).value());
    part_ = FlashPart::power_on({.window_path = path}).value();
    ::unlink(path.c_str());
    ::rmdir(folder.c_str());
    file_->bytes()[kMark] = 0x0F;
    disk_.emplace(*part_);
  }
  NorDisk& disk() { return *disk_; }
  std::uint8_t mark() const { return file_->bytes()[kMark]; }
  std::uint32_t operations() { return part_->model().sequence(); }
  std::uint32_t erases() { return part_->model().erase_count(kMark); }
  void forget() {
    const auto cells = file_->bytes().first(kChecked);
    std::fill(cells.begin(), cells.end(), std::uint8_t{0xFF});
    file_->bytes()[kMark] = 0x0F;
    std::vector<std::uint8_t> out(kChecked);
    claim(disk_->read(0, out) == DiskOutcome::kDone, "it can be read");
  }
  static constexpr std::uint32_t kMark = 0;
  static constexpr std::uint32_t kChecked = 2 * 65536;

 private:
  std::optional<FlashFile> file_;
  std::unique_ptr<FlashPart> part_;
  std::optional<NorDisk> disk_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Fuzzed fuzzed;
  fuzzed.forget();
  const std::uint32_t operations = fuzzed.operations();
  const std::uint32_t erases = fuzzed.erases();
  int refused = 0;
  NbdConnection connection(fuzzed.disk(), [&refused](const RefusedWrite&) { ++refused; });
  std::vector<std::uint8_t> buffer;
  std::size_t at = 0;
  while (at < size && !connection.is_closed()) {
    const std::size_t piece = std::min<std::size_t>(size - at - 1, data[at]);
    buffer.insert(buffer.end(), data + at + 1, data + at + 1 + piece);
    at += 1 + piece;
    claim(buffer.size() <= NbdConnection::kMaxMessageBytes, "a buffer of one message is enough");
    for (;;) {
      connection.clear_output();
      const std::size_t taken = connection.take(buffer);
      claim(taken <= buffer.size(), "it takes no more than there is");
      claim(connection.output().size() <=
                otasim::flash_file::nbd::kSimpleReplySize + otasim::flash_file::nbd::kMaxRequestBytes,
            "an answer is bounded");
      buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(taken));
      if (taken == 0) break;
    }
  }
  claim(!connection.is_without_power(), "nobody has cut the power");
  const bool is_changed = fuzzed.mark() != 0x0F;
  claim(!is_changed || fuzzed.operations() > operations, "what changes is an operation");
  claim((fuzzed.mark() & ~0x0F) == 0 || fuzzed.erases() > erases, "bits are set by an erase only");
  return 0;
}
