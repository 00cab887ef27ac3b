#include "hypervisor/copy_plan.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits/replica.hpp"

namespace penumbra::hypervisor {
namespace {

constexpr std::uint64_t kBlock = limits::kBlockBytes;

ExtentSet any_extents(std::uint64_t size) {
    ExtentSet set;
    const int count = *rc::gen::inRange(0, 8);
    for (int i = 0; i < count; ++i) {
        const auto begin = *rc::gen::inRange<std::uint64_t>(0, size);
        const auto length = *rc::gen::inRange<std::uint64_t>(1, 6 * kBlock);
        set.insert({.begin = begin, .end = std::min(size, begin + length)});
    }
    return set;
}

struct Walk {
    ExtentSet reads;
    ExtentSet zeroes;
};

Walk walk(CopyPlan plan) {
    Walk walked;
    std::uint64_t end_before = 0;
    while (const auto chunk = plan.next()) {
        RC_ASSERT(chunk->extent.begin >= end_before);
        RC_ASSERT(chunk->extent.begin % kBlock == 0);
        RC_ASSERT(chunk->extent.length() > 0);
        end_before = chunk->extent.end;
        if (chunk->kind == ChunkKind::kRead) RC_ASSERT(chunk->extent.length() <= limits::kReadChunkBytesMax);
        (chunk->kind == ChunkKind::kRead ? walked.reads : walked.zeroes).insert(chunk->extent);
    }
    return walked;
}

RC_GTEST_PROP(CopyPlan, CoversEveryDirtyBlockOnceReadUnlessWhollyZero, ()) {
    const auto size = *rc::gen::inRange<std::uint64_t>(1, 40 * kBlock);
    const CopyScope scope{.size = size, .dirty = any_extents(size), .zero = any_extents(size), .done = {}};
    const Walk walked = walk(CopyPlan(scope));
    for (std::uint64_t begin = 0; begin < size; begin += kBlock) {
        const Extent block{.begin = begin, .end = std::min(size, begin + kBlock)};
        const bool dirty = !scope.dirty.clipped_to(block).empty();
        const bool zero = scope.zero.contains(block);
        RC_ASSERT(walked.reads.contains(block) == (dirty && !zero));
        RC_ASSERT(walked.zeroes.contains(block) == (dirty && zero));
    }
}

RC_GTEST_PROP(CopyPlan, ResumesWithWhatIsLeft, ()) {
    const auto size = *rc::gen::inRange<std::uint64_t>(1, 40 * kBlock);
    CopyScope scope{.size = size, .dirty = any_extents(size), .zero = any_extents(size), .done = {}};
    CopyPlan whole(scope);
    const int steps = *rc::gen::inRange(0, 10);
    for (int i = 0; i < steps; ++i) {
        if (const auto chunk = whole.next()) scope.done.insert(chunk->extent);
    }
    const Walk rest = walk(whole);
    const Walk resumed = walk(CopyPlan(scope));
    RC_ASSERT(rest.reads == resumed.reads);
    RC_ASSERT(rest.zeroes == resumed.zeroes);
}

}  // namespace
}  // namespace penumbra::hypervisor
