#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"
#include "base/units.hpp"

namespace penumbra::hypervisor {

struct ImageFacts {
    Bytes virtual_size;          ///< what a guest sees
    bool keeps_bitmaps = false;  ///< dirty bitmaps: qcow2 of version 3 (compat 1.1) does
};

/// Of a disk's file or block device in use, of format "qcow2" or "raw": reads a header and writes nothing (QEMU
/// docs/interop/qcow2.txt). Another format, or a file that is none of it: kUnsupported. kNotFound and the like when it
/// cannot be read.
[[nodiscard]] Result<ImageFacts> look_at_image(const std::filesystem::path& image, std::string_view format);

}  // namespace penumbra::hypervisor
