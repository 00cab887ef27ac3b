#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "base/limits/replica.hpp"
#include "base/result.hpp"

namespace penumbra::hypervisor {

/// SHA-256 of one block; a short one is hashed as if zeroes followed.
[[nodiscard]] Digest block_digest(std::span<const std::byte> block);
[[nodiscard]] const Digest& zero_block_digest();

/// What a volume holds, as digests: blocks of 64 KiB under leaves of 1 MiB under one root (a two-level Merkle tree,
/// Merkle 1987). Leaves of zeroes cost nothing; a copy shares its leaves, so that clean ones are inherited for free.
/// Value type, pure. Memory: 512 bytes for each MiB that is not zero.
class BlockTable {
 public:
    /// A volume of `bytes` zeroes.
    explicit BlockTable(std::uint64_t bytes);

    void set(std::uint64_t block, const Digest& digest);
    /// Cut off or continued with zeroes. A block cut in its middle must be set again by the caller.
    void resize(std::uint64_t bytes);

    [[nodiscard]] const Digest& block(std::uint64_t index) const;
    [[nodiscard]] Digest root() const;
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint64_t blocks() const noexcept {
        return (bytes_ + limits::kBlockBytes - 1) / limits::kBlockBytes;
    }

    /// The file format: a line with version and size, leaves that are not zero, SHA-256 of all before it.
    [[nodiscard]] std::string encode() const;
    /// Anything that encode() cannot have written is kDataLoss.
    [[nodiscard]] static Result<BlockTable> decode(std::string_view text);

    friend bool operator==(const BlockTable& a, const BlockTable& b) {
        return a.bytes_ == b.bytes_ && a.root() == b.root();
    }

 private:
    static constexpr std::uint64_t kBlocksPerLeaf = limits::kLeafBytes / limits::kBlockBytes;
    using Leaf = std::array<Digest, kBlocksPerLeaf>;

    [[nodiscard]] static const Leaf& zero_leaf();
    [[nodiscard]] static Digest leaf_digest(const Leaf& leaf);

    std::uint64_t bytes_ = 0;
    std::vector<std::shared_ptr<const Leaf>> leaves_;  // none: all zero
};

}  // namespace penumbra::hypervisor
