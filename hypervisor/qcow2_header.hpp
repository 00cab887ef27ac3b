#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace penumbra::hypervisor {

/// Whether an image file is qcow2 of version 3 (compat 1.1), the one that can keep dirty bitmaps. Reads 8 bytes and no
/// more (QEMU docs/interop/qcow2.txt). kNotFound and the like when the file cannot be read.
[[nodiscard]] Result<bool> keeps_bitmaps(const std::filesystem::path& image);

}  // namespace penumbra::hypervisor
