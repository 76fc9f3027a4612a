#include "sim/device/qmp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

namespace otasim::device {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class QmpReaderTest : public testing::Test {
 protected:
  Result<void> feed(std::string_view bytes) {
    return reader_.feed(bytes, [this](const json& message) { messages_.push_back(message.dump()); });
  }

  QmpReader reader_;
  std::vector<std::string> messages_;
};

TEST_F(QmpReaderTest, GivesTheSameMessagesHoweverTheBytesAreCut) {
  const std::string stream = "{\"return\": {}}\r\n{\"event\": \"STOP\"}\r\n";
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    reader_ = {};
    messages_.clear();
    ASSERT_TRUE(feed(std::string_view(stream).substr(0, cut)));
    ASSERT_TRUE(feed(std::string_view(stream).substr(cut)));
    EXPECT_THAT(messages_, ElementsAre(R"({"return":{}})", R"({"event":"STOP"})")) << cut;
  }
}

TEST_F(QmpReaderTest, RefusesWhatIsNotAnObject) {
  for (const char* line :
       {"{\n", "[]\n", "1\n", "null\n", "{\"a\":1}}\n", "\x01\x02\n", "{\"a\":\"\xff\"}\n"}) {
    reader_ = {};
    const auto result = feed(line);
    ASSERT_FALSE(result) << line;
    EXPECT_THAT(result.error().message, HasSubstr("not a JSON object"));
  }
  EXPECT_THAT(messages_, IsEmpty());
}

TEST_F(QmpReaderTest, RefusesAMessageWithoutEnd) {
  ASSERT_TRUE(feed(std::string(kMaxQmpMessageBytes, 'x')));
  const auto result = feed("x");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("more than 65536 bytes"));
}

TEST_F(QmpReaderTest, SurvivesDeepNesting) {
  EXPECT_FALSE(feed(std::string(kMaxQmpMessageBytes - 1, '[') + "\n"));
}

// Plays QEMU's side over a socket pair.
class QmpClientTest : public testing::Test {
 protected:
  QmpClientTest() {
    boost::asio::local::connect_pair(qemu_, host_);
    client_ = QmpClient::create(
        std::move(host_), {.on_ready = [this] { ++ready_; },
                           .on_event = [this](const std::string& event,
                                              const json& data) { events_.push_back(event + data.dump()); },
                           .on_failure = [this](const Error& error) { failures_.push_back(error.message); }});
    client_->start();
  }

  ~QmpClientTest() override {
    client_->close();
    io_.run();
  }

  void say(std::string_view line) {
    boost::asio::write(qemu_, boost::asio::buffer(std::string(line) + "\r\n"));
    io_.restart();
    io_.poll();
  }

  std::string hear() {
    io_.restart();
    io_.poll();
    const std::size_t count = boost::asio::read_until(qemu_, boost::asio::dynamic_buffer(heard_), '\n');
    std::string line = heard_.substr(0, count - 1);
    heard_.erase(0, count);
    return line;
  }

  void greet() {
    say(R"({"QMP": {"version": {}, "capabilities": []}})");
    EXPECT_EQ(hear(), R"({"execute":"qmp_capabilities"})");
    say(R"({"return": {}})");
  }

  boost::asio::io_context io_;
  QmpClient::Socket qemu_{io_};
  QmpClient::Socket host_{io_};
  std::shared_ptr<QmpClient> client_;
  std::string heard_;
  int ready_ = 0;
  std::vector<std::string> events_;
  std::vector<std::string> failures_;
};

TEST_F(QmpClientTest, IsReadyAfterTheHandshake) {
  say(R"({"QMP": {}})");
  EXPECT_EQ(ready_, 0);
  EXPECT_EQ(hear(), R"({"execute":"qmp_capabilities"})");
  say(R"({"return": {}})");
  EXPECT_EQ(ready_, 1);
}

TEST_F(QmpClientTest, GivesEachCommandItsOwnReply) {
  greet();
  std::string replies;
  client_->execute("stop", {}, [&] { replies += "stop "; });
  client_->execute("set-action", {{"reboot", "reset"}}, [&] { replies += "action "; });
  EXPECT_EQ(hear(), R"({"execute":"stop"})");
  EXPECT_EQ(hear(), R"({"arguments":{"reboot":"reset"},"execute":"set-action"})");
  say(R"({"return": {}})");
  EXPECT_EQ(replies, "stop ");
  say(R"({"event": "STOP", "data": {"a": 1}, "timestamp": {}})");
  say(R"({"return": {}})");
  EXPECT_EQ(replies, "stop action ");
  EXPECT_THAT(events_, ElementsAre("STOP{\"a\":1}"));
  EXPECT_THAT(failures_, IsEmpty());
}

TEST_F(QmpClientTest, ARefusedCommandIsAFailureWithQemusReason) {
  greet();
  client_->execute("cont", {}, [] { FAIL() << "it was refused"; });
  say(R"({"error": {"class": "GenericError", "desc": "Resetting is required"}})");
  EXPECT_THAT(failures_, ElementsAre("QEMU's monitor: cont was refused: Resetting is required"));
}

TEST_F(QmpClientTest, AMissingGreetingIsAFailure) {
  say(R"({"return": {}})");
  EXPECT_THAT(failures_, ElementsAre(HasSubstr("greeting is missing")));
}

TEST_F(QmpClientTest, AReplyToNothingIsAFailure) {
  greet();
  say(R"({"return": {}})");
  EXPECT_THAT(failures_, ElementsAre(HasSubstr("no command asked for")));
}

TEST_F(QmpClientTest, MembersOfTheWrongKindDoNoHarm) {
  greet();
  client_->execute("stop", {}, [] {});
  say(R"({"error": 5, "event": {"x": 1}})");
  EXPECT_THAT(failures_, ElementsAre(HasSubstr("stop was refused: no reason given")));
}

TEST_F(QmpClientTest, GarbageIsAFailureAndEndsTheConnection) {
  greet();
  say("garbage\n{\"event\": \"STOP\"}");
  EXPECT_THAT(failures_, ElementsAre(HasSubstr("not a JSON object: garbage")));
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(QmpClientTest, TheEndOfQemuIsNotAFailureOfItsOwn) {
  greet();
  qemu_.close();
  io_.restart();
  io_.run();
  EXPECT_THAT(failures_, IsEmpty());
}

TEST_F(QmpClientTest, NothingIsCalledAfterClose) {
  greet();
  client_->close();
  boost::system::error_code ignored;
  boost::asio::write(qemu_, boost::asio::buffer(std::string("{\"event\": \"STOP\"}\n")), ignored);
  io_.restart();
  io_.run();
  EXPECT_THAT(events_, IsEmpty());
  EXPECT_THAT(failures_, IsEmpty());
}

}  // namespace
}  // namespace otasim::device
