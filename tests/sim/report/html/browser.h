// A headless Chromium under a test's hands, over a pipe (the DevTools protocol): no port, no server.
//
//   Browser browser;
//   browser.open("/tmp/x/report.html");       // until the page says that it is ready
//   browser.evaluate("document.title")
//   browser.press("ArrowRight")
//   browser.complaints()                      // errors of scripts, of the console, of the page's own policy
//   browser.requests()                        // whatever else it asked for
//
// What goes wrong (no Chromium, no answer within kLimit) throws std::runtime_error: the test fails and says
// it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"

namespace otasim::test {

class Browser {
 public:
  static constexpr auto kLimit = std::chrono::seconds(90);

  Browser();
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  /// Loads a file, and waits until its script sets data-state to "ready" or "failed", which it returns.
  std::string open(const std::string& path);
  /// The same of a page on a server.
  std::string open_url(const std::string& url);
  /// Loads a page, and waits for nothing else.
  void go(const std::string& url);
  /// The value of an expression; a promise's when it has one. Throws if it throws.
  nlohmann::json evaluate(const std::string& expression);
  /// A key, pressed and let go, where the focus is.
  void press(const std::string& key);
  /// What the page has cost so far, as Chromium counts it: "Nodes", "LayoutCount", "JSHeapUsedSize", ...
  std::map<std::string, double> costs();
  /// The page on paper: a PDF file's bytes.
  std::string print();
  /// "prefers-color-scheme", "dark"; an empty value takes it back.
  void set_media_feature(const std::string& name, const std::string& value);

  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
  [[nodiscard]] const std::vector<std::string>& requests() const { return requests_; }

 private:
  void launch();
  nlohmann::json call(const std::string& method, nlohmann::json parameters = nlohmann::json::object());
  nlohmann::json next_message(const std::string& awaited);
  void hear(const nlohmann::json& message);

  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  TempDir profile_ = TempDir::create().value();
  std::string session_;
  std::string buffer_;
  std::size_t searched_ = 0;
  int next_id_ = 1;
  bool is_loaded_ = false;
  std::vector<std::string> complaints_;
  std::vector<std::string> requests_;
};

}  // namespace otasim::test
