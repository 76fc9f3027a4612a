#include "sim/rest/s3_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "sim/base/text.h"
#include "sim/cloud/digest.h"
#include "sim/cloud/presigned_url.h"

namespace otasim::rest {

namespace {

/// The bucket a host names; empty for path style.
std::string bucket_of_host(std::string_view host) {
  std::string name = to_lower(host.substr(0, host.rfind(':')));
  if (name == "otasim.localhost") return {};
  for (const std::string_view suffix : {".otasim.localhost", ".localhost"}) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) {
      return name.substr(0, name.size() - suffix.size());
    }
  }
  return {};
}

}  // namespace

bool S3Request::has(std::string_view name) const {
  return std::ranges::find(target.query, name, &cloud::QueryParameter::name) != target.query.end();
}

std::optional<std::string> S3Request::parameter(std::string_view name) const {
  const auto found = std::ranges::find(target.query, name, &cloud::QueryParameter::name);
  return found == target.query.end() ? std::nullopt : std::optional(found->value);
}

std::string S3Request::parameter_or_empty(std::string_view name) const {
  return parameter(name).value_or(std::string{});
}

std::string S3Request::header(std::string_view name) const {
  const std::string* found = nullptr;
  for (const auto& [field, value] : headers) {
    if (!same_field(field, name)) continue;
    if (found != nullptr) return {};
    found = &value;
  }
  return found == nullptr ? std::string{} : *found;
}

bool S3Request::has_header(std::string_view name) const {
  return std::ranges::any_of(headers, [name](const auto& field) { return same_field(field.first, name); });
}

S3Result<std::int64_t> S3Request::number(std::string_view name, std::int64_t if_missing,
                                         std::int64_t smallest, std::int64_t largest) const {
  const auto text = parameter(name);
  if (!text || text->empty()) return if_missing;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || value < smallest || value > largest) {
    return tl::unexpected(
        S3Error{400,
                "InvalidArgument",
                fmt::format("Argument {} must be an integer between {} and {}", name, smallest, largest),
                {{"ArgumentName", std::string(name)}, {"ArgumentValue", *text}}});
  }
  return value;
}

cloud::ObjectHeaders S3Request::object_headers() const {
  cloud::ObjectHeaders kept;
  for (const auto& [field, value] : headers) {
    std::string name = to_lower(field);
    if (!cloud::is_object_header(name)) continue;
    if (name != "content-encoding") {
      kept.emplace_back(std::move(name), value);
      continue;
    }
    // That the body came in chunks is not of the object.
    std::string rest;
    std::string_view list = value;
    while (!list.empty()) {
      const std::size_t comma = list.find(',');
      const std::string_view encoding = trim(list.substr(0, comma));
      if (encoding != "aws-chunked" && !encoding.empty()) {
        rest += (rest.empty() ? "" : ",") + std::string(encoding);
      }
      list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    }
    if (!rest.empty()) kept.emplace_back(std::move(name), std::move(rest));
  }
  return kept;
}

S3Result<S3Request> read_s3_request(const HttpRequestHead& head) {
  auto target = cloud::parse_request_target(head.target);
  if (!target) return tl::unexpected(S3Error{400, "InvalidURI", "Couldn't parse the specified URI."});
  S3Request request{head.method, *std::move(target), {}, head.headers};
  request.location = cloud::object_location(request.target);
  if (std::string bucket = bucket_of_host(head.text("Host")); !bucket.empty()) {
    request.location.bucket = std::move(bucket);
    request.location.key = request.target.path.substr(1);
  }
  return request;
}

S3Receiver receive_document(std::uint64_t max_bytes,
                            std::function<S3Result<S3Answer>(const std::string& body)> operation) {
  const auto body = std::make_shared<std::string>();
  S3Receiver receiver;
  receiver.max_bytes = max_bytes;
  receiver.take = [body, max_bytes](std::span<const std::uint8_t> piece) -> S3Result<void> {
    if (piece.size() > max_bytes - body->size()) {
      return tl::unexpected(S3Error{400, "MaxMessageLengthExceeded", "Your request was too big."});
    }
    body->append(piece.begin(), piece.end());
    return {};
  };
  receiver.seal = [body]() -> S3Result<std::vector<std::uint8_t>> {
    return cloud::digest_of(cloud::DigestKind::kMd5,
                            {reinterpret_cast<const std::uint8_t*>(body->data()), body->size()});
  };
  receiver.finish = [body, operation = std::move(operation)](const cloud::ObjectChecksum&) {
    return operation(*body);
  };
  return receiver;
}

}  // namespace otasim::rest
