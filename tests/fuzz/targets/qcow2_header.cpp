#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "hypervisor/qcow2_layout.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Whatever is accepted is exactly what would be written, followed by what belongs to no header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto header = penumbra::hypervisor::qcow2::decode_header(bytes);
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (header.has_value()) ASSERT(text.starts_with(penumbra::hypervisor::qcow2::encode(*header)));
    return 0;
}
