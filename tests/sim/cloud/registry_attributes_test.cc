// Attributes and versions of things and groups, listings by them, tags, and ARNs.
#include "sim/cloud/arn.h"
#include "sim/cloud/attributes.h"
#include "sim/cloud/tags.h"
#include "tests/sim/cloud/cloud_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class RegistryAttributesTest : public CloudFixture {
 protected:
  template <typename T>
  static ErrorCode code(const ServiceResult<T>& result) {
    EXPECT_FALSE(result) << "not refused";
    return result ? ErrorCode::kInternalError : result.error().code;
  }
  static GroupName group(const std::string& name) { return GroupName::parse(name).value(); }
  void make_group(const std::string& name, const std::string& parent = {}) {
    CreateThingGroupRequest request{.name = group(name)};
    if (!parent.empty()) request.parent = group(parent);
    ASSERT_TRUE(cloud_->groups().create(request));
  }
  std::vector<std::string> names(const ListThingGroupsRequest& request) {
    std::vector<std::string> all;
    const auto page = cloud_->groups().list(request).value();
    for (const ThingGroup& one : page.items) all.push_back(one.name.str());
    return all;
  }
  std::vector<std::string> names(const ListThingsRequest& request) {
    std::vector<std::string> all;
    const auto page = cloud_->things().list(request).value();
    for (const Thing& one : page.items) all.push_back(one.name.str());
    return all;
  }
};

TEST_F(RegistryAttributesTest, AThingsAttributesAreReplacedOrMerged) {
  auto& things = cloud_->things();
  ASSERT_TRUE(things.update({.name = lamp_, .attributes = Attributes{{"a", "1"}, {"b", "2"}}}));
  ASSERT_TRUE(
      things.update({.name = lamp_, .attributes = Attributes{{"b", "3"}, {"c", "4"}}, .merge = true}));
  EXPECT_THAT(things.describe(lamp_)->attributes,
              ElementsAre(Pair("a", "1"), Pair("b", "3"), Pair("c", "4")));
  ASSERT_TRUE(things.update({.name = lamp_, .attributes = Attributes{{"b", ""}}, .merge = true}));
  EXPECT_THAT(things.describe(lamp_)->attributes, ElementsAre(Pair("a", "1"), Pair("c", "4")))
      << "an empty value takes one away";
  ASSERT_TRUE(things.update({.name = lamp_, .attributes = Attributes{{"d", "5"}}}));
  EXPECT_THAT(things.describe(lamp_)->attributes, ElementsAre(Pair("d", "5")));
  EXPECT_EQ(things.describe(lamp_)->version, 5);
}

TEST_F(RegistryAttributesTest, AnUpdateMayExpectAVersion) {
  auto& things = cloud_->things();
  EXPECT_EQ(code(things.update({.name = lamp_, .expected_version = 2})), ErrorCode::kVersionMismatch);
  ASSERT_TRUE(things.update({.name = lamp_, .expected_version = 1}));
  EXPECT_EQ(code(things.remove(lamp_, 1)), ErrorCode::kVersionMismatch);
  EXPECT_TRUE(things.remove(lamp_, 2));
}

TEST_F(RegistryAttributesTest, AttributesKeepTheirLimits) {
  auto& things = cloud_->things();
  const auto create = [&](const Attributes& attributes) {
    return things.create(ThingName::parse("new").value(), attributes);
  };
  EXPECT_EQ(code(create({{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "1"}})), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code(create({{"a b", "1"}})), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code(create({{"a", "two words"}})), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code(create({{"", "1"}})), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code(create({{std::string(129, 'a'), "1"}})), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code(create({{"a", std::string(801, '1')}})), ErrorCode::kInvalidRequest);
  ASSERT_TRUE(create({{std::string(128, 'a'), std::string(800, '1')}, {"b.,@/:#-_", ""}}));
  EXPECT_EQ(code(create({{"a", "1"}})), ErrorCode::kResourceAlreadyExists) << "with other attributes";
  EXPECT_TRUE(create({})) << "the same thing again";
}

TEST_F(RegistryAttributesTest, ThingsAreListedByAnAttribute) {
  auto& things = cloud_->things();
  ASSERT_TRUE(things.update({.name = lamp_, .attributes = Attributes{{"site", "north-1"}}}));
  ASSERT_TRUE(things.update({.name = door_, .attributes = Attributes{{"site", "north-2"}}}));
  EXPECT_THAT(names({.attribute_name = "site", .attribute_value = "north-1"}), ElementsAre("lamp"));
  EXPECT_THAT(names({.attribute_name = "site", .attribute_value = "north", .value_is_prefix = true}),
              ElementsAre("door", "lamp"));
  EXPECT_THAT(names({.attribute_name = "site", .attribute_value = "north"}), IsEmpty());
  EXPECT_THAT(names({.attribute_name = "none", .attribute_value = "north-1"}), IsEmpty());
}

TEST_F(RegistryAttributesTest, GroupsAreListedByParentDepthAndPrefix) {
  make_group("a");
  make_group("a-1", "a");
  make_group("a-2", "a-1");
  make_group("b");
  EXPECT_THAT(names(ListThingGroupsRequest{}), ElementsAre("a", "a-1", "a-2", "b"));
  EXPECT_THAT(names(ListThingGroupsRequest{.recursive = false}), ElementsAre("a", "b"));
  EXPECT_THAT(names({.parent = group("a"), .recursive = false}), ElementsAre("a-1"));
  EXPECT_THAT(names({.parent = group("a")}), ElementsAre("a-1", "a-2"));
  EXPECT_THAT(names(ListThingGroupsRequest{.name_prefix = "a-"}), ElementsAre("a-1", "a-2"));
  EXPECT_EQ(code(cloud_->groups().list({.parent = group("none")})), ErrorCode::kResourceNotFound);
}

TEST_F(RegistryAttributesTest, AGroupIsUpdated) {
  make_group("a");
  auto& groups = cloud_->groups();
  EXPECT_EQ(groups.update({.name = group("a"), .description = "one", .attributes = Attributes{{"k", "v"}}}),
            2);
  EXPECT_EQ(groups.update({.name = group("a"), .expected_version = 2}), 3);
  EXPECT_EQ(groups.describe(group("a"))->description, "one") << "what is not given stays";
  EXPECT_THAT(groups.describe(group("a"))->attributes, ElementsAre(Pair("k", "v")));
  EXPECT_EQ(code(groups.update({.name = group("a"), .expected_version = 2})), ErrorCode::kVersionMismatch);
  EXPECT_EQ(code(groups.remove(group("a"), 2)), ErrorCode::kVersionMismatch);
  EXPECT_TRUE(groups.remove(group("a"), 3));
}

TEST_F(RegistryAttributesTest, TagsGoWithTheirResource) {
  make_group("a");
  auto& tags = cloud_->tags();
  const IotResource resource{"thinggroup", "a"};
  ASSERT_TRUE(tags.tag(resource, {{"one", "1"}, {"two", ""}}));
  ASSERT_TRUE(tags.tag(resource, {{"two", "2"}}));
  EXPECT_THAT(tags.of(resource).value(), ElementsAre(Pair("one", "1"), Pair("two", "2")));
  ASSERT_TRUE(tags.untag(resource, {"one", "none"}));
  EXPECT_THAT(tags.of(resource).value(), ElementsAre(Pair("two", "2")));
  ASSERT_TRUE(cloud_->groups().remove(group("a")));
  EXPECT_EQ(code(tags.of(resource)), ErrorCode::kResourceNotFound);
  make_group("a");
  EXPECT_THAT(tags.of(resource).value(), IsEmpty()) << "another group of the same name";
}

TEST_F(RegistryAttributesTest, TagsKeepTheirLimits) {
  make_group("a");
  auto& tags = cloud_->tags();
  const IotResource resource{"thinggroup", "a"};
  TagMap many;
  for (std::size_t i = 0; i < kMaxTags; ++i) many.emplace(std::to_string(i), "");
  ASSERT_TRUE(tags.tag(resource, many));
  EXPECT_EQ(code(tags.tag(resource, {{"one more", ""}})), ErrorCode::kLimitExceeded);
  EXPECT_TRUE(tags.tag(resource, {{"0", "changed"}})) << "not one more";
  EXPECT_EQ(code(tags.tag(resource, {{"", ""}})), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code(tags.tag(resource, {{"aws:x", ""}})), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code(tags.tag(resource, {{"0", std::string(257, 'x')}})), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code(tags.tag({"thing", "lamp"}, {})), ErrorCode::kResourceNotFound) << "things have none";
  EXPECT_EQ(code(tags.tag({"thinggroup", "none"}, {})), ErrorCode::kResourceNotFound);
}

TEST(Arn, NamesAResourceOfThisAccount) {
  EXPECT_EQ(iot_arn("thing", "lamp"), "arn:aws:iot:us-east-1:000000000000:thing/lamp");
  EXPECT_EQ(parse_iot_arn(iot_arn("thing", "lamp")), (IotResource{"thing", "lamp"}));
  EXPECT_EQ(name_in_arn(iot_arn("thing", "lamp"), "thing"), "lamp");
  EXPECT_EQ(name_in_arn(iot_arn("thing", "lamp"), "thinggroup"), std::nullopt);
  for (const char* none :
       {"", "lamp", "arn:aws:iot:eu-west-1:000000000000:thing/lamp",
        "arn:aws:iot:us-east-1:000000000001:thing/lamp", "arn:aws-cn:iot:us-east-1:000000000000:thing/lamp",
        "arn:aws:iot:us-east-1:000000000000:thing/", "arn:aws:iot:us-east-1:000000000000:/x",
        "arn:aws:iot:us-east-1:000000000000:thing"}) {
    EXPECT_EQ(parse_iot_arn(none), std::nullopt) << none;
  }
}

}  // namespace
}  // namespace otasim::cloud
