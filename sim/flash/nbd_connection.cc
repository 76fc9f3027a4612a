#include "sim/flash/nbd_connection.h"

#include <algorithm>
#include <concepts>
#include <utility>

namespace otasim::flash_file {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint16_t kTransmissionFlags = nbd::kHasFlags | nbd::kSendFlush;

template <std::unsigned_integral Number>
void put(std::vector<std::uint8_t>& out, Number value) {
  for (int shift = 8 * static_cast<int>(sizeof value) - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(value >> shift));
}

template <std::unsigned_integral Number>
Number get(Bytes bytes, std::size_t at) {
  Number value = 0;
  for (const std::uint8_t byte : bytes.subspan(at, sizeof value))
    value = static_cast<Number>(std::uint64_t{value} << 8 | byte);
  return value;
}

/// The data of kOptInfo and kOptGo: a name, and a list of what the client would like to be told.
struct InfoRequest {
  Bytes name;
  bool is_well_formed = false;
};

InfoRequest parse_info_request(Bytes data) {
  constexpr std::size_t kLength = sizeof(std::uint32_t);
  constexpr std::size_t kCount = sizeof(std::uint16_t);
  if (data.size() < kLength + kCount) return {};
  const auto name_length = get<std::uint32_t>(data, 0);
  if (name_length > data.size() - kLength - kCount) return {};
  const auto count = get<std::uint16_t>(data, kLength + name_length);
  const std::size_t list = data.size() - kLength - name_length - kCount;
  return {.name = data.subspan(kLength, name_length),
          .is_well_formed = list == std::size_t{count} * sizeof(std::uint16_t)};
}

}  // namespace

NbdConnection::NbdConnection(NorDisk& disk, std::function<void(const RefusedWrite&)> on_refused)
    : disk_(disk), on_refused_(std::move(on_refused)) {
  put(output_, nbd::kGreetingMagic);
  put(output_, nbd::kOptionMagic);
  put(output_, static_cast<std::uint16_t>(nbd::kFixedNewstyle | nbd::kNoZeroes));
}

std::size_t NbdConnection::take(Bytes input) {
  switch (state_) {
    case State::kClientFlags:
      return take_client_flags(input);
    case State::kOptions:
      return take_option(input);
    case State::kTransmission:
      return take_request(input);
    case State::kClosed:
    case State::kWithoutPower:
      return 0;
  }
  return 0;
}

std::size_t NbdConnection::close() {
  state_ = State::kClosed;
  return 0;
}

std::size_t NbdConnection::take_client_flags(Bytes input) {
  if (input.size() < nbd::kClientFlagsSize) return 0;
  const auto flags = get<std::uint32_t>(input, 0);
  if ((flags & ~std::uint32_t{nbd::kFixedNewstyle | nbd::kNoZeroes}) != 0) return close();
  wants_zeroes_ = (flags & nbd::kNoZeroes) == 0;
  state_ = State::kOptions;
  return nbd::kClientFlagsSize;
}

std::size_t NbdConnection::take_option(Bytes input) {
  if (input.size() < nbd::kOptionHeaderSize) return 0;
  const auto option = get<std::uint32_t>(input, 8);
  const auto length = get<std::uint32_t>(input, 12);
  if (get<std::uint64_t>(input, 0) != nbd::kOptionMagic || length > nbd::kMaxOptionBytes) return close();
  if (input.size() < nbd::kOptionHeaderSize + length) return 0;
  if (++options_ > nbd::kMaxOptions) return close();
  handle_option(option, input.subspan(nbd::kOptionHeaderSize, length));
  return nbd::kOptionHeaderSize + length;
}

void NbdConnection::handle_option(std::uint32_t option, Bytes data) {
  switch (option) {
    case nbd::kOptExportName:
      return handle_export_name(data);
    case nbd::kOptAbort:
      put_option_reply(option, nbd::kRepAck);
      state_ = State::kClosed;
      return;
    case nbd::kOptInfo:
    case nbd::kOptGo:
      return handle_info(option, data);
    default:
      return put_option_reply(option, nbd::kRepErrUnsupported);
  }
}

/// This old option has no error reply: an unknown name is answered by the connection's end.
void NbdConnection::handle_export_name(Bytes name) {
  if (!name.empty()) {
    state_ = State::kClosed;
    return;
  }
  put(output_, disk_.size());
  put(output_, kTransmissionFlags);
  if (wants_zeroes_) output_.insert(output_.end(), nbd::kExportNamePadding, 0);
  state_ = State::kTransmission;
}

void NbdConnection::handle_info(std::uint32_t option, Bytes data) {
  const InfoRequest request = parse_info_request(data);
  if (!request.is_well_formed) return put_option_reply(option, nbd::kRepErrInvalid);
  if (!request.name.empty()) return put_option_reply(option, nbd::kRepErrUnknown);
  std::vector<std::uint8_t> info;
  put(info, static_cast<std::uint16_t>(nbd::kInfoExport));
  put(info, disk_.size());
  put(info, kTransmissionFlags);
  put_option_reply(option, nbd::kRepInfo, info);
  // Also to a client that has not asked: it must hear that a page may be written alone.
  info.clear();
  put(info, static_cast<std::uint16_t>(nbd::kInfoBlockSize));
  put(info, nbd::kMinBlockBytes);
  put(info, nbd::kPreferredBlockBytes);
  put(info, nbd::kMaxRequestBytes);
  put_option_reply(option, nbd::kRepInfo, info);
  put_option_reply(option, nbd::kRepAck);
  if (option == nbd::kOptGo) state_ = State::kTransmission;
}

void NbdConnection::put_option_reply(std::uint32_t option, std::uint32_t type, Bytes data) {
  put(output_, nbd::kOptionReplyMagic);
  put(output_, option);
  put(output_, type);
  put(output_, static_cast<std::uint32_t>(data.size()));
  output_.insert(output_.end(), data.begin(), data.end());
}

std::size_t NbdConnection::take_request(Bytes input) {
  if (input.size() < nbd::kRequestHeaderSize) return 0;
  if (get<std::uint32_t>(input, 0) != nbd::kRequestMagic) return close();
  const Request request{.flags = get<std::uint16_t>(input, 4),
                        .type = get<std::uint16_t>(input, 6),
                        .cookie = get<std::uint64_t>(input, 8),
                        .offset = get<std::uint64_t>(input, 16),
                        .length = get<std::uint32_t>(input, 24)};
  const std::size_t payload = request.type == nbd::kWrite ? request.length : 0;
  if (payload > nbd::kMaxRequestBytes) return close();
  if (input.size() < nbd::kRequestHeaderSize + payload) return 0;
  handle_request(request, input.subspan(nbd::kRequestHeaderSize, payload));
  return nbd::kRequestHeaderSize + payload;
}

void NbdConnection::handle_request(const Request& request, Bytes data) {
  if (request.type == nbd::kDisconnect) {
    state_ = State::kClosed;
    return;
  }
  if (request.flags != 0) return put_reply(request, nbd::kEinval);
  switch (request.type) {
    case nbd::kRead:
      return read(request);
    case nbd::kWrite:
      return write(request, data);
    case nbd::kFlush:
      // What a write changed is in the file's mapping: it outlives this process, as flash outlives power.
      return put_reply(request, nbd::kNoError);
    default:
      return put_reply(request, nbd::kEinval);
  }
}

void NbdConnection::read(const Request& request) {
  if (request.length == 0 || request.length > nbd::kMaxRequestBytes) return put_reply(request, nbd::kEinval);
  std::vector<std::uint8_t> data(request.length);
  const DiskOutcome outcome = disk_.read(request.offset, data);
  answer(request, outcome);
  if (outcome == DiskOutcome::kDone) output_.insert(output_.end(), data.begin(), data.end());
}

void NbdConnection::write(const Request& request, Bytes data) {
  if (request.length == 0) return put_reply(request, nbd::kEinval);
  const DiskOutcome outcome = disk_.write(request.offset, data);
  if (outcome == DiskOutcome::kRefused && on_refused_) on_refused_({request.offset, request.length});
  answer(request, outcome);
}

void NbdConnection::answer(const Request& request, DiskOutcome outcome) {
  switch (outcome) {
    case DiskOutcome::kDone:
      return put_reply(request, nbd::kNoError);
    case DiskOutcome::kOutOfRange:
      return put_reply(request, request.type == nbd::kWrite ? nbd::kEnospc : nbd::kEinval);
    case DiskOutcome::kRefused:
      return put_reply(request, nbd::kEio);
    case DiskOutcome::kNoPower:
      state_ = State::kWithoutPower;
      return;
  }
}

void NbdConnection::put_reply(const Request& request, nbd::ReplyError error) {
  put(output_, nbd::kSimpleReplyMagic);
  put(output_, static_cast<std::uint32_t>(error));
  put(output_, request.cookie);
}

}  // namespace otasim::flash_file
