#include "netisolate/datapath_flow.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits/network.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::netisolate {
namespace {

using testing::fails;
using testing::is_ok;
using Names = std::vector<std::string>;

TEST(DatapathFlow, NamesThePortAFrameComesFromAndGoesTo) {
    const auto flow = parse_datapath_flow(
        "ufid:0a1b2c3d-0000-0000-0000-000000000000, recirc_id(0),dp_hash(0/0),in_port(pnt-1),packet_type(ns=0,id=0),"
        "eth(src=52:54:00:00:00:01,dst=52:54:00:00:00:02),eth_type(0x0800),ipv4(src=0.0.0.0/0.0.0.0,frag=no), "
        "packets:7, bytes:686, used:0.080s, dp:ovs, actions:pnv-1");
    ASSERT_TRUE(is_ok(flow));
    EXPECT_EQ(flow->in_port, "pnt-1");
    EXPECT_EQ(flow->outputs, Names{"pnv-1"});
    EXPECT_TRUE(flow->others.empty());
}

TEST(DatapathFlow, ADropHasNoOutputs) {
    const auto flow =
        parse_datapath_flow("recirc_id(0),in_port(2),eth_type(0x88cc), packets:0, used:never, actions:drop");
    ASSERT_TRUE(is_ok(flow));
    EXPECT_EQ(flow->in_port, "2");
    EXPECT_TRUE(flow->outputs.empty());
    EXPECT_TRUE(flow->others.empty());
}

TEST(DatapathFlow, FindsOutputsInsideNestedActions) {
    const auto flow = parse_datapath_flow(
        "in_port(a), actions:clone(set(eth(src=00:00:00:00:00:01)),b),sample(sample=10.0%,actions(c,clone(d))),"
        "check_pkt_len(size=200,gt(drop),le(\"e f\")),pop_vlan,recirc(0x2)");
    ASSERT_TRUE(is_ok(flow));
    EXPECT_EQ(flow->outputs, (Names{"b", "c", "d", "e f"}));
    EXPECT_EQ(flow->others.size(), 7u);
}

TEST(DatapathFlow, AnythingThatIsNotAnOutputIsKeptAsWritten) {
    const auto flow =
        parse_datapath_flow("in_port(a), actions:userspace(pid=0,slow_path(controller)),tnl_push(tnl_port(5))");
    ASSERT_TRUE(is_ok(flow));
    EXPECT_EQ(flow->others, (Names{"userspace(pid=0,slow_path(controller))", "tnl_push(tnl_port(5))"}));
}

TEST(DatapathFlow, TheUserspaceDatapathsRemarkIsNoAction) {
    const auto flow = parse_datapath_flow("in_port(a), dp:ovs, actions:b,c, dp-extra-info:miniflow_bits(5,1)");
    ASSERT_TRUE(is_ok(flow));
    EXPECT_EQ(flow->outputs, (Names{"b", "c"}));
    EXPECT_TRUE(flow->others.empty());
}

TEST(DatapathFlow, ALineWithoutActionsIsAnError) {
    EXPECT_TRUE(fails(parse_datapath_flow("recirc_id(0),in_port(2)"), ErrorCode::kDataLoss, "no actions"));
}

TEST(DatapathFlow, ADumpThatIsLargerThanAnAuditReadsIsAnError) {
    std::string line = "in_port(a), actions:";
    line.append(limits::kDatapathLineBytesMax, 'b');
    EXPECT_TRUE(fails(parse_datapath_flow(line), ErrorCode::kDataLoss));
    std::string dump;
    for (std::size_t i = 0; i <= limits::kDatapathFlowsMax; ++i)
        dump += "in_port(a), actions:b\n";
    EXPECT_TRUE(fails(parse_datapath_dump(dump), ErrorCode::kResourceExhausted, "more than"));
}

TEST(DatapathFlow, ADumpSkipsHeadings) {
    const auto flows =
        parse_datapath_dump("flow-dump from the main thread:\nin_port(a), actions:b\n\nin_port(b), actions:a");
    ASSERT_TRUE(is_ok(flows));
    EXPECT_EQ(flows->size(), 2u);
}

RC_GTEST_PROP(DatapathFlow, EveryOutputIsFoundHoweverDeepItIsNested, ()) {
    Names names;
    std::string actions;
    const auto count = *rc::gen::inRange(1, 8);
    for (int i = 0; i < count; ++i) {
        names.push_back("port" + std::to_string(i));
        std::string item = names.back();
        for (int depth = *rc::gen::inRange(0, 7); depth > 0; --depth) {
            switch (*rc::gen::inRange(0, 3)) {
                case 0:
                    item = "clone(" + item + ")";
                    break;
                case 1:
                    item = "sample(sample=1.0%,actions(" + item + "))";
                    break;
                default:
                    item = "check_pkt_len(size=9,gt(drop),le(" + item + "))";
                    break;
            }
        }
        actions += (i == 0 ? "" : ",") + item;
    }
    const auto flow = parse_datapath_flow("in_port(x), actions:" + actions);
    RC_ASSERT(flow.has_value());
    RC_ASSERT(flow->outputs == names);
}

}  // namespace
}  // namespace penumbra::netisolate
