#include "sim/cloud/job_templates.h"
#include "sim/base/json.h"

#include "tests/sim/cloud/cloud_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

class JobTemplatesTest : public CloudFixture {
 protected:
  static JobTemplateId id(const std::string& name) { return JobTemplateId::parse(name).value(); }
  static std::string arn(const std::string& name) { return "arn:aws:iot:x:0:jobtemplate/" + name; }
  JobTemplates& templates() { return cloud_->job_templates(); }
  template <typename T>
  static ErrorCode code(const ServiceResult<T>& result) {
    return result ? ErrorCode::kInternalError : result.error().code;
  }

  static std::string repeated(const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  }

  const CreateJobTemplateRequest weekly_{.id = id("weekly"),
                                         .description = "every week",
                                         .document = R"({"reboot":"now"})",
                                         .presigned_expires_sec = 600,
                                         .rollout = RolloutConfig{.maximum_per_minute = 5},
                                         .abort = AbortConfig{{{AbortFailure::kFailed, 10'50, 7}}},
                                         .in_progress_timeout_minutes = 9,
                                         .retries = RetryConfig{.timed_out = 2},
                                         .maintenance_windows = {{"cron(0 2 * * ? *)", 60}}};
};

TEST_F(JobTemplatesTest, ATemplateKeepsWhatItWasMadeWith) {
  ASSERT_TRUE(templates().create(weekly_));
  open();
  const JobTemplate kept = templates().describe(weekly_.id).value();
  EXPECT_EQ(kept.description, weekly_.description);
  EXPECT_EQ(kept.document, weekly_.document);
  EXPECT_EQ(kept.presigned_expires_sec, weekly_.presigned_expires_sec);
  EXPECT_EQ(kept.rollout, weekly_.rollout);
  EXPECT_EQ(kept.abort, weekly_.abort);
  EXPECT_EQ(kept.in_progress_timeout_minutes, weekly_.in_progress_timeout_minutes);
  EXPECT_EQ(kept.retries, weekly_.retries);
  EXPECT_EQ(kept.maintenance_windows, weekly_.maintenance_windows);
  EXPECT_EQ(kept.created_at, kNow);
}

TEST_F(JobTemplatesTest, AJobTakesOverWhatItDoesNotSayItself) {
  ASSERT_TRUE(templates().create(weekly_));
  CreateJobRequest request{.id = job("j"), .targets = {lamp_}, .rollout = {.maximum_per_minute = 3}};
  ASSERT_TRUE(templates().apply(weekly_.id, arn("weekly"), request));
  ASSERT_TRUE(jobs().create(request));
  const Job made = jobs().describe_job(job("j")).value();
  EXPECT_EQ(made.document, weekly_.document);
  EXPECT_EQ(made.template_arn, arn("weekly"));
  EXPECT_EQ(made.rollout.maximum_per_minute, 3) << "its own";
  EXPECT_EQ(made.abort, weekly_.abort);
  EXPECT_EQ(made.retries, weekly_.retries);
  EXPECT_EQ(made.in_progress_timeout_minutes, 9);
  EXPECT_EQ(made.presigned_expires_sec, 600);
  EXPECT_EQ(made.scheduling.maintenance_windows, weekly_.maintenance_windows);
  ASSERT_TRUE(templates().remove(weekly_.id));
  EXPECT_EQ(jobs().describe_job(job("j"))->document, weekly_.document)
      << "the template is not needed any more";
}

TEST_F(JobTemplatesTest, ATemplateMayBeMadeOfAJob) {
  ASSERT_TRUE(jobs().create({.id = job("j"),
                             .document = R"({"a":1})",
                             .targets = {lamp_},
                             .in_progress_timeout_minutes = 4,
                             .retries = {.failed = 1},
                             .rollout = {.maximum_per_minute = 2}}));
  const auto made = templates().create({.id = id("t"),
                                        .description = "like j",
                                        .job = job("j"),
                                        .rollout = RolloutConfig{.maximum_per_minute = 8}});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->document, R"({"a":1})");
  EXPECT_EQ(made->in_progress_timeout_minutes, 4);
  EXPECT_EQ(made->retries.failed, 1);
  EXPECT_EQ(made->rollout.maximum_per_minute, 8);
  EXPECT_EQ(code(templates().create({.id = id("u"), .description = "x", .job = job("none")})),
            ErrorCode::kResourceNotFound);
}

TEST_F(JobTemplatesTest, ParametersReplaceThePlaceholdersOfTheDocument) {
  CreateJobTemplateRequest request = weekly_;
  request.document = R"({"run":"${command} ${command}","in":["${place}"],"keep":"${other}"})";
  ASSERT_TRUE(templates().create(request));
  CreateJobRequest wanted{.id = job("j"), .targets = {lamp_}};
  wanted.document_parameters = {{"command", "say \"${place}\""}, {"place", "attic"}};
  ASSERT_TRUE(templates().apply(request.id, arn("weekly"), wanted));
  EXPECT_EQ(Json::parse(wanted.document)["run"], R"(say "${place}" say "${place}")");
  EXPECT_EQ(Json::parse(wanted.document)["in"], Json({"attic"}));
  EXPECT_EQ(Json::parse(wanted.document)["keep"], "${other}");
  ASSERT_TRUE(jobs().create(wanted));
  EXPECT_EQ(jobs().describe_job(job("j"))->document_parameters.at("place"), "attic");

  CreateJobRequest unknown{.id = job("k"), .targets = {lamp_}};
  unknown.document_parameters = {{"nothing", "x"}};
  EXPECT_EQ(code(templates().apply(request.id, arn("weekly"), unknown)), ErrorCode::kInvalidRequest);
  CreateJobRequest alone{.id = job("k"), .document = "{}", .targets = {lamp_}};
  alone.document_parameters = {{"command", "x"}};
  EXPECT_EQ(code(jobs().create(alone)), ErrorCode::kInvalidRequest) << "parameters need a template";
}

TEST_F(JobTemplatesTest, AParametersValueIsNotSearchedForParameters) {
  CreateJobTemplateRequest request = weekly_;
  request.document =
      R"({"a":"${a}","b":"${b}","url":"${aws:iot:s3-presigned-url:https://s3.x/b/${a}}","${a}":0})";
  ASSERT_TRUE(templates().create(request));
  CreateJobRequest wanted{.id = job("j"), .targets = {lamp_}};
  wanted.document_parameters = {{"a", "${b}"}, {"b", "${a}"}};
  ASSERT_TRUE(templates().apply(request.id, arn("weekly"), wanted));
  EXPECT_EQ(Json::parse(wanted.document), Json({{"a", "${b}"},
                                                {"b", "${a}"},
                                                {"url", "${aws:iot:s3-presigned-url:https://s3.x/b/${b}}"},
                                                {"${a}", 0}}));
}

TEST_F(JobTemplatesTest, WhatLooksLikeAParameterStays) {
  CreateJobTemplateRequest request = weekly_;
  request.document = R"({"odd":"$ ${ ${} ${${a} $${a} ${a","none":"${b}"})";
  ASSERT_TRUE(templates().create(request));
  CreateJobRequest wanted{.id = job("j"), .targets = {lamp_}};
  wanted.document_parameters = {{"a", "1"}};
  ASSERT_TRUE(templates().apply(request.id, arn("weekly"), wanted));
  EXPECT_EQ(Json::parse(wanted.document), Json({{"odd", "$ ${ ${} ${1 $1 ${a"}, {"none", "${b}"}}));
}

TEST_F(JobTemplatesTest, ParametersThatBreakALimitAreRefusedBeforeTheyAreUsed) {
  CreateJobTemplateRequest request = weekly_;
  request.document = Json{{"a", repeated("${a}", 8000)}}.dump();
  ASSERT_TRUE(templates().create(request));
  CreateJobRequest wanted{.id = job("j"), .targets = {lamp_}};
  const auto refusal = [&](const DocumentParameters& parameters) {
    wanted.document_parameters = parameters;
    const auto applied = templates().apply(request.id, arn("weekly"), wanted);
    return applied ? "taken" : applied.error().message;
  };
  EXPECT_THAT(refusal({{"a", std::string(513, 'x')}}), HasSubstr("1 to 512 characters"));
  EXPECT_THAT(refusal({{"a", ""}}), HasSubstr("1 to 512 characters"));
  EXPECT_THAT(refusal({{std::string(129, 'a'), "x"}}), HasSubstr("1 to 128 letters"));
  EXPECT_THAT(refusal({{"a}", "x"}}), HasSubstr("1 to 128 letters"));
  EXPECT_EQ(refusal({{"a", "1234"}}), "taken") << "no longer than before";
}

TEST_F(JobTemplatesTest, ADocumentMayNotGrowBeyondItsLimit) {
  CreateJobTemplateRequest request = weekly_;
  request.document = Json{{"a", {repeated("${a}", 4000), repeated("${a}", 4000)}}}.dump();
  ASSERT_TRUE(templates().create(request));
  CreateJobRequest wanted{.id = job("j"), .targets = {lamp_}};
  wanted.document_parameters = {{"a", std::string(512, 'x')}};
  const auto applied = templates().apply(request.id, arn("weekly"), wanted);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, ErrorCode::kInvalidRequest);
  EXPECT_THAT(applied.error().message, HasSubstr("with its parameters"));
  EXPECT_EQ(wanted.document, "") << "nothing is filled in";
}

TEST_F(JobTemplatesTest, AnExpiryThatIsGivenStandsAlsoIfItIsTheDefault) {
  ASSERT_TRUE(templates().create(weekly_));
  CreateJobRequest request{.id = job("j"), .targets = {lamp_}, .presigned_expires_sec = 3600};
  ASSERT_TRUE(templates().apply(weekly_.id, arn("weekly"), request));
  ASSERT_TRUE(jobs().create(request));
  EXPECT_EQ(jobs().describe_job(job("j"))->presigned_expires_sec, 3600);
}

TEST_F(JobTemplatesTest, WhatIsWrongIsRefused) {
  ASSERT_TRUE(templates().create(weekly_));
  EXPECT_EQ(code(templates().create(weekly_)), ErrorCode::kConflict);
  EXPECT_EQ(code(templates().create({.id = id("a"), .document = "{}"})), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code(templates().create({.id = id("a"), .description = "x"})), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code(templates().create({.id = id("a"), .description = "x", .document = "[]"})),
            ErrorCode::kInvalidRequest);
  CreateJobTemplateRequest bad = weekly_;
  bad.id = id("b");
  bad.rollout = RolloutConfig{.maximum_per_minute = 1001};
  EXPECT_EQ(code(templates().create(bad)), ErrorCode::kInvalidRequest);
  bad = weekly_;
  bad.id = id("b");
  bad.document = R"({"a":)" + std::string(64, '[') + std::string(64, ']') + "}";
  EXPECT_EQ(code(templates().create(bad)), ErrorCode::kInvalidRequest) << "65 deep";
  EXPECT_EQ(code(templates().describe(id("a"))), ErrorCode::kResourceNotFound);
  EXPECT_EQ(code(templates().remove(id("a"))), ErrorCode::kResourceNotFound);
  CreateJobRequest both{.id = job("j"), .document = "{}"};
  EXPECT_EQ(code(templates().apply(weekly_.id, arn("weekly"), both)), ErrorCode::kInvalidRequest);
}

TEST_F(JobTemplatesTest, ListsGoOnBehindTheirTokens) {
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_TRUE(templates().create({.id = id(name), .description = "x", .document = "{}"}));
  }
  const auto first = templates().list({.max_results = 2}).value();
  EXPECT_EQ(first.items.size(), 2U);
  const auto rest = templates().list({.max_results = 2, .next_token = first.next_token}).value();
  ASSERT_EQ(rest.items.size(), 1U);
  EXPECT_EQ(rest.items[0].id.str(), "c");
  EXPECT_EQ(rest.next_token, "");
}

TEST_F(JobTemplatesTest, ThereMayBeAHundred) {
  for (int i = 0; i < kMaxJobTemplates; ++i) {
    ASSERT_TRUE(templates().create({.id = id(std::to_string(i)), .description = "x", .document = "{}"}));
  }
  EXPECT_EQ(code(templates().create({.id = id("more"), .description = "x", .document = "{}"})),
            ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace otasim::cloud
