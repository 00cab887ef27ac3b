#include "hypervisor/extent_set.hpp"

#include <algorithm>
#include <iterator>

#include "base/result.hpp"

namespace penumbra::hypervisor {

ExtentSet::ExtentSet(const std::vector<Extent>& extents) {
    for (const Extent& extent : extents)
        insert(extent);
}

void ExtentSet::insert(Extent extent) {
    ASSERT(extent.begin <= extent.end);
    if (extent.begin == extent.end) return;
    auto next = ends_.upper_bound(extent.begin);
    if (next != ends_.begin() && std::prev(next)->second >= extent.begin) --next;
    while (next != ends_.end() && next->first <= extent.end) {
        extent.begin = std::min(extent.begin, next->first);
        extent.end = std::max(extent.end, next->second);
        next = ends_.erase(next);
    }
    ends_.emplace_hint(next, extent.begin, extent.end);
}

void ExtentSet::subtract(Extent extent) {
    ASSERT(extent.begin <= extent.end);
    if (extent.begin == extent.end) return;
    auto next = ends_.upper_bound(extent.begin);
    if (next != ends_.begin() && std::prev(next)->second > extent.begin) --next;
    while (next != ends_.end() && next->first < extent.end) {
        const Extent old{next->first, next->second};
        next = ends_.erase(next);
        if (old.begin < extent.begin) ends_.emplace_hint(next, old.begin, extent.begin);
        if (old.end > extent.end) next = ends_.emplace_hint(next, extent.end, old.end);
    }
}

void ExtentSet::insert(const ExtentSet& other) {
    for (const auto& [begin, end] : other.ends_)
        insert(Extent{begin, end});
}

void ExtentSet::subtract(const ExtentSet& other) {
    for (const auto& [begin, end] : other.ends_)
        subtract(Extent{begin, end});
}

ExtentSet ExtentSet::intersect(const ExtentSet& other) const {
    ExtentSet both;
    auto mine = ends_.begin();
    auto theirs = other.ends_.begin();
    while (mine != ends_.end() && theirs != other.ends_.end()) {
        const std::uint64_t begin = std::max(mine->first, theirs->first);
        const std::uint64_t end = std::min(mine->second, theirs->second);
        if (begin < end) both.ends_.emplace_hint(both.ends_.end(), begin, end);
        (mine->second < theirs->second ? mine : theirs)++;
    }
    return both;
}

ExtentSet ExtentSet::clipped_to(Extent window) const {
    ExtentSet only;
    only.insert(window);
    return intersect(only);
}

ExtentSet ExtentSet::grown_to_blocks(std::uint64_t block_bytes, std::uint64_t size) const {
    ASSERT(block_bytes > 0);
    ExtentSet blocks;
    for (const auto& [begin, end] : ends_) {
        if (begin >= size) break;
        const std::uint64_t last = std::min(end, size) - 1;
        blocks.insert({.begin = begin / block_bytes * block_bytes,
                       .end = std::min(size, (last / block_bytes + 1) * block_bytes)});
    }
    return blocks;
}

ExtentSet ExtentSet::shrunk_to_blocks(std::uint64_t block_bytes, std::uint64_t size) const {
    ASSERT(block_bytes > 0);
    ExtentSet blocks;
    for (const auto& [begin, end] : ends_) {
        const std::uint64_t first = (begin + block_bytes - 1) / block_bytes * block_bytes;
        const std::uint64_t last = end >= size ? size : end / block_bytes * block_bytes;
        if (first < last) blocks.insert({.begin = first, .end = last});
    }
    return blocks;
}

std::optional<Extent> ExtentSet::first_from(std::uint64_t offset) const {
    auto next = ends_.upper_bound(offset);
    if (next != ends_.begin() && std::prev(next)->second > offset) --next;
    if (next == ends_.end()) return std::nullopt;
    return Extent{std::max(next->first, offset), next->second};
}

bool ExtentSet::contains(Extent extent) const {
    if (extent.begin >= extent.end) return true;
    const auto next = ends_.upper_bound(extent.begin);
    return next != ends_.begin() && std::prev(next)->second >= extent.end;
}

std::uint64_t ExtentSet::bytes() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& [begin, end] : ends_)
        sum += end - begin;
    return sum;
}

std::vector<Extent> ExtentSet::extents() const {
    std::vector<Extent> list;
    list.reserve(ends_.size());
    for (const auto& [begin, end] : ends_)
        list.push_back({.begin = begin, .end = end});
    return list;
}

}  // namespace penumbra::hypervisor
