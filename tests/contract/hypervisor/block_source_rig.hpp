#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "hypervisor/ports.hpp"

namespace penumbra::hypervisor::contract {

/// Bytes that all have one value; pattern 0 is a discard.
struct Fill {
    Extent extent;
    std::uint8_t pattern = 0;
};

/// What happened to a blank disk before it was frozen and offered.
struct DiskHistory {
    std::vector<Fill> before;
    bool checkpoint = false;  ///< between `before` and `after`; then the source offers what changed since
    std::vector<Fill> after;
};

/// A frozen disk of kDiskBytes and a way to open it. The same suite is linked with a rig over the fake, over nbdkit and
/// over qemu-nbd.
class BlockSourceRig {
 public:
    static constexpr std::uint64_t kDiskBytes = 8ULL << 20U;

    BlockSourceRig() = default;
    BlockSourceRig(const BlockSourceRig&) = delete;
    BlockSourceRig& operator=(const BlockSourceRig&) = delete;
    BlockSourceRig(BlockSourceRig&&) = delete;
    BlockSourceRig& operator=(BlockSourceRig&&) = delete;
    virtual ~BlockSourceRig() = default;

    [[nodiscard]] virtual bool keeps_bitmaps() const = 0;
    /// Called once.
    virtual Result<std::unique_ptr<BlockSource>> open(const DiskHistory& history) = 0;
    /// The server goes away at once.
    virtual void kill() = 0;
};

/// Given by whichever rig is linked.
std::unique_ptr<BlockSourceRig> make_block_source_rig();

}  // namespace penumbra::hypervisor::contract
