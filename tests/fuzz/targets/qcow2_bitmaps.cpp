#include "hypervisor/qcow2_bitmaps.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Whatever is accepted has as many names as its header says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto head = penumbra::hypervisor::qcow2::decode_image_head(bytes);
    if (!head.has_value()) return 0;
    const auto directory = bytes.subspan(std::min<std::uint64_t>(head->bitmaps.offset, size));
    const auto names = penumbra::hypervisor::qcow2::decode_bitmap_names(head->bitmaps, directory);
    if (names.has_value()) ASSERT(names->size() == head->bitmaps.count);
    return 0;
}
