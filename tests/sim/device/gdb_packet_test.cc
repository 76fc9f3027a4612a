#include "sim/device/gdb_packet.h"

#include <gtest/gtest.h>

namespace otasim::device {
namespace {

TEST(GdbPacket, IsFramedWithItsSum) {
  EXPECT_EQ(gdb_packet("c"), "$c#63");
  EXPECT_EQ(gdb_packet("pf"), "$pf#d6");
  EXPECT_EQ(gdb_packet(""), "$#00");
}

TEST(GdbPacket, WordsAreLittleEndian) {
  EXPECT_EQ(gdb_word(0x1234'5678), "78563412");
  EXPECT_EQ(gdb_word_value("78563412"), 0x1234'5678U);
  EXPECT_EQ(gdb_word_value("785634"), std::nullopt);
  EXPECT_EQ(gdb_word_value("7856341x"), std::nullopt);
  EXPECT_EQ(gdb_bytes("ab\xFF"), "6162ff");
}

TEST(GdbPacketReader, CutsAStreamWhereverItIsTorn) {
  const std::string stream = "+$T05thread:01;#07++$OK#9a$#00";
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    GdbPacketReader reader;
    std::vector<std::string> contents;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.feed(std::string_view(stream).substr(at, piece));
      while (const auto content = reader.next()) contents.push_back(*content);
    }
    EXPECT_EQ(contents, (std::vector<std::string>{"T05thread:01;", "OK", ""})) << "in pieces of " << piece;
  }
}

TEST(GdbPacketReader, APacketWithoutEndIsFoundOut) {
  GdbPacketReader reader;
  reader.feed("$" + std::string(kMaxGdbPacketBytes, '0'));
  EXPECT_EQ(reader.next(), std::nullopt);
  EXPECT_TRUE(reader.is_overrun());
}

}  // namespace
}  // namespace otasim::device
