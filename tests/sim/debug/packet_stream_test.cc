#include "sim/debug/packet_stream.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace otasim::debug {
namespace {

using Kind = PacketReader::Kind;

std::string render(const std::vector<PacketReader::Item>& items) {
  std::string text;
  for (const PacketReader::Item& item : items) {
    if (item.kind == Kind::kPacket) text += '[' + item.content + ']';
    if (item.kind == Kind::kInterrupt) text += 'I';
    if (item.kind == Kind::kResend) text += 'R';
    if (item.kind == Kind::kBadSum) text += 'B';
  }
  return text;
}

std::string read_in_pieces(const std::string& bytes, std::size_t first, std::size_t second) {
  PacketReader reader;
  std::vector<PacketReader::Item> items;
  const auto feed = [&](const std::string& piece) {
    reader.feed(piece);
    while (auto item = reader.next()) items.push_back(*item);
  };
  feed(bytes.substr(0, first));
  feed(bytes.substr(first, second - first));
  feed(bytes.substr(second));
  return render(items);
}

TEST(PacketReader, SplitAnywhereTheItemsAreTheSame) {
  const std::string bytes = "+" + device::gdb_packet("qSupported:a+") + "+\x03-" + device::gdb_packet("") +
                            device::gdb_packet("X1,2:}\x03}\x04") + "\x03";
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    for (std::size_t second = first; second <= bytes.size(); ++second)
      ASSERT_EQ(read_in_pieces(bytes, first, second), "[qSupported:a+]IR[][X1,2:}\x03}\x04]I")
          << first << ' ' << second;
  }
}

TEST(PacketReader, WrongSumIsToldAndTheStreamGoesOn) {
  PacketReader reader;
  reader.feed("$g#00" + device::gdb_packet("g"));
  EXPECT_EQ(reader.next()->kind, Kind::kBadSum);
  EXPECT_EQ(reader.next()->content, "g");
  EXPECT_FALSE(reader.is_broken());
}

TEST(PacketReader, SumThatIsNoNumberBreaksTheStream) {
  PacketReader reader;
  reader.feed("$g#zz");
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.is_broken());
}

TEST(PacketReader, PacketWithoutEndIsBounded) {
  PacketReader reader;
  reader.feed("$" + std::string(device::kMaxGdbPacketBytes + 1, 'a'));
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.is_broken());
}

TEST(PacketReader, AnyBytesEndInItemsOrABrokenStream) {
  std::mt19937_64 random(1);
  const std::string alphabet =
      "$#+-\x03"
      "0afgT";
  for (int run = 0; run < 2000; ++run) {
    PacketReader reader;
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = alphabet[random() % alphabet.size()];
    reader.feed(bytes);
    std::size_t items = 0;
    while (reader.next()) ASSERT_LE(++items, bytes.size());
  }
}

}  // namespace
}  // namespace otasim::debug
