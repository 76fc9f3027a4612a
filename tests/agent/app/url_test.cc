#include "agent/app/url.h"

#include <gtest/gtest.h>

#include <string>

namespace app {
namespace {

TEST(Url, APresignedUrlIsTakenApartAndItsTargetIsLeftAsItIs) {
  constexpr std::string_view kText =
      "https://otasim.localhost:44321/otasim/update%2Bx.img?versionId=1&X-Amz-Signature=0a~&X-Amz-Expires=60";
  Url url;
  ASSERT_EQ(parse_url(kText, url), UrlStatus::kOk);
  EXPECT_EQ(url.host, "otasim.localhost");
  EXPECT_EQ(url.port, 44321);
  EXPECT_EQ(url.target, "/otasim/update%2Bx.img?versionId=1&X-Amz-Signature=0a~&X-Amz-Expires=60");
}

TEST(Url, WithoutAPortItIsHttpsOwn) {
  Url url;
  ASSERT_EQ(parse_url("HTTPS://bucket.s3.eu-west-1.amazonaws.com/k?a=b:c@d", url), UrlStatus::kOk);
  EXPECT_EQ(url.host, "bucket.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(url.port, kHttpsPort);
  EXPECT_EQ(url.target, "/k?a=b:c@d");
  ASSERT_EQ(parse_url("https://127.0.0.1", url), UrlStatus::kOk);
  EXPECT_EQ(url.target, "/");
}

TEST(Url, TheLongestOneIsTakenAndOneByteMoreIsNot) {
  const std::string longest = "https://h/" + std::string(kMaxUrlLength - 10, 'a');
  Url url;
  EXPECT_EQ(parse_url(longest, url), UrlStatus::kOk);
  EXPECT_EQ(parse_url(longest + "a", url), UrlStatus::kTooLong);
}

TEST(Url, WhatIsWrongIsNamedAndNothingIsTaken) {
  struct Case {
    std::string text;
    UrlStatus status;
  };
  const std::string long_host(kMaxUrlHost + 1, 'a');
  for (const Case& c : {Case{"", UrlStatus::kBadScheme},
                        Case{"http://h/", UrlStatus::kBadScheme},
                        Case{"https:/h/", UrlStatus::kBadScheme},
                        Case{"ftp://h/", UrlStatus::kBadScheme},
                        Case{"//h/", UrlStatus::kBadScheme},
                        Case{"https://", UrlStatus::kBadHost},
                        Case{"https:///path", UrlStatus::kBadHost},
                        Case{"https://:443/", UrlStatus::kBadHost},
                        Case{"https://?a=b", UrlStatus::kBadHost},
                        Case{"https://h?a=b", UrlStatus::kBadHost},
                        Case{"https://[::1]/", UrlStatus::kBadHost},
                        Case{"https://a_b/", UrlStatus::kBadHost},
                        Case{"https://.h/", UrlStatus::kBadHost},
                        Case{"https://-h/", UrlStatus::kBadHost},
                        Case{"https://a..b/", UrlStatus::kBadHost},
                        Case{"https://%68/", UrlStatus::kBadHost},
                        Case{"https://" + long_host + "/", UrlStatus::kTooLong},
                        Case{"https://h:/", UrlStatus::kBadPort},
                        Case{"https://h:0/", UrlStatus::kBadPort},
                        Case{"https://h:65536/", UrlStatus::kBadPort},
                        Case{"https://h:000443/", UrlStatus::kBadPort},
                        Case{"https://h:+443/", UrlStatus::kBadPort},
                        Case{"https://h:443:443/", UrlStatus::kBadPort},
                        Case{"https://user@h/", UrlStatus::kUserInfo},
                        Case{"https://user:secret@h:443/", UrlStatus::kUserInfo},
                        Case{"https://h/#part", UrlStatus::kFragment},
                        Case{"https://h/a b", UrlStatus::kBadCharacter},
                        Case{" https://h/", UrlStatus::kBadCharacter},
                        Case{"https://h/\r\nHost: other", UrlStatus::kBadCharacter},
                        Case{"https://h/\t", UrlStatus::kBadCharacter},
                        Case{"https://h/\x7f", UrlStatus::kBadCharacter},
                        Case{"https://h/\xc3\xa4", UrlStatus::kBadCharacter},
                        Case{"https://h\\evil/", UrlStatus::kBadCharacter},
                        Case{"https://h/\"", UrlStatus::kBadCharacter},
                        Case{std::string("https://h/\0", 11), UrlStatus::kBadCharacter}}) {
    Url url{.host = "kept", .port = 7, .target = "kept"};
    EXPECT_EQ(parse_url(c.text, url), c.status) << c.text;
    EXPECT_EQ(url.host, "kept") << c.text;
    EXPECT_EQ(url.port, 7) << c.text;
  }
}

}  // namespace
}  // namespace app
