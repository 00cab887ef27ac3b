#include "hypervisor/replica_manifest.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Whatever is accepted is exactly what would be written: reading and writing agree on every byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto manifest = penumbra::hypervisor::decode_manifest(text);
    if (manifest.has_value()) ASSERT(penumbra::hypervisor::encode(*manifest) == text);
    // Past the checksum, which no mutation gets right: every line again with a right one.
    const std::size_t end = text.rfind("end ");
    if (end == std::string_view::npos) return 0;
    std::string sealed(text.substr(0, end));
    sealed += "end " + penumbra::sha256(sealed).hex() + "\n";
    const auto again = penumbra::hypervisor::decode_manifest(sealed);
    if (again.has_value()) ASSERT(penumbra::hypervisor::encode(*again) == sealed);
    return 0;
}
