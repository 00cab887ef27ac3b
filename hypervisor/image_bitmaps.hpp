#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"

/// Dirty bitmaps in the image files of production.
namespace penumbra::hypervisor {

struct ImageBitmaps {
    std::filesystem::path image;
    std::vector<std::string> names;
};

/// Of a disk's image and of every file below it, the top one first: a snapshot leaves bitmaps in what it covers. The
/// images may be in use: bitmaps that QEMU has in memory only are not seen then. Ends where there is no such file, or
/// none of qcow2. Reads a few KiB of each.
[[nodiscard]] Result<std::vector<ImageBitmaps>> bitmaps_in_chain(const std::filesystem::path& image);

/// Has qemu-img take one bitmap out of an image that nobody uses; the image is locked meanwhile, for milliseconds.
/// kConflict when somebody uses it; kPermissionDenied when the bitmap is not one of ours; kNotFound without qemu-img.
[[nodiscard]] Result<void> remove_bitmap(const std::filesystem::path& image, const CheckpointId& bitmap);

}  // namespace penumbra::hypervisor
