#include "sim/link/link.h"

#include <fmt/format.h>

#include <cstdio>

#include "sim/link/link_loop.h"

namespace otasim::link {
namespace {

/// In QEMU's option syntax a comma ends a value unless it is doubled.
std::string option_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == ',') out += c;
  }
  return out;
}

}  // namespace

Link::Link(Config config) : config_(std::move(config)) {}
Link::~Link() = default;

Result<std::unique_ptr<Link>> Link::start(Config config) {
  if (config.wire_rate_bits_per_second == 0) {
    return fail(ExitCode::kUsage, "the link's wire rate is 0 bit/s",
                "Give a rate above 0, for instance 100000000 for 100 Mbit/s.");
  }
  if (config.one_way_delay < config.one_way_delay.zero() || config.one_way_delay > kMaxOneWayDelay) {
    return fail(ExitCode::kUsage,
                fmt::format("a link delay of {} us is not possible", config.one_way_delay.count()),
                fmt::format("Give one of 0 to {} seconds.", kMaxOneWayDelay.count()));
  }
  std::unique_ptr<Link> link(new Link(std::move(config)));
  auto socket = DeviceSocket::bind(link->link_socket_path(), link->qemu_socket_path());
  if (!socket) return tl::unexpected(socket.error());
  auto loop = LinkLoop::start(link->config_, std::move(*socket));
  if (!loop) return tl::unexpected(loop.error());
  link->loop_ = std::move(*loop);
  return link;
}

std::vector<std::string> Link::qemu_arguments(std::string_view nic_model) const {
  return {"-netdev",
          fmt::format("dgram,id=n0,local.type=unix,local.path={},remote.type=unix,remote.path={}",
                      option_value(qemu_socket_path()), option_value(link_socket_path())),
          "-net", fmt::format("nic,model={},netdev=n0,macaddr={}", nic_model, to_string(config_.mac))};
}

// QEMU looks its peer up by name for each frame.
void Link::unplug() {
  static_cast<void>(std::rename(link_socket_path().c_str(), pulled_socket_path().c_str()));
}

void Link::plug() {
  static_cast<void>(std::rename(pulled_socket_path().c_str(), link_socket_path().c_str()));
}

Result<FaultId> Link::arm(const LinkFault& fault) {
  if (auto checked = check(fault); !checked) return tl::unexpected(checked.error());
  const FaultId id{++last_fault_};
  loop_->arm(id, fault);
  return id;
}

void Link::clear(FaultId id) {
  loop_->clear(id);
}

Statistics Link::statistics() const {
  return loop_->statistics();
}
std::string Link::link_socket_path() const {
  return config_.folder + "/link.sock";
}
std::string Link::qemu_socket_path() const {
  return config_.folder + "/qemu.sock";
}

}  // namespace otasim::link
