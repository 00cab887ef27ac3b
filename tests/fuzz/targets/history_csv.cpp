#include "analysis/forecast/history_csv.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Whatever is accepted are finite values; whatever is refused is refused with the file's name in front.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const std::string_view column : {"", "cpu"}) {
        const auto points = penumbra::analysis::forecast::parse_history("f.csv", text, column);
        if (!points.has_value()) {
            ASSERT(points.error().message.starts_with("f.csv:"));
            continue;
        }
        ASSERT(!points->empty());
        for (const auto& point : *points)
            ASSERT(std::isfinite(point.value));
    }
    return 0;
}
