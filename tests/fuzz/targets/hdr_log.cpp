#include <cstddef>
#include <cstdint>
#include <string_view>

#include "analysis/histogram_log.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Whatever is read can be written, and reads back with the same times and as many intervals.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto intervals = penumbra::analysis::parse_hdr_log("log", text);
    if (!intervals.has_value()) return 0;
    const auto written = penumbra::analysis::hdr_log_of(*intervals);
    if (!written.has_value()) return 0;  // counts beyond 63 bits
    const auto again = penumbra::analysis::parse_hdr_log("log", *written);
    ASSERT(again.has_value() && again->size() == intervals->size());
    return 0;
}
