#include "base/limits/store.hpp"

#include <algorithm>
#include <variant>

#include <gtest/gtest.h>

#include "tests/contract/store/any_record.hpp"
#include "tests/contract/store/rig.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::coordinator::contract {
namespace {

using testing::fails;
using testing::is_ok;
using namespace std::chrono_literals;

const model::Vantage kProduction{.group = GroupId("shop")};
const model::Vantage kTreated{.group = GroupId("shop"), .shadow = ShadowId("s1"), .arm = ArmId("treated")};
const WallTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)};

class StoreContract : public ::testing::Test {
 protected:
    StoreContract() { reopen(); }

    // The store goes, and a new life opens the same disk.
    void reopen(Epoch above = {}) {
        store_.reset();
        store_ = rig_->store();
        Result<Image> image = store_->open(above);
        ASSERT_TRUE(is_ok(image));
        image_ = std::move(*image);
    }
    void commit(std::vector<Record> records) {
        ASSERT_TRUE(is_ok(store_->commit(std::vector<Batch>{{++batch_, std::move(records)}})));
    }
    template <class Kind>
    static Kind pick(const std::vector<Record>& records) {
        for (const Record& record : records)
            if (std::holds_alternative<Kind>(record)) return std::get<Kind>(record);
        return {};
    }
    std::vector<MetricPoint> points(const Series& series) {
        Result<std::vector<MetricPoint>> found = store_->points(series);
        EXPECT_TRUE(is_ok(found));
        return found.value_or(std::vector<MetricPoint>());
    }

    std::unique_ptr<Rig> rig_ = make_rig();
    std::unique_ptr<Store> store_;
    Image image_;
    std::uint64_t batch_ = 0;
};

TEST_F(StoreContract, RaisesTheEpochAtEveryOpening) {
    EXPECT_EQ(image_.epoch, Epoch(1));
    reopen();
    EXPECT_EQ(image_.epoch, Epoch(2));
    reopen(Epoch(40));
    EXPECT_EQ(image_.epoch, Epoch(41));
    reopen(Epoch(7));
    EXPECT_EQ(image_.epoch, Epoch(42));
}

TEST_F(StoreContract, IsOpenOnlyOnce) {
    EXPECT_TRUE(fails(rig_->store()->open({}), ErrorCode::kUnavailable, "another coordinator"));
    store_.reset();
    EXPECT_TRUE(is_ok(rig_->store()->open({})));
}

TEST_F(StoreContract, ReadsBackWhatWasCommitted) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        SCOPED_TRACE(seed);
        rig_ = make_rig();
        reopen();
        const std::vector<Record> records = any_records(seed);
        commit(records);
        reopen();
        EXPECT_EQ(image_.counters, pick<Counters>(records));
        EXPECT_EQ(image_.hosts, std::vector{pick<HostRecord>(records)});
        EXPECT_EQ(image_.commands, std::vector{pick<CommandRecord>(records)});
        EXPECT_EQ(image_.groups, std::vector{pick<GroupRecord>(records)});
        EXPECT_EQ(image_.shadows, std::vector{pick<ShadowRecord>(records)});
        EXPECT_EQ(image_.trials, std::vector{pick<TrialRecord>(records)});
        EXPECT_EQ(image_.rollouts, std::vector{pick<RolloutRecord>(records)});
        EXPECT_EQ(image_.requests, std::vector{pick<RequestRecord>(records)});
        EXPECT_EQ(image_.windows, std::vector{pick<KpiRecord>(records)});
    }
}

TEST_F(StoreContract, WritesOverTheRecordWithTheSameKey) {
    commit({command_of(1, model::CommandState::kSent)});
    const CommandRecord last = command_of(1, model::CommandState::kSucceeded);
    ASSERT_TRUE(
        is_ok(store_->commit(std::vector<Batch>{{2, {command_of(1, model::CommandState::kRunning)}}, {3, {last}}})));
    reopen();
    EXPECT_EQ(image_.commands, std::vector{last});
}

TEST_F(StoreContract, ReadsBackAllThatGoesOnAndTheLatestOfTheRest) {
    constexpr std::uint64_t kSpare = 5;
    std::vector<Record> records{command_of(1, model::CommandState::kUnknown)};
    for (std::uint64_t number = 2; number < 2 + limits::kCommandsListedMax + kSpare; ++number)
        records.emplace_back(command_of(number, model::CommandState::kFailed));
    ShadowRecord gone{.host = HostId("hv1"), .gone = true};
    gone.status.spec = {.shadow = ShadowId("old"), .group = GroupId("shop"), .arms = {ArmId("control")}};
    records.emplace_back(gone);
    commit(std::move(records));
    reopen();
    ASSERT_EQ(image_.commands.size(), limits::kCommandsListedMax + 1);
    const auto [oldest, newest] =
        std::ranges::minmax(image_.commands, {}, [](const CommandRecord& record) { return record.command.fence; });
    EXPECT_EQ(oldest.command.fence, Fence(1));
    EXPECT_EQ(newest.command.fence, Fence(1 + limits::kCommandsListedMax + kSpare));
    EXPECT_EQ(std::ranges::count(image_.commands, Fence(2), [](const auto& record) { return record.command.fence; }),
              0);
    EXPECT_TRUE(image_.shadows.empty());
}

TEST_F(StoreContract, RemembersTheLatestRequestsInTheirOrder) {
    std::vector<Record> records;
    const std::size_t count = limits::kRequestsRememberedMax + 3;
    for (std::size_t number = 0; number < count; ++number)
        records.emplace_back(RequestRecord{
            "anna", {.request_id = "r" + std::to_string(number), .body = model::api::Accepted{"trial:t"}}});
    commit(std::move(records));
    reopen();
    ASSERT_EQ(image_.requests.size(), limits::kRequestsRememberedMax);
    EXPECT_EQ(image_.requests.front().reply.request_id, "r3");
    EXPECT_EQ(image_.requests.back().reply.request_id, "r" + std::to_string(count - 1));
}

TEST_F(StoreContract, ReadsBackTheLatestWindowsOfEachVantageInOrder) {
    std::vector<Record> records{window_of(kTreated, 0)};
    for (std::uint64_t sequence = 0; sequence < limits::kKpiWindowsPerVantageMax + 2; ++sequence)
        records.emplace_back(window_of(kProduction, sequence));
    commit(std::move(records));
    reopen();
    ASSERT_EQ(image_.windows.size(), limits::kKpiWindowsPerVantageMax + 1);
    EXPECT_EQ(image_.windows.front().window.sequence, 2U);
    EXPECT_EQ(image_.windows.back().window.vantage, kTreated);
    EXPECT_TRUE(std::ranges::is_sorted(image_.windows.begin(), image_.windows.end() - 1, {},
                                       [](const KpiRecord& record) { return record.window.sequence; }));
}

TEST_F(StoreContract, ListsEventsAfterACursor) {
    commit({event_of(1), event_of(2), event_of(3), event_of(4)});
    const auto found = store_->events(1, 2);
    ASSERT_TRUE(is_ok(found));
    EXPECT_EQ(*found, (std::vector{event_of(2).event, event_of(3).event}));
    EXPECT_TRUE(store_->events(4, 10)->empty());
}

TEST_F(StoreContract, ListsTheWindowsOfOneVantageAndTime) {
    commit({window_of(kProduction, 1), window_of(kProduction, 2), window_of(kProduction, 3), window_of(kTreated, 2)});
    const auto second = window_of(kProduction, 2).window;
    const auto found = store_->windows(kProduction, second.begin, second.begin + 1s);
    ASSERT_TRUE(is_ok(found));
    EXPECT_EQ(*found, std::vector{second});
}

TEST_F(StoreContract, MeasuresProductionsRateOnceAWindow) {
    const WallTime bin = kNow;
    auto at = [&](std::uint64_t sequence, std::chrono::seconds after, std::uint64_t requests) {
        KpiRecord record = window_of(kProduction, sequence, requests);
        record.window.begin = bin + after;
        return record;
    };
    commit({at(1, 0s, 10), at(2, 1s, 30), at(3, limits::kHistoryBin, 7), window_of(kTreated, 1, 1000)});
    commit({at(2, 1s, 30)});  // an agent that did not hear of the commit sends it again
    EXPECT_EQ(points({GroupId("shop"), std::string(kRequestRate)}),
              (std::vector<MetricPoint>{{bin, 20}, {bin + limits::kHistoryBin, 7}}));
    EXPECT_TRUE(points({GroupId("shop"), "guest_cpu"}).empty());
    EXPECT_TRUE(points({GroupId("other"), std::string(kRequestRate)}).empty());
}

TEST_F(StoreContract, PutsImportedHistoryBeforeWhatIsMeasured) {
    const Series series{GroupId("shop"), std::string(kRequestRate)};
    KpiRecord measured = window_of(kProduction, 1, 50);
    measured.window.begin = kNow;
    commit({measured});
    const std::vector<MetricPoint> imported{{kNow, 1}, {kNow - 10min, 2}, {kNow - 5min, 3}};
    ASSERT_TRUE(is_ok(store_->import_points(series, imported)));
    ASSERT_TRUE(is_ok(store_->import_points(series, std::vector<MetricPoint>{{kNow - 5min, 4}})));
    reopen();
    EXPECT_EQ(points(series), (std::vector<MetricPoint>{{kNow - 10min, 2}, {kNow - 5min, 4}, {kNow, 50}}));
}

TEST_F(StoreContract, RedeemsATokenForOneKeyOnly) {
    ASSERT_TRUE(is_ok(store_->keep_token({"hash", HostId("hv1"), kNow + 10min})));
    EXPECT_TRUE(fails(store_->redeem_token("other", "KEY", kNow), ErrorCode::kPermissionDenied, "token"));
    EXPECT_TRUE(fails(store_->redeem_token("hash", "KEY", kNow + 10min), ErrorCode::kPermissionDenied));
    EXPECT_TRUE(store_->keys()->empty());
    reopen();
    EXPECT_EQ(store_->redeem_token("hash", "KEY", kNow).value_or(HostId()), HostId("hv1"));
    EXPECT_EQ(store_->redeem_token("hash", "KEY", kNow).value_or(HostId()), HostId("hv1"));
    EXPECT_TRUE(fails(store_->redeem_token("hash", "THIEF", kNow), ErrorCode::kPermissionDenied));
    reopen();
    EXPECT_EQ(*store_->keys(), (std::vector<EnrolledKey>{{HostId("hv1"), "KEY"}}));
}

TEST_F(StoreContract, LetsANewTokenReplaceTheHostsKey) {
    ASSERT_TRUE(is_ok(store_->keep_token({"first", HostId("hv1"), kNow + 10min})));
    ASSERT_TRUE(is_ok(store_->keep_token({"second", HostId("hv1"), kNow + 10min})));
    EXPECT_TRUE(fails(store_->redeem_token("first", "OLD", kNow), ErrorCode::kPermissionDenied));
    ASSERT_TRUE(is_ok(store_->redeem_token("second", "OLD", kNow)));
    ASSERT_TRUE(is_ok(store_->keep_token({"third", HostId("hv1"), kNow + 10min})));
    ASSERT_TRUE(is_ok(store_->redeem_token("third", "NEW", kNow)));
    EXPECT_EQ(*store_->keys(), (std::vector<EnrolledKey>{{HostId("hv1"), "NEW"}}));
    ASSERT_TRUE(is_ok(store_->keep_token({"fourth", HostId("hv2"), kNow + 10min})));
    EXPECT_TRUE(fails(store_->redeem_token("fourth", "NEW", kNow), ErrorCode::kAlreadyExists, "hv1"));
    EXPECT_EQ(store_->keys()->size(), 1U);
}

TEST_F(StoreContract, ForgetsARevokedHostsKeyAndToken) {
    ASSERT_TRUE(is_ok(store_->keep_token({"hash", HostId("hv1"), kNow + 10min})));
    ASSERT_TRUE(is_ok(store_->redeem_token("hash", "KEY", kNow)));
    ASSERT_TRUE(is_ok(store_->revoke_key(HostId("hv1"))));
    EXPECT_TRUE(store_->keys()->empty());
    EXPECT_TRUE(fails(store_->redeem_token("hash", "KEY", kNow), ErrorCode::kPermissionDenied));
}

TEST_F(StoreContract, StoresNothingOfWhatAFullDiskRefuses) {
    commit({event_of(1), Counters{.event = 1}});
    store_.reset();
    store_ = rig_->store();
    ASSERT_TRUE(is_ok(store_->open({})));
    rig_->fill_disk();
    store_.reset();
    store_ = rig_->store();
    // the fake's disk takes not even the new epoch
    const Result<Image> opened = store_->open({});
    if (opened.has_value()) {
        std::vector<Record> records{Counters{.event = 400}};
        for (std::uint64_t sequence = 2; sequence <= 400; ++sequence)
            records.emplace_back(event_of(sequence, std::string(4000, 'x')));
        const std::vector<Batch> batches{{2, {event_of(1, "changed")}}, {3, std::move(records)}};
        EXPECT_TRUE(fails(store_->commit(batches), ErrorCode::kResourceExhausted, "free some space"));
        EXPECT_TRUE(fails(store_->commit(batches), ErrorCode::kResourceExhausted, "free some space"));
        EXPECT_EQ(*store_->events(0, 10), std::vector{event_of(1).event});
    } else {
        EXPECT_TRUE(fails(opened, ErrorCode::kResourceExhausted, "free some space"));
    }
    rig_->clear_disk();
    reopen();
    EXPECT_EQ(*store_->events(0, 10), std::vector{event_of(1).event});
    EXPECT_EQ(image_.counters.event, 1U);
    commit({event_of(2)});
    EXPECT_EQ(store_->events(0, 10)->size(), 2U);
}

}  // namespace
}  // namespace penumbra::coordinator::contract
