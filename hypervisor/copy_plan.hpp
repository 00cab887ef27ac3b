#pragma once

#include <cstdint>
#include <optional>

#include "base/units.hpp"
#include "hypervisor/extent_set.hpp"

namespace penumbra::hypervisor {

enum class ChunkKind : unsigned char { kRead, kZero };

/// What to do with one range of the volume: read it at the source, or write zeroes at the target.
struct Chunk {
    Extent extent;
    ChunkKind kind = ChunkKind::kRead;
    friend bool operator==(const Chunk&, const Chunk&) = default;
};

/// What is known before a copy. Everything in bytes of the volume.
struct CopyScope {
    std::uint64_t size = 0;
    ExtentSet dirty;  ///< changed since the base; the whole volume for a full generation
    ExtentSet zero;   ///< certainly reads as zero now
    ExtentSet done;   ///< copied already by an attempt at the same cut; whole blocks
};

/// Bounded chunks in order of their offset, whole blocks each (the volume's last may be short). What is dirty and zero
/// is zeroed, never skipped: a discard is a write. A block that is zero only in part is read. Value type, pure.
class CopyPlan {
 public:
    explicit CopyPlan(const CopyScope& scope);

    /// The chunk at the cursor, which then stands behind it; nothing at the end.
    [[nodiscard]] std::optional<Chunk> next();
    [[nodiscard]] Bytes bytes_to_read() const noexcept { return Bytes(reads_.bytes()); }
    [[nodiscard]] Bytes bytes_to_zero() const noexcept { return Bytes(zeroes_.bytes()); }

 private:
    ExtentSet reads_;
    ExtentSet zeroes_;
    std::uint64_t cursor_ = 0;
};

}  // namespace penumbra::hypervisor
