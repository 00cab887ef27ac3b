#include "hypervisor/copy_plan.hpp"

#include <algorithm>

#include "base/limits/replica.hpp"

namespace penumbra::hypervisor {

CopyPlan::CopyPlan(const CopyScope& scope) {
    ExtentSet wanted = scope.dirty.grown_to_blocks(limits::kBlockBytes, scope.size);
    wanted.subtract(scope.done);
    zeroes_ = wanted.intersect(scope.zero.shrunk_to_blocks(limits::kBlockBytes, scope.size));
    reads_ = std::move(wanted);
    reads_.subtract(zeroes_);
}

std::optional<Chunk> CopyPlan::next() {
    const auto read = reads_.first_from(cursor_);
    const auto zero = zeroes_.first_from(cursor_);
    if (!read && !zero) return std::nullopt;
    const bool is_zero = !read || (zero && zero->begin < read->begin);
    Extent extent = is_zero ? *zero : *read;
    const std::uint64_t bytes_max = is_zero ? limits::kZeroChunkBytesMax : limits::kReadChunkBytesMax;
    extent.end = std::min(extent.end, extent.begin + bytes_max);
    cursor_ = extent.end;
    return Chunk{.extent = extent, .kind = is_zero ? ChunkKind::kZero : ChunkKind::kRead};
}

}  // namespace penumbra::hypervisor
