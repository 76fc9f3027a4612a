#include "sim/cloud/stream_faults.h"

#include <algorithm>

namespace otasim::cloud {

namespace {

std::int64_t size_of(const StreamReply& reply) {
  return static_cast<std::int64_t>(reply.data.size());
}

bool could_strike(const WrongData& what, const StreamReply& reply) {
  const std::int64_t at = what.at_bytes.value_or(0);
  return at >= 0 && at < size_of(reply) && what.length_bytes > 0;
}

bool could_strike(const ShortBlock& what, const StreamReply& reply) {
  return what.by_bytes > 0 && what.by_bytes < size_of(reply);
}

template <typename Other>
bool could_strike(const Other&, const StreamReply&) {
  return true;
}

}  // namespace

FaultId StreamFaults::arm(StreamFault fault) {
  return armed_.arm(Armed(std::move(fault)));
}

bool StreamFaults::clear(FaultId id) {
  auto cleared = armed_.clear(id);
  if (!cleared) return false;
  if (cleared->held) let_go_.push_back(std::move(*cleared->held));
  return true;
}

std::vector<StreamReply> StreamFaults::strike(StreamReply reply) {
  Replies out = std::exchange(let_go_, {});
  advance(std::move(reply), FaultId{}, out);
  return out;
}

void StreamFaults::advance(StreamReply reply, FaultId from, Replies& out) {
  std::vector<std::pair<FaultId, StreamReply>> overtaken;
  bool goes_on = true;
  for (FaultId id = from; goes_on;) {
    Armed* const armed = armed_.next(id);
    if (armed == nullptr) break;
    if (!armed->fault.device.empty() && armed->fault.device != reply.client.client_id) continue;
    if (const auto* reorder = std::get_if<ReorderReply>(&armed->fault.what);
        reorder != nullptr && armed->held) {
      if (++armed->overtaken < reorder->by) continue;
      overtaken.emplace_back(id, std::move(*armed->held));
      armed->held.reset();
      continue;
    }
    goes_on = std::visit(
        [&](const auto& what) {
          if (!could_strike(what, reply) || !armed->strike.next()) return true;
          return strike(what, id, *armed, reply, out);
        },
        armed->fault.what);
  }
  if (goes_on) out.push_back(std::move(reply));
  for (auto& [id, held] : overtaken) advance(std::move(held), id, out);
}

bool StreamFaults::strike(const WrongBlock& what, FaultId /*id*/, Armed& /*armed*/, StreamReply& reply,
                          Replies& /*out*/) {
  nlohmann::json more{{"shift_blocks", what.shift_blocks}};
  if (what.file_id) more["file_id"] = *what.file_id;
  report("stream.wrong_block", reply, std::move(more));
  reply.index += what.shift_blocks;
  reply.file_id = what.file_id.value_or(reply.file_id);
  return true;
}

bool StreamFaults::strike(const WrongData& what, FaultId /*id*/, Armed& armed, StreamReply& reply,
                          Replies& /*out*/) {
  const std::int64_t size = size_of(reply);
  const auto any = static_cast<std::int64_t>(armed.random() % static_cast<std::uint64_t>(size));
  const std::int64_t at = what.at_bytes.value_or(any);
  const std::int64_t length = std::min(what.length_bytes, size - at);
  report("stream.wrong_data", reply, {{"at_bytes", at}, {"length_bytes", length}});
  const auto first = reply.data.begin() + at;
  std::transform(first, first + length, first,
                 [](std::uint8_t byte) { return static_cast<std::uint8_t>(~byte); });
  return true;
}

bool StreamFaults::strike(const ShortBlock& what, FaultId /*id*/, Armed& /*armed*/, StreamReply& reply,
                          Replies& /*out*/) {
  report("stream.short_block", reply, {{"by_bytes", what.by_bytes}});
  reply.data.resize(reply.data.size() - static_cast<std::size_t>(what.by_bytes));
  reply.length = size_of(reply);
  return true;
}

bool StreamFaults::strike(const WrongSize& what, FaultId /*id*/, Armed& /*armed*/, StreamReply& reply,
                          Replies& /*out*/) {
  report("stream.wrong_size", reply, {{"by_bytes", what.by_bytes}});
  reply.length += what.by_bytes;
  return true;
}

bool StreamFaults::strike(const MissingReply& /*what*/, FaultId /*id*/, Armed& /*armed*/, StreamReply& reply,
                          Replies& /*out*/) {
  report("stream.missing", reply);
  return false;
}

bool StreamFaults::strike(const DuplicateReply& what, FaultId id, Armed& /*armed*/, StreamReply& reply,
                          Replies& out) {
  report("stream.duplicate", reply, {{"copies", what.copies}});
  for (std::uint32_t i = 0; i < what.copies; ++i) advance(reply, id, out);
  return true;
}

bool StreamFaults::strike(const ReorderReply& what, FaultId /*id*/, Armed& armed, StreamReply& reply,
                          Replies& /*out*/) {
  report("stream.reorder", reply, {{"by", what.by}});
  armed.held = std::move(reply);
  armed.overtaken = 0;
  return false;
}

void StreamFaults::report(const char* name, const StreamReply& reply, nlohmann::json more) {
  more.update({{"fault", name},
               {"device", reply.client.client_id},
               {"stream", reply.stream},
               {"block", reply.index}});
  log_.emit("cloud", "fault", std::move(more));
}

}  // namespace otasim::cloud
