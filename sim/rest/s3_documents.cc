#include "sim/rest/s3_documents.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <pugixml.hpp>

namespace otasim::rest {

namespace {

using cloud::S3Error;
using cloud::S3Result;

constexpr std::string_view kNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";

tl::unexpected<S3Error> malformed() {
  return tl::unexpected(S3Error{400, "MalformedXML",
                                "The XML you provided was not well-formed or did not validate against our "
                                "published schema"});
}

/// A name without its prefix.
std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  return name.substr(name.rfind(':') + 1);
}

pugi::xml_node child(const pugi::xml_node& parent, std::string_view name) {
  for (const pugi::xml_node& node : parent.children()) {
    if (local_name(node) == name) return node;
  }
  return {};
}

std::string text_of(const pugi::xml_node& parent, std::string_view name) {
  return child(parent, name).text().get();
}

/// Parses a document whose root has the name. Blanks are text: keys may have any.
std::optional<pugi::xml_node> parse(pugi::xml_document& into, const std::string& document,
                                    std::string_view root) {
  constexpr unsigned kFlags = pugi::parse_default | pugi::parse_ws_pcdata_single;
  if (!into.load_buffer(document.data(), document.size(), kFlags, pugi::encoding_utf8)) return std::nullopt;
  const pugi::xml_node found = into.document_element();
  if (local_name(found) != root) return std::nullopt;
  return found;
}

std::string checksum_in(const pugi::xml_node& part) {
  for (const char* const name : {"ChecksumCRC32", "ChecksumCRC32C", "ChecksumSHA1", "ChecksumSHA256"}) {
    if (std::string value = text_of(part, name); !value.empty()) return value;
  }
  return {};
}

}  // namespace

S3Result<DeleteRequest> read_delete_request(const std::string& document) {
  pugi::xml_document parsed;
  const auto root = parse(parsed, document, "Delete");
  if (!root) return malformed();
  DeleteRequest request;
  request.quiet = text_of(*root, "Quiet") == "true";
  for (const pugi::xml_node& node : root->children()) {
    if (local_name(node) != "Object") continue;
    DeleteRequest::Entry entry{text_of(node, "Key"), text_of(node, "VersionId")};
    if (entry.key.empty() || request.entries.size() == kMaxDeletedAtOnce) return malformed();
    request.entries.push_back(std::move(entry));
  }
  if (request.entries.empty()) return malformed();
  return request;
}

S3Result<cloud::Versioning> read_versioning(const std::string& document) {
  pugi::xml_document parsed;
  const auto root = parse(parsed, document, "VersioningConfiguration");
  if (!root) return malformed();
  const std::string status = text_of(*root, "Status");
  if (status == "Enabled") return cloud::Versioning::kEnabled;
  if (status == "Suspended") return cloud::Versioning::kSuspended;
  return tl::unexpected(
      S3Error{400, "IllegalVersioningConfigurationException",
              "The Versioning element must be specified, and its Status must be Enabled or Suspended."});
}

S3Result<std::string> read_create_bucket(const std::string& document) {
  if (document.empty()) return std::string{};
  pugi::xml_document parsed;
  const auto root = parse(parsed, document, "CreateBucketConfiguration");
  if (!root) return malformed();
  return text_of(*root, "LocationConstraint");
}

S3Result<std::vector<cloud::CompletedPart>> read_complete_upload(const std::string& document) {
  pugi::xml_document parsed;
  const auto root = parse(parsed, document, "CompleteMultipartUpload");
  if (!root) return malformed();
  std::vector<cloud::CompletedPart> parts;
  for (const pugi::xml_node& node : root->children()) {
    if (local_name(node) != "Part") continue;
    const std::string digits = text_of(node, "PartNumber");
    cloud::CompletedPart part{0, without_quotes(text_of(node, "ETag")), checksum_in(node)};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), part.number);
    const bool is_number = !digits.empty() && error == std::errc{} && end == digits.data() + digits.size();
    if (!is_number || part.number < 1 || part.number > cloud::kMaxPartNumber || part.etag.empty() ||
        parts.size() == static_cast<std::size_t>(cloud::kMaxPartNumber)) {
      return malformed();
    }
    parts.push_back(std::move(part));
  }
  if (parts.empty()) return malformed();
  return parts;
}

std::string xml_element(std::string_view name, std::string_view text) {
  return fmt::format("<{0}>{1}</{0}>", name, cloud::xml_escape(text));
}

std::string xml_document(std::string_view name, std::string_view content) {
  return fmt::format("{0}<{1} xmlns=\"{2}\">{3}</{1}>", kXmlDeclaration, name, kNamespace, content);
}

std::string without_quotes(std::string text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

}  // namespace otasim::rest
