// A page's server over a lab that a test plays, on a thread of its own.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "sim/base/json.h"
#include "sim/web/web_server.h"

namespace otasim::web {

class ServedLab : public ::testing::Test {
 protected:
  ServedLab() { log->listen(feed.listener()); }
  ~ServedLab() override {
    if (!thread.joinable()) return;
    on_server([this] { server.reset(); });
    work.reset();
    thread.join();
  }

  /// Commands are added to the table before.
  void start(const WebOptions& options = {}) {
    auto started = WebServer::start(io, feed, commands,
                                    {.lab =
                                         [] {
                                           return nlohmann::json{{"folder", "/lab"}};
                                         },
                                     .folder_of = [](const std::string&) { return std::string(); }},
                                    options);
    ASSERT_TRUE(started) << started.error().message;
    server = std::move(*started);
    thread = std::thread([this] { io.run(); });
  }

  /// Does it on the server's thread, and returns when it is done.
  void on_server(const std::function<void()>& act) {
    std::promise<void> done;
    boost::asio::post(io, [&] {
      act();
      done.set_value();
    });
    done.get_future().get();
  }

  boost::asio::io_context io;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work{
      io.get_executor()};
  std::unique_ptr<report::EventLog> log = report::EventLog::in_memory();
  EventFeed feed{io};
  control::CommandTable commands;
  std::unique_ptr<WebServer> server;
  std::thread thread;
};

}  // namespace otasim::web
