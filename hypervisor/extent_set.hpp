#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace penumbra::hypervisor {

/// A half-open range of a disk in bytes: [begin, end).
struct Extent {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    [[nodiscard]] constexpr std::uint64_t length() const noexcept { return end - begin; }
    friend constexpr bool operator==(const Extent&, const Extent&) = default;
};

/// Disjoint half-open ranges, touching ones merged: what changed, what is zero, what is done. Value type, pure.
class ExtentSet {
 public:
    ExtentSet() = default;
    explicit ExtentSet(const std::vector<Extent>& extents);

    /// Adds or takes away a range; an empty range changes nothing. begin <= end.
    void insert(Extent extent);
    void subtract(Extent extent);
    void insert(const ExtentSet& other);
    void subtract(const ExtentSet& other);

    [[nodiscard]] ExtentSet intersect(const ExtentSet& other) const;
    [[nodiscard]] ExtentSet clipped_to(Extent window) const;

    /// Every block of `block_bytes` that the set touches (grown), or that it covers whole (shrunk). The disk's last
    /// block may be short: it ends at `size`.
    [[nodiscard]] ExtentSet grown_to_blocks(std::uint64_t block_bytes, std::uint64_t size) const;
    [[nodiscard]] ExtentSet shrunk_to_blocks(std::uint64_t block_bytes, std::uint64_t size) const;

    /// The first range that ends after `offset`, begin clipped to it; nothing when there is none.
    [[nodiscard]] std::optional<Extent> first_from(std::uint64_t offset) const;
    [[nodiscard]] bool contains(Extent extent) const;
    [[nodiscard]] std::uint64_t bytes() const noexcept;
    [[nodiscard]] bool empty() const noexcept { return ends_.empty(); }
    [[nodiscard]] std::vector<Extent> extents() const;

    friend bool operator==(const ExtentSet&, const ExtentSet&) = default;

 private:
    std::map<std::uint64_t, std::uint64_t> ends_;  // begin -> end
};

}  // namespace penumbra::hypervisor
