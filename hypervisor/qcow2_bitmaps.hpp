#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

/// Which dirty bitmaps an image of production keeps, from its own bytes (QEMU docs/interop/qcow2.txt). Pure; writes
/// nothing: what keeps and changes that format is QEMU (docs/decisions/0005).
namespace penumbra::hypervisor::qcow2 {

/// Where an image's bitmaps are listed; empty where it keeps none, or where QEMU would not believe the list.
struct BitmapDirectory {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;  ///< at most limits::kBitmapDirectoryBytesMax
    std::uint32_t count = 0;
    friend bool operator==(const BitmapDirectory&, const BitmapDirectory&) = default;
};

struct ImageHead {
    std::string backing;  ///< what lies below, as the image names it; empty: nothing
    BitmapDirectory bitmaps;
    friend bool operator==(const ImageHead&, const ImageHead&) = default;
};

/// From an image's first limits::kImageHeadBytes, or all of a shorter one. kUnsupported: it is no qcow2 image;
/// kDataLoss: its header leads nowhere; kResourceExhausted: a list longer than we read.
[[nodiscard]] Result<ImageHead> decode_image_head(std::span<const std::byte> bytes);

/// The names in a directory, all of whose bytes are given. kDataLoss when it is torn.
[[nodiscard]] Result<std::vector<std::string>> decode_bitmap_names(const BitmapDirectory& directory,
                                                                   std::span<const std::byte> bytes);

}  // namespace penumbra::hypervisor::qcow2
