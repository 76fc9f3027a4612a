#include "sim/cloud/job_faults.h"

#include <algorithm>
#include <array>

#include "sim/cloud/json_body.h"
#include "sim/cloud/publisher.h"

namespace otasim::cloud {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kDamages{DocumentDamage::kNotJson, DocumentDamage::kMissingMember,
                              DocumentDamage::kEmpty, DocumentDamage::kOversized, DocumentDamage::kWrongType};

/// In an execution's description, or in the answer to an update; null if there is none.
Json* document_of(Json& message) {
  for (const char* const place : {"/execution/jobDocument", "/jobDocument"}) {
    const Json::json_pointer pointer(place);
    if (message.contains(pointer)) return &message[pointer];
  }
  return nullptr;
}

std::string job_of(const Json& message) {
  const Json::json_pointer place("/execution/jobId");
  return message.contains(place) ? message[place].get<std::string>() : std::string();
}

/// A JSON pointer that names a member; nothing if it is none, or means the whole.
std::optional<Json::json_pointer> parse_member(const std::string& text) {
  try {
    Json::json_pointer pointer(text);
    if (pointer.empty()) return std::nullopt;
    return pointer;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

Json other_type(const Json& value) {
  if (value.is_string()) return 0;
  if (value.is_array()) return Json::object();
  if (value.is_object()) return Json::array();
  return value.dump();
}

bool needs_member(DocumentDamage kind) {
  return kind == DocumentDamage::kMissingMember || kind == DocumentDamage::kWrongType;
}

bool could_strike(const MalformedDocument& what, const Json& document) {
  if (!needs_member(what.kind)) return true;
  const auto member = parse_member(what.member);
  return member && document.contains(*member);
}

/// Takes an element out of its object or array.
void remove_member(Json& document, const Json::json_pointer& member) {
  Json& parent = document[member.parent_pointer()];
  if (parent.is_array()) {
    parent.erase(static_cast<std::size_t>(std::stoull(member.back())));
  } else {
    parent.erase(member.back());
  }
}

/// Makes a document as long as asked for, as far as the message has room.
void pad(Json& document, std::int64_t size_bytes, std::size_t message_bytes) {
  constexpr const char* kMember = "padding";
  document[kMember] = "";
  const auto now = static_cast<std::int64_t>(to_text(document).size());
  const std::int64_t room =
      static_cast<std::int64_t>(kMaxMessage) - static_cast<std::int64_t>(message_bytes) - 64;
  const std::int64_t length = std::clamp<std::int64_t>(size_bytes - now, 0, std::max<std::int64_t>(room, 0));
  document[kMember] = std::string(static_cast<std::size_t>(length), 'x');
}

void damage(const MalformedDocument& what, Json& message, Json& document) {
  switch (what.kind) {
    case DocumentDamage::kNotJson:
      break;  // of the text, not of the document
    case DocumentDamage::kMissingMember:
      remove_member(document, *parse_member(what.member));
      break;
    case DocumentDamage::kEmpty:
      document = Json::object();
      break;
    case DocumentDamage::kOversized:
      pad(document, what.size_bytes, to_text(message).size());
      break;
    case DocumentDamage::kWrongType: {
      Json& member = document[*parse_member(what.member)];
      member = other_type(member);
      break;
    }
  }
}

/// The message's text up to the middle of its document.
std::string cut_within_document(const Json& message, const Json& document) {
  constexpr std::string_view kKey = "\"jobDocument\":";
  const std::string text = to_text(message);
  return text.substr(0, text.find(kKey) + kKey.size() + to_text(document).size() / 2);
}

}  // namespace

std::string_view to_string(DocumentDamage damage) {
  switch (damage) {
    case DocumentDamage::kNotJson:
      return "not_json";
    case DocumentDamage::kMissingMember:
      return "missing_member";
    case DocumentDamage::kEmpty:
      return "empty";
    case DocumentDamage::kOversized:
      return "oversized";
    case DocumentDamage::kWrongType:
      return "wrong_type";
  }
  return "";
}

std::optional<DocumentDamage> document_damage(std::string_view name) {
  const auto* const found =
      std::ranges::find_if(kDamages, [&](DocumentDamage damage) { return to_string(damage) == name; });
  if (found == kDamages.end()) return std::nullopt;
  return *found;
}

JobStrike JobFaults::strike_request(const JobRequest& request) {
  JobStrike strike;
  for (FaultId id{}; Armed* const armed = armed_.next(id);) {
    const JobFault& fault = armed->fault;
    if (!fault.device.empty() && fault.device != request.thing.str()) continue;
    if (const auto* reject = std::get_if<RejectUpdate>(&fault.what)) {
      if (request.call != JobsCall::kUpdate) continue;
      if (reject->status && reject->status != request.status) continue;
      if (!armed->strike.next()) continue;
      strike.reject = reject->code;
      report("job.update_rejected", request.thing, request.job, {{"code", to_string(reject->code)}});
    } else if (const auto* silent = std::get_if<SilentJobs>(&fault.what)) {
      if (silent->call && silent->call != request.call) continue;
      if (!armed->strike.next()) continue;
      strike.silent = true;
      strike.carried_out = strike.carried_out && silent->carried_out;
      report("job.silent", request.thing, request.job,
             {{"call", to_string(request.call)}, {"carried_out", silent->carried_out}});
    }
  }
  return strike;
}

std::string JobFaults::render(const ThingName& thing, Json message) {
  Json* const document = document_of(message);
  if (document == nullptr) return to_text(message);
  bool is_cut = false;
  for (FaultId id{}; Armed* const armed = armed_.next(id);) {
    const auto* what = std::get_if<MalformedDocument>(&armed->fault.what);
    if (what == nullptr || (!armed->fault.device.empty() && armed->fault.device != thing.str())) continue;
    if (!could_strike(*what, *document) || !armed->strike.next()) continue;
    nlohmann::json more{{"kind", to_string(what->kind)}};
    if (needs_member(what->kind)) more["member"] = what->member;
    damage(*what, message, *document);
    is_cut = is_cut || what->kind == DocumentDamage::kNotJson;
    report("job.malformed_document", thing, job_of(message), std::move(more));
  }
  return is_cut ? cut_within_document(message, *document) : to_text(message);
}

void JobFaults::report(const char* name, const ThingName& thing, const std::string& job,
                       nlohmann::json more) {
  more.update({{"fault", name}, {"device", thing.str()}});
  if (!job.empty()) more["job"] = job;
  log_.emit("cloud", "fault", std::move(more));
}

}  // namespace otasim::cloud
