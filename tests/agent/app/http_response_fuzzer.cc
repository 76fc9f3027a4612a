// The response reader against itself and against Boost.Beast's parser.
//
// Input: what a server sends on one connection. However the bytes are cut, and however little the sink takes
// at a time, the reader finds the same heads and bodies and ends with the same status. A first head that it
// accepts is one that Beast accepts, too (but for lists in Connection, where Beast is stricter), with the
// same status, length and end of connection.
#include <algorithm>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/app/http_response.h"
#include "tests/fuzzing/claim.h"

namespace {

using namespace app::http;
using otasim::testing::claim;
namespace beast = boost::beast::http;

using Bytes = std::span<const std::uint8_t>;

struct Found final : ResponseSink {
  explicit Found(std::size_t most_at_once) : most(most_at_once) {}

  bool on_head(const ResponseHead& head) override {
    claim(head.status >= 200 && head.status < 600, "interim responses stay inside");
    claim(!head.content_range || head.content_range->first <= head.content_range->last, "a range has bytes");
    heads.push_back(head);
    bodies.emplace_back();
    return true;
  }
  std::size_t on_body(Bytes piece) override {
    claim(!piece.empty(), "a piece has bytes");
    const std::size_t count = takes ? std::min(piece.size(), most) : 0;
    takes = !takes || most > 1;  // a sink of one byte is full every other time
    bodies.back().append(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }
  void on_end() override {
    ++ends;
    claim(ends == heads.size(), "a body ends before the next head");
    claim(bodies.back().size() == heads.back().content_length, "a body has its length");
  }

  bool operator==(const Found& other) const {
    return heads == other.heads && bodies == other.bodies && ends == other.ends && status == other.status &&
           is_between == other.is_between;
  }

  std::size_t most;
  bool takes = true;
  std::vector<ResponseHead> heads;
  std::vector<std::string> bodies;
  std::size_t ends = 0;
  ReadStatus status = ReadStatus::kOk;
  bool is_between = true;
};

/// Feeds pieces of `piece` bytes to a sink that takes `most` at once.
Found read(Bytes input, std::size_t piece, std::size_t most) {
  Found found(most);
  ResponseReader reader(found);
  while (!input.empty() && found.status == ReadStatus::kOk) {
    const Bytes fed = input.first(std::min(piece, input.size()));
    const auto [status, consumed] = reader.feed(fed);
    claim(consumed <= fed.size(), "no more is consumed than was fed");
    found.status = status;
    input = input.subspan(consumed);
  }
  found.is_between = reader.is_between_responses();
  return found;
}

/// A first final head without a transfer encoding means to Beast what it means to us.
void compare_with_beast(Bytes input, const ResponseHead& head) {
  beast::response_parser<beast::empty_body> parser;
  parser.header_limit(UINT32_MAX);
  parser.body_limit(UINT64_MAX);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(input.data(), input.size()), error);
  if (error == beast::error::bad_value) return;  // it also wants Connection to be a well-formed list
  claim(parser.is_header_done(), "Beast takes the head");
  claim(parser.get().result_int() == head.status, "the status is Beast's");
  const auto length = parser.content_length();
  claim(length.has_value() == head.content_length.has_value(), "there is a length if Beast finds one");
  if (length) claim(*length == *head.content_length, "the length is Beast's");
  // Without a length the body ends with the connection, which is all that Beast's answer says then. Of
  // several Connection headers Beast looks at the first.
  if (length) claim(parser.get().keep_alive() || head.closes, "the connection ends if Beast says so");
}

bool starts_with_interim(Bytes input) {
  constexpr std::size_t kClassAt = 9;
  return input.size() > kClassAt && input[kClassAt] == '1';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  const Found whole = read(input, size, SIZE_MAX);
  claim(whole == read(input, 1, SIZE_MAX), "bytes one by one are read alike");
  claim(whole == read(input, 7, 3), "a slow sink gets the same");
  claim(whole == read(input, size, 1), "a sink that is full now and then gets the same");
  if (!whole.heads.empty() && !whole.heads[0].has_transfer_encoding && !starts_with_interim(input)) {
    compare_with_beast(input, whole.heads[0]);
  }
  return 0;
}
