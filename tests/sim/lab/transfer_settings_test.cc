#include "sim/lab/transfer_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otasim::lab {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json all() {
  return {{"protocol", "http"},
          {"block_size", 256},
          {"blocks_per_request", 512},
          {"blocks_in_flight", 1024},
          {"stream_format", "json"},
          {"start_next", false},
          {"max_request_momentum", 4294967295},
          {"status_frequency", 1}};
}

TEST(TransferSettings, WhatIsWrittenIsReadAgain) {
  const auto settings = transfer_settings_from(all());
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->protocols, (provisioning::DataProtocols{.enabled = provisioning::kAllProtocols,
                                                              .primary = provisioning::kProtocolHttp}));
  EXPECT_EQ(settings->block_size, 256U);
  EXPECT_EQ(settings->start_next, false);
  EXPECT_EQ(settings->stream_format, provisioning::StreamFormat::kJson);
  EXPECT_EQ(to_json(*settings), all());
}

TEST(TransferSettings, WhatIsNotThereStaysEmpty) {
  const auto settings = transfer_settings_from(json::object());
  ASSERT_TRUE(settings);
  EXPECT_EQ(*settings, TransferSettings{});
  EXPECT_EQ(to_json(*settings), json::object());
  EXPECT_TRUE(transfer_settings_from({{"something_else", 1}}));
}

TEST(TransferSettings, AWrongOneIsNamedWithWhatItMayBe) {
  struct Case {
    const char* name;
    json value;
    const char* wanted;
  };
  for (const Case& c :
       {Case{"protocol", "ftp", "'mqtt' or 'http'"}, Case{"protocol", 1, "'mqtt' or 'http'"},
        Case{"block_size", 128, "from 256 to 4096"}, Case{"block_size", 8192, "from 256 to 4096"},
        Case{"block_size", 1000, "a power of two"}, Case{"block_size", "512", "from 256"},
        Case{"blocks_per_request", 0, "from 1 to 512"}, Case{"blocks_per_request", 513, "from 1 to 512"},
        Case{"blocks_in_flight", 0, "from 1 to 1024"}, Case{"blocks_in_flight", 1025, "from 1 to 1024"},
        Case{"blocks_in_flight", -1, "from 1 to 1024"}, Case{"stream_format", "xml", "'cbor' or 'json'"},
        Case{"start_next", 1, "true or false"}, Case{"max_request_momentum", 0, "from 1"},
        Case{"status_frequency", 4294967296, "from 1 to 4294967295"}}) {
    json object = all();
    object[c.name] = c.value;
    const auto settings = transfer_settings_from(object);
    ASSERT_FALSE(settings) << object;
    EXPECT_EQ(settings.error().code, ExitCode::kUsage);
    EXPECT_THAT(settings.error().message, HasSubstr(c.name));
    EXPECT_THAT(settings.error().message, HasSubstr(c.wanted));
  }
}

}  // namespace
}  // namespace otasim::lab
