#include "hypervisor/extent_set.hpp"

#include <bitset>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace penumbra::hypervisor {
namespace {

constexpr std::uint64_t kSize = 96;
using Bitmap = std::bitset<kSize>;

struct Step {
    bool add = true;
    Extent extent;
};

Extent any_extent() {
    const auto a = *rc::gen::inRange<std::uint64_t>(0, kSize + 1);
    const auto b = *rc::gen::inRange<std::uint64_t>(0, kSize + 1);
    return {.begin = std::min(a, b), .end = std::max(a, b)};
}

/// A set made by random inserts and subtracts, and the bitmap that the same steps make.
std::pair<ExtentSet, Bitmap> any_set() {
    ExtentSet set;
    Bitmap bits;
    const int steps = *rc::gen::inRange(0, 24);
    for (int i = 0; i < steps; ++i) {
        const Extent extent = any_extent();
        const bool add = *rc::gen::weightedElement<bool>({{3, true}, {2, false}});
        if (add)
            set.insert(extent);
        else
            set.subtract(extent);
        for (std::uint64_t at = extent.begin; at < extent.end; ++at)
            bits[at] = add;
    }
    return {set, bits};
}

Bitmap bitmap_of(const ExtentSet& set) {
    Bitmap bits;
    for (const Extent& extent : set.extents())
        for (std::uint64_t at = extent.begin; at < extent.end; ++at)
            bits.set(at);
    return bits;
}

RC_GTEST_PROP(ExtentSet, IsTheBitmapItsStepsMake, ()) {
    const auto [set, bits] = any_set();
    RC_ASSERT(bitmap_of(set) == bits);
    RC_ASSERT(set.bytes() == bits.count());
    RC_ASSERT(set.empty() == bits.none());
}

RC_GTEST_PROP(ExtentSet, KeepsItsRangesDisjointOrderedAndMerged, ()) {
    const auto [set, bits] = any_set();
    std::optional<std::uint64_t> end_before;
    for (const Extent& extent : set.extents()) {
        RC_ASSERT(extent.begin < extent.end);
        if (end_before) RC_ASSERT(*end_before < extent.begin);
        end_before = extent.end;
    }
}

RC_GTEST_PROP(ExtentSet, IntersectsInsertsAndSubtractsWholeSets, ()) {
    const auto [a, a_bits] = any_set();
    const auto [b, b_bits] = any_set();
    RC_ASSERT(bitmap_of(a.intersect(b)) == (a_bits & b_bits));
    ExtentSet both = a;
    both.insert(b);
    RC_ASSERT(bitmap_of(both) == (a_bits | b_bits));
    ExtentSet rest = a;
    rest.subtract(b);
    RC_ASSERT(bitmap_of(rest) == (a_bits & ~b_bits));
}

RC_GTEST_PROP(ExtentSet, RoundsToBlocksOutwardAndInward, ()) {
    const auto [set, bits] = any_set();
    const auto block = *rc::gen::inRange<std::uint64_t>(1, 20);
    const auto size = *rc::gen::inRange<std::uint64_t>(1, kSize + 1);
    Bitmap grown;
    Bitmap shrunk;
    for (std::uint64_t begin = 0; begin < size; begin += block) {
        bool any = false;
        bool all = true;
        for (std::uint64_t at = begin; at < std::min(size, begin + block); ++at) {
            any = any || bits[at];
            all = all && bits[at];
        }
        for (std::uint64_t at = begin; at < std::min(size, begin + block); ++at) {
            grown[at] = any;
            shrunk[at] = all;
        }
    }
    RC_ASSERT(bitmap_of(set.grown_to_blocks(block, size)) == grown);
    RC_ASSERT(bitmap_of(set.shrunk_to_blocks(block, size)) == shrunk);
}

RC_GTEST_PROP(ExtentSet, FindsAndContainsWhatTheBitmapSays, ()) {
    const auto [set, bits] = any_set();
    const Extent probe = any_extent();
    bool all = true;
    for (std::uint64_t at = probe.begin; at < probe.end; ++at)
        all = all && bits[at];
    RC_ASSERT(set.contains(probe) == all);
    std::uint64_t first = probe.begin;
    while (first < kSize && !bits[first])
        ++first;
    const auto found = set.first_from(probe.begin);
    RC_ASSERT(found.has_value() == (first < kSize));
    if (found) RC_ASSERT(found->begin == first);
}

TEST(ExtentSet, SubtractSplitsAContainingRange) {
    ExtentSet set({{.begin = 0, .end = 10}});
    set.subtract({.begin = 3, .end = 5});
    EXPECT_EQ(set.extents(), (std::vector<Extent>{{.begin = 0, .end = 3}, {.begin = 5, .end = 10}}));
}

TEST(ExtentSet, MergesRangesThatTouch) {
    ExtentSet set({{.begin = 0, .end = 5}, {.begin = 10, .end = 15}});
    set.insert({.begin = 5, .end = 10});
    EXPECT_EQ(set.extents(), (std::vector<Extent>{{.begin = 0, .end = 15}}));
}

}  // namespace
}  // namespace penumbra::hypervisor
