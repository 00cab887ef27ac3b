#include "hypervisor/qcow2_layout.hpp"

#include <algorithm>
#include <concepts>

#include <fmt/format.h>

#include "hypervisor/byte_cursor.hpp"

namespace penumbra::hypervisor::qcow2 {
namespace {

constexpr std::uint32_t kMagic = 0x514649fb;  // "QFI\xfb"
constexpr std::uint32_t kVersion = 3;
constexpr std::uint32_t kClusterBits = 16;
constexpr std::uint32_t kRefcountOrder = 4;
constexpr std::uint32_t kHeaderBytes = 104;
constexpr std::uint32_t kBackingFormatExtension = 0xe2792aca;
constexpr std::string_view kBackingFormat = "qcow2";
constexpr std::size_t kBackingBytesMax = 1023;  // QEMU's
constexpr std::uint64_t kSectorBytes = 512;
static_assert(kClusterBytes == 1ULL << kClusterBits);

template <std::unsigned_integral Number>
void put(std::string& out, Number value) {
    for (std::size_t i = sizeof value; i-- > 0;)
        out += static_cast<char>(value >> (8 * i) & 0xffU);
}

std::uint64_t clusters_for(std::uint64_t bytes) {
    return (bytes + kClusterBytes - 1) / kClusterBytes;
}

bool is_cluster(std::uint64_t offset) {
    return offset != 0 && (offset & ~kOffsetMask) == 0;
}

}  // namespace

std::string encode(const Header& header) {
    const std::uint32_t extensions = header.backing.empty() ? 8 : 8 + 8 + 8;
    std::string out;
    put(out, kMagic);
    put(out, kVersion);
    put(out, std::uint64_t{header.backing.empty() ? 0 : kHeaderBytes + extensions});
    put(out, static_cast<std::uint32_t>(header.backing.size()));
    put(out, kClusterBits);
    put(out, header.size);
    put(out, std::uint32_t{0});  // encryption
    put(out, header.l1_entries);
    put(out, header.l1_offset);
    put(out, header.refcount_table_offset);
    put(out, header.refcount_table_clusters);
    put(out, std::uint32_t{0});  // snapshots and where they stand
    put(out, std::uint64_t{0});
    put(out, std::uint64_t{0});  // features: incompatible, compatible, auto-clear
    put(out, std::uint64_t{0});
    put(out, std::uint64_t{0});
    put(out, kRefcountOrder);
    put(out, kHeaderBytes);
    if (!header.backing.empty()) {
        put(out, kBackingFormatExtension);
        put(out, static_cast<std::uint32_t>(kBackingFormat.size()));
        out += kBackingFormat;
        out.append(8 - kBackingFormat.size(), '\0');
    }
    put(out, std::uint64_t{0});  // no more extensions
    return out + header.backing;
}

Result<Header> decode_header(std::span<const std::byte> bytes) {
    ByteCursor cursor(bytes);
    Header header;
    bool ours = cursor.take<std::uint32_t>() == kMagic;
    const auto expect = [&](auto expected) { ours = cursor.take<decltype(expected)>() == expected && ours; };
    expect(kVersion);
    const auto backing_offset = cursor.take<std::uint64_t>();
    const auto backing_bytes = cursor.take<std::uint32_t>();
    expect(kClusterBits);
    header.size = cursor.take<std::uint64_t>();
    expect(std::uint32_t{0});
    header.l1_entries = cursor.take<std::uint32_t>();
    header.l1_offset = cursor.take<std::uint64_t>();
    header.refcount_table_offset = cursor.take<std::uint64_t>();
    header.refcount_table_clusters = cursor.take<std::uint32_t>();
    expect(std::uint32_t{0});
    for (int zero = 0; zero < 4; ++zero)
        expect(std::uint64_t{0});
    expect(kRefcountOrder);
    expect(kHeaderBytes);
    if (backing_bytes != 0) {
        expect(kBackingFormatExtension);
        expect(static_cast<std::uint32_t>(kBackingFormat.size()));
        ours = cursor.text(8) == std::string(kBackingFormat).append(8 - kBackingFormat.size(), '\0') && ours;
    }
    expect(std::uint64_t{0});
    ours = ours && backing_bytes <= kBackingBytesMax;
    if (ours) header.backing = cursor.text(backing_bytes);
    ours = ours && cursor.good() && backing_offset == (backing_bytes == 0 ? 0 : kHeaderBytes + 24);
    ours = ours && header.size > 0 && header.size % kSectorBytes == 0 && header.size <= limits::kVolumeBytesMax;
    ours = ours && header.l1_entries == l1_entries_for(header.size) && is_cluster(header.l1_offset);
    ours = ours && is_cluster(header.refcount_table_offset) && header.refcount_table_clusters != 0;
    if (!ours || (!header.backing.empty() && !check_backing(header.backing).has_value()))
        return fail(ErrorCode::kUnsupported, "this is no layer of a replica: its qcow2 header is not one of ours");
    return header;
}

Result<void> check_backing(const std::string& path) {
    const bool is_path = path.starts_with('/') || path.starts_with("./") || path.starts_with("../");
    if (is_path && path.size() <= kBackingBytesMax && path.find('\0') == std::string::npos) return {};
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a backing file is named by a path of at most {} bytes that begins with /, ./ or ../",
                            kBackingBytesMax));
}

std::uint32_t l1_entries_for(std::uint64_t size) {
    constexpr std::uint64_t kBytesPerEntry = kEntriesPerTable * kClusterBytes;
    return static_cast<std::uint32_t>((size + kBytesPerEntry - 1) / kBytesPerEntry);
}

TablePlan plan_tables(std::uint64_t data_end, std::uint64_t l2_tables, std::uint32_t l1_entries) {
    TablePlan plan;
    plan.l2_offset = data_end;
    plan.l1_offset = plan.l2_offset + l2_tables * kClusterBytes;
    plan.refcounts_offset =
        plan.l1_offset + clusters_for(std::uint64_t{l1_entries} * sizeof(std::uint64_t)) * kClusterBytes;
    const std::uint64_t others = plan.refcounts_offset / kClusterBytes;
    // Refcounts count themselves: grow until they cover what is there.
    plan.clusters = others;
    std::uint64_t before = 0;
    while (plan.clusters != before) {
        before = plan.clusters;
        plan.refcount_blocks = (plan.clusters + kRefcountsPerBlock - 1) / kRefcountsPerBlock;
        plan.refcount_table_clusters = clusters_for(plan.refcount_blocks * sizeof(std::uint64_t));
        plan.clusters = others + plan.refcount_blocks + plan.refcount_table_clusters;
    }
    plan.refcount_table_offset = plan.refcounts_offset + plan.refcount_blocks * kClusterBytes;
    return plan;
}

std::string big_endian(std::span<const std::uint64_t> values) {
    std::string out;
    out.reserve(values.size_bytes());
    for (const std::uint64_t value : values)
        put(out, value);
    return out;
}

std::string refcount_block(std::uint64_t index, std::uint64_t clusters) {
    const std::uint64_t first = index * kRefcountsPerBlock;
    const std::uint64_t used = clusters <= first ? 0 : std::min(clusters - first, kRefcountsPerBlock);
    std::string out;
    out.reserve(kClusterBytes);
    for (std::uint64_t i = 0; i < used; ++i)
        put(out, std::uint16_t{1});
    out.resize(kClusterBytes, '\0');
    return out;
}

}  // namespace penumbra::hypervisor::qcow2
