#include "hypervisor/qcow2_bitmaps.hpp"

#include <algorithm>

#include "base/limits/replica.hpp"
#include "hypervisor/byte_cursor.hpp"

namespace penumbra::hypervisor::qcow2 {
namespace {

constexpr std::uint32_t kMagic = 0x514649fb;  // "QFI\xfb"
constexpr std::uint32_t kKeepsBitmaps = 3;    // the version that does
constexpr std::size_t kAutoClearAt = 88;
constexpr std::uint64_t kBitmapsAreConsistent = 1;  // of the auto-clear features
constexpr std::size_t kHeaderBytesAt = 100;
constexpr std::uint32_t kBitmapsExtension = 0x23852875;
constexpr std::size_t kEntryAlignment = 8;

std::span<const std::byte> from(std::span<const std::byte> bytes, std::uint64_t offset) {
    return bytes.subspan(std::min<std::uint64_t>(offset, bytes.size()));
}

constexpr std::size_t padding(std::size_t bytes) {
    return (kEntryAlignment - bytes % kEntryAlignment) % kEntryAlignment;
}

tl::unexpected<Error> fail_torn() {
    return fail(ErrorCode::kDataLoss, "its qcow2 header is damaged: look at it with `qemu-img check`");
}

Result<BitmapDirectory> decode_directory(std::span<const std::byte> bytes) {
    if ((ByteCursor(from(bytes, kAutoClearAt)).take<std::uint64_t>() & kBitmapsAreConsistent) == 0) return {};
    ByteCursor cursor(from(bytes, ByteCursor(from(bytes, kHeaderBytesAt)).take<std::uint32_t>()));
    for (;;) {
        const auto type = cursor.take<std::uint32_t>();
        const auto length = cursor.take<std::uint32_t>();
        if (!cursor.good()) return fail_torn();
        if (type == 0) return {};
        if (type == kBitmapsExtension) break;
        static_cast<void>(cursor.text(length + padding(length)));
    }
    BitmapDirectory directory;
    directory.count = cursor.take<std::uint32_t>();
    static_cast<void>(cursor.take<std::uint32_t>());
    directory.bytes = cursor.take<std::uint64_t>();
    directory.offset = cursor.take<std::uint64_t>();
    if (!cursor.good()) return fail_torn();
    if (directory.bytes > limits::kBitmapDirectoryBytesMax)
        return fail(ErrorCode::kResourceExhausted,
                    "it lists more bitmaps than we read: look at them with `qemu-img "
                    "info` and remove those that nobody needs");
    return directory;
}

}  // namespace

Result<ImageHead> decode_image_head(std::span<const std::byte> bytes) {
    ByteCursor cursor(bytes);
    const bool is_qcow2 = cursor.take<std::uint32_t>() == kMagic;
    const auto version = cursor.take<std::uint32_t>();
    if (!is_qcow2 || version < 2 || version > kKeepsBitmaps)
        return fail(ErrorCode::kUnsupported, "it is no qcow2 image of version 2 or 3");
    const auto backing_offset = cursor.take<std::uint64_t>();
    const auto backing_bytes = cursor.take<std::uint32_t>();
    ByteCursor backing(from(bytes, backing_offset));
    ImageHead head{.backing = backing_offset == 0 ? std::string() : backing.text(backing_bytes), .bitmaps = {}};
    if (!cursor.good() || !backing.good()) return fail_torn();
    if (version == kKeepsBitmaps) head.bitmaps = TRY(decode_directory(bytes));
    return head;
}

Result<std::vector<std::string>> decode_bitmap_names(const BitmapDirectory& directory,
                                                     std::span<const std::byte> bytes) {
    ByteCursor cursor(bytes);
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < directory.count && cursor.good(); ++i) {
        static_cast<void>(cursor.take<std::uint64_t>());  // its table's offset and size, flags, type, granularity
        static_cast<void>(cursor.take<std::uint64_t>());
        static_cast<void>(cursor.take<std::uint16_t>());
        const std::size_t name_bytes = cursor.take<std::uint16_t>();
        const std::size_t extra_bytes = cursor.take<std::uint32_t>();
        static_cast<void>(cursor.text(extra_bytes));
        names.push_back(cursor.text(name_bytes));
        static_cast<void>(cursor.text(padding(extra_bytes + name_bytes)));  // an entry's fixed part is 24 bytes
    }
    if (!cursor.good())
        return fail(ErrorCode::kDataLoss, "its list of bitmaps is torn: look at it with `qemu-img check`");
    return names;
}

}  // namespace penumbra::hypervisor::qcow2
