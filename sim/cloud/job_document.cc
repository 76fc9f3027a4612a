#include "sim/cloud/job_document.h"

#include <nlohmann/json.hpp>

namespace otasim::cloud {

namespace {

constexpr std::string_view kOpening = "${aws:iot:s3-presigned-url:";
constexpr std::string_view kScheme = "https://";
constexpr std::string_view kVersionParameter = "versionId=";

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string percent_encode(std::string_view text, bool keep_slashes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c) || (keep_slashes && c == '/')) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += {'%', kDigits[byte >> 4], kDigits[byte & 0xF]};
  }
  return encoded;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// A percent sign without two digits behind it stands for itself.
std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return decoded;
}

/// The bucket in a virtual-hosted style host name (`bucket.s3.region.amazonaws.com`); empty for path style.
std::string_view bucket_in_host(std::string_view host) {
  for (const std::string_view service : {".s3.", ".s3-"}) {
    const std::size_t at = host.find(service);
    if (at != std::string_view::npos) return host.substr(0, at);
  }
  return {};
}

std::string version_in_query(std::string_view query) {
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    if (parameter.starts_with(kVersionParameter)) {
      return percent_decode(parameter.substr(kVersionParameter.size()));
    }
    query.remove_prefix(std::min(parameter.size() + 1, query.size()));
  }
  return {};
}

std::string expand(std::string_view text, const std::function<std::string(const ObjectLocation&)>& url_of) {
  std::string expanded;
  for (;;) {
    const std::size_t start = text.find(kOpening);
    const std::size_t end = start == std::string_view::npos ? start : text.find('}', start);
    if (end == std::string_view::npos) return expanded.append(text);
    const std::string_view url = text.substr(start + kOpening.size(), end - start - kOpening.size());
    const auto object = parse_s3_url(url);
    expanded.append(object ? text.substr(0, start) : text.substr(0, end + 1));
    if (object) expanded += url_of(*object);
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::string presigned_placeholder(const ObjectLocation& object) {
  std::string text{kOpening};
  text += "https://s3.amazonaws.com/" + percent_encode(object.bucket, false) + "/" +
          percent_encode(object.key, true);
  if (!object.version.empty()) {
    text += "?" + std::string{kVersionParameter} + percent_encode(object.version, false);
  }
  return text + "}";
}

std::optional<ObjectLocation> parse_s3_url(std::string_view url) {
  if (!url.starts_with(kScheme)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  const std::size_t slash = url.find('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  std::string_view bucket = bucket_in_host(url.substr(0, slash));
  std::string_view path = url.substr(slash + 1);
  const std::size_t question = path.find('?');
  const std::string_view query =
      question == std::string_view::npos ? std::string_view{} : path.substr(question + 1);
  path = path.substr(0, question);
  if (bucket.empty()) {
    bucket = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(bucket.size() + 1, path.size()));
  }
  if (bucket.empty() || path.empty()) return std::nullopt;
  return ObjectLocation{percent_decode(bucket), percent_decode(path), version_in_query(query)};
}

void expand_placeholders(nlohmann::ordered_json& document,
                         const std::function<std::string(const ObjectLocation&)>& url_of) {
  if (document.is_string()) {
    const auto& text = document.get_ref<const std::string&>();
    if (text.find(kOpening) != std::string::npos) document = expand(text, url_of);
  } else if (document.is_structured()) {
    // A document's depth is bounded by its size, which is bounded where jobs are made.
    for (auto& element : document) expand_placeholders(element, url_of);
  }
}

}  // namespace otasim::cloud
