// A lasting lab as a user meets it: real devices in QEMU, driven from the command line, through updates,
// power cuts and the lab's own end; and what a wrong command is told.
//
// What happens next is waited for on a console or on `job watch`, never for a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/unique_fd.h"
#include "tests/sim/cli/lab_fixture.h"

namespace otasim::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Updates.

TEST_F(LabTest, OneJobUpdatesAGroupOfTwoDevices) {
  const auto up = start_lab();
  ok({"group", "create", "all"});
  ok({"device", "add", "thing-1", "--group", "all"});
  ok({"device", "add", "thing-2", "--group", "all"});
  EXPECT_EQ(up->children().size(), 3U) << "a broker and two emulators";
  EXPECT_EQ(ok({"job", "create", "u1", "--version", "1.1.0", "--target", "group:all"})["id"], "AFR_OTA-u1");
  const Outcome watch = otasim({"job", "watch", "u1"});
  EXPECT_EQ(watch.code, 0) << watch.err;
  EXPECT_THAT(watch.out, HasSubstr("AFR_OTA-u1 COMPLETED: 2 SUCCEEDED"));
  const json job = ok({"job", "show", "u1"});
  EXPECT_EQ(job["status"], "COMPLETED");
  EXPECT_EQ(job["counts"]["SUCCEEDED"], 2);
  EXPECT_THAT(job["document"].get<std::string>(), HasSubstr("afr_ota"));
  for (const char* name : {"thing-1", "thing-2"}) {
    const json now = device(name);
    EXPECT_EQ(now["running"], "1.1.0") << name;
    EXPECT_EQ(now["factory_version"], "1.0.0") << name;
    EXPECT_EQ(now["connected"], true) << name;
    EXPECT_EQ(now["groups"], json({"all"})) << name;
  }
  end_lab(*up);
}

TEST_F(LabTest, AContinuousJobReachesADeviceThatJoinsLaterAndOneThatIsReprovisioned) {
  const auto up = start_lab({"--quiet"});
  ok({"group", "create", "all"});
  ok({"device", "add", "thing-1"});
  ok({"job", "create", "c1", "--version", "1.1.0", "--target", "group:all", "--continuous"});
  const auto watch = start({"job", "watch", "c1"});
  ok({"group", "add", "all", "thing-1"});
  ASSERT_TRUE(watch->wait_for_output("SUCCEEDED")) << watch->finish().err;

  const std::string first_key = content(lab() + "/devices/thing-1/device.key.pem");
  const json again = ok({"device", "reprovision", "thing-1"});
  EXPECT_EQ(again["power"], "on");
  EXPECT_EQ(again["groups"], json({"all"}));
  EXPECT_NE(content(lab() + "/devices/thing-1/device.key.pem"), first_key);
  ASSERT_TRUE(watch->wait_for_output("SUCCEEDED", 2)) << watch->finish().err;
  EXPECT_EQ(device("thing-1")["running"], "1.1.0");

  ok({"job", "cancel", "c1"});
  const Outcome end = watch->finish();
  EXPECT_EQ(end.code, 1);
  EXPECT_THAT(end.out, HasSubstr("AFR_OTA-c1 CANCELED"));
  EXPECT_THAT(end.err, HasSubstr("canceled"));
  end_lab(*up);
}

TEST_F(LabTest, ADeviceThatPrefersHttpFetchesOverItAndKeepsItsSettings) {
  const auto up = start_lab({"--quiet"});
  const json added = ok({"device", "add", "thing-1", "--protocol", "http", "--block-size", "1024",
                         "--blocks-per-request", "8", "--blocks-in-flight", "24"});
  const json transfer{
      {"protocol", "http"}, {"block_size", 1024}, {"blocks_per_request", 8}, {"blocks_in_flight", 24}};
  EXPECT_EQ(added["transfer"], transfer);
  const auto console = start({"device", "console", "thing-1", "--follow"});
  ok({"job", "create", "u1", "--version", "1.1.0", "--target", "thing-1", "--protocol", "MQTT", "--protocol",
      "HTTP"});
  const Outcome watch = otasim({"job", "watch", "u1"});
  EXPECT_EQ(watch.code, 0) << watch.out << watch.err;
  ASSERT_TRUE(console->wait_for_output("app: http requests"));
  EXPECT_EQ(device("thing-1")["running"], "1.1.0");
  EXPECT_EQ(ok({"device", "reprovision", "thing-1"})["transfer"], transfer);
  const json changed = ok({"device", "add", "thing-2", "--off", "--stream-format", "json", "--start-next"});
  EXPECT_EQ(changed["transfer"], (json{{"stream_format", "json"}, {"start_next", true}}));
  end_lab(*up);
}

class LabRecoveryTest : public LabTest {
 protected:
  /// While the device is off.
  void spoil_application(const std::string& name) {
    std::fstream flash(lab() + "/devices/" + name + "/flash.bin",
                       std::ios::binary | std::ios::in | std::ios::out);
    flash.seekp(flash::kSlotA.offset);
    flash << "no image";
  }
};

TEST_F(LabRecoveryTest, ADeviceWithoutAnApplicationIsShownInRecoveryAndUpdatedFromThere) {
  const auto up = start_lab({"--quiet"});
  const json added = ok({"device", "add", "thing-1", "--off"});
  EXPECT_EQ(added["recovery_version"], "0.0.1");
  EXPECT_EQ(added["in_recovery"], false);
  spoil_application("thing-1");
  ok({"device", "start", "thing-1"});
  ok({"job", "create", "u1", "--version", "1.1.0", "--target", "thing-1"});
  const auto console = start({"device", "console", "thing-1", "--follow"});
  ASSERT_TRUE(console->wait_for_output("app: otasim recovery 0.0.1, slot recovery")) << console->finish().err;
  const Outcome watch = otasim({"job", "watch", "u1"});
  EXPECT_EQ(watch.code, 0) << watch.out << watch.err;
  EXPECT_EQ(device("thing-1")["running"], "1.1.0");
  EXPECT_EQ(device("thing-1")["in_recovery"], false);
  end_lab(*up);
}

TEST_F(LabRecoveryTest, ADeviceWithoutApplicationAndRecoveryImageStaysOffTheNetwork) {
  const auto up = start_lab({"--quiet"});
  EXPECT_EQ(ok({"device", "add", "thing-1", "--off", "--no-recovery"})["recovery_version"], "");
  EXPECT_THAT(otasim({"device", "list"}).out, HasSubstr("none"));
  spoil_application("thing-1");
  ok({"device", "start", "thing-1"});
  const auto console = start({"device", "console", "thing-1", "--follow"});
  ASSERT_TRUE(console->wait_for_output("boot: halt reason=no-image-may-start")) << console->finish().err;
  EXPECT_EQ(device("thing-1")["connected"], false);
  EXPECT_EQ(device("thing-1")["running"], "");
  end_lab(*up);
}

TEST_F(LabTest, AnUpdateTheDeviceRefusesFailsTheWatch) {
  const auto up = start_lab({"--quiet"});
  ok({"device", "add", "thing-1", "--version", "1.1.0"});
  ok({"job", "create", "old", "--version", "1.0.0", "--target", "thing-1"});
  const Outcome watch = otasim({"job", "watch", "old"});
  EXPECT_EQ(watch.code, 1);
  EXPECT_THAT(watch.out, HasSubstr("rejected: 0x0000000f"));
  EXPECT_THAT(watch.err, HasSubstr("the job failed on thing-1"));
}

// Power.

TEST_F(LabTest, ADeviceWhosePowerIsCutInMidDownloadFinishesWhenItIsBack) {
  const auto up = start_lab();
  ok({"device", "add", "thing-1"});
  const auto console = start({"device", "console", "thing-1", "--follow"});
  ok({"job", "create", "u1", "--image", long_image(), "--target", "thing-1"});
  ASSERT_TRUE(console->wait_for_output("app: receiving"));
  EXPECT_EQ(ok({"device", "cut", "thing-1"})["power"], "off");
  EXPECT_EQ(ok({"job", "show", "u1"})["counts"]["IN_PROGRESS"], 1);
  EXPECT_THAT(console->output(), Not(HasSubstr("image verified")));
  ok({"device", "start", "thing-1"});
  const Outcome watch = otasim({"job", "watch", "u1"});
  EXPECT_EQ(watch.code, 0) << watch.out << watch.err;
  EXPECT_EQ(device("thing-1")["running"], "1.1.0");
  EXPECT_TRUE(up->wait_for("DUPLICATE_CLIENTID")) << "the broker kept the connection until it was taken over";
}

TEST_F(LabTest, ADeviceThatIsStoppedSaysGoodbyeAndIsOffAtTheNextStart) {
  auto up = start_lab();
  ok({"device", "add", "thing-1"});
  ASSERT_TRUE(up->wait_for("thing-1      connected"));
  EXPECT_EQ(ok({"device", "stop", "thing-1"})["power"], "off");
  EXPECT_TRUE(up->wait_for("thing-1      disconnected"));
  end_lab(*up);
  up = start_lab();
  EXPECT_EQ(device("thing-1")["power"], "off");
}

TEST_F(LabTest, TheResetLineBootsTheDeviceAgain) {
  const auto up = start_lab({"--quiet"});
  ok({"device", "add", "thing-1"});
  const auto console = start({"device", "console", "thing-1", "--follow"});
  ASSERT_TRUE(console->wait_for_output("app: connected"));
  ok({"device", "reset", "thing-1"});
  EXPECT_TRUE(console->wait_for_output("boot: reset board=mps2-an385", 2));
  // The lines that were there already come first.
  const Outcome last = otasim({"device", "console", "thing-1", "--lines", "1"});
  EXPECT_EQ(std::ranges::count(last.out, '\n'), 1);
  EXPECT_THAT(content(lab() + "/devices/thing-1/uart.log"), HasSubstr("boot: reset board=mps2-an385"));
}

TEST_F(LabTest, AnEmulatorThatIsKilledIsTold) {
  const auto up = start_lab();
  ok({"device", "add", "thing-1"});
  up->kill_child("qemu-system-arm");
  ASSERT_TRUE(up->wait_for("went off"));
  const json now = device("thing-1");
  EXPECT_EQ(now["power"], "off");
  EXPECT_THAT(now["problem"].get<std::string>(), HasSubstr("killed by signal 9"));
  EXPECT_EQ(ok({"device", "start", "thing-1"})["problem"], "");
}

// The lab's own end.

TEST_F(LabTest, AKilledLabGoesOnWithTheUpdateItWasKilledIn) {
  auto up = start_lab();
  ok({"device", "add", "thing-1"});
  ok({"device", "add", "thing-2", "--off"});
  const auto console = start({"device", "console", "thing-1", "--follow"});
  ok({"job", "create", "u1", "--image", long_image(), "--target", "thing-1"});
  ASSERT_TRUE(console->wait_for_output("app: receiving"));
  up->send(SIGKILL);
  EXPECT_EQ(up->finish().code, 128 + SIGKILL);
  EXPECT_THAT(console->finish().err, HasSubstr("has ended"));
  EXPECT_THAT(otasim({"device", "list"}).err, HasSubstr("no lab is running"));

  up = start_lab();
  EXPECT_EQ(device("thing-1")["power"], "on");
  EXPECT_EQ(device("thing-2")["power"], "off");
  const Outcome watch = otasim({"job", "watch", "u1"});
  EXPECT_EQ(watch.code, 0) << watch.out << watch.err;
  EXPECT_EQ(device("thing-1")["running"], "1.1.0");
  EXPECT_TRUE(fs::exists(lab() + "/events.1.jsonl")) << "the log of the start before is gone";
  end_lab(*up);
}

TEST_F(LabTest, ALabThatEndedGoesOnWithTheSameKeysPortAndDevices) {
  auto up = start_lab({"--quiet"});
  const json first = json::parse(up->output());
  ok({"device", "add", "thing-1", "--seed", "7"});
  const std::string ca = content(first["ca"].get<std::string>());
  const json before = device("thing-1");
  end_lab(*up);

  up = start_lab({"--quiet"});
  const json second = json::parse(up->output());
  EXPECT_EQ(second["mqtt_port"], first["mqtt_port"]);
  EXPECT_EQ(content(second["ca"].get<std::string>()), ca);
  const json after = device("thing-1");
  EXPECT_EQ(after["power"], "on");
  EXPECT_EQ(after["mac"], before["mac"]);
  EXPECT_EQ(after["seed"], 7);
  const auto console = start({"device", "console", "thing-1", "--follow"});
  EXPECT_TRUE(console->wait_for_output("app: connected to otasim.localhost:"));
  end_lab(*up);
}

TEST_F(LabTest, ATerminationRequestEndsTheLabToo) {
  const auto up = start_lab({"--quiet"});
  up->send(SIGTERM);
  EXPECT_EQ(up->finish().code, 0);
  EXPECT_TRUE(fs::is_empty(folder.file("tmp")));
}

TEST_F(LabTest, ALabWithoutItsBrokerEndsWithItsLog) {
  const auto up = start_lab();
  ok({"device", "add", "thing-1"});
  const std::vector<pid_t> children = up->children();
  up->kill_child("mosquitto");
  const Outcome outcome = up->finish();
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("mosquitto was killed by signal 9"));
  EXPECT_TRUE(fs::is_empty(folder.file("tmp")));
  for (const pid_t pid : children) EXPECT_NE(kill(pid, 0), 0);
  EXPECT_TRUE(fs::exists(lab() + "/broker.log"));
}

TEST_F(LabTest, TwoLabsDoNotShareAFolder) {
  const auto up = start_lab({"--quiet"});
  const Outcome second = otasim({"up"});
  EXPECT_EQ(second.code, 3);
  EXPECT_THAT(second.err, HasSubstr("a lab is already running in '" + lab() + "' (pid "));
  ok({"device", "list"});
}

TEST_F(LabTest, TwoLabsRunInFoldersOfTheirOwn) {
  const auto up = start_lab({"--quiet"});
  Program other({"up", "--json", "--quiet", "--lab", folder.file("other")}, environment());
  ASSERT_TRUE(other.wait_for_output("mqtt_port"));
  ok({"device", "add", "thing-1", "--off"});
  EXPECT_THAT(ok({"device", "list", "--lab", folder.file("other")}), IsEmpty());
}

TEST_F(LabTest, APortThatWasTakenMeanwhileIsNamed) {
  auto up = start_lab({"--quiet"});
  const int port = json::parse(up->output())["mqtt_port"];
  ok({"device", "add", "thing-1", "--off"});
  end_lab(*up);
  const UniqueFd taken(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  ASSERT_EQ(bind(taken.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(taken.get(), 1), 0);
  const Outcome outcome = otasim({"up"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("the lab's MQTT port " + std::to_string(port) + " is in use"));
  const Outcome another = otasim({"up", "--mqtt-port", std::to_string(port == 1 ? 2 : port - 1)});
  EXPECT_EQ(another.code, 2);
  EXPECT_THAT(another.err, HasSubstr("devices are provisioned with MQTT port"));
  EXPECT_TRUE(fs::is_empty(folder.file("tmp")));
}

// Without a device that runs.

/// A lab with a device that is off.
class QuietLabTest : public LabTest {
 protected:
  QuietLabTest() : up_(start_lab({"--quiet"})) { ok({"device", "add", "thing-1", "--off"}); }
  std::unique_ptr<Program> up_;
};

TEST_F(QuietLabTest, WrongCommandsAreToldWhatIsWrong) {
  const std::string text = folder.file("text");
  std::ofstream(text) << "this is not firmware";
  ok({"job", "create", "u1", "--version", "1.1.0", "--target", "thing-1"});
  struct Case {
    std::vector<std::string> arguments;
    std::string message;
  };
  for (const Case& c : {
           Case{{"device", "start", "thing-9"}, "there is no device 'thing-9'"},
           Case{{"device", "console", "thing-9", "--follow"}, "there is no device 'thing-9'"},
           Case{{"device", "remove", "thing-9"}, "there is no device 'thing-9'"},
           Case{{"device", "reprovision", "thing-9"}, "there is no device 'thing-9'"},
           Case{{"device", "stop", "thing-1"}, "device 'thing-1' is off"},
           Case{{"device", "cut", "thing-1"}, "device 'thing-1' is off"},
           Case{{"device", "reset", "thing-1"}, "device 'thing-1' is off"},
           Case{{"device", "add", "thing-1"}, "there is a device 'thing-1' already"},
           Case{{"device", "add", "../thing"}, "'../thing' is not a device's name"},
           Case{{"device", "add", std::string(65, 'a')}, "is not a device's name"},
           Case{{"device", "add", "thing-2", "--group", "none"}, "there is no group 'none'"},
           Case{{"device", "add", "thing-2", "--version", "one"}, "'one' is not a version"},
           Case{{"device", "add", "thing-2", "--image", text}, "not an image"},
           Case{{"device", "add", "thing-2", "--elf", text}, "no ELF header"},
           Case{{"device", "add", "thing-2", "--board", "z80"}, "z80"},
           Case{{"group", "create", "a/b"}, "'a/b' is not a group's name"},
           Case{{"group", "create", "sub", "--parent", "none"}, "none"},
           Case{{"group", "add", "none", "thing-1"}, "none"},
           Case{{"group", "delete", "none"}, "none"},
           Case{{"job", "show", "u9"}, "there is no job 'u9'"},
           Case{{"job", "watch", "u9"}, "there is no job 'u9'"},
           Case{{"job", "cancel", "u9"}, "there is no job 'u9'"},
           Case{{"job", "delete", "u9"}, "there is no job 'u9'"},
           Case{{"job", "delete", "u1"}, "--force"},
           Case{{"job", "create", "u1", "--version", "1.1.0", "--target", "thing-1"}, "u1"},
           Case{{"job", "create", "u2", "--version", "1.1.0", "--target", "thing-9"}, "thing-9"},
           Case{{"job", "create", "u2", "--version", "1.1.0", "--target", "group:none"}, "none"},
           Case{{"job", "create", "u 2", "--version", "1.1.0", "--target", "thing-1"},
                "'u 2' is not a job's id"},
           Case{{"job", "create", "u2", "--image", text, "--target", "thing-1"}, "not an image"},
           Case{{"job", "create", "u2", "--document", text, "--target", "thing-1"}, "u2"},
           Case{{"job", "create", "u2", "--document", "/nonexistent", "--target", "thing-1"}, "/nonexistent"},
           Case{{"job", "create", "u2", "--version", "1.1.0", "--target", "thing-1", "--retry", "OFTEN"},
                "'OFTEN' does not say what to retry"},
           Case{{"job", "create", "u2", "--target", "thing-1"}, "--image"},
       }) {
    const Outcome outcome = otasim(c.arguments);
    EXPECT_EQ(outcome.code, 2) << testing::PrintToString(c.arguments) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(c.message)) << testing::PrintToString(c.arguments);
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_EQ(ok({"device", "list"}).size(), 1U) << "a refused command has made a device";
  EXPECT_EQ(ok({"job", "list"}).size(), 1U) << "a refused command has made a job";
}

TEST_F(QuietLabTest, StartingADeviceTwiceIsRefused) {
  ok({"device", "start", "thing-1"});
  const Outcome again = otasim({"device", "start", "thing-1"});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("device 'thing-1' is on already"));
}

TEST_F(QuietLabTest, ARemovedDeviceLeavesNothingAndItsNameIsFree) {
  ok({"job", "create", "u1", "--version", "1.1.0", "--target", "thing-1"});
  ok({"device", "remove", "thing-1"});
  EXPECT_THAT(ok({"device", "list"}), IsEmpty());
  EXPECT_FALSE(fs::exists(lab() + "/devices/thing-1"));
  EXPECT_EQ(ok({"job", "show", "u1"})["counts"]["QUEUED"], 0);
  EXPECT_EQ(ok({"device", "add", "thing-1", "--off"})["power"], "off");
}

TEST_F(QuietLabTest, GroupsHaveMembersAndParents) {
  ok({"group", "create", "fleet"});
  ok({"group", "create", "canary", "--parent", "fleet"});
  EXPECT_EQ(ok({"group", "add", "canary", "thing-1"})["things"], json({"thing-1"}));
  const Outcome table = otasim({"group", "list"});
  EXPECT_EQ(table.out,
            "NAME    PARENT  THINGS\n"
            "canary  fleet   thing-1\n"
            "fleet   -       -\n");
  EXPECT_THAT(otasim({"group", "delete", "fleet"}).err, HasSubstr("fleet"));
  EXPECT_THAT(ok({"group", "remove", "canary", "thing-1"})["things"], IsEmpty());
  ok({"group", "delete", "canary"});
  ok({"group", "delete", "fleet"});
  EXPECT_THAT(ok({"group", "list"}), IsEmpty());
}

TEST_F(QuietLabTest, APlainJobIsShownCanceledAndDeleted) {
  const std::string document = folder.file("document.json");
  std::ofstream(document) << R"({"operation": "reboot"})";
  ok({"job", "create", "reboot", "--document", document, "--target", "thing-1", "--description", "at night",
      "--retry", "FAILED=2", "--timeout", "5"});
  const json job = ok({"job", "show", "reboot"});
  EXPECT_EQ(job["document"], R"({"operation": "reboot"})");
  EXPECT_EQ(job["status"], "IN_PROGRESS");
  EXPECT_EQ(job["description"], "at night");
  EXPECT_EQ(job["targets"], json({"thing-1"}));
  EXPECT_EQ(job["executions"][0]["status"], "QUEUED");
  EXPECT_EQ(ok({"job", "list", "--status", "IN_PROGRESS"}).size(), 1U);
  EXPECT_EQ(ok({"job", "list", "--status", "COMPLETED"}).size(), 0U);
  EXPECT_EQ(ok({"job", "cancel", "reboot"})["status"], "CANCELED");
  const Outcome watch = otasim({"job", "watch", "reboot"});
  EXPECT_EQ(watch.code, 1);
  EXPECT_THAT(watch.out, HasSubstr("CANCELED: 1 CANCELED"));
  ok({"job", "delete", "reboot"});
  EXPECT_THAT(ok({"job", "list"}), IsEmpty());
}

TEST_F(QuietLabTest, AnExecutionIsCanceledOnOneDeviceAlone) {
  ok({"device", "add", "thing-2", "--off"});
  ok({"job", "create", "u1", "--version", "1.1.0", "--target", "thing-1", "--target", "thing-2"});
  ok({"job", "cancel", "u1", "--thing", "thing-2"});
  const json counts = ok({"job", "show", "u1"})["counts"];
  EXPECT_EQ(counts["QUEUED"], 1);
  EXPECT_EQ(counts["CANCELED"], 1);
}

TEST_F(QuietLabTest, FirmwareMayComeThroughAPipe) {
  const std::string image = folder.file("app.img");
  const fs::path program = OTASIM_PROGRAM;
  const std::string elf = (program.parent_path().parent_path() / "firmware/demo-mps2-an385.elf").string();
  ok({"image", "sign", "--elf", elf, "--version", "3.1.4", "--out", image});
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const auto add = start({"device", "add", "thing-2", "--off", "--image", pipe, "--json"});
  std::ofstream(pipe, std::ios::binary) << content(image);
  const Outcome outcome = add->finish();
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["factory_version"], "3.1.4");
}

TEST_F(LabTest, ACommandWithoutALabSaysHowToStartOne) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"device", "list"},
                                                    {"device", "console", "x"},
                                                    {"group", "list"},
                                                    {"job", "list"}}) {
    const Outcome outcome = otasim(arguments);
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err, HasSubstr("no lab is running in '" + lab() + "'"));
    EXPECT_THAT(outcome.err, HasSubstr("otasim up --lab '" + lab() + "'"));
  }
}

TEST_F(LabTest, AFolderWithOtherThingsIsNotMadeALab) {
  fs::create_directory(lab());
  std::ofstream(lab() + "/thesis.tex") << "x";
  const Outcome outcome = otasim({"up"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("holds other things than a lab"));
}

TEST_F(LabTest, ItsWelcomeNamesCommandsThatWork) {
  Program up({"up", "--quiet"}, environment());
  ASSERT_TRUE(up.wait_for_output("notify-next"));
  EXPECT_THAT(up.output(), HasSubstr(std::string(OTASIM_PROGRAM) + " device add thing-1"));
  ok({"device", "add", "mine", "--off"});
  // Each block that begins with mosquitto_sub, up to the line that does not go on; -E ends it once it is
  // subscribed.
  const std::string& text = up.output();
  int subscribed = 0;
  for (std::size_t at = text.find("mosquitto_sub"); at != std::string::npos;
       at = text.find("mosquitto_sub", at + 1)) {
    std::size_t end = text.find('\n', at);
    while (text[end - 1] == '\\') end = text.find('\n', end + 1);
    const std::string command = text.substr(at, end - at) + " -E";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    ++subscribed;
  }
  EXPECT_EQ(subscribed, 2);
}

}  // namespace
}  // namespace otasim::test
