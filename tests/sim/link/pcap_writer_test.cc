#include "sim/link/pcap_writer.h"

#include <gtest/gtest.h>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "tests/sim/link/packets.h"

namespace otasim::link::test {
namespace {

constexpr std::chrono::system_clock::time_point kWhen{std::chrono::nanoseconds(5'000'000'258)};

class PcapWriterTest : public testing::Test {
 protected:
  TempDir folder_ = TempDir::create().value();
  std::string path_ = folder_.file("link.pcap");
};

TEST_F(PcapWriterTest, TheFileHasTheBytesOfTheFormat) {
  {
    auto writer = PcapWriter::create(path_).value();
    EXPECT_TRUE(writer.write(Frame{0xaa, 0xbb, 0xcc}, kWhen));
  }
  const Frame expected = {0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0,    0,    0,   0, 0,
                          0,    0xff, 0xff, 0,    0, 1, 0, 0, 0, 5, 0,    0,    0,   2, 1,
                          0,    0,    3,    0,    0, 0, 3, 0, 0, 0, 0xaa, 0xbb, 0xcc};
  EXPECT_EQ(read_file(path_).value(), expected);
}

TEST_F(PcapWriterTest, TheCaptureEndsAtItsLimitWithWholeRecords) {
  auto writer = PcapWriter::create(path_, 24 + 2 * (16 + 60)).value();
  EXPECT_TRUE(writer.write(Frame(60), kWhen));
  EXPECT_TRUE(writer.write(Frame(60), kWhen));
  EXPECT_FALSE(writer.write(Frame(60), kWhen));
  EXPECT_FALSE(writer.write(Frame(1), kWhen)) << "ended for good";
  EXPECT_EQ(read_file(path_).value().size(), 24u + 2 * (16 + 60));
}

TEST_F(PcapWriterTest, AFolderThatIsMissingIsNamed) {
  const auto writer = PcapWriter::create(folder_.file("missing/link.pcap"));
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ExitCode::kEnvironment);
  EXPECT_NE(writer.error().message.find("missing/link.pcap"), std::string::npos);
}

}  // namespace
}  // namespace otasim::link::test
