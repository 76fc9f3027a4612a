// The table of words is complete: every value that the agent, the PAL, the bootloader, the broker and the
// cloud can tell is in it, under the name and code that they themselves give it. What has a to_string() is
// asked; what stands in the source as a text is read from there.
#include "sim/report/glossary/glossary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "agent/boot/boot_state.h"
#include "agent/boot/image.h"
#include "agent/include/ota.h"
#include "agent/src/names.h"
#include "pal_sim/flash/flash_driver.h"
#include "pal_sim/provisioning/provisioning.h"
#include "sim/broker/client_table.h"
#include "sim/cloud/job.h"
#include "sim/cloud/job_execution.h"
#include "sim/cloud/service_error.h"
#include "sim/report/event_names.h"
#include "sim/report/reasons.h"
#include "sim/scenario/fault_catalog.h"

namespace otasim::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Topic& topic_of(std::string_view name) {
  const Topic* const found = find_topic(name);
  if (found == nullptr) throw std::runtime_error("no topic " + std::string(name));
  return *found;
}

void expect_term(std::string_view topic, std::string_view name) {
  EXPECT_NE(find_in(topic_of(topic), name), nullptr) << topic << " lacks \"" << name << '"';
}

void expect_term(std::string_view topic, std::string_view name, std::int64_t code) {
  const Term* const term = find_in(topic_of(topic), name);
  ASSERT_NE(term, nullptr) << topic << " lacks \"" << name << '"';
  EXPECT_EQ(term->code, code) << topic << ' ' << name;
}

/// Every value from `first` on that `name_of` knows, until `end` says that there is no more. For an enum
/// whose type is fixed: of another, a value past its last one is none.
template <typename Enum, typename NameOf>
std::size_t expect_all(std::string_view topic, int first, std::string_view end, NameOf name_of) {
  std::size_t count = 0;
  for (int value = first; name_of(static_cast<Enum>(value)) != end; ++value, ++count)
    expect_term(topic, name_of(static_cast<Enum>(value)), value);
  return count;
}

/// The `count` values from `first` on, each of which `name_of` knows.
template <typename Enum, typename NameOf>
void expect_values(std::string_view topic, int first, std::size_t count, NameOf name_of) {
  EXPECT_GT(count, 1U) << topic;
  for (int value = first; value < first + static_cast<int>(count); ++value) {
    const std::string_view name = name_of(static_cast<Enum>(value));
    EXPECT_NE(name, "InvalidErrorCode") << topic << ' ' << value;
    expect_term(topic, name, value);
  }
}

std::string source(const std::string& path) {
  std::ifstream file(std::string(OTASIM_SOURCE) + '/' + path);
  std::stringstream text;
  text << file.rdbuf();
  if (text.str().empty()) throw std::runtime_error("there is no " + path);
  return text.str();
}

/// The first group of every match.
std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), regex); at != std::sregex_iterator(); ++at)
    found.push_back((*at)[1].str());
  return found;
}

/// The enumerators of an enum in a header, without their comments.
std::vector<std::string> enumerators(const std::string& header, const std::string& opening) {
  const std::string text = source(header);
  const std::size_t begin = text.find(opening);
  if (begin == std::string::npos) throw std::runtime_error(header + " lacks " + opening);
  const std::size_t from = text.find('{', begin);
  std::string body = text.substr(from + 1, text.find('}', from) - from - 1);
  body = std::regex_replace(body, std::regex("//[^\n]*|/\\*[^*]*\\*/"), "");
  return matches(body, "([A-Za-z][A-Za-z_0-9]*)[^,]*");
}

TEST(Glossary, HasTheAgentsErrors) {
  const auto none = std::string_view("InvalidErrorCode");
  const auto of = [](auto function) {
    return [function](auto code) { return std::string_view(function(code)); };
  };
  EXPECT_EQ(expect_all<OtaErr_t>("agent-error", 0, none, of(OTA_Err_strerror)), 25U);
  expect_values<OtaJobParseErr_t>("job-parse-error", -1,
                                  enumerators("agent/include/ota.h", "typedef enum OtaJobParseErr ").size(),
                                  OTA_JobParse_strerror);
  EXPECT_EQ(expect_all<OtaPalMainStatus_t>("pal-status", 0xe0, none, of(OTA_PalStatus_strerror)), 15U);
  EXPECT_EQ(expect_all<OtaOsStatus_t>("os-status", 0x80, none, of(OTA_OsStatus_strerror)), 9U);
  EXPECT_EQ(expect_all<OtaMqttStatus_t>("mqtt-status", 0xa0, none, of(OTA_MQTT_strerror)), 3U);
  EXPECT_EQ(expect_all<OtaHttpStatus_t>("http-status", 0xc0, none, of(OTA_HTTP_strerror)), 3U);
}

TEST(Glossary, HasTheAgentsStatesAndEvents) {
  for (const auto& name : enumerators("agent/include/ota.h", "typedef enum OtaState "))
    expect_term("agent-state", name);
  for (const auto& name : enumerators("agent/include/ota_types.h", "typedef enum OtaEvent "))
    expect_term("agent-event", name);
  for (const auto& name : enumerators("agent/include/ota.h", "typedef enum OtaJobEvent ")) {
    if (name != "OtaLastJobEvent") expect_term("job-event", name);
  }
  for (const char* opening : {"typedef enum OtaImageState ", "typedef enum OtaPalImageState "}) {
    for (const auto& name : enumerators("agent/include/ota_types.h", opening)) {
      if (name != "OtaLastImageState") expect_term("image-state", name);
    }
  }
  const auto note = [](ota::Note value) { return std::string_view(ota::name_of(value)); };
  for (int i = 0; note(static_cast<ota::Note>(i)) != "Unknown"; ++i)
    expect_term("agent-note", note(static_cast<ota::Note>(i)));
}

TEST(Glossary, HasThePlatformsFurtherCodes) {
  const auto header = [](const std::string& path, const std::string& opening, std::string_view topic) {
    const std::string text = source(path);
    const std::size_t begin = text.find(opening);
    ASSERT_NE(begin, std::string::npos);
    const std::string body = text.substr(begin, text.find("};", begin) - begin);
    const std::regex regex("\\b(k[A-Za-z]+) = (0x[0-9a-f]+|[0-9]+)");
    int count = 0;
    for (std::sregex_iterator at(body.begin(), body.end(), regex); at != std::sregex_iterator();
         ++at, ++count) {
      if ((*at)[1] != "kOk") expect_term(topic, (*at)[1].str(), std::stol((*at)[2].str(), nullptr, 0));
    }
    EXPECT_GT(count, 5) << path;
  };
  header("pal_sim/pal/pal.h", "enum class Reason", "pal-reason");
  header("pal_sim/pal/code_signer.h", "enum class SignerStatus", "signer-status");
  const auto flash = [](flash::Status status) { return std::string_view(flash::to_string(status)); };
  EXPECT_EQ(expect_all<flash::Status>("flash-status", 0, "unknown status", flash), 9U);
}

TEST(Glossary, HasTheBootloadersWords) {
  const auto name = [](auto value) { return std::string_view(boot::to_string(value)); };
  const auto verdict = [](auto value) { return std::string_view(boot::image::to_string(value)); };
  EXPECT_EQ(expect_all<boot::image::VerifyStatus>("image-verdict", 1, "unknown", verdict), 19U);
  EXPECT_EQ(expect_all<boot::StagedState>("staged-state", 0, "unknown", name), 6U);
  EXPECT_EQ(expect_all<boot::RejectReason>("reject-reason", 0, "unknown", name), 4U);
  EXPECT_EQ(expect_all<boot::ImageState>("boot-state", 0, "unknown", name), 4U);
  EXPECT_EQ(expect_all<boot::ResetReason>("reset-reason", 0, "unknown", name), 3U);
  const std::string policy = source("agent/boot/boot_policy.cc");
  const std::string main = source("qemu_boards/common/bootloader_main.cc");
  const auto steps = matches(policy, "report_failed\\(\"([^\"]+)\"|record\\([^\"\n]*\"([^\"]+)\"");
  EXPECT_GE(steps.size(), 7U);
  for (const std::string& step : matches(policy, "report_failed\\(\"([^\"]+)\""))
    expect_term("boot-step", step);
  for (const std::string& step : matches(policy, "record\\([^\"\n]*\"([^\"]+)\"\\)"))
    expect_term("boot-step", step);
  for (const std::string& reason : matches(policy, "report_halt\\(\"([^\"]+)\""))
    expect_term("halt-reason", reason);
  for (const std::string& text : {policy, main}) {
    for (const std::string& stage : matches(text, "ConsoleLine(?: line)?\\(\"([^\"]+)\""))
      expect_term("boot-stage", stage);
    for (const std::string& reason : matches(text, "field\\(\"reason\", \"([^\"]+)\""))
      expect_term("boot-reason", reason);
  }
}

/// A text that may go on over several lines of source.
constexpr const char* kText = "\\(\\s*\"([^\"]+)\"";

TEST(Glossary, HasTheApplicationsWords) {
  for (const char* file : {"ota_demo.cc", "start_up.cc", "random.cc"}) {
    for (const std::string& text :
         matches(source(std::string("agent/app/") + file), std::string("\\b(?:halt|fatal)") + kText))
      expect_term("device-stop", text);
  }
  const auto status = [](provisioning::Status value) {
    return std::string_view(provisioning::to_string(value));
  };
  for (int i = 1; status(static_cast<provisioning::Status>(i)) != "unknown"; ++i)
    expect_term("device-stop", status(static_cast<provisioning::Status>(i)));
  const std::string returned = "return \"([^\"]+)\"";
  const auto all_of = [&](const char* file, std::string_view topic) {
    const auto found = matches(source(std::string("agent/app/") + file), returned);
    EXPECT_FALSE(found.empty()) << file;
    for (const std::string& text : found) {
      if (text != "ok" && text != "unknown") expect_term(topic, text);
    }
  };
  all_of("self_test.cc", "self-test");
  all_of("http_client.cc", "download");
  all_of("http_response.cc", "download");
  all_of("url.cc", "url");
  all_of("sntp_message.cc", "time");
  all_of("mqtt_packet_reader.cc", "connection");
  all_of("tls_stream.cc", "connection");
  for (const char* file : {"connector.cc", "mqtt_client.cc", "tls_config.cc", "tls_stream.cc"}) {
    const auto found = matches(source(std::string("agent/app/") + file), std::string("\\bfail") + kText);
    EXPECT_FALSE(found.empty()) << file;
    for (const std::string& text : found) expect_term("connection", text);
  }
}

TEST(Glossary, HasTheCloudsWords) {
  const auto name = [](auto value) { return std::string_view(cloud::to_string(value)); };
  for (int i = 0; !name(static_cast<cloud::JobStatus>(i)).empty(); ++i)
    expect_term("job-status", name(static_cast<cloud::JobStatus>(i)));
  for (int i = 0; !name(static_cast<cloud::ExecutionStatus>(i)).empty(); ++i)
    expect_term("execution-status", name(static_cast<cloud::ExecutionStatus>(i)));
  for (int i = 0; i <= static_cast<int>(cloud::ErrorCode::kInternalError); ++i)
    expect_term("service-error", name(static_cast<cloud::ErrorCode>(i)));
  for (int i = 0; i <= static_cast<int>(broker::EndReason::kServerInitiatedDisconnect); ++i)
    expect_term("disconnect-reason", broker::to_string(static_cast<broker::EndReason>(i)));
  const std::string plugin = source("sim/broker/plugin.cc");
  for (const std::string& reason : matches(plugin, "\"disconnectReason\", \"([A-Z_]+)\""))
    expect_term("disconnect-reason", reason);
  const auto refusals = matches(plugin, "refuse\\(client_id, [a-z\"]+,\\s*\"([^\"]+)\"");
  EXPECT_EQ(refusals.size(), 5U);
  for (const std::string& reason : refusals) expect_term("refusal", reason);
}

TEST(Glossary, HasTheOraclesWords) {
  for (const std::string& name : matches(source("sim/scenario/invariants.cc"), "complain\\(\"([SL][0-9]):"))
    expect_term("invariant", name);
  for (const std::string& name : matches(source("sim/sweep/completion.cc"), "\"([SL][0-9]):"))
    expect_term("invariant", name);
  const auto codes = matches(source("sim/base/result.h"), "\\bk[A-Za-z]+ = ([0-9]+),");
  EXPECT_EQ(codes.size(), 6U);
  for (const std::string& code : codes)
    EXPECT_NE(find_in(topic_of("exit-code"), std::int64_t{std::stol(code)}), nullptr) << code;
}

TEST(Glossary, ExplainsEveryVerdictOfTheJudge) {
  const std::string judge = source("sim/scenario/judge.cc");
  // What stands between the placeholders, as the judge would fill them in.
  const auto sentences = matches(judge, "complain\\(\"([^\"]+)\"");
  EXPECT_GE(sentences.size(), 9U);
  for (const std::string& sentence : sentences) {
    const std::string filled = std::regex_replace(sentence, std::regex("\\{\\}"), "x");
    EXPECT_FALSE(explain(filled).empty()) << sentence;
  }
}

TEST(Glossary, SaysSomethingOfEverything) {
  std::set<std::string> names;
  for (const Topic& topic : topics()) {
    EXPECT_TRUE(names.emplace(topic.name).second) << topic.name;
    EXPECT_FALSE(topic.terms.empty()) << topic.name;
    EXPECT_FALSE(topic.title.empty()) << topic.name;
    EXPECT_FALSE(topic.where.empty()) << topic.name;
    std::set<std::string> terms;
    for (const Term& term : topic.terms) {
      EXPECT_FALSE(term.meaning.empty()) << topic.name << ' ' << term.name;
      EXPECT_TRUE(terms.emplace(term.name).second) << topic.name << ' ' << term.name;
    }
  }
}

/// "cloud.job_execution", "link.loss": what hints name is what there is.
TEST(Glossary, NamesEventsAndFaultsThatThereAre) {
  std::set<std::string> known;
  for (const std::string_view name : event_names()) known.emplace(name);
  for (const scenario::FaultKind& kind : scenario::fault_catalog()) known.emplace(kind.name);
  const std::string sources = "(?:run|device|uart|boot|flash|link|broker|cloud|http|stream|job)";
  const std::string pattern = "\\b(" + sources + "\\.[a-z_]+)\\b(?!\\.)";
  std::size_t count = 0;
  for (const Topic& topic : topics()) {
    for (const Term& term : topic.terms) {
      for (const std::string_view text : {term.meaning, term.cause, term.look_at}) {
        for (const std::string& name : matches(std::string(text), pattern)) {
          if (name.ends_with(".md") || name.ends_with(".")) continue;
          EXPECT_TRUE(known.contains(name)) << topic.name << ' ' << term.name << ": " << name;
          ++count;
        }
      }
    }
  }
  EXPECT_GT(count, 40U);
}

TEST(Glossary, FindsNamesHoweverTheyAreWritten) {
  for (const char* name : {"OtaErrSameFirmwareVersion", "otaerrsamefirmwareversion", "SameFirmwareVersion",
                           "same_firmware_version", "SAME FIRMWARE VERSION"}) {
    const auto found = find(name);
    ASSERT_EQ(found.size(), name[0] == 'o' || name[0] == 'O' ? 1U : found.size()) << name;
    ASSERT_FALSE(found.empty()) << name;
    EXPECT_EQ(found.front().term->name, "OtaErrSameFirmwareVersion") << name;
  }
  EXPECT_EQ(find("trial_failed").front().topic->name, "reject-reason");
  EXPECT_GE(find("accepted").size(), 3U) << "boot control, boot report and oracle each have one";
  EXPECT_TRUE(find("").empty());
  EXPECT_TRUE(find("---").empty());
  EXPECT_TRUE(find(std::string(1 << 20, 'x')).empty());
}

TEST(Glossary, SuggestsWhatMayHaveBeenMeant) {
  EXPECT_EQ(nearest("trail-failed").front().term->name, "trial-failed");
  EXPECT_EQ(nearest("OtaErrMomentumAbrot").front().term->name, "OtaErrMomentumAbort");
  EXPECT_EQ(nearest("duplicate client").front().term->name, "DUPLICATE_CLIENTID");
  EXPECT_TRUE(nearest("qqqqqqqqqqqqqqqq").empty());
  EXPECT_EQ(nearest("ota", 3).size(), 3U);
}

std::string names_of(std::string_view text) {
  std::string names;
  for (const Explained& one : explain(text)) names += std::string(one.term->name) + ' ';
  return names;
}

TEST(Explain, TakesReasonsApart) {
  EXPECT_EQ(names_of("rejected: 0x00000010"), "OtaErrSameFirmwareVersion ");
  EXPECT_EQ(names_of("rejected: 0xec00000f"), "OtaPalActivateFailed counter-too-low ");
  EXPECT_EQ(names_of("0x000000e7: 0x00000001"), "OtaPalBadSignerCert kNotFound ");
  EXPECT_EQ(names_of("0x000000e4: 0x00000103"), "OtaPalRxFileCreateFailed kRestartFirst ");
  EXPECT_EQ(names_of("0x000000e6: 0x00000004"), "OtaPalBootInfoCreateFailed program-failed ");
  EXPECT_EQ(names_of("0x0000000c: 0x00000004"), "OtaErrJobParserError OtaJobParseErrNonConformingJobDoc ");
  EXPECT_EQ(names_of("aborted: 0x0000000e"), "OtaErrMomentumAbort ");
  EXPECT_EQ(names_of("accepted  v1.1.0"), "reason accepted ");
  EXPECT_EQ(names_of("0x0b000000"), "kOTA_Err_NoFreeContext ");
  EXPECT_THAT(names_of("0xe3000000"), HasSubstr("OtaPalSignatureCheckFailed"));
  EXPECT_EQ(names_of("0xe3"), "OtaPalSignatureCheckFailed ");
}

TEST(Explain, TakesLinesApart) {
  EXPECT_EQ(names_of("boot: reject slot=B reason=trial-failed back-to=A"), "reject trial-failed ");
  EXPECT_EQ(names_of("   0.402 device boot: reset board=mps2-an385 reason=watchdog"), "reset watchdog ");
  EXPECT_EQ(names_of("boot: verify slot=B result=hash-mismatch code=11"), "verify hash-mismatch ");
  EXPECT_EQ(names_of("boot: failure step=burn-counter flash=program-failed code=4"),
            "failure burn-counter program-failed ");
  EXPECT_EQ(names_of("boot: refused reason=second-verification-differs"),
            "refused second-verification-differs ");
  EXPECT_THAT(names_of("app: connection lost: the broker did not answer a ping"),
              HasSubstr("the broker did not answer a ping"));
  EXPECT_THAT(names_of("the job J of thing-1 is FAILED (rejected: 0x00000010), expected SUCCEEDED"),
              HasSubstr("OtaErrSameFirmwareVersion"));
  EXPECT_THAT(names_of("S3: thing-1: 1.0.0 with security counter 1 started after 2 was committed"),
              HasSubstr("S3"));
  for (const char* foreign : {"", "hello", "boot: ", "boot: =", "0x", "0x100000000", "rejected: 0x", ": : :"})
    EXPECT_EQ(names_of(foreign), "") << foreign;
}

TEST(Explain, TellsTheFormThatTheAgentWrites) {
  EXPECT_THAT(explain_reason("0x000000e7: 0x00000001"), HasSubstr("OtaPalBadSignerCert"));
  EXPECT_THAT(explain_reason("0x000000e7: 0x00000001"), HasSubstr("further kNotFound"));
  EXPECT_THAT(explain_reason("0x000000e7: 0x00000001"), Not(HasSubstr("no name")));
}

}  // namespace
}  // namespace otasim::report
