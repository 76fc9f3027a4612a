#include "sim/device/qmp.h"

#include <fmt/format.h>

#include <poll.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <numeric>
#include <utility>

#include "sim/device/line_splitter.h"

namespace otasim::device {
namespace {

// Enough of a bad message to recognise it by.
constexpr std::size_t kQuotedBytes = 80;

Result<nlohmann::json> parse(std::string_view line) {
  nlohmann::json message = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (message.is_object()) return message;
  return fail(ExitCode::kEnvironment,
              fmt::format("QEMU's monitor sent something that is not a JSON object: {}",
                          escape_text(line.substr(0, kQuotedBytes))));
}

std::string string_member(const nlohmann::json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

}  // namespace

Result<void> QmpReader::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (line_.size() + part.size() > kMaxQmpMessageBytes) {
      return fail(ExitCode::kEnvironment,
                  fmt::format("QEMU's monitor sent a message of more than {} bytes", kMaxQmpMessageBytes));
    }
    line_ += part;
    if (end == std::string_view::npos) return {};
    bytes.remove_prefix(end + 1);
    const std::string line = std::exchange(line_, {});
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto message = parse(line);
    if (!message) return tl::unexpected(message.error());
    sink(*message);
  }
  return {};
}

std::shared_ptr<QmpClient> QmpClient::create(Socket socket, Handlers handlers) {
  return std::shared_ptr<QmpClient>(new QmpClient(std::move(socket), std::move(handlers)));
}

void QmpClient::start() {
  read();
}

void QmpClient::read() {
  socket_.async_read_some(
      boost::asio::buffer(input_),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
        if (self->closed_) return;
        if (error) return self->close();
        const auto fed = self->reader_.feed(std::string_view(self->input_).substr(0, count),
                                            [&](const nlohmann::json& message) {
                                              if (!self->closed_) self->handle(message);
                                            });
        if (self->closed_) return;
        if (!fed) return self->fail_with(fed.error().message);
        self->read();
      });
}

void QmpClient::handle(const nlohmann::json& message) {
  if (!greeted_) {
    if (!message.contains("QMP")) return fail_with("the greeting is missing");
    greeted_ = true;
    execute("qmp_capabilities", {}, [this] { handlers_.on_ready(); });
    return;
  }
  const std::string event = string_member(message, "event");
  if (event.empty()) return handle_reply(message);
  handlers_.on_event(event, message.value("data", nlohmann::json::object()));
}

void QmpClient::handle_reply(const nlohmann::json& message) {
  if (pending_.empty()) return fail_with("a reply came that no command asked for");
  const PendingCommand command = std::move(pending_.front());
  pending_.pop_front();
  if (message.contains("return")) return command.on_reply(message.at("return"));
  const auto error = message.find("error");
  const std::string reason =
      error != message.end() && error->is_object() ? string_member(*error, "desc") : "no reason given";
  fail_with(fmt::format("{} was refused: {}", command.name, escape_text(reason)));
}

void QmpClient::execute(const std::string& command, nlohmann::json arguments,
                        std::function<void()> on_reply) {
  send(command, std::move(arguments),
       [on_reply = std::move(on_reply)](const nlohmann::json&) { on_reply(); });
}

void QmpClient::query(const std::string& command, std::function<void(const nlohmann::json& value)> on_reply) {
  send(command, {}, std::move(on_reply));
}

void QmpClient::send(const std::string& command, nlohmann::json arguments,
                     std::function<void(const nlohmann::json& value)> on_reply) {
  if (closed_) return;
  nlohmann::json message{{"execute", command}};
  if (!arguments.empty()) message["arguments"] = std::move(arguments);
  pending_.push_back({command, std::move(on_reply)});
  output_.push_back(message.dump() + "\n");
  if (output_.size() == 1) write();
}

/// A message that is being written has reached the socket's buffer as far as that had room, and a monitor
/// that has not read that much would not read what comes now either.
void QmpClient::fall_silent() {
  if (std::exchange(closed_, true)) return;
  handlers_ = {};
  std::string text;
  if (!output_.empty()) text = std::accumulate(output_.begin() + 1, output_.end(), text);
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  boost::asio::write(socket_, boost::asio::buffer(text), ignored);
}

void QmpClient::send_now(const std::vector<std::string>& commands) {
  std::string text;
  for (const std::string& command : commands) text += nlohmann::json{{"execute", command}}.dump() + "\n";
  boost::system::error_code ignored;
  boost::asio::write(socket_, boost::asio::buffer(text), ignored);
}

void QmpClient::execute_last(const std::vector<std::string>& commands) {
  fall_silent();
  send_now(commands);
}

std::optional<nlohmann::json> QmpClient::ask_last(const std::string& command,
                                                  std::chrono::milliseconds limit) {
  fall_silent();
  send_now({command});
  std::size_t before = pending_.size();  // answers to what was asked earlier
  pending_.clear();
  std::optional<nlohmann::json> answer;
  const auto take = [&](const nlohmann::json& message) {
    if (message.contains("event")) return;
    if (before > 0) {
      --before;
    } else if (!answer) {
      answer = message.value("return", nlohmann::json::object());
    }
  };
  const auto end = std::chrono::steady_clock::now() + limit;
  std::array<char, 4096> bytes{};
  while (!answer) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd readable{socket_.native_handle(), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&readable, 1, static_cast<int>(left.count())) <= 0) return std::nullopt;
    const ssize_t count = ::read(socket_.native_handle(), bytes.data(), bytes.size());
    if (count <= 0) return std::nullopt;
    if (!reader_.feed({bytes.data(), static_cast<std::size_t>(count)}, take)) return std::nullopt;
  }
  return answer;
}

void QmpClient::write() {
  boost::asio::async_write(socket_, boost::asio::buffer(output_.front()),
                           [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                             if (self->closed_) return;
                             if (error)
                               return self->fail_with("a command could not be sent: " + error.message());
                             self->output_.pop_front();
                             if (!self->output_.empty()) self->write();
                           });
}

void QmpClient::fail_with(std::string what) {
  const auto self = shared_from_this();  // the handler may drop the last other reference
  close();
  handlers_.on_failure({ExitCode::kEnvironment, "QEMU's monitor: " + std::move(what), ""});
}

void QmpClient::close() {
  closed_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace otasim::device
