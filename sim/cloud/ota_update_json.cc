#include "sim/cloud/ota_update_json.h"
#include "sim/base/json.h"

#include "sim/cloud/base64.h"

namespace otasim::cloud {

namespace {

using nlohmann::json;

constexpr std::string_view kThing = "thing/";
constexpr std::string_view kGroup = "thinggroup/";

std::string text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::int64_t number(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

const json* member(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? &*found : nullptr;
}

json stream_to_json(const StreamFileLocation& file) {
  return {{"streamId", file.stream.str()}, {"fileId", file.file_id}};
}

std::optional<StreamFileLocation> stream_from_json(const json& object) {
  auto id = StreamId::parse(text(object, "streamId"));
  if (!id) return std::nullopt;
  return StreamFileLocation{std::move(*id), number(object, "fileId")};
}

json location_to_json(const FileLocation& location) {
  if (const auto* file = std::get_if<StreamFileLocation>(&location))
    return {{"stream", stream_to_json(*file)}};
  const auto& object = std::get<ObjectLocation>(location);
  json s3{{"bucket", object.bucket}, {"key", object.key}};
  if (!object.version.empty()) s3["version"] = object.version;
  return {{"s3Location", std::move(s3)}};
}

std::optional<FileLocation> location_from_json(const json& object) {
  if (const json* stream = member(object, "stream")) {
    auto file = stream_from_json(*stream);
    if (!file) return std::nullopt;
    return FileLocation{std::move(*file)};
  }
  const json* const s3 = member(object, "s3Location");
  if (s3 == nullptr) return std::nullopt;
  return FileLocation{ObjectLocation{text(*s3, "bucket"), text(*s3, "key"), text(*s3, "version")}};
}

json custom_to_json(const CustomSigning& signing) {
  json signature;
  if (const auto* file = std::get_if<StreamFileLocation>(&signing.signature)) {
    signature["stream"] = stream_to_json(*file);
  } else {
    signature["inlineDocument"] = base64_encode(std::get<std::vector<std::uint8_t>>(signing.signature));
  }
  return {{"signature", std::move(signature)},
          {"certificateChain", {{"certificateName", signing.certificate_name}}},
          {"hashAlgorithm", signing.hash_algorithm},
          {"signatureAlgorithm", signing.signature_algorithm}};
}

std::optional<CodeSigning> custom_from_json(const json& object) {
  const json* const signature = member(object, "signature");
  const json* const chain = member(object, "certificateChain");
  if (signature == nullptr || chain == nullptr) return std::nullopt;
  CustomSigning signing{
      {}, text(*chain, "certificateName"), text(object, "hashAlgorithm"), text(object, "signatureAlgorithm")};
  if (const json* stream = member(*signature, "stream")) {
    auto file = stream_from_json(*stream);
    if (!file) return std::nullopt;
    signing.signature = std::move(*file);
    return CodeSigning{std::move(signing)};
  }
  auto bytes = base64_decode(text(*signature, "inlineDocument"));
  if (!bytes) return std::nullopt;
  signing.signature = std::move(*bytes);
  return CodeSigning{std::move(signing)};
}

json lab_to_json(const LabSigning& signing) {
  json start = json::object();
  json profile = json::object();
  const auto put = [](json& into, const char* name, const std::string& value) {
    if (!value.empty()) into[name] = value;
  };
  put(profile, "certificatePathOnDevice", signing.certificate_path_on_device);
  put(profile, "certificateArn", signing.certificate_arn);
  put(profile, "platform", signing.platform);
  if (!profile.empty()) start["signingProfileParameter"] = std::move(profile);
  put(start, "signingProfileName", signing.profile);
  if (!signing.bucket.empty()) {
    json place{{"bucket", signing.bucket}};
    put(place, "prefix", signing.prefix);
    start["destination"]["s3Destination"] = std::move(place);
  }
  return start;
}

CodeSigning lab_from_json(const json& start) {
  LabSigning signing;
  if (const json* profile = member(start, "signingProfileParameter")) {
    signing.certificate_path_on_device = text(*profile, "certificatePathOnDevice");
    signing.certificate_arn = text(*profile, "certificateArn");
    signing.platform = text(*profile, "platform");
  }
  signing.profile = text(start, "signingProfileName");
  const json* const destination = member(start, "destination");
  if (const json* place = destination == nullptr ? nullptr : member(*destination, "s3Destination")) {
    signing.bucket = text(*place, "bucket");
    signing.prefix = text(*place, "prefix");
  }
  return signing;
}

/// Null for an unsigned file, which has no such member.
json signing_to_json(const CodeSigning& signing) {
  if (const auto* custom = std::get_if<CustomSigning>(&signing)) {
    return {{"customCodeSigning", custom_to_json(*custom)}};
  }
  if (const auto* job = std::get_if<SignedByJob>(&signing)) return {{"awsSignerJobId", job->job_id}};
  if (const auto* lab = std::get_if<LabSigning>(&signing)) {
    return {{"startSigningJobParameter", lab_to_json(*lab)}};
  }
  return nullptr;
}

std::optional<CodeSigning> signing_from_json(const json& file) {
  const json* const signing = member(file, "codeSigning");
  if (signing == nullptr) return CodeSigning{Unsigned{}};
  if (const json* custom = member(*signing, "customCodeSigning")) return custom_from_json(*custom);
  if (const std::string job = text(*signing, "awsSignerJobId"); !job.empty()) {
    return CodeSigning{SignedByJob{job}};
  }
  const json* const start = member(*signing, "startSigningJobParameter");
  if (start == nullptr) return std::nullopt;
  return lab_from_json(*start);
}

}  // namespace

std::map<std::string, std::string> texts_from_json(const json& object) {
  std::map<std::string, std::string> texts;
  if (!object.is_object()) return texts;
  for (const auto& [name, value] : object.items()) {
    if (value.is_string()) texts.emplace(name, value.get<std::string>());
  }
  return texts;
}

json files_to_json(const std::vector<OtaUpdateFile>& files) {
  json all = json::array();
  for (const OtaUpdateFile& file : files) {
    json one{{"fileName", file.file_name},
             {"fileType", file.file_type},
             {"fileLocation", location_to_json(file.location)}};
    if (json signing = signing_to_json(file.code_signing); !signing.is_null()) {
      one["codeSigning"] = std::move(signing);
    }
    if (!file.file_version.empty()) one["fileVersion"] = file.file_version;
    if (!file.attributes.empty()) one["attributes"] = file.attributes;
    all.push_back(std::move(one));
  }
  return all;
}

std::optional<std::vector<OtaUpdateFile>> files_from_json(const json& all) {
  if (!all.is_array()) return std::nullopt;
  std::vector<OtaUpdateFile> files;
  for (const json& one : all) {
    const json* const place = one.is_object() ? member(one, "fileLocation") : nullptr;
    if (place == nullptr) return std::nullopt;
    auto location = location_from_json(*place);
    auto signing = signing_from_json(one);
    if (!location || !signing) return std::nullopt;
    files.push_back({text(one, "fileName"), std::move(*location), std::move(*signing),
                     static_cast<int>(number(one, "fileType")), text(one, "fileVersion"),
                     texts_from_json(one.value("attributes", json()))});
  }
  return files;
}

json targets_to_json(const std::vector<JobTarget>& targets) {
  json all = json::array();
  for (const JobTarget& target : targets) {
    const auto* const thing = std::get_if<ThingName>(&target);
    all.push_back(thing != nullptr ? std::string{kThing} + thing->str()
                                   : std::string{kGroup} + std::get<GroupName>(target).str());
  }
  return all;
}

std::optional<std::vector<JobTarget>> targets_from_json(const json& all) {
  if (!all.is_array()) return std::nullopt;
  std::vector<JobTarget> targets;
  for (const json& one : all) {
    if (!one.is_string()) return std::nullopt;
    const auto& resource = one.get_ref<const std::string&>();
    const auto thing =
        resource.starts_with(kThing) ? ThingName::parse(resource.substr(kThing.size())) : std::nullopt;
    const auto group =
        resource.starts_with(kGroup) ? GroupName::parse(resource.substr(kGroup.size())) : std::nullopt;
    if (thing) targets.emplace_back(*thing);
    if (group) targets.emplace_back(*group);
    if (!thing && !group) return std::nullopt;
  }
  return targets;
}

json protocols_to_json(const std::vector<Protocol>& protocols) {
  json all = json::array();
  for (const Protocol protocol : protocols) all.push_back(to_string(protocol));
  return all;
}

std::optional<std::vector<Protocol>> protocols_from_json(const json& all) {
  if (!all.is_array()) return std::nullopt;
  std::vector<Protocol> protocols;
  for (const json& one : all) {
    if (one != to_string(Protocol::kMqtt) && one != to_string(Protocol::kHttp)) return std::nullopt;
    protocols.push_back(one == to_string(Protocol::kMqtt) ? Protocol::kMqtt : Protocol::kHttp);
  }
  return protocols;
}

}  // namespace otasim::cloud
