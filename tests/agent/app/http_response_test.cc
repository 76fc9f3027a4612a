// The response reader: whole responses, however they are cut, and what it must not take.
#include "agent/app/http_response.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace app::http {
namespace {

struct Recorder final : ResponseSink {
  bool on_head(const ResponseHead& head) override {
    heads.push_back(head);
    bodies.emplace_back();
    return accepts;
  }
  std::size_t on_body(std::span<const std::uint8_t> piece) override {
    const std::size_t count = std::min(piece.size(), room);
    bodies.back().append(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
    room -= count;
    return count;
  }
  void on_end() override { ++ends; }

  bool accepts = true;
  std::size_t room = SIZE_MAX;
  std::vector<ResponseHead> heads;
  std::vector<std::string> bodies;
  int ends = 0;
};

ResponseReader::Result feed(ResponseReader& reader, std::string_view text) {
  return reader.feed({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

constexpr std::string_view kPartial =
    "HTTP/1.1 206 Partial Content\r\n"
    "x-amz-request-id: 4D5B\r\n"
    "Content-Range: bytes 10-14/100\r\n"
    "content-length:  5 \r\n"
    "\r\n"
    "hello";

TEST(HttpResponse, HeadAndBodyAreRead) {
  Recorder recorder;
  ResponseReader reader(recorder);
  const auto result = feed(reader, kPartial);
  EXPECT_EQ(result.status, ReadStatus::kOk);
  EXPECT_EQ(result.consumed, kPartial.size());
  ASSERT_EQ(recorder.heads.size(), 1U);
  const ResponseHead& head = recorder.heads[0];
  EXPECT_EQ(head.status, 206);
  EXPECT_EQ(head.content_length, 5U);
  EXPECT_EQ(head.content_range, (ContentRange{.first = 10, .last = 14, .total = 100}));
  EXPECT_FALSE(head.closes);
  EXPECT_FALSE(head.has_transfer_encoding);
  EXPECT_EQ(recorder.bodies[0], "hello");
  EXPECT_EQ(recorder.ends, 1);
  EXPECT_TRUE(reader.is_between_responses());
}

TEST(HttpResponse, ResponsesThatFollowEachOtherMayBeCutAnywhere) {
  const std::string two = std::string(kPartial) + "HTTP/1.1 100 Continue\r\n\r\n" + std::string(kPartial);
  for (std::size_t cut = 0; cut <= two.size(); ++cut) {
    Recorder recorder;
    ResponseReader reader(recorder);
    ASSERT_EQ(feed(reader, std::string_view(two).substr(0, cut)).status, ReadStatus::kOk) << cut;
    const bool is_at_an_end = cut == 0 || cut == kPartial.size() || cut == two.size();
    EXPECT_EQ(reader.is_between_responses(), is_at_an_end) << cut;
    ASSERT_EQ(feed(reader, std::string_view(two).substr(cut)).status, ReadStatus::kOk) << cut;
    EXPECT_EQ(recorder.bodies, (std::vector<std::string>{"hello", "hello"})) << cut;
    EXPECT_EQ(recorder.ends, 2);
  }
}

TEST(HttpResponse, ASinkWithoutRoomStopsTheReaderAndGetsTheRestLater) {
  Recorder recorder;
  recorder.room = 2;
  ResponseReader reader(recorder);
  const auto first = feed(reader, kPartial);
  EXPECT_EQ(first.status, ReadStatus::kOk);
  EXPECT_EQ(first.consumed, kPartial.size() - 3);
  EXPECT_FALSE(reader.is_between_responses());
  const auto blocked = feed(reader, kPartial.substr(first.consumed));
  EXPECT_EQ(blocked.consumed, 0U);
  recorder.room = 10;
  EXPECT_EQ(feed(reader, kPartial.substr(first.consumed)).consumed, 3U);
  EXPECT_EQ(recorder.bodies[0], "hello");
  EXPECT_EQ(recorder.ends, 1);
}

TEST(HttpResponse, ARefusedHeadEndsTheStream) {
  Recorder recorder;
  recorder.accepts = false;
  ResponseReader reader(recorder);
  EXPECT_EQ(feed(reader, kPartial).status, ReadStatus::kRefused);
  EXPECT_TRUE(recorder.bodies[0].empty());
  EXPECT_EQ(feed(reader, kPartial).status, ReadStatus::kRefused);
  reader.reset();
  recorder.accepts = true;
  EXPECT_EQ(feed(reader, kPartial).status, ReadStatus::kOk);
}

TEST(HttpResponse, ABodyOfNothingIsComplete) {
  Recorder recorder;
  ResponseReader reader(recorder);
  EXPECT_EQ(feed(reader, "HTTP/1.1 200 \r\nContent-Length: 0\r\nConnection: Keep, CLOSE\r\n\r\n").status,
            ReadStatus::kOk);
  EXPECT_EQ(recorder.ends, 1);
  EXPECT_TRUE(recorder.heads[0].closes);
}

TEST(HttpResponse, AnErrorsHeadReachesTheSinkWhateverItsBodyIs) {
  // S3 sends its error documents chunked.
  Recorder recorder;
  recorder.accepts = false;
  ResponseReader reader(recorder);
  EXPECT_EQ(feed(reader, "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n").status,
            ReadStatus::kRefused);
  EXPECT_EQ(recorder.heads[0].status, 403);
  EXPECT_TRUE(recorder.heads[0].has_transfer_encoding);
}

std::string with(std::string_view headers) {
  return "HTTP/1.1 206 Partial Content\r\n" + std::string(headers) + "\r\n\r\n";
}

TEST(HttpResponse, WhatNeedNotBeRefusedIsTaken) {
  for (const std::string& text :
       {with("Content-Length: 0\r\nContent-Length: 0"), with("Content-Length: 0\r\nX:"),
        with("Content-Length: 0\r\nContent-Range: bytes */12"),
        with("Content-Length: 0\r\nContent-Range: BYTES 0-0/*"),
        with("Content-Length: 0\r\nServer: \xc3\xa4 (x)\t;"), with("content-LENGTH:\t0\t"),
        with("Content-Length: 4294967295"),
        with("Content-Length: 0\r\nX: " + std::string(kMaxHeaderLine - 3, 'x'))}) {
    Recorder recorder;
    ResponseReader reader(recorder);
    EXPECT_EQ(feed(reader, text).status, ReadStatus::kOk) << text;
    EXPECT_EQ(recorder.heads.size(), 1U) << text;
  }
}

TEST(HttpResponse, HostileHeadsAreRefusedByName) {
  struct Case {
    std::string text;
    ReadStatus status;
  };
  std::string many;
  for (std::size_t i = 0; i <= kMaxHeaders; ++i) many += "A: b\r\n";
  std::string large;
  for (int i = 0; i < 10; ++i) large += "A: " + std::string(1000, 'x') + "\r\n";
  std::string interims;
  for (unsigned i = 0; i <= kMaxInterim; ++i) interims += "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  const std::string interim_of_some_size = "HTTP/1.1 100 C\r\nA: " + std::string(1000, 'x') + "\r\n\r\n";
  const std::string line = "HTTP/1.1 206 Partial Content\r\n";
  for (const Case& c : {
           Case{"HTTP/1.0 206 Partial Content\r\n", ReadStatus::kBadStatusLine},
           Case{"HTTP/2 206\r\n", ReadStatus::kBadStatusLine},
           Case{"http/1.1 206 OK\r\n", ReadStatus::kBadStatusLine},
           Case{"HTTP/1.1  206 OK\r\n", ReadStatus::kBadStatusLine},
           Case{"HTTP/1.1 206\r\n", ReadStatus::kBadStatusLine},
           Case{"HTTP/1.1 20 OK\r\n", ReadStatus::kBadStatusLine},
           Case{"HTTP/1.1 2066 OK\r\n", ReadStatus::kBadStatusLine},
           Case{"HTTP/1.1 +06 OK\r\n", ReadStatus::kBadStatusLine},
           Case{"HTTP/1.1 099 OK\r\n", ReadStatus::kBadStatusLine},
           Case{"HTTP/1.1 600 OK\r\n", ReadStatus::kBadStatusLine},
           Case{"HTTP/1.1 206 O\x01K\r\n", ReadStatus::kBadStatusLine},
           Case{"\r\n", ReadStatus::kBadStatusLine},
           Case{"HTTP/1.1 101 Switching Protocols\r\n\r\n", ReadStatus::kUnexpectedUpgrade},
           Case{"HTTP/1.1 206 " + std::string(kMaxStatusLine, 'x'), ReadStatus::kLineTooLong},
           Case{line + "X: " + std::string(kMaxHeaderLine, 'x'), ReadStatus::kLineTooLong},
           Case{line + many, ReadStatus::kTooManyHeaders},
           Case{line + large, ReadStatus::kHeadTooLarge},
           Case{interims, ReadStatus::kTooManyInterim},
           Case{interim_of_some_size + interim_of_some_size + line + large, ReadStatus::kHeadTooLarge},
           Case{line + "No colon\r\n", ReadStatus::kBadHeader},
           Case{line + ": no name\r\n", ReadStatus::kBadHeader},
           Case{line + "Content-Length : 5\r\n", ReadStatus::kBadHeader},
           Case{line + "Con tent: 5\r\n", ReadStatus::kBadHeader},
           Case{line + "A: \x02\r\n", ReadStatus::kBadHeader},
           Case{line + "A: \x7f\r\n", ReadStatus::kBadHeader},
           Case{line + "A: b\r\n c\r\n", ReadStatus::kFoldedHeader},
           Case{line + "A: b\r\n\tc\r\n", ReadStatus::kFoldedHeader},
           Case{line + "A: b\rC: d\r\n", ReadStatus::kBareCr},
           Case{line + "A: b\r\r\n", ReadStatus::kBareCr},
           Case{line + "A: b\nC: d\r\n", ReadStatus::kBareLf},
           Case{"HTTP/1.1 206 OK\n", ReadStatus::kBareLf},
           Case{line + std::string("A: b\0c\r\n", 8), ReadStatus::kNul},
           Case{std::string("\0", 1), ReadStatus::kNul},
           Case{line + "Content-Length: \r\n", ReadStatus::kBadLength},
           Case{line + "Content-Length: -1\r\n", ReadStatus::kBadLength},
           Case{line + "Content-Length: +1\r\n", ReadStatus::kBadLength},
           Case{line + "Content-Length: 0x10\r\n", ReadStatus::kBadLength},
           Case{line + "Content-Length: 5, 5\r\n", ReadStatus::kBadLength},
           Case{line + "Content-Length: 4294967296\r\n", ReadStatus::kBadLength},
           Case{line + "Content-Length: 00000000005\r\n", ReadStatus::kBadLength},
           Case{line + "Content-Length: 5\r\nContent-Length: 6\r\n", ReadStatus::kConflictingLength},
           Case{line + "Content-Range: 0-1/2\r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: bytes=0-1/2\r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: lines 0-1/2\r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: bytes\r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: bytes \r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: bytes 0-1\r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: bytes 2-1/9\r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: bytes 0-9/9\r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: bytes -1/9\r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: bytes 0-/9\r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: bytes 0/1-9\r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: bytes 0-1/x\r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: bytes */x\r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: bytes 0-4294967296/*\r\n", ReadStatus::kBadRange},
           Case{line + "Content-Range: bytes 0-1/9\r\nContent-Range: bytes 0-1/8\r\n",
                ReadStatus::kConflictingRange},
           Case{with("Transfer-Encoding: chunked"), ReadStatus::kTransferEncoding},
           Case{with("Content-Length: 5\r\nTransfer-Encoding: identity"), ReadStatus::kTransferEncoding},
           Case{with("A: b"), ReadStatus::kNoLength},
       }) {
    Recorder recorder;
    ResponseReader reader(recorder);
    EXPECT_EQ(to_string(feed(reader, c.text).status), to_string(c.status)) << c.text;
    EXPECT_TRUE(recorder.bodies.empty() || recorder.bodies[0].empty()) << c.text;
  }
}

}  // namespace
}  // namespace app::http
