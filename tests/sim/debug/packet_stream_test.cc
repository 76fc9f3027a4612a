#include "sim/debug/packet_stream.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
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

/// A stream and a peer that reads nothing unless it is told to.
class PacketStreamTest : public ::testing::Test {
 protected:
  PacketStreamTest() {
    boost::asio::local::stream_protocol::socket mine(io);
    boost::asio::local::connect_pair(mine, peer);
    peer.non_blocking(true);
    stream = PacketStream::create(std::move(mine),
                                  {.on_packet = [](const std::string&) {}, .on_close = [this] { ++closes; }});
    stream->start();
  }
  ~PacketStreamTest() override {
    stream->close();
    io.restart();
    io.poll();
  }
  /// All that there is to be read now and after it.
  std::string read_all() {
    std::string all;
    for (std::string piece(65536, '\0');;) {
      io.restart();
      io.poll();
      boost::system::error_code error;
      const std::size_t count = peer.read_some(boost::asio::buffer(piece), error);
      if (error) return all;
      all.append(piece, 0, count);
    }
  }

  boost::asio::io_context io;
  boost::asio::local::stream_protocol::socket peer{io};
  std::shared_ptr<PacketStream> stream;
  int closes = 0;
};

TEST_F(PacketStreamTest, PeerThatDoesNotReadIsLetGo) {
  const std::string packet(1024, 'a');
  for (std::size_t sent = 0; sent <= kMaxUnreadBytes; sent += packet.size()) stream->send(packet);
  EXPECT_EQ(closes, 0) << "not while it is being told something";
  io.poll();
  EXPECT_EQ(closes, 1);
}

TEST_F(PacketStreamTest, PeerThatReadsGetsAll) {
  const std::string packet(1024, 'a');
  std::size_t heard = 0;
  for (std::size_t sent = 0; sent <= 2 * kMaxUnreadBytes; sent += packet.size()) {
    stream->send(packet);
    heard += read_all().size();
  }
  EXPECT_EQ(closes, 0);
  EXPECT_GT(heard, 2 * kMaxUnreadBytes);
}

TEST_F(PacketStreamTest, PacketThatIsUnderWayIsNotSentAgain) {
  const std::string packet(1024 * 1024, 'a');  // more than the socket takes
  stream->send(packet);
  const std::string wishes(1000, '-');
  peer.write_some(boost::asio::buffer(wishes));
  io.poll();
  const std::size_t one = device::gdb_packet(packet).size();
  EXPECT_EQ(read_all().size(), one);
  peer.write_some(boost::asio::buffer("-", 1));
  EXPECT_EQ(read_all().size(), one) << "once it is idle it is";
}

}  // namespace
}  // namespace otasim::debug
