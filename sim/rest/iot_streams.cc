// File streams.
#include "sim/cloud/arn.h"
#include "sim/rest/iot_api.h"

namespace otasim::rest {

namespace {

constexpr std::int64_t kMaxFileId = 255;
const TextRule kRole{.min = 20, .max = 2048};

cloud::StreamId stream_id(const MemberReader& from) {
  return from.required_identifier<cloud::StreamId>("streamId", kWordPattern);
}

std::vector<cloud::StreamFile> files_of(const MemberReader& body) {
  std::vector<cloud::StreamFile> files;
  for (const MemberReader& file : body.objects("files", 1, cloud::kMaxStreamFiles)) {
    cloud::StreamFile read{file.required_integer("fileId", 0, kMaxFileId), {}};
    if (const auto place = file.object("s3Location")) {
      read.object = {place->required_text("bucket", {.min = 1}), place->required_text("key", {.min = 1}),
                     place->text("version").value_or("")};
    } else {
      file.fail_missing("s3Location");
    }
    files.push_back(std::move(read));
  }
  return files;
}

Json summary(const cloud::StreamInfo& stream) {
  Json json{{"streamId", stream.id.str()},
            {"streamArn", cloud::iot_arn("stream", stream.id.str())},
            {"streamVersion", stream.version}};
  if (!stream.description.empty()) json["description"] = stream.description;
  return json;
}

ApiResult<Json> told(IotServices& iot, const ApiCall& call, const cloud::StreamId& id) {
  const auto stream = iot.cloud.streams().describe(id);
  if (!stream) return call.refused(stream.error());
  return summary(*stream);
}

}  // namespace

ApiResult<Json> create_stream(IotServices& iot, ApiCall& call) {
  cloud::CreateStreamRequest request{.id = stream_id(call.uri), .files = files_of(call.body)};
  request.description = call.body.text("description", {.max = kMaxDescription}).value_or("");
  request.role_arn = call.body.required_text("roleArn", kRole);
  const auto tags = tags_of(call.body);
  if (call.failed()) return call.error();
  const auto made = create_tagged(iot, {"stream", request.id.str()}, tags,
                                  [&] { return iot.cloud.streams().create(request); });
  if (!made) return call.refused(made.error(), "stream", request.id.str());
  return told(iot, call, request.id);
}

ApiResult<Json> describe_stream(IotServices& iot, ApiCall& call) {
  const auto id = stream_id(call.uri);
  if (call.failed()) return call.error();
  const auto stream = iot.cloud.streams().describe(id);
  if (!stream) return call.refused(stream.error());
  Json info = summary(*stream);
  info["files"] = Json::array();
  for (const cloud::StreamFileInfo& file : stream->files) {
    Json place{{"bucket", file.object.bucket}, {"key", file.object.key}};
    if (!file.object.version.empty()) place["version"] = file.object.version;
    info["files"].push_back({{"fileId", file.file_id}, {"s3Location", std::move(place)}});
  }
  info["createdAt"] = stream->created_at;
  info["lastUpdatedAt"] = stream->last_updated_at;
  if (!stream->role_arn.empty()) info["roleArn"] = stream->role_arn;
  return Json{{"streamInfo", std::move(info)}};
}

ApiResult<Json> update_stream(IotServices& iot, ApiCall& call) {
  cloud::UpdateStreamRequest request{.id = stream_id(call.uri)};
  if (call.body.has("files")) request.files = files_of(call.body);
  request.description = call.body.text("description", {.max = kMaxDescription});
  request.role_arn = call.body.text("roleArn", kRole);
  if (call.failed()) return call.error();
  if (const auto done = iot.cloud.streams().update(request); !done) return call.refused(done.error());
  return told(iot, call, request.id);
}

ApiResult<Json> list_streams(IotServices& iot, ApiCall& call) {
  const auto page = call.page();
  if (call.failed()) return call.error();
  const auto all = iot.cloud.streams().list(page);
  if (!all) return call.refused(all.error());
  Json answer{{"streams", Json::array()}};
  for (const cloud::StreamInfo& stream : all->items) answer["streams"].push_back(summary(stream));
  add_next_token(answer, all->next_token);
  return answer;
}

ApiResult<Json> delete_stream(IotServices& iot, ApiCall& call) {
  const auto id = stream_id(call.uri);
  if (call.failed()) return call.error();
  if (const auto removed = iot.cloud.streams().remove(id); !removed) return call.refused(removed.error());
  return Json::object();
}

}  // namespace otasim::rest
