// Things, certificates, groups, and the continuous jobs that follow who is in them.
#include "tests/sim/cloud/cloud_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using enum ExecutionStatus;

class RegistryTest : public CloudFixture {
 protected:
  GroupName group(const std::string& name) { return GroupName::parse(name).value(); }

  void make_group(const std::string& name, const std::string& parent = {}) {
    CreateThingGroupRequest request{.name = group(name)};
    if (!parent.empty()) request.parent = group(parent);
    const auto made = groups().create(request);
    ASSERT_TRUE(made) << made.error().message;
  }

  void create_continuous(const std::string& id, std::vector<JobTarget> targets) {
    const auto made = jobs().create({.id = job(id),
                                     .document = "{}",
                                     .targets = std::move(targets),
                                     .target_selection = TargetSelection::kContinuous});
    ASSERT_TRUE(made) << made.error().message;
  }

  /// A thing's executions of a job, in order: "1 SUCCEEDED", "2 QUEUED".
  std::vector<std::string> history(const std::string& id, const ThingName& thing) {
    std::vector<std::string> all;
    const auto page = jobs().list_executions({.filter = {.job = job(id), .thing = thing}}).value();
    for (const JobExecution& e : page.items) {
      all.push_back(std::to_string(e.execution_number) + " " + std::string{to_string(e.state.status)});
    }
    return all;
  }

  template <typename T>
  static ErrorCode code(const ServiceResult<T>& result) {
    EXPECT_FALSE(result) << "not refused";
    return result ? ErrorCode::kInternalError : result.error().code;
  }

  ThingGroups& groups() { return cloud_->groups(); }
  Things& things() { return cloud_->things(); }
  Certificates& certificates() { return cloud_->certificates(); }
  const ThingName nobody_ = ThingName::parse("nobody").value();
};

TEST_F(RegistryTest, ACertificateMayActAsSeveralThingsAndItsListenersHear) {
  std::vector<std::vector<std::string>> heard;
  const auto subscription = cloud_->principals().listen([&](const std::string& id) {
    heard.push_back(cloud_->principals().grants_of(id).value().value().things);
  });
  const std::string id = attach_certificate(lamp_);
  heard.clear();
  ASSERT_TRUE(things().attach_principal(door_, id));
  EXPECT_THAT(things().principals_of(lamp_).value(), ElementsAre(id));
  EXPECT_THAT(things().principals_of(door_).value(), ElementsAre(id));
  EXPECT_THAT(things().things_of(id).value(), ElementsAre(door_, lamp_));
  ASSERT_TRUE(things().detach_principal(lamp_, id));
  EXPECT_EQ(code(things().detach_principal(lamp_, id)), ErrorCode::kResourceNotFound);
  ASSERT_TRUE(things().detach_principal(door_, id));
  EXPECT_EQ(code(things().attach_principal(nobody_, id)), ErrorCode::kResourceNotFound);
  EXPECT_EQ(code(things().attach_principal(lamp_, std::string(64, 'a'))), ErrorCode::kResourceNotFound);
  EXPECT_THAT(heard, ElementsAre(ElementsAre("door", "lamp"), ElementsAre("door"), IsEmpty()));
}

TEST_F(RegistryTest, OnlyAnActiveCertificateGetsADeviceIn) {
  const std::string id = attach_certificate(lamp_);
  std::vector<bool> heard;
  const auto subscription = cloud_->principals().listen([&](const std::string& changed) {
    heard.push_back(cloud_->principals().grants_of(changed)->has_value());
  });
  ASSERT_TRUE(certificates().set_status(id, CertificateStatus::kInactive));
  EXPECT_THAT(cloud_->principals().active().value(), IsEmpty());
  ASSERT_TRUE(certificates().set_status(id, CertificateStatus::kActive));
  EXPECT_EQ(cloud_->principals().active()->size(), 1U);
  ASSERT_TRUE(certificates().set_status(id, CertificateStatus::kRevoked));
  EXPECT_THAT(heard, ElementsAre(false, true, false));
}

constexpr const char* kOpenPolicy =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]})";

TEST_F(RegistryTest, APolicyIsMadeReadListedAndDeletedWhenNothingHasIt) {
  auto& policies = cloud_->policies();
  const auto open = PolicyName::trusted("open");
  EXPECT_EQ(policies.create(open, kOpenPolicy)->document, kOpenPolicy);
  EXPECT_EQ(code(policies.create(open, kOpenPolicy)), ErrorCode::kResourceAlreadyExists);
  EXPECT_EQ(policies.list()->items.size(), 2U);  // and the devices'
  const std::string id = attach_certificate(lamp_);
  ASSERT_TRUE(policies.attach(open, id));
  ASSERT_TRUE(policies.attach(open, id));
  EXPECT_EQ(policies.attached_to(id)->items.size(), 2U);
  EXPECT_THAT(policies.targets_of(open)->items, ElementsAre(id));
  EXPECT_EQ(code(policies.remove(open)), ErrorCode::kDeleteConflict);
  ASSERT_TRUE(policies.detach(open, id));
  EXPECT_EQ(code(policies.detach(open, id)), ErrorCode::kResourceNotFound);
  ASSERT_TRUE(policies.remove(open));
  EXPECT_EQ(code(policies.describe(open)), ErrorCode::kResourceNotFound);
  EXPECT_EQ(code(policies.attach(open, id)), ErrorCode::kResourceNotFound);
  EXPECT_EQ(code(policies.attached_to(std::string(64, 'b'))), ErrorCode::kResourceNotFound);
}

TEST_F(RegistryTest, APolicyThatIsNotUnderstoodIsRefusedWithTheReason) {
  const auto refused =
      cloud_->policies().create(PolicyName::trusted("p"), R"({"Statement":[{"Effect":"Perhaps"}]})");
  EXPECT_EQ(code(refused), ErrorCode::kMalformedPolicy);
  EXPECT_EQ(refused.error().message, "Effect must be Allow or Deny.");
}

TEST_F(RegistryTest, ACertificateHasAtMostTenPolicies) {
  const std::string id = attach_certificate(lamp_);  // with one
  for (std::size_t i = 1; i < kMaxPoliciesPerCertificate; ++i) {
    const auto name = PolicyName::trusted("p" + std::to_string(i));
    ASSERT_TRUE(cloud_->policies().create(name, kOpenPolicy));
    ASSERT_TRUE(cloud_->policies().attach(name, id));
  }
  ASSERT_TRUE(cloud_->policies().create(PolicyName::trusted("q"), kOpenPolicy));
  EXPECT_EQ(code(cloud_->policies().attach(PolicyName::trusted("q"), id)), ErrorCode::kLimitExceeded);
}

TEST_F(RegistryTest, ACertificateIsAttachedToAtMostTenThings) {
  const std::string id = attach_certificate(lamp_);
  for (std::size_t i = 1; i < kMaxThingsPerCertificate; ++i) {
    const auto name = ThingName::trusted("t" + std::to_string(i));
    ASSERT_TRUE(things().create(name));
    ASSERT_TRUE(things().attach_principal(name, id));
  }
  EXPECT_EQ(code(things().attach_principal(door_, id)), ErrorCode::kLimitExceeded);
  EXPECT_TRUE(things().attach_principal(lamp_, id)) << "it is attached already";
}

TEST_F(RegistryTest, WhatTheBrokerIsSentOfAPolicyHasNoBlanksThatMeanNothing) {
  const std::string id = attach_certificate(lamp_);
  const std::string document = std::string(200'000, ' ') + kOpenPolicy;
  ASSERT_TRUE(cloud_->policies().create(PolicyName::trusted("wide"), document));
  ASSERT_TRUE(cloud_->policies().attach(PolicyName::trusted("wide"), id));
  EXPECT_EQ(cloud_->policies().describe(PolicyName::trusted("wide"))->document, document);
  EXPECT_THAT(cloud_->principals().grants_of(id).value()->policies, ::testing::Contains(kOpenPolicy));
}

TEST_F(RegistryTest, ACertificateIsDeletedOnlyWhenNobodyNeedsIt) {
  const std::string id = attach_certificate(lamp_);
  EXPECT_EQ(code(certificates().remove(id)), ErrorCode::kInvalidRequest) << "it is active";
  ASSERT_TRUE(certificates().set_status(id, CertificateStatus::kInactive));
  EXPECT_EQ(code(certificates().remove(id)), ErrorCode::kDeleteConflict);
  ASSERT_TRUE(things().detach_principal(lamp_, id));
  EXPECT_EQ(code(certificates().remove(id)), ErrorCode::kDeleteConflict) << "it has a policy";
  ASSERT_TRUE(cloud_->policies().detach(PolicyName::trusted(kOtaDevicePolicyName), id));
  ASSERT_TRUE(certificates().remove(id));
  EXPECT_EQ(code(certificates().describe(id)), ErrorCode::kResourceNotFound);
  EXPECT_EQ(code(certificates().register_certificate("no certificate")), ErrorCode::kInvalidRequest);
}

TEST_F(RegistryTest, ACertificateTakesItsPoliciesWithItOnlyIfItGoes) {
  const std::string id = attach_certificate(lamp_);
  ASSERT_TRUE(certificates().set_status(id, CertificateStatus::kInactive));
  EXPECT_EQ(code(certificates().remove(id, {.with_policies = true})), ErrorCode::kDeleteConflict);
  EXPECT_EQ(cloud_->policies().attached_to(id)->items.size(), 1U);
  ASSERT_TRUE(things().detach_principal(lamp_, id));
  ASSERT_TRUE(certificates().remove(id, {.with_policies = true}));
  EXPECT_THAT(cloud_->policies().targets_of(PolicyName::trusted(kOtaDevicePolicyName))->items, IsEmpty());
}

TEST_F(RegistryTest, ARegisteredCertificateIsTheSameCertificate) {
  const std::string id = attach_certificate(lamp_);
  const auto record = certificates().describe(id).value();
  const auto again = certificates().register_certificate(record.pem, CertificateStatus::kInactive).value();
  EXPECT_EQ(again.id, id);
  EXPECT_EQ(again.status, CertificateStatus::kActive) << "it stays as it is";
  EXPECT_EQ(certificates().list()->items.size(), 1U);
}

TEST_F(RegistryTest, AThingThatExistsIsNotMadeAnew) {
  const auto first = things().describe(lamp_).value();
  EXPECT_EQ(things().create(lamp_)->thing_id, first.thing_id);
}

TEST_F(RegistryTest, ThingsAreListedInPages) {
  const auto first = things().list({.max_results = 1}).value();
  ASSERT_EQ(first.items.size(), 1U);
  EXPECT_EQ(first.items[0].name, door_);
  const auto second = things().list({.max_results = 1, .next_token = first.next_token}).value();
  EXPECT_EQ(second.items.at(0).name, lamp_);
  EXPECT_EQ(second.next_token, "");
}

TEST_F(RegistryTest, DeletingAThingNeedsItsPrincipalsDetachedAndRemovesItsOpenExecutions) {
  const std::string id = attach_certificate(lamp_);
  make_group("g");
  ASSERT_TRUE(groups().add_thing(group("g"), lamp_));
  create_job("begun");
  create_job("waiting");
  ASSERT_TRUE(jobs().start_next(lamp_));
  EXPECT_EQ(code(things().remove(lamp_)), ErrorCode::kInvalidRequest);
  ASSERT_TRUE(things().detach_principal(lamp_, id));
  ASSERT_TRUE(things().remove(lamp_));
  EXPECT_THAT(history("begun", lamp_), ElementsAre("1 REMOVED"));
  EXPECT_THAT(history("waiting", lamp_), ElementsAre("1 REMOVED"));
  EXPECT_EQ(jobs().describe_job(job("waiting"))->status, JobStatus::kCompleted);
  EXPECT_THAT(groups().things_in(group("g"), false)->items, IsEmpty());
  EXPECT_EQ(code(things().remove(lamp_)), ErrorCode::kResourceNotFound);
}

TEST_F(RegistryTest, GroupsFormATreeOfBoundedDepth) {
  make_group("g1");
  for (int depth = 2; depth <= 7; ++depth) {
    make_group("g" + std::to_string(depth), "g" + std::to_string(depth - 1));
  }
  EXPECT_EQ(code(groups().create({.name = group("g8"), .parent = group("g7")})), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code(groups().create({.name = group("g2")})), ErrorCode::kResourceAlreadyExists);
  EXPECT_EQ(code(groups().create({.name = group("x"), .parent = group("none")})),
            ErrorCode::kResourceNotFound);
  EXPECT_TRUE(groups().create({.name = group("g2"), .parent = group("g1")})) << "an equal request";
  EXPECT_EQ(code(groups().remove(group("g6"))), ErrorCode::kInvalidRequest) << "it has a child";
  ASSERT_TRUE(groups().remove(group("g7")));
  ASSERT_TRUE(groups().remove(group("g6")));
}

TEST_F(RegistryTest, MembersAreListedWithThoseOfTheGroupsBelow) {
  make_group("house");
  make_group("kitchen", "house");
  ASSERT_TRUE(groups().add_thing(group("house"), lamp_));
  ASSERT_TRUE(groups().add_thing(group("kitchen"), lamp_));
  ASSERT_TRUE(groups().add_thing(group("kitchen"), door_));
  EXPECT_THAT(groups().things_in(group("house"), false)->items, ElementsAre(lamp_));
  EXPECT_THAT(groups().things_in(group("house"), true)->items, ElementsAre(door_, lamp_));
  const auto page = groups().things_in(group("house"), true, {.max_results = 1}).value();
  EXPECT_THAT(page.items, ElementsAre(door_));
  EXPECT_THAT(
      groups().things_in(group("house"), true, {.max_results = 1, .next_token = page.next_token})->items,
      ElementsAre(lamp_));
  EXPECT_THAT(groups().groups_of(lamp_).value(), ElementsAre(group("house"), group("kitchen")));
  EXPECT_EQ(code(groups().add_thing(group("none"), lamp_)), ErrorCode::kResourceNotFound);
  EXPECT_EQ(code(groups().add_thing(group("house"), nobody_)), ErrorCode::kResourceNotFound);
}

TEST_F(RegistryTest, ASnapshotJobReachesTheMembersOfTheMomentAndNoLaterOnes) {
  make_group("g");
  make_group("below", "g");
  ASSERT_TRUE(groups().add_thing(group("below"), lamp_));
  create_job("j", {group("g")});
  EXPECT_THAT(history("j", lamp_), ElementsAre("1 QUEUED"));
  ASSERT_TRUE(groups().add_thing(group("g"), door_));
  EXPECT_THAT(history("j", door_), IsEmpty());
  ASSERT_TRUE(groups().remove_thing(group("below"), lamp_));
  EXPECT_THAT(history("j", lamp_), ElementsAre("1 QUEUED")) << "a snapshot stays";
}

TEST_F(RegistryTest, ASnapshotJobForNobodyIsCompletedAtOnce) {
  make_group("g");
  create_job("j", {group("g")});
  EXPECT_EQ(jobs().describe_job(job("j"))->status, JobStatus::kCompleted);
}

TEST_F(RegistryTest, AContinuousJobFollowsWhoJoinsAndLeaves) {
  make_group("g");
  make_group("below", "g");
  create_continuous("j", {group("g")});
  ASSERT_TRUE(groups().add_thing(group("below"), lamp_));
  EXPECT_THAT(history("j", lamp_), ElementsAre("1 QUEUED"));
  ASSERT_TRUE(groups().add_thing(group("g"), lamp_)) << "a target already: nothing new";
  ASSERT_TRUE(groups().remove_thing(group("below"), lamp_)) << "still a target";
  EXPECT_THAT(history("j", lamp_), ElementsAre("1 QUEUED"));
  ASSERT_TRUE(groups().remove_thing(group("g"), lamp_));
  EXPECT_THAT(history("j", lamp_), ElementsAre("1 REMOVED"));
  ASSERT_TRUE(groups().remove_thing(group("g"), lamp_)) << "no member: nothing to do";
}

TEST_F(RegistryTest, WhoeverComesBackGetsTheContinuousJobAgain) {
  make_group("g");
  ASSERT_TRUE(groups().add_thing(group("g"), lamp_));
  create_continuous("j", {group("g")});
  ASSERT_TRUE(jobs().update(job("j"), lamp_, {.status = kSucceeded}));
  ASSERT_TRUE(groups().remove_thing(group("g"), lamp_));
  EXPECT_THAT(history("j", lamp_), ElementsAre("1 SUCCEEDED"));
  ASSERT_TRUE(groups().add_thing(group("g"), lamp_));
  EXPECT_THAT(history("j", lamp_), ElementsAre("1 SUCCEEDED", "2 QUEUED"));
}

TEST_F(RegistryTest, AThingMadeAnewGetsItsContinuousJobsAgain) {
  create_continuous("j", {lamp_});
  ASSERT_TRUE(jobs().update(job("j"), lamp_, {.status = kSucceeded}));
  ASSERT_TRUE(things().remove(lamp_));
  ASSERT_TRUE(things().create(lamp_));
  EXPECT_THAT(history("j", lamp_), ElementsAre("1 SUCCEEDED", "2 QUEUED"));
}

TEST_F(RegistryTest, AMoveBetweenTwoTargetsOfAJobEndsNothing) {
  make_group("a");
  make_group("b");
  ASSERT_TRUE(groups().add_thing(group("a"), lamp_));
  create_continuous("both", {group("a"), group("b")});
  create_continuous("old", {group("a")});
  create_continuous("new", {group("b")});
  ASSERT_TRUE(jobs().start_next(lamp_, {}));
  EXPECT_EQ(code(groups().change_groups_of(lamp_, {.leave = {group("a")}, .join = {group("typo")}})),
            ErrorCode::kResourceNotFound);
  EXPECT_EQ(code(groups().change_groups_of(nobody_, {.leave = {group("a")}})), ErrorCode::kResourceNotFound);
  EXPECT_THAT(groups().groups_of(lamp_).value(), ElementsAre(group("a")));
  ASSERT_TRUE(groups().change_groups_of(lamp_, {.leave = {group("a")}, .join = {group("b")}}));
  EXPECT_THAT(groups().groups_of(lamp_).value(), ElementsAre(group("b")));
  EXPECT_THAT(history("both", lamp_), ElementsAre("1 IN_PROGRESS"));
  EXPECT_THAT(history("old", lamp_), ElementsAre("1 REMOVED"));
  EXPECT_THAT(history("new", lamp_), ElementsAre("1 QUEUED"));
}

TEST_F(RegistryTest, DeletingAGroupTakesItsMembersOutOfItsContinuousJobs) {
  make_group("g");
  ASSERT_TRUE(groups().add_thing(group("g"), lamp_));
  create_continuous("j", {group("g")});
  ASSERT_TRUE(groups().remove(group("g")));
  EXPECT_THAT(history("j", lamp_), ElementsAre("1 REMOVED"));
  EXPECT_TRUE(things().describe(lamp_));
}

TEST_F(RegistryTest, GroupsCanBeAddedToAContinuousJobOnly) {
  make_group("g");
  ASSERT_TRUE(groups().add_thing(group("g"), door_));
  create_continuous("j", {lamp_});
  ASSERT_TRUE(jobs().associate_targets(job("j"), {group("g")}));
  EXPECT_THAT(history("j", door_), ElementsAre("1 QUEUED"));
  EXPECT_THAT(history("j", lamp_), ElementsAre("1 QUEUED"));
  EXPECT_EQ(jobs().targets_of(job("j"))->size(), 2U);
  EXPECT_EQ(code(jobs().associate_targets(job("j"), {group("none")})), ErrorCode::kResourceNotFound);
  EXPECT_EQ(jobs().targets_of(job("j"))->size(), 2U);
  create_job("snapshot");
  EXPECT_EQ(code(jobs().associate_targets(job("snapshot"), {group("g")})), ErrorCode::kInvalidRequest);
}

TEST_F(RegistryTest, JobsAreListedByStatusSelectionAndGroup) {
  make_group("g");
  create_job("a");
  create_continuous("b", {group("g")});
  create_job("c");
  ASSERT_TRUE(jobs().cancel(job("c")));
  const auto listed = [&](const JobStore::Filter& filter) {
    std::string ids;
    const auto page = jobs().list_jobs({.filter = filter}).value();
    for (const Job& one : page.items) ids += one.id.str();
    return ids;
  };
  EXPECT_EQ(listed({}), "abc");
  EXPECT_EQ(listed({.status = JobStatus::kInProgress}), "ab");
  EXPECT_EQ(listed({.target_selection = TargetSelection::kContinuous}), "b");
  EXPECT_EQ(listed({.group = group("g")}), "b");
  EXPECT_EQ(listed({.status = JobStatus::kCanceled, .group = group("g")}), "");
}

TEST_F(RegistryTest, ExecutionsAreListedByJobThingAndStatus) {
  create_job("a", {lamp_, door_});
  create_job("b", {lamp_});
  ASSERT_TRUE(jobs().update(job("a"), lamp_, {.status = kFailed}));
  const auto count = [&](const ExecutionStore::Filter& filter) {
    return jobs().list_executions({.filter = filter})->items.size();
  };
  EXPECT_EQ(count({.job = job("a")}), 2U);
  EXPECT_EQ(count({.thing = lamp_}), 2U);
  EXPECT_EQ(count({.job = job("a"), .thing = lamp_}), 1U);
  EXPECT_EQ(count({.thing = lamp_, .status = kQueued}), 1U);
  EXPECT_EQ(count({.job = job("a"), .status = kFailed}), 1U);
  EXPECT_EQ(code(jobs().list_executions({})), ErrorCode::kInvalidRequest);
  const auto page = jobs().list_executions({.filter = {.job = job("a")}, .page = {.max_results = 1}}).value();
  ASSERT_EQ(page.items.size(), 1U);
  const auto rest = jobs().list_executions(
      {.filter = {.job = job("a")}, .page = {.max_results = 1, .next_token = page.next_token}});
  EXPECT_EQ(rest->items.size(), 1U);
  EXPECT_EQ(rest->next_token, "");
}

TEST_F(RegistryTest, DeletingAJobInProgressNeedsForceAndTellsTheThingsItWasNextFor) {
  create_job("j");
  EXPECT_EQ(code(jobs().remove_job(job("j"), false)), ErrorCode::kInvalidStateTransition);
  int told = 0;
  const auto subscription =
      jobs().listen({.on_next_change = [&](const ThingName&, const std::optional<JobExecution>& next) {
        told += next ? 0 : 1;
      }});
  ASSERT_TRUE(jobs().remove_job(job("j"), true));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(code(jobs().update(job("j"), lamp_, {})), ErrorCode::kResourceNotFound);
  clock_.advance(1);
  create_job("j");
  EXPECT_THAT(history("j", lamp_), ElementsAre("1 QUEUED")) << "the id is free again";
}

TEST_F(RegistryTest, DeletingAnExecutionThatIsNotOverNeedsForce) {
  create_job("j", {lamp_, door_});
  EXPECT_EQ(code(jobs().remove_execution(job("j"), lamp_, 1, false)), ErrorCode::kInvalidStateTransition);
  ASSERT_TRUE(jobs().remove_execution(job("j"), lamp_, 1, true));
  EXPECT_EQ(code(jobs().update(job("j"), lamp_, {})), ErrorCode::kResourceNotFound);
  ASSERT_TRUE(jobs().update(job("j"), door_, {.status = kSucceeded}));
  EXPECT_EQ(jobs().describe_job(job("j"))->status, JobStatus::kCompleted);
  ASSERT_TRUE(jobs().remove_execution(job("j"), door_, 1, false));
  EXPECT_EQ(code(jobs().remove_execution(job("j"), door_, 1, false)), ErrorCode::kResourceNotFound);
}

}  // namespace
}  // namespace otasim::cloud
