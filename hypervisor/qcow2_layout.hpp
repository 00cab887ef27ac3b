#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/limits/replica.hpp"
#include "base/result.hpp"

/// The part of qcow2 version 3 that a replica's layers use (QEMU docs/interop/qcow2.txt): clusters of 64 KiB, refcounts
/// of 16 bits that are all 1, zero clusters, a backing file named with its format. Pure.
namespace penumbra::hypervisor::qcow2 {

inline constexpr std::uint64_t kClusterBytes = limits::kBlockBytes;
inline constexpr std::uint64_t kEntriesPerTable = kClusterBytes / sizeof(std::uint64_t);
inline constexpr std::uint64_t kRefcountsPerBlock = kClusterBytes / sizeof(std::uint16_t);
inline constexpr std::uint64_t kCopied = 1ULL << 63U;  ///< of an L1 or L2 entry: its refcount is exactly 1
inline constexpr std::uint64_t kReadsZero = 1;         ///< of an L2 entry: reads as zero whatever lies below
inline constexpr std::uint64_t kOffsetMask = 0x00ff'ffff'ffff'0000;

struct Header {
    std::uint64_t size = 0;  ///< of the volume, in bytes; a multiple of 512
    std::uint64_t l1_offset = 0;
    std::uint32_t l1_entries = 0;
    std::uint64_t refcount_table_offset = 0;
    std::uint32_t refcount_table_clusters = 0;
    std::string backing;  ///< a path, relative to the layer's own folder or absolute; empty: none
    friend bool operator==(const Header&, const Header&) = default;
};

/// Everything before the first cluster's padding.
[[nodiscard]] std::string encode(const Header& header);
/// Reads an image's first bytes. What encode() cannot have written is kUnsupported, never guessed at.
[[nodiscard]] Result<Header> decode_header(std::span<const std::byte> bytes);

/// kInvalidArgument when QEMU would take it for something else than a file ("nbd:...") or it is too long.
[[nodiscard]] Result<void> check_backing(const std::string& path);
[[nodiscard]] std::uint32_t l1_entries_for(std::uint64_t size);

/// Where the tables stand in a file whose data clusters end at `data_end`: L2 tables, L1, refcount blocks, their table.
struct TablePlan {
    std::uint64_t l2_offset = 0;
    std::uint64_t l1_offset = 0;
    std::uint64_t refcounts_offset = 0;
    std::uint64_t refcount_blocks = 0;
    std::uint64_t refcount_table_offset = 0;
    std::uint64_t refcount_table_clusters = 0;
    std::uint64_t clusters = 0;  ///< of the whole file
};
[[nodiscard]] TablePlan plan_tables(std::uint64_t data_end, std::uint64_t l2_tables, std::uint32_t l1_entries);

[[nodiscard]] std::string big_endian(std::span<const std::uint64_t> values);
/// One refcount block: 1 for every cluster of the file, 0 behind its end.
[[nodiscard]] std::string refcount_block(std::uint64_t index, std::uint64_t clusters);

}  // namespace penumbra::hypervisor::qcow2
