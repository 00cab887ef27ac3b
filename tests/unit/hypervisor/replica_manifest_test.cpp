#include "hypervisor/replica_manifest.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor {
namespace {

using testing::fails;
using testing::is_ok;

ReplicaManifest example() {
    return {.group = GroupId("shop"),
            .vm = VmId("11111111-1111-4111-8111-111111111111"),
            .generation = 7,
            .kind = model::GenerationKind::kIncremental,
            .kind_reason = "vda: changes since checkpoint penumbra.6.1700000000000",
            .consistency = model::Consistency::kFilesystem,
            .checkpoint = CheckpointId("penumbra.7.1700000060000"),
            .checkpoint_created_s = 1'700'000'060,
            .volumes = {{.disk = "vda",
                         .virtual_size = Bytes(4ULL << 30U),
                         .layers = 8,
                         .base = 6,
                         .table = sha256("table"),
                         .root = sha256("root"),
                         .read = Bytes(100),
                         .sent = Bytes(90),
                         .zeroed = Bytes(10)}}};
}

TEST(ReplicaManifest, ComesBackFromItsFile) {
    ReplicaManifest manifest = example();
    manifest.volumes.push_back(manifest.volumes.front());
    manifest.volumes.back().disk = "vdb";
    const auto decoded = decode_manifest(encode(manifest));
    ASSERT_TRUE(is_ok(decoded));
    EXPECT_EQ(*decoded, manifest);
}

TEST(ReplicaManifest, KeepsAnEmptyReason) {
    ReplicaManifest manifest = example();
    manifest.kind_reason.clear();
    const auto decoded = decode_manifest(encode(manifest));
    ASSERT_TRUE(is_ok(decoded));
    EXPECT_EQ(*decoded, manifest);
}

RC_GTEST_PROP(ReplicaManifest, RefusesAnyChangedByteAndAnyPrefix, ()) {
    const std::string text = encode(example());
    std::string changed = text;
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    changed[at] = static_cast<char>(changed[at] ^ (1 << *rc::gen::inRange(0, 8)));
    RC_ASSERT(!decode_manifest(changed).has_value());
    RC_ASSERT(!decode_manifest(text.substr(0, at)).has_value());
}

TEST(ReplicaManifest, NamesTheBrokenLine) {
    std::string text = encode(example());
    text.replace(text.find("generation 7"), 12, "generation x");
    EXPECT_TRUE(fails(decode_manifest(text), ErrorCode::kDataLoss, "line 4"));
    EXPECT_TRUE(fails(decode_manifest(""), ErrorCode::kDataLoss, "line 1"));
}

TEST(ReplicaManifest, RefusesADiskNamedTwice) {
    ReplicaManifest manifest = example();
    manifest.volumes.push_back(manifest.volumes.front());
    EXPECT_TRUE(fails(decode_manifest(encode(manifest)), ErrorCode::kDataLoss, "line 9"));
}

}  // namespace
}  // namespace penumbra::hypervisor
