#include "tests/sim/report/html/browser.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string_view>

namespace otasim::test {
namespace {

using nlohmann::json;

// What --remote-debugging-pipe reads and writes.
constexpr int kCommands = 3;
constexpr int kAnswers = 4;

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  return ends;
}

/// In the child: the pipe's ends where Chromium looks for them, whatever they were.
void place(int commands, int answers) {
  constexpr int kFree = 10;
  const int first = fcntl(commands, F_DUPFD, kFree);
  const int second = fcntl(answers, F_DUPFD, kFree);
  dup2(first, kCommands);
  dup2(second, kAnswers);
  close(first);
  close(second);
}

/// Of text that Chromium has written.
std::string from_base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) break;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  return bytes;
}

}  // namespace

Browser::Browser() {
  launch();
  const json target = call("Target.createTarget", {{"url", "about:blank"}});
  session_ = call("Target.attachToTarget", {{"targetId", target.at("targetId")}, {"flatten", true}})
                 .at("sessionId")
                 .get<std::string>();
  for (const char* domain : {"Page", "Runtime", "Log", "Network", "Performance"})
    call(std::string(domain) + ".enable");
}

Browser::~Browser() {
  if (pid_ > 0) {
    kill(-pid_, SIGKILL);  // its own group, with all it has started
    waitpid(pid_, nullptr, 0);
  }
  for (const int end : {to_, from_}) {
    if (end >= 0) close(end);
  }
}

void Browser::launch() {
  const auto commands = make_pipe();
  const auto answers = make_pipe();
  const std::string profile = "--user-data-dir=" + profile_.path().string();
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("no process for the browser");
  if (pid_ == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int quiet = ::open("/dev/null", O_RDWR);
    for (const int end : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(quiet, end);
    place(commands[0], answers[1]);
    // Chromium's sandbox does not work for root; what it shows here are our own pages.
    const char* const sandbox = geteuid() == 0 ? "--no-sandbox" : "--disable-background-networking";
    execlp("chromium", "chromium", "--headless", "--remote-debugging-pipe", "--disable-gpu",
           "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-sync",
           "--disable-component-update", "--disable-background-networking", sandbox, profile.c_str(),
           "about:blank", nullptr);
    _exit(127);
  }
  setpgid(pid_, pid_);
  close(commands[0]);
  close(answers[1]);
  to_ = commands[1];
  from_ = answers[0];
  signal(SIGPIPE, SIG_IGN);
}

json Browser::next_message(const std::string& awaited) {
  const auto limit = std::chrono::steady_clock::now() + kLimit;
  for (;;) {
    const std::size_t end = buffer_.find('\0', searched_);
    if (end != std::string::npos) {
      json message = json::parse(buffer_.substr(0, end));
      buffer_.erase(0, end + 1);
      searched_ = 0;
      return message;
    }
    searched_ = buffer_.size();
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(limit - std::chrono::steady_clock::now());
    pollfd wait{.fd = from_, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || poll(&wait, 1, static_cast<int>(left.count())) == 0)
      throw std::runtime_error("the browser does not answer: " + awaited);
    std::array<char, 65536> bytes{};
    const ssize_t got = read(from_, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw std::runtime_error("the browser has ended: is the package chromium installed?");
    buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  }
}

void Browser::hear(const json& message) {
  const std::string method = message.value("method", "");
  const json parameters = message.value("params", json::object());
  if (method == "Page.loadEventFired") is_loaded_ = true;
  if (method == "Runtime.exceptionThrown") complaints_.push_back(parameters.at("exceptionDetails").dump());
  if (method == "Runtime.consoleAPICalled" && parameters.value("type", "") == "error")
    complaints_.push_back(parameters.at("args").dump());
  if (method == "Log.entryAdded" && parameters.at("entry").value("level", "") == "error")
    complaints_.push_back(parameters.at("entry").value("text", ""));
  if (method == "Network.requestWillBeSent") requests_.push_back(parameters.at("request").value("url", ""));
}

json Browser::call(const std::string& method, json parameters) {
  const int id = next_id_++;
  json message{{"id", id}, {"method", method}, {"params", std::move(parameters)}};
  if (!session_.empty()) message["sessionId"] = session_;
  const std::string text = message.dump();
  for (std::size_t sent = 0; sent <= text.size();) {
    const ssize_t count = write(to_, text.c_str() + sent, text.size() + 1 - sent);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw std::runtime_error("the browser has ended: is the package chromium installed?");
    sent += static_cast<std::size_t>(count);
  }
  for (;;) {
    json answer = next_message(text);
    if (answer.value("id", -1) != id) {
      hear(answer);
      continue;
    }
    if (answer.contains("error")) throw std::runtime_error(method + ": " + answer.at("error").dump());
    return answer.value("result", json::object());
  }
}

std::string Browser::open(const std::string& path) {
  return open_url("file://" + path);
}

void Browser::go(const std::string& url) {
  is_loaded_ = false;
  complaints_.clear();
  requests_.clear();
  call("Page.navigate", {{"url", url}});
  while (!is_loaded_) hear(next_message("load of " + url));
}

std::string Browser::open_url(const std::string& url) {
  go(url);
  return evaluate(R"(new Promise((resolve) => {
    const root = document.documentElement;
    const look = () => {
      if (root.dataset.state === "ready" || root.dataset.state === "failed") resolve(root.dataset.state);
    };
    new MutationObserver(look).observe(root, {attributes: true});
    look();
  }).then((state) => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(state))))))")
      .get<std::string>();
}

json Browser::evaluate(const std::string& expression) {
  const json answer =
      call("Runtime.evaluate", {{"expression", expression}, {"awaitPromise", true}, {"returnByValue", true}});
  if (answer.contains("exceptionDetails"))
    throw std::runtime_error(expression + ": " + answer.at("exceptionDetails").dump());
  return answer.at("result").value("value", json());
}

void Browser::press(const std::string& key) {
  static const std::map<std::string, int> kCodes{
      {"ArrowLeft", 37}, {"ArrowRight", 39}, {"ArrowUp", 38}, {"ArrowDown", 40}, {"Home", 36}, {"End", 35},
      {"PageDown", 34},  {"[", 219},         {"]", 221},      {"Enter", 13},     {"Tab", 9}};
  // A button hears the character that Enter makes.
  const bool is_enter = key == "Enter";
  for (const char* type : {is_enter ? "keyDown" : "rawKeyDown", "keyUp"})
    call("Input.dispatchKeyEvent", {{"type", type},
                                    {"key", key},
                                    {"code", key},
                                    {"text", is_enter ? "\r" : ""},
                                    {"windowsVirtualKeyCode", kCodes.at(key)}});
  // What it has set off is drawn with the next frame.
  evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
}

std::map<std::string, double> Browser::costs() {
  std::map<std::string, double> costs;
  const json answer = call("Performance.getMetrics");
  for (const json& one : answer.at("metrics"))
    costs[one.at("name").get<std::string>()] = one.at("value").get<double>();
  return costs;
}

std::string Browser::print() {
  return from_base64(call("Page.printToPDF").at("data").get<std::string>());
}

void Browser::set_media_feature(const std::string& name, const std::string& value) {
  call("Emulation.setEmulatedMedia", {{"features", {{{"name", name}, {"value", value}}}}});
}

}  // namespace otasim::test
