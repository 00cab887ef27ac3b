#include "hypervisor/block_table.hpp"

#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "base/limits/replica.hpp"

namespace penumbra::hypervisor {
namespace {

constexpr std::string_view kMagic = "penumbra-blocks 1 ";
constexpr std::size_t kIndexBytes = 8;
constexpr std::size_t kDigestBytes = sizeof(Digest);

std::uint64_t leaves_of(std::uint64_t bytes) {
    return (bytes + limits::kLeafBytes - 1) / limits::kLeafBytes;
}

void append_index(std::string& out, std::uint64_t index) {
    for (std::size_t i = 0; i < kIndexBytes; ++i)
        out += static_cast<char>(index >> (8 * i) & 0xffU);
}

std::uint64_t read_index(std::string_view text) {
    std::uint64_t index = 0;
    for (std::size_t i = 0; i < kIndexBytes; ++i)
        index |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
    return index;
}

void append_digest(std::string& out, const Digest& digest) {
    for (const std::byte byte : digest.bytes)
        out += static_cast<char>(byte);
}

Digest read_digest(std::string_view text) {
    Digest digest;
    std::memcpy(digest.bytes.data(), text.data(), kDigestBytes);
    return digest;
}

}  // namespace

Digest block_digest(std::span<const std::byte> block) {
    ASSERT(block.size() <= limits::kBlockBytes);
    if (block.size() == limits::kBlockBytes) return sha256(block);
    static const std::vector<std::byte> zeroes(limits::kBlockBytes);
    Sha256 hash;
    hash.update(block);
    hash.update(std::span(zeroes).first(limits::kBlockBytes - block.size()));
    return hash.finish();
}

const Digest& zero_block_digest() {
    static const Digest digest = block_digest({});
    return digest;
}

const BlockTable::Leaf& BlockTable::zero_leaf() {
    static const Leaf leaf = [] {
        Leaf zeroes;
        zeroes.fill(zero_block_digest());
        return zeroes;
    }();
    return leaf;
}

Digest BlockTable::leaf_digest(const Leaf& leaf) {
    return sha256(std::as_bytes(std::span(leaf)));
}

BlockTable::BlockTable(std::uint64_t bytes) : bytes_(bytes), leaves_(leaves_of(bytes)) {
    ASSERT(bytes <= limits::kVolumeBytesMax);
}

void BlockTable::set(std::uint64_t block, const Digest& digest) {
    ASSERT(block < blocks());
    std::shared_ptr<const Leaf>& leaf = leaves_[block / kBlocksPerLeaf];
    const Leaf& old = leaf ? *leaf : zero_leaf();
    if (old[block % kBlocksPerLeaf] == digest) return;
    auto changed = std::make_shared<Leaf>(old);
    (*changed)[block % kBlocksPerLeaf] = digest;
    if (*changed == zero_leaf())
        leaf.reset();
    else
        leaf = std::move(changed);
}

void BlockTable::resize(std::uint64_t bytes) {
    ASSERT(bytes <= limits::kVolumeBytesMax);
    const std::uint64_t blocks_before = blocks();
    bytes_ = bytes;
    const std::uint64_t blocks_now = blocks();
    // Blocks of the last leaf that were cut off read as zero if the volume grows again.
    if (blocks_now < blocks_before && blocks_now % kBlocksPerLeaf != 0 && leaves_[blocks_now / kBlocksPerLeaf]) {
        auto cut = std::make_shared<Leaf>(*leaves_[blocks_now / kBlocksPerLeaf]);
        for (std::uint64_t i = blocks_now % kBlocksPerLeaf; i < kBlocksPerLeaf; ++i)
            (*cut)[i] = zero_block_digest();
        leaves_[blocks_now / kBlocksPerLeaf] = *cut == zero_leaf() ? nullptr : std::move(cut);
    }
    leaves_.resize(leaves_of(bytes));
}

const Digest& BlockTable::block(std::uint64_t index) const {
    ASSERT(index < blocks());
    const std::shared_ptr<const Leaf>& leaf = leaves_[index / kBlocksPerLeaf];
    return leaf ? (*leaf)[index % kBlocksPerLeaf] : zero_block_digest();
}

Digest BlockTable::root() const {
    static const Digest zero = leaf_digest(zero_leaf());
    Sha256 hash;
    hash.update(fmt::format("penumbra-root 1 {}\n", bytes_));
    for (const auto& leaf : leaves_) {
        const Digest digest = leaf ? leaf_digest(*leaf) : zero;
        hash.update(std::span<const std::byte>(digest.bytes));
    }
    return hash.finish();
}

std::string BlockTable::encode() const {
    std::string out = fmt::format("{}{}\n", kMagic, bytes_);
    for (std::uint64_t index = 0; index < leaves_.size(); ++index) {
        if (!leaves_[index]) continue;
        append_index(out, index);
        for (const Digest& digest : *leaves_[index])
            append_digest(out, digest);
    }
    append_digest(out, sha256(out));
    return out;
}

Result<BlockTable> BlockTable::decode(std::string_view text) {
    const auto broken = [](std::string_view why) {
        return fail(ErrorCode::kDataLoss,
                    fmt::format("the block table is broken ({}): take a full generation of this VM", why));
    };
    if (!text.starts_with(kMagic) || text.size() < kMagic.size() + kDigestBytes) return broken("no header");
    if (sha256(text.substr(0, text.size() - kDigestBytes)) != read_digest(text.substr(text.size() - kDigestBytes)))
        return broken("its checksum differs");
    std::string_view rest = text.substr(kMagic.size(), text.size() - kMagic.size() - kDigestBytes);
    const std::size_t line_end = rest.find('\n');
    if (line_end == std::string_view::npos) return broken("no header");
    std::uint64_t bytes = 0;
    const auto number = std::from_chars(rest.data(), rest.data() + line_end, bytes);
    if (number.ec != std::errc() || number.ptr != rest.data() + line_end || bytes > limits::kVolumeBytesMax)
        return broken("its size is not a volume's");
    rest.remove_prefix(line_end + 1);

    BlockTable table(bytes);
    constexpr std::size_t kLeafEntryBytes = kIndexBytes + kBlocksPerLeaf * kDigestBytes;
    if (rest.size() % kLeafEntryBytes != 0) return broken("it ends in the middle of a leaf");
    std::uint64_t index_min = 0;
    for (; !rest.empty(); rest.remove_prefix(kLeafEntryBytes)) {
        const std::uint64_t index = read_index(rest);
        if (index < index_min || index >= table.leaves_.size()) return broken("a leaf is out of order");
        auto leaf = std::make_shared<Leaf>();
        for (std::size_t i = 0; i < kBlocksPerLeaf; ++i)
            (*leaf)[i] = read_digest(rest.substr(kIndexBytes + i * kDigestBytes));
        if (*leaf == zero_leaf()) return broken("a leaf of zeroes is written out");
        table.leaves_[index] = std::move(leaf);
        index_min = index + 1;
    }
    return table;
}

}  // namespace penumbra::hypervisor
