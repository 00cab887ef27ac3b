#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "journal/entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Whatever is accepted is exactly what would be written: reading and writing agree on every byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto entry = penumbra::journal::decode(text);
    if (entry.has_value()) ASSERT(penumbra::journal::encode(*entry) == text);
    return 0;
}
