// What may be swept, and what is refused with a reason: a run's folder must account for its flash.
#include "sim/sweep/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "pal_sim/flash/nor_model.h"
#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"

namespace otasim::sweep {
namespace {

using ::testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

class RecordingTest : public ::testing::Test {
 protected:
  RecordingTest() {
    std::filesystem::create_directories(device());
    Bytes window(flash::kWindowSize);
    flash::format_window(window);
    write("factory.bin", window);
    auto log = flash::OpLogWriter::open(device() + "/flash.ops").value();
    flash::NorModel part(window);
    part.set_observer(&log);
    const Bytes data(100, 0x5A);
    EXPECT_EQ(part.erase_sector(flash::kSlotB.offset), flash::Status::kOk);
    EXPECT_EQ(part.program(flash::kSlotB.offset, data), flash::Status::kOk);
    EXPECT_EQ(part.otp_program(4, Bytes{0}), flash::Status::kOk);
    EXPECT_EQ(part.lock(flash::kRecovery.offset, 4096), flash::Status::kOk);
    write("flash.bin", window);
    result(R"({"scenario": "S", "board": "mps2-an385", "seed": 7, "devices": [{"device": "thing-1"}]})");
  }

  [[nodiscard]] std::string device() const { return folder_.file("devices/thing-1"); }
  void write(const std::string& name, const Bytes& bytes) const {
    ASSERT_TRUE(write_file_atomic(device() + "/" + name, bytes));
  }
  [[nodiscard]] Bytes read(const std::string& name) const { return read_file(device() + "/" + name).value(); }
  void result(std::string_view text) const {
    ASSERT_TRUE(write_file_atomic(folder_.file("result.json"), text));
  }
  [[nodiscard]] Result<Recording> load() const { return Recording::load(folder_.path().string()); }
  /// Of a load that must be refused as the user's, with what to do.
  [[nodiscard]] std::string refusal() const {
    const auto recording = load();
    if (recording) return "not refused";
    EXPECT_EQ(recording.error().code, ExitCode::kUsage);
    EXPECT_THAT(recording.error().message, HasSubstr(folder_.path().string()));
    EXPECT_THAT(recording.error().hint, HasSubstr("--scenario"));
    return recording.error().message;
  }

  TempDir folder_ = TempDir::create().value();
};

TEST_F(RecordingTest, ARunIsTaken) {
  const auto recording = load();
  ASSERT_TRUE(recording) << recording.error().message;
  EXPECT_EQ(recording->name, "S");
  EXPECT_EQ(recording->board, "mps2-an385");
  EXPECT_EQ(recording->device, "thing-1");
  EXPECT_EQ(recording->seed, 7U);
  EXPECT_EQ(recording->folder, folder_.path().string());
  EXPECT_EQ(recording->history.operations().size(), 4U);
}

TEST_F(RecordingTest, AFolderThatIsNoRunIsRefused) {
  std::filesystem::remove(folder_.file("result.json"));
  EXPECT_THAT(refusal(), HasSubstr("no result.json"));
}

TEST_F(RecordingTest, ForeignResultsAreRefused) {
  for (const char* text :
       {"", "{", "null", "[]", "7", "\"text\"", "{}", "\xff\xfe", R"({"scenario": "S"})",
        R"({"scenario": "S", "board": "b"})", R"({"scenario": "S", "board": "b", "devices": []})",
        R"({"scenario": "S", "board": "b", "devices": {}})",
        R"({"scenario": "S", "board": "b", "devices": "thing-1"})",
        R"({"scenario": "S", "board": "b", "devices": ["thing-1"]})",
        R"({"scenario": "S", "board": "b", "devices": [{}]})",
        R"({"scenario": 1, "board": "b", "devices": [{"device": "thing-1"}]})",
        R"({"scenario": "S", "board": ["b"], "devices": [{"device": "thing-1"}]})"}) {
    result(text);
    EXPECT_THAT(refusal(), HasSubstr("no run's")) << text;
  }
}

TEST_F(RecordingTest, ADeviceThatLeftNoFlashIsRefused) {
  for (const char* name : {"\"thing-2\"", "\"\"", "7", "null", "\"../..\""}) {
    result(R"({"scenario": "S", "board": "b", "devices": [{"device": )" + std::string(name) + "}]}");
    EXPECT_THAT(refusal(), HasSubstr("cannot be swept")) << name;
  }
}

TEST_F(RecordingTest, ASeedOfAnotherTypeIsTheDefault) {
  for (const char* seed : {"-1", "\"7\"", "1.5", "null", "[]"}) {
    result(R"({"scenario": "S", "board": "b", "devices": [{"device": "thing-1"}], "seed": )" +
           std::string(seed) + "}");
    ASSERT_TRUE(load()) << seed;
    EXPECT_EQ(load()->seed, 1U) << seed;
  }
}

TEST_F(RecordingTest, ATornOpLogIsRefused) {
  std::ofstream(device() + "/flash.ops", std::ios::app | std::ios::binary) << "torn";
  EXPECT_THAT(refusal(), HasSubstr("op log is torn"));
}

TEST_F(RecordingTest, AMissingOrForeignOpLogIsRefused) {
  write("flash.ops", Bytes(100, 7));
  EXPECT_THAT(refusal(), HasSubstr("not an op log"));
  std::filesystem::remove(device() + "/flash.ops");
  EXPECT_THAT(refusal(), HasSubstr("flash.ops"));
}

TEST_F(RecordingTest, FlashThatItsOperationsHaveNotMadeIsRefused) {
  const Bytes sound = read("flash.bin");
  for (const std::uint32_t at :
       {0U, flash::kSlotB.offset + 50, flash::kRecovery.end() - 1, flash::kOtpOffset + flash::kOtpSize - 1}) {
    Bytes damaged = sound;
    damaged[at] ^= 0x10;
    write("flash.bin", damaged);
    EXPECT_THAT(refusal(), HasSubstr("changed at rest")) << at;
  }
  Bytes other = sound;
  other[flash::kPageBufferOffset] ^= 1;
  write("flash.bin", other);
  EXPECT_TRUE(load()) << "registers and page buffer are no cells";
}

TEST_F(RecordingTest, FlashOfAnotherSizeIsRefused) {
  Bytes bytes = read("flash.bin");
  bytes.pop_back();
  write("flash.bin", bytes);
  EXPECT_THAT(refusal(), HasSubstr("flash.bin is missing or no flash file"));
  write("flash.bin", {});
  EXPECT_THAT(refusal(), HasSubstr("no flash file"));
  std::filesystem::remove(device() + "/flash.bin");
  EXPECT_THAT(refusal(), HasSubstr("missing"));
}

TEST_F(RecordingTest, AFactoryFileOfAnotherSizeIsRefused) {
  write("factory.bin", Bytes(100, 0xFF));
  EXPECT_THAT(refusal(), HasSubstr("no flash part's window"));
}

}  // namespace
}  // namespace otasim::sweep
