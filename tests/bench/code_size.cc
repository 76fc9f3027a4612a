#include "tests/bench/code_size.h"

#include <charconv>
#include <optional>
#include <sstream>
#include <vector>

namespace otasim::bench {
namespace {

constexpr std::string_view kStart = "Linker script and memory map";

enum class Kind { kText, kData, kBss, kOther };

Kind kind_of(std::string_view section) {
  for (const std::string_view text : {".text", ".rodata", ".ARM.ex", ".init", ".fini", ".vectors"}) {
    if (section.starts_with(text)) return Kind::kText;
  }
  if (section.starts_with(".data")) return Kind::kData;
  if (section.starts_with(".bss") || section == "COMMON") return Kind::kBss;
  return Kind::kOther;
}

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  if (!text.starts_with("0x")) return std::nullopt;
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + 2, end, value, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

/// An input section is ` .name  address  size  object`, and if the name is long, its own line before the
/// rest.
class Reader {
 public:
  void take(const std::string& line) {
    std::vector<std::string> words = words_of(line);
    if (words.empty()) return;
    const bool names_section = line.starts_with(" .") || line.starts_with(" COMMON");
    if (names_section) {
      section_ = words.front();
      words.erase(words.begin());
    } else if (!line.starts_with("                ")) {
      return;  // an output section, or a rule of the script
    }
    if (words.size() < 3) return;
    const auto address = hexadecimal(words[0]);
    const auto size = hexadecimal(words[1]);
    if (!address || !size || *address == 0 || *size == 0) return;
    add(words[2].substr(words[2].rfind('/') + 1), *size);
  }

  ObjectSizes sizes;

 private:
  void add(const std::string& object, std::uint64_t size) {
    switch (kind_of(section_)) {
      case Kind::kText:
        sizes[object].text += size;
        break;
      case Kind::kData:
        sizes[object].data += size;
        break;
      case Kind::kBss:
        sizes[object].bss += size;
        break;
      case Kind::kOther:
        break;
    }
  }

  std::string section_;
};

}  // namespace

ObjectSize& ObjectSize::operator+=(const ObjectSize& other) {
  text += other.text;
  data += other.data;
  bss += other.bss;
  return *this;
}

Result<ObjectSizes> read_map(std::string_view map) {
  const std::size_t start = map.find(kStart);
  if (start == std::string_view::npos) return fail(ExitCode::kFailed, "this is no map file of GNU ld");
  Reader reader;
  std::istringstream lines{std::string(map.substr(start))};
  for (std::string line; std::getline(lines, line);) reader.take(line);
  return reader.sizes;
}

}  // namespace otasim::bench
