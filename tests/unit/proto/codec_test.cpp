#include "proto/codec/codec.hpp"

#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits/agent.hpp"
#include "base/limits/link.hpp"
#include "base/limits/wire.hpp"
#include "proto/codec/wire.hpp"
#include "tests/support/any_message.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::codec {
namespace {

using testing::any_message;
using testing::fails;
using testing::is_ok;

model::Envelope heartbeat() {
    return {.session = {.epoch = Epoch(3), .counter = 7}, .sequence = 9, .body = model::Heartbeat{.sent_ms = 1000}};
}

// A message of kind `number` whose body is `body`.
std::string with_body(std::uint32_t number, std::string_view body) {
    std::string bytes;
    append_tag(bytes, number, WireType::kBytes);
    append_varint(bytes, body.size());
    return bytes.append(body);
}

RC_GTEST_PROP(Codec, EveryEnvelopeComesBack, (std::uint64_t seed)) {
    const auto envelope = any_message<model::Envelope>(seed);
    const Result<std::string> bytes = encode(envelope);
    RC_ASSERT(bytes.has_value());
    const Result<model::Envelope> back = decode(*bytes);
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == envelope);
}

RC_GTEST_PROP(Codec, EveryRequestAndReplyComesBack, (std::uint64_t seed)) {
    const auto request = any_message<model::api::Request>(seed);
    RC_ASSERT(*decode_request(*encode(request)) == request);
    const auto reply = any_message<model::api::Reply>(seed);
    RC_ASSERT(*decode_reply(*encode(reply)) == reply);
}

RC_GTEST_PROP(Codec, WhatIsStoredComesBack, (std::uint64_t seed)) {
    const auto trial = any_message<model::TrialStatus>(seed);
    RC_ASSERT(*unpack<model::TrialStatus>(*pack(trial)) == trial);
    const auto rollout = any_message<model::RolloutStatus>(seed);
    RC_ASSERT(*unpack<model::RolloutStatus>(*pack(rollout)) == rollout);
}

// Whatever bytes decode, encode to bytes that decode to the same: nothing is half understood.
RC_GTEST_PROP(Codec, DamageIsRefusedOrUnderstood, (std::uint64_t seed, std::uint8_t flip)) {
    std::string bytes = *encode(any_message<model::Envelope>(seed));
    bytes[seed % bytes.size()] = static_cast<char>(flip);
    const Result<model::Envelope> read = decode(bytes);
    if (!read.has_value()) return;
    RC_ASSERT(*decode(*encode(*read)) == *read);
}

TEST(Codec, NamesEveryKind) {
    EXPECT_EQ(kind_of(model::Hello{}), "hello");
    EXPECT_EQ(kind_of(model::ShadowReport{}), "shadow_report");
}

TEST(Codec, RefusesAnEmptyMessage) {
    EXPECT_TRUE(fails(decode(""), ErrorCode::kUnsupported, "body: none is said"));
}

TEST(Codec, SaysWhatToDoAboutAKindOfALaterVersion) {
    EXPECT_TRUE(fails(decode(with_body(24, "")), ErrorCode::kUnsupported, "kind 24, which this version does not know"));
}

TEST(Codec, RefusesTwoBodies) {
    EXPECT_TRUE(fails(decode(with_body(11, "") + with_body(18, "")), ErrorCode::kInvalidArgument, "said twice"));
}

TEST(Codec, LimitsTheBytesOfAKindBeforeReadingIt) {
    EXPECT_TRUE(fails(decode(with_body(18, std::string(33, '\0'))), ErrorCode::kInvalidArgument,
                      "a heartbeat_ack of 33 bytes: at most 32"));
    EXPECT_TRUE(
        fails(decode(std::string(limits::kEnvelopeBytesMax + 1, '\0')), ErrorCode::kInvalidArgument, "at most"));
}

TEST(Codec, RefusesGroupsAndShortFixedFields) {
    EXPECT_TRUE(fails(decode("\x0b\x0c"), ErrorCode::kInvalidArgument));  // start and end of group 1
    EXPECT_TRUE(fails(decode("\x0d\x01\x02\x03\x04"), ErrorCode::kInvalidArgument));
}

TEST(Codec, RefusesAnEndWithinAField) {
    const std::string bytes = *encode(heartbeat());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size)).has_value()) << size;
    }
}

TEST(Codec, SkipsAFieldThatALaterVersionAdded) {
    std::string body;
    append_tag(body, 1, WireType::kVarint);
    append_varint(body, 1000);
    append_tag(body, 77, WireType::kBytes);
    append_varint(body, 0);
    EXPECT_EQ(std::get<model::Heartbeat>(decode(with_body(11, body))->body).sent_ms, 1000);
}

TEST(Codec, RefusesTextThatIsNotUtf8OrTooLong) {
    model::Envelope envelope{.body = model::Goodbye{.reason = "\xff"}};
    EXPECT_TRUE(fails(encode(envelope), ErrorCode::kInvalidArgument, "goodbye reason: not UTF-8"));
    envelope.body = model::Goodbye{.reason = std::string(limits::kTextBytesMax + 1, 'x')};
    EXPECT_TRUE(fails(encode(envelope), ErrorCode::kInvalidArgument, "longer than allowed"));
}

TEST(Codec, RefusesMoreItemsThanAllowed) {
    model::KpiReport report;
    report.windows.resize(limits::kKpiWindowsPerReportMax + 1,
                          {.vantage = {.group = GroupId("shop"), .shadow = {}, .arm = {}}});
    EXPECT_TRUE(fails(encode({.body = report}), ErrorCode::kInvalidArgument, "kpi windows: 33 items, at most 32"));
    report.windows.pop_back();
    EXPECT_TRUE(is_ok(encode({.body = report})));
}

TEST(Codec, RefusesNumbersThatAreNone) {
    model::KpiReport report{.windows = {{.vantage = {.group = GroupId("shop"), .shadow = {}, .arm = {}}}}};
    report.windows[0].guest_cpu_share = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(fails(encode({.body = report}), ErrorCode::kInvalidArgument, "not a finite number"));
}

TEST(Codec, RefusesTimesThatOverflow) {
    EXPECT_TRUE(fails(encode({.body = model::Reset{.reason = "", .retry_after = std::chrono::milliseconds(-1)}}),
                      ErrorCode::kInvalidArgument, "negative or longer than ten years"));
}

TEST(Codec, RefusesHistogramsThatDoNotRise) {
    model::KpiReport report{.windows = {{.vantage = {.group = GroupId("shop"), .shadow = {}, .arm = {}}}}};
    report.windows[0].response_time = {{.value_us = 5, .count = 1}, {.value_us = 5, .count = 1}};
    EXPECT_TRUE(fails(encode({.body = report}), ErrorCode::kInvalidArgument, "do not rise"));
}

TEST(Codec, RefusesAFaultThatNamesAShadowButNoArm) {
    const model::EffectSpec effect{.id = EffectId("e1"),
                                   .target = {.vm = VmId("v"), .shadow = ShadowId("s1"), .arm = {}},
                                   .action = model::Partition{}};
    EXPECT_TRUE(fails(pack(effect), ErrorCode::kInvalidArgument, "a shadow without an arm"));
}

TEST(Codec, AStoredValueThatDoesNotReadIsDataLoss) {
    EXPECT_TRUE(fails(unpack<model::Verdict>("\x08"), ErrorCode::kDataLoss, "the store is damaged"));
}

TEST(Wire, VarintsEndAtSixtyFourBits) {
    std::string most;
    append_varint(most, std::numeric_limits<std::uint64_t>::max());
    std::string_view rest = most;
    EXPECT_EQ(take_varint(rest), std::numeric_limits<std::uint64_t>::max());
    most.back() = '\x02';
    rest = most;
    EXPECT_EQ(take_varint(rest), std::nullopt);
}

TEST(Wire, KnowsUtf8) {
    for (const char* good : {"", "a", "ü", "世", "\U0001F311"})
        EXPECT_TRUE(is_utf8(good)) << good;
    for (const char* bad : {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4\xb8", "\xff"})
        EXPECT_FALSE(is_utf8(bad));
}

}  // namespace
}  // namespace penumbra::codec
