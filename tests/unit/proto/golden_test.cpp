// Every message of every kind, pinned: the golden bytes read, are written again the same, and mean the same to the code
// that protoc makes from proto/*.proto, which nothing else uses.

#include "tests/support/golden.hpp"

#include <deque>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "proto/api.pb.h"
#include "proto/codec/codec.hpp"
#include "proto/envelope.pb.h"
#include "tests/support/any_message.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::codec {
namespace {

using testing::any_message;
using testing::is_ok;

std::string to_hex(std::string_view bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        text += fmt::format("{:02x}{}", static_cast<unsigned char>(bytes[i]), i % 32 == 31 ? "\n" : "");
    return text + "\n";
}

std::string from_hex(std::string_view text) {
    std::string bytes;
    std::string digits;
    for (const char c : text) {
        if (c == '\n') continue;
        digits += c;
        if (digits.size() < 2) continue;
        bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
        digits.clear();
    }
    return bytes;
}

struct Case {
    std::string name;
    std::deque<std::size_t> choices;  // alternatives of the body, of the variant in it, ...
};

std::vector<Case> envelopes() {
    std::vector<Case> cases;
    const std::size_t command = model::Body(model::Command{}).index();
    const std::size_t report = model::Body(model::CommandReport{}).index();
    const std::size_t apply = model::Operation(model::ApplyEffect{}).index();
    for (std::size_t body = 0; body < std::variant_size_v<model::Body>; ++body)
        cases.push_back({fmt::format("body_{:02}", body), {body}});
    for (std::size_t op = 0; op < std::variant_size_v<model::Operation>; ++op)
        cases.push_back({fmt::format("command_{:02}", op), {command, op}});
    for (std::size_t action = 0; action < std::variant_size_v<decltype(model::EffectSpec::action)>; ++action)
        cases.push_back({fmt::format("effect_{:02}", action), {command, apply, action}});
    for (std::size_t outcome = 0; outcome < std::variant_size_v<model::Outcome>; ++outcome)
        cases.push_back({fmt::format("outcome_{:02}", outcome), {report, outcome}});
    return cases;
}

template <class Wire>
void expect_same_by_protoc(std::string_view bytes) {
    Wire oracle;
    ASSERT_TRUE(oracle.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    oracle.DiscardUnknownFields();
    EXPECT_EQ(to_hex(oracle.SerializeAsString()), to_hex(bytes)) << "the schema and the .proto differ";
}

template <class T, class Wire, class Decode>
void check(const std::string& file, const std::deque<std::size_t>& choices, Decode decode_message) {
    if (testing::accepting_golden()) {
        const auto message = any_message<T>(1, choices);
        const Result<std::string> bytes = encode(message);
        ASSERT_TRUE(is_ok(bytes));
        ASSERT_TRUE(is_ok(write_file_durably(testing::golden_path(file), to_hex(*bytes), 0644)));
        return;
    }
    const std::string bytes = from_hex(testing::read_golden(file));
    const Result<T> message = decode_message(bytes);
    ASSERT_TRUE(is_ok(message)) << file;
    EXPECT_EQ(to_hex(*encode(*message)), to_hex(bytes)) << file;
    expect_same_by_protoc<Wire>(bytes);
}

TEST(Golden, EveryKindOfEnvelope) {
    for (const Case& one : envelopes())
        check<model::Envelope, wire::Envelope>("envelope/" + one.name + ".hex", one.choices, decode);
    if (testing::accepting_golden()) GTEST_SKIP() << "golden files written: look at the diff";
}

TEST(Golden, EveryRequestAndReply) {
    for (std::size_t i = 0; i < std::variant_size_v<model::api::RequestBody>; ++i)
        check<model::api::Request, wire::Request>(fmt::format("envelope/request_{:02}.hex", i), {i}, decode_request);
    for (std::size_t i = 0; i < std::variant_size_v<model::api::ReplyBody>; ++i)
        check<model::api::Reply, wire::Reply>(fmt::format("envelope/reply_{:02}.hex", i), {i}, decode_reply);
    if (testing::accepting_golden()) GTEST_SKIP() << "golden files written: look at the diff";
}

// Any message, not only those that are pinned.
TEST(Golden, TheSchemaIsTheProtoFile) {
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        expect_same_by_protoc<wire::Envelope>(*encode(any_message<model::Envelope>(seed)));
        expect_same_by_protoc<wire::Request>(*encode(any_message<model::api::Request>(seed)));
        expect_same_by_protoc<wire::Reply>(*encode(any_message<model::api::Reply>(seed)));
    }
}

}  // namespace
}  // namespace penumbra::codec
