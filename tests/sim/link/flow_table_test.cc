#include "sim/link/flow_table.h"

#include <gtest/gtest.h>

namespace otasim::link::test {
namespace {

constexpr FlowKey kKey{40'000, 8'883};

FrameInfo segment(std::uint8_t flags, std::uint32_t sequence, std::uint32_t acknowledgement,
                  std::uint32_t length = 0, FlowKey key = kKey) {
  return {.kind = FrameInfo::Kind::kTcp,
          .ports = key,
          .flags = flags,
          .sequence = sequence,
          .acknowledgement = acknowledgement,
          .sequence_length = length};
}

class FlowTableTest : public testing::Test {
 protected:
  /// A connection whose device is at 101, and whose host is at 501.
  void open(FlowKey key = kKey) {
    table_.from_device(segment(kTcpSyn, 100, 0, 1, key));
    table_.to_device(segment(kTcpSyn | kTcpAck, 500, 101, 1, key));
    table_.from_device(segment(kTcpAck, 101, 501, 0, key));
  }
  Flow only() const {
    const auto flows = table_.flows_to(0);
    EXPECT_EQ(flows.size(), 1u);
    return flows.empty() ? Flow{} : flows[0];
  }

  FlowTable table_;
};

TEST_F(FlowTableTest, AConnectionIsThereFromItsSynWithItsNumbers) {
  table_.from_device(segment(kTcpAck, 100, 500));
  EXPECT_TRUE(table_.flows_to(0).empty()) << "without a SYN";
  table_.from_device(segment(kTcpSyn, 100, 0, 1));
  EXPECT_EQ(only().device_next, 101u);
  table_.from_device(segment(kTcpAck, 101, 501));
  EXPECT_EQ(only().host_next, 501u);
  table_.from_device(segment(kTcpAck, 101, 701, 50));
  EXPECT_EQ(only().device_next, 151u);
  EXPECT_EQ(only().host_next, 701u);
  EXPECT_EQ(only().key, kKey);
}

TEST_F(FlowTableTest, RetransmissionsDoNotTurnNumbersBack) {
  open();
  table_.from_device(segment(kTcpAck, 101, 901, 50));
  table_.from_device(segment(kTcpAck, 101, 501, 50));
  EXPECT_EQ(only().device_next, 151u);
  EXPECT_EQ(only().host_next, 901u);
}

TEST_F(FlowTableTest, NumbersWrapAround) {
  table_.from_device(segment(kTcpSyn, 0xffffffff, 0, 1));
  EXPECT_EQ(only().device_next, 0u);
  table_.from_device(segment(kTcpAck, 0, 0xfffffff0));
  table_.from_device(segment(kTcpAck, 0, 0x10, 20));
  EXPECT_EQ(only().device_next, 20u);
  EXPECT_EQ(only().host_next, 0x10u);
}

TEST_F(FlowTableTest, AResetOfEitherEndEndsIt) {
  open();
  table_.from_device(segment(kTcpRst, 101, 0));
  EXPECT_TRUE(table_.flows_to(0).empty());
  open();
  table_.to_device(segment(kTcpRst | kTcpAck, 501, 101));
  EXPECT_TRUE(table_.flows_to(0).empty());
}

TEST_F(FlowTableTest, ItTakesTheFinOfBothEndsToEndIt) {
  open();
  table_.from_device(segment(kTcpFin | kTcpAck, 101, 501, 1));
  EXPECT_EQ(only().device_next, 102u);
  table_.to_device(segment(kTcpFin | kTcpAck, 501, 102, 1));
  EXPECT_TRUE(table_.flows_to(0).empty());
  open();
  table_.to_device(segment(kTcpFin | kTcpAck, 501, 101, 1));
  EXPECT_EQ(table_.flows_to(0).size(), 1u);
  table_.from_device(segment(kTcpFin | kTcpAck, 101, 502, 1));
  EXPECT_TRUE(table_.flows_to(0).empty());
}

TEST_F(FlowTableTest, ANewSynOnTheSamePortsIsANewConnection) {
  open();
  table_.from_device(segment(kTcpSyn, 9'000, 0, 1));
  EXPECT_EQ(only().device_next, 9'001u);
  EXPECT_EQ(only().host_next, 0u);
}

TEST_F(FlowTableTest, FlowsAreFoundByTheHostsPort) {
  open();
  open({40'001, 9'000});
  EXPECT_EQ(table_.flows_to(0).size(), 2u);
  ASSERT_EQ(table_.flows_to(9'000).size(), 1u);
  EXPECT_EQ(table_.flows_to(9'000)[0].key.device_port, 40'001);
  EXPECT_TRUE(table_.flows_to(40'000).empty()) << "the device's port";
  table_.forget(kKey);
  EXPECT_EQ(table_.flows_to(0).size(), 1u);
}

TEST_F(FlowTableTest, IsBounded) {
  for (std::uint32_t i = 0; i < FlowTable::kMaxFlows + 10; ++i) {
    table_.from_device(segment(kTcpSyn, 1, 0, 1, {static_cast<std::uint16_t>(i), 8'883}));
  }
  EXPECT_EQ(table_.flows_to(0).size(), FlowTable::kMaxFlows);
  table_.from_device(segment(kTcpSyn, 77, 0, 1, {0, 8'883}));
  EXPECT_EQ(table_.flows_to(0)[0].device_next, 78u) << "one that is known is taken nevertheless";
}

TEST_F(FlowTableTest, WhatIsNotTcpIsNoConnection) {
  FrameInfo udp = segment(kTcpSyn, 1, 0, 1);
  udp.kind = FrameInfo::Kind::kUdp;
  table_.from_device(udp);
  EXPECT_TRUE(table_.flows_to(0).empty());
}

}  // namespace
}  // namespace otasim::link::test
