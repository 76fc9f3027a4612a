// CBOR bodies: the reader against two others, and a stream request in CBOR against the same one in JSON.
//
// Input: a payload. Agreed with RFC 8949: the reader takes what is well-formed, is one map with unique text
// keys, and nests no deeper than streams do. Agreed with nlohmann's reader, wherever that takes the input too
// (it knows no undefined value and not every tag, and takes a key twice): the same integers, texts and bytes.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "sim/base/json.h"
#include "sim/cloud/cbor.h"
#include "sim/cloud/stream_codec.h"
#include "tests/fuzzing/claim.h"

namespace {

using namespace otasim::cloud;
using otasim::testing::claim;
using Json = nlohmann::json;
using Bytes = std::vector<std::uint8_t>;

constexpr int kDeepest = 8;

/// RFC 8949's own description of a well-formed item (appendix C), with the map's keys looked at on the way.
class Checker {
 public:
  explicit Checker(std::string_view bytes) : rest_(bytes) {}

  /// Whether all of the input is one map with unique text keys.
  bool is_map() {
    const auto start = head();
    if (!start || start->major != 5) return false;
    std::set<std::string> keys;
    for (std::uint64_t i = 0; start->endless || i < start->value; ++i) {
      if (start->endless && at_break()) return rest_.size() == 1;
      std::string key;
      if (!text(key) || !keys.insert(key).second || !item(1)) return false;
    }
    return rest_.empty();
  }

 private:
  struct Head {
    int major;
    int info;
    std::uint64_t value;
    bool endless;
  };

  [[nodiscard]] bool at_break() const { return !rest_.empty() && rest_[0] == '\xFF'; }

  std::optional<Head> head() {
    if (rest_.empty()) return std::nullopt;
    const auto first = static_cast<std::uint8_t>(rest_[0]);
    Head head{first >> 5, first & 31, static_cast<std::uint64_t>(first & 31), false};
    std::size_t more = 0;
    if (head.info == 31) {
      head.endless = true;
    } else if (head.info >= 28) {
      return std::nullopt;
    } else if (head.info >= 24) {
      more = std::size_t{1} << (head.info - 24);
      head.value = 0;
    }
    if (rest_.size() < 1 + more) return std::nullopt;
    for (std::size_t i = 1; i <= more; ++i)
      head.value = head.value * 256 + static_cast<std::uint8_t>(rest_[i]);
    rest_.remove_prefix(1 + more);
    return head;
  }

  bool string(const Head& start, std::string& whole) {
    if (!start.endless) {
      if (start.value > rest_.size()) return false;
      whole += rest_.substr(0, static_cast<std::size_t>(start.value));
      rest_.remove_prefix(static_cast<std::size_t>(start.value));
      return true;
    }
    while (!at_break()) {
      const auto chunk = head();
      if (!chunk || chunk->major != start.major || chunk->endless || !string(*chunk, whole)) return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  bool text(std::string& into) {
    const auto start = head();
    return start && start->major == 3 && string(*start, into);
  }

  bool items(const Head& start, std::uint64_t each, int depth) {
    for (std::uint64_t i = 0; start.endless || i < start.value; ++i) {
      if (start.endless && at_break()) {
        rest_.remove_prefix(1);
        return true;
      }
      for (std::uint64_t k = 0; k < each; ++k) {
        if (!item(depth + 1)) return false;
      }
    }
    return true;
  }

  bool item(int depth) {
    if (depth > kDeepest) return false;
    const auto start = head();
    if (!start) return false;
    std::string ignored;
    switch (start->major) {
      case 2:
      case 3:
        return string(*start, ignored);
      case 4:
        return items(*start, 1, depth);
      case 5:
        return items(*start, 2, depth);
      case 6:
        return !start->endless && item(depth + 1);
      case 7:
        return !start->endless && (start->info != 24 || start->value >= 32);
      default:
        return !start->endless;
    }
  }

  std::string_view rest_;
};

/// Whether our value is the other reader's. One that we do not know can be anything else; a number below
/// int64 too, which the other reader wraps around.
bool same(const CborValue& ours, const Json& theirs, bool may_be_wrapped) {
  if (const auto* number = std::get_if<std::int64_t>(&ours)) {
    return theirs.is_number_integer() && theirs == *number;
  }
  if (const auto* text = std::get_if<std::string>(&ours)) {
    return theirs.is_string() && theirs.get_ref<const std::string&>() == *text;
  }
  if (const auto* bytes = std::get_if<Bytes>(&ours)) {
    return theirs.is_binary() && static_cast<const Bytes&>(theirs.get_binary()) == *bytes;
  }
  const bool is_int64 = theirs.is_number_integer() &&
                        (!theirs.is_number_unsigned() || theirs.get<std::uint64_t>() <= INT64_MAX);
  return (!is_int64 || may_be_wrapped) && !theirs.is_string() && !theirs.is_binary();
}

void check_against_nlohmann(std::string_view payload, const CborMap& map) {
  const Json json =
      Json::from_cbor(payload, /*strict=*/true, /*allow_exceptions=*/false, Json::cbor_tag_handler_t::ignore);
  if (json.is_discarded()) return;
  const bool may_be_wrapped = payload.find('\x3B') != std::string_view::npos;
  claim(json.is_object() && json.size() == map.size(), "both see the same map");
  for (const auto& [key, value] : map) {
    claim(json.contains(key) && same(value, json[key], may_be_wrapped), "both read the same values");
  }
}

void check_written_form(const CborMap& map) {
  CborWriter writer;
  writer.map(map.size());
  for (const auto& [key, value] : map) {
    writer.text(key);
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      writer.integer(*number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      writer.text(*text);
    } else if (const auto* bytes = std::get_if<Bytes>(&value)) {
      writer.bytes(*bytes);
    } else {
      return;  // nothing that a stream would write
    }
  }
  const auto again = read_cbor_map(writer.result());
  claim(again && *again == map, "what is written is read");
}

std::string hex(const Bytes& bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    for (const int digit : {byte >> 4, byte & 15}) text += "0123456789abcdef"[digit];
  }
  return text;
}

/// The same request in JSON; nothing if JSON cannot say it.
std::optional<std::string> as_json(const CborMap& map) {
  Json json = Json::object();
  for (const auto& [key, value] : map) {
    if (const auto* bytes = std::get_if<Bytes>(&value)) {
      if (key != "b") return std::nullopt;
      json[key] = hex(*bytes);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      if (key == "b") return std::nullopt;
      json[key] = *text;
    } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
      json[key] = *number;
    } else {
      json[key] = Json::array();  // of a type that streams do not use, as well
    }
  }
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(text) == json ? std::optional(text) : std::nullopt;  // not if a text was no UTF-8
}

bool equal(const GetStreamRequest& a, const GetStreamRequest& b) {
  return a.file_id == b.file_id && a.block_size == b.block_size && a.offset == b.offset &&
         a.block_count == b.block_count && a.bitmap == b.bitmap && a.expected_version == b.expected_version;
}

void check_against_json(std::string_view payload, const CborMap& map) {
  const auto text = as_json(map);
  if (!text || payload.empty()) return;
  std::optional<std::string> cbor_token;
  std::optional<std::string> json_token;
  const auto from_cbor = decode_get(Encoding::kCbor, payload, cbor_token);
  const auto from_json = decode_get(Encoding::kJson, *text, json_token);
  claim(cbor_token == json_token, "both encodings have the same token");
  claim(from_cbor.has_value() == from_json.has_value(), "both encodings are taken or refused");
  if (from_cbor) {
    claim(equal(*from_cbor, *from_json), "and ask for the same blocks");
  } else {
    claim(from_cbor.error().code == from_json.error().code, "and refused for the same reason");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view payload(reinterpret_cast<const char*>(data), size);
  const auto map = read_cbor_map(payload);
  claim(map.has_value() == Checker(payload).is_map(), "the reader takes well-formed maps, and nothing else");
  if (!map) return 0;
  check_against_nlohmann(payload, *map);
  check_written_form(*map);
  check_against_json(payload, *map);
  return 0;
}
