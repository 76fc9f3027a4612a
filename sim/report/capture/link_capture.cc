#include "sim/report/capture/link_capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "sim/base/file_io.h"
#include "sim/report/capture/decode_options.h"
#include "sim/report/capture/frame_comments.h"
#include "sim/report/capture/pcapng_writer.h"
#include "sim/report/pcap_reader.h"

namespace otasim::report::capture {
namespace {

namespace fs = std::filesystem;

/// Some 300,000 connections.
constexpr std::size_t kMaxKeyLogBytes = std::size_t{64} << 20;

struct Link {
  std::string device;
  PcapReader reader;
  std::uint32_t interface = 0;
  std::optional<CapturedFrame> frame = {};  ///< the next one
};

/// Where the captures are: a demo has one device, whose files are in the run's own folder.
std::vector<fs::path> link_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder / "devices", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;  // then it is not there
    if (fs::exists(entry->path() / kLinkFile, ignored)) files.push_back(entry->path() / kLinkFile);
  }
  std::ranges::sort(files);
  if (files.empty() && fs::exists(folder / kLinkFile, error)) files.push_back(folder / kLinkFile);
  return files;
}

Result<std::vector<Link>> open_links(const CaptureRequest& request) {
  const fs::path folder(request.folder);
  std::vector<Link> links;
  for (const fs::path& file : link_files(folder)) {
    const bool is_folders_own = file.parent_path() == folder;
    const std::string device = is_folders_own ? "device" : file.parent_path().filename().string();
    if (!request.device.empty() && request.device != device) continue;
    auto opened = GrowingFile::open(file.string());
    if (!opened) return tl::unexpected(opened.error());
    PcapReader reader(std::move(*opened));
    if (!reader.has_header())
      return fail(ExitCode::kUsage, fmt::format("cannot use '{}': {}.", file.string(), reader.problem()));
    links.push_back({.device = device, .reader = std::move(reader)});
  }
  if (!links.empty()) return links;
  const std::string whose = request.device.empty() ? "" : fmt::format(" of a device '{}'", request.device);
  return fail(
      ExitCode::kUsage, fmt::format("there is no capture{} in '{}'.", whose, request.folder),
      "otasim run leaves devices/NAME/link.pcap; otasim up does so with --keylog; a matrix drops those\n"
      "of runs that passed, unless it is told --keep.");
}

FrameDirection direction_of(const std::vector<std::uint8_t>& frame) {
  constexpr std::size_t kSourceAt = 6;
  constexpr std::uint8_t kDevices = 0x02;  // docs/link.md: the host side's addresses begin with 52
  if (frame.size() <= kSourceAt) return FrameDirection::kUnknown;
  return frame[kSourceAt] == kDevices ? FrameDirection::kFromDevice : FrameDirection::kToDevice;
}

Link* earliest(std::vector<Link>& links) {
  Link* first = nullptr;
  for (Link& link : links) {
    if (link.frame && (first == nullptr || link.frame->calendar_ns < first->frame->calendar_ns))
      first = &link;
  }
  return first;
}

std::string section_comment(const std::string& folder) {
  const std::string options = decode_options(folder);
  const std::string name = fs::absolute(folder).lexically_normal().filename().string();
  if (options.empty()) return "otasim run " + name;
  return fmt::format("otasim run {}; for MQTT within TLS: wireshark {}", name, options);
}

void append_line(std::string& text, const std::string& more) {
  if (!text.empty() && !more.empty()) text += '\n';
  text += more;
}

}  // namespace

Result<WrittenCapture> write_capture(const CaptureRequest& request) {
  auto links = open_links(request);
  if (!links) return tl::unexpected(links.error());
  WrittenCapture written{.path = request.path};
  if (written.path.empty()) written.path = (fs::path(request.folder) / kCaptureFile).string();
  auto writer = PcapngWriter::create(written.path, section_comment(request.folder));
  if (!writer) return tl::unexpected(writer.error());
  const std::string key_log = (fs::path(request.folder) / kKeyLogFile).string();
  std::error_code ignored;  // then it is not there
  if (fs::exists(key_log, ignored)) {
    const auto secrets = read_regular_file(key_log, kMaxKeyLogBytes);
    if (!secrets) return tl::unexpected(secrets.error());
    writer->add_secrets({reinterpret_cast<const char*>(secrets->data()), secrets->size()});
    written.has_secrets = !secrets->empty();
  }
  for (Link& link : *links) {
    link.interface = writer->add_interface(link.device, fmt::format("link of {}", link.device));
    link.frame = link.reader.next();
  }
  auto comments = FrameComments::read(request.folder);
  for (Link* link = earliest(*links); link != nullptr;) {
    const CapturedFrame frame = *std::exchange(link->frame, link->reader.next());
    Link* const next = earliest(*links);
    std::string comment = comments.take(link->device, frame.calendar_ns);
    if (!link->frame) append_line(comment, comments.take_rest(link->device));
    if (next == nullptr) append_line(comment, comments.take_rest({}));
    writer->add_frame({.interface = link->interface,
                       .calendar_ns = frame.calendar_ns,
                       .wire_bytes = frame.wire_bytes,
                       .direction = direction_of(frame.bytes),
                       .bytes = frame.bytes,
                       .comment = comment});
    ++written.frames;
    link = next;
  }
  for (const Link& link : *links) {
    if (!link.reader.problem().empty())
      written.problems.push_back(
          fmt::format("the capture of {} ends early: {}", link.device, link.reader.problem()));
  }
  if (auto finished = writer->finish(); !finished) return tl::unexpected(finished.error());
  return written;
}

}  // namespace otasim::report::capture
