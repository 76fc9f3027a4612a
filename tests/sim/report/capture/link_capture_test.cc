// A run's captures as one pcapng file, and what cannot be one.
#include "sim/report/capture/link_capture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/link/pcap_writer.h"
#include "sim/report/capture/decode_options.h"
#include "sim/report/capture/frame_comments.h"

namespace otasim::report::capture {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kEpochUs = 1'700'000'000'000'000;

struct Block {
  std::uint32_t type;
  std::string body;
};

std::uint32_t word(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

class LinkCaptureTest : public ::testing::Test {
 protected:
  void write_text(const std::string& name, const std::string& text) {
    std::ofstream(folder_.file(name), std::ios::binary) << text;
  }
  /// A device's capture with a frame at each of these times; a frame's last byte is its number.
  void write_link(const std::string& device, const std::vector<std::int64_t>& times_us) {
    fs::create_directories(folder_.file("devices/" + device));
    auto writer = link::PcapWriter::create(path_of_link(device));
    std::vector<std::uint8_t> frame(60);
    frame[6] = 2;
    for (const std::int64_t t_us : times_us) {
      const std::chrono::system_clock::time_point when{std::chrono::microseconds(kEpochUs + t_us)};
      EXPECT_TRUE(writer->write(frame, when));
      ++frame.back();
    }
  }
  std::string path_of_link(const std::string& device) {
    return folder_.file("devices/" + device + "/link.pcap");
  }
  Result<WrittenCapture> write(const std::string& device = {}) {
    return write_capture({.folder = folder_.path().string(), .device = device});
  }
  /// Checks that both lengths of each block agree.
  std::vector<Block> blocks() {
    const auto bytes = read_file(folder_.file(kCaptureFile));
    const std::string text(bytes->begin(), bytes->end());
    std::vector<Block> found;
    for (std::size_t at = 0; at < text.size();) {
      const std::uint32_t length = word(text, at + 4);
      EXPECT_EQ(length % 4, 0U);
      EXPECT_EQ(word(text, at + length - 4), length);
      found.push_back({word(text, at), text.substr(at + 8, length - 12)});
      at += length;
    }
    return found;
  }
  /// Their interfaces, in order.
  std::vector<std::uint32_t> frames() {
    std::vector<std::uint32_t> interfaces;
    for (const Block& block : blocks()) {
      if (block.type == 6) interfaces.push_back(word(block.body, 0));
    }
    return interfaces;
  }

  TempDir folder_ = TempDir::create().value();
};

TEST_F(LinkCaptureTest, SecretsComeBeforeTheFramesThatNeedThem) {
  write_link("lamp", {1});
  write_text("tls.keys", "CLIENT_RANDOM aa bb\n");
  ASSERT_TRUE(write());
  std::vector<std::uint32_t> types;
  for (const Block& block : blocks()) types.push_back(block.type);
  EXPECT_THAT(types, ElementsAre(0x0A0D0D0AU, 10U, 1U, 6U));
  EXPECT_THAT(blocks()[1].body, HasSubstr("CLIENT_RANDOM aa bb\n"));
}

TEST_F(LinkCaptureTest, TheFileIsItsOwnersAlone) {
  write_link("lamp", {1});
  write_text(kCaptureFile, "of before, which all may read");
  ASSERT_TRUE(write());
  struct stat info {};
  ASSERT_EQ(stat(folder_.file(kCaptureFile).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(LinkCaptureTest, FramesOfAllLinksAreInOrderOfTime) {
  write_link("door", {10, 40});
  write_link("lamp", {20, 30});
  const auto written = write();
  ASSERT_TRUE(written);
  EXPECT_EQ(written->frames, 4U);
  EXPECT_THAT(frames(), ElementsAre(0, 1, 1, 0));
}

TEST_F(LinkCaptureTest, OneDeviceAlone) {
  write_link("door", {10, 40});
  write_link("lamp", {20});
  ASSERT_TRUE(write("lamp"));
  EXPECT_THAT(frames(), ElementsAre(0));
  const auto nobody = write("nobody");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, ExitCode::kUsage);
}

TEST_F(LinkCaptureTest, TheNextFrameOfTheDeviceTellsWhatHasHappened) {
  write_link("door", {10, 40});
  write_link("lamp", {20, 30});
  write_text("events.jsonl",
             R"({"t_us":0,"epoch_us":1700000000000000,"source":"lab","event":"ports","mqtt":40001}
{"t_us":15,"source":"device","event":"reset","cause":"watchdog","device":"door"}
)");
  ASSERT_TRUE(write());
  std::vector<bool> tells;
  for (const Block& block : blocks()) {
    if (block.type == 6) tells.push_back(block.body.find("reset, watchdog") != std::string::npos);
  }
  EXPECT_THAT(tells, ElementsAre(false, false, false, true));
  EXPECT_THAT(blocks()[0].body, HasSubstr("-d tls.port==40001,mqtt"));
}

TEST_F(LinkCaptureTest, ATornLastFrameEndsIt) {
  write_link("lamp", {1, 2});
  fs::resize_file(path_of_link("lamp"), fs::file_size(path_of_link("lamp")) - 1);
  const auto written = write();
  ASSERT_TRUE(written);
  EXPECT_EQ(written->frames, 1U);
  EXPECT_THAT(written->problems, ElementsAre(HasSubstr("its last frame is not whole")));
}

TEST_F(LinkCaptureTest, ALengthIsNotTrusted) {
  write_link("lamp", {1});
  std::fstream file(path_of_link("lamp"), std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(24 + 8);
  file.write("\xff\xff\xff\x7f", 4);
  file.close();
  const auto written = write();
  ASSERT_TRUE(written);
  EXPECT_EQ(written->frames, 0U);
  EXPECT_THAT(written->problems, ElementsAre(HasSubstr("claims 2147483647 bytes")));
}

TEST_F(LinkCaptureTest, WhatIsNoCaptureIsRefusedAndLeavesNothing) {
  fs::create_directories(folder_.file("devices/lamp"));
  write_text("devices/lamp/link.pcap", "not one");
  const auto written = write();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ExitCode::kUsage);
  EXPECT_FALSE(fs::exists(folder_.file(kCaptureFile)));
}

TEST_F(LinkCaptureTest, EachPortOfTheBrokerIsTold) {
  write_text("events.jsonl", R"({"t_us":0,"source":"lab","event":"ports","mqtt":40001,"https":40002}
torn "ports"
{"t_us":1,"source":"lab","event":"ports","mqtt":70000}
{"t_us":2,"source":"lab","event":"ports","mqtt":40003}
)");
  EXPECT_EQ(decode_options(folder_.path().string()), "-d tls.port==40001,mqtt -d tls.port==40003,mqtt");
}

/// Frames times comments would take minutes.
TEST_F(LinkCaptureTest, ManyCommentsOfOneDeviceCostTheFramesOfAnotherNothing) {
  constexpr int kMany = 20'000;
  std::string log = R"({"t_us":0,"source":"run","event":"step","text":"begin","epoch_us":0})";
  for (int i = 1; i <= kMany; ++i)
    log +=
        "\n{\"t_us\":" + std::to_string(i) + R"(,"source":"device","event":"power_on","device":"thing-2"})";
  write_text("events.jsonl", log + '\n');
  auto comments = FrameComments::read(folder_.path().string());
  EXPECT_EQ(comments.take("thing-1", kMany * 1000LL), "begin");
  for (int i = 0; i < kMany; ++i) ASSERT_EQ(comments.take("thing-1", kMany * 1000LL), "");
  EXPECT_EQ(comments.take("thing-2", 2000), "power on\npower on");
}

TEST_F(LinkCaptureTest, CommentsOfADeviceAndOfNoneComeInTheirOrder) {
  write_text("events.jsonl", R"({"t_us":0,"source":"run","event":"step","text":"a","epoch_us":0}
{"t_us":5,"source":"device","event":"reset","cause":"power","device":"thing-1"}
{"t_us":5,"source":"run","event":"step","text":"b"}
{"t_us":5,"source":"device","event":"power_on","device":"thing-1"}
{"t_us":9,"source":"run","event":"step","text":"c"}
{"t_us":9223372036854775807,"source":"run","event":"step","text":"no time"}
)");
  auto comments = FrameComments::read(folder_.path().string());
  EXPECT_EQ(comments.take("thing-1", 5000), "a\nreset, power\nb\npower on");
  EXPECT_EQ(comments.take("thing-1", 8999), "");
  EXPECT_EQ(comments.take("thing-2", 9000), "c");
}

/// A run often ends so: the cloud learns of the device's last report by its last frame.
TEST_F(LinkCaptureTest, WhatComesAfterTheLastFrameIsToldWithIt) {
  write_link("door", {1, 30});
  write_link("lamp", {2});
  const auto line = [](std::int64_t t_us, const std::string& event) {
    return R"({"epoch_us":)" + std::to_string(kEpochUs) + R"(,"t_us":)" + std::to_string(t_us) + ',' + event +
           "}\n";
  };
  const std::string job = R"("source":"cloud","event":"job_execution","job":"j","status":)";
  write_text("events.jsonl", line(3, job + R"("IN_PROGRESS","thing":"lamp")") +
                                 line(4, job + R"("SUCCEEDED","thing":"lamp")") +
                                 line(31, R"("source":"run","event":"step","text":"the end")"));
  ASSERT_TRUE(write());
  std::vector<std::string> told;
  for (const Block& block : blocks()) {
    if (block.type == 6) told.push_back(block.body);
  }
  ASSERT_EQ(told.size(), 3U);
  EXPECT_THAT(told[0], Not(HasSubstr("after")));
  EXPECT_THAT(told[1],
              HasSubstr("after this frame: job j is IN_PROGRESS\nafter this frame: job j is SUCCEEDED"));
  EXPECT_THAT(told[2], HasSubstr("after this frame: the end"));
}

}  // namespace
}  // namespace otasim::report::capture
