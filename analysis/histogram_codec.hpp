#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "proto/model/kpi.hpp"

/// HdrHistogram's V2 encoding (G. Tene, HdrHistogram 2.1, AbstractHistogram.encodeIntoCompressedByteBuffer): a header
/// of big-endian numbers, then the counts as ZigZag LEB128 with runs of zeros as their negative length, deflated, and
/// for text in base64. Pure.
namespace penumbra::analysis {

/// Cells of a histogram with `digits` significant digits (0 to 5) above `lowest` (>= 1).
class HdrLayout {
 public:
    HdrLayout(unsigned digits, std::uint64_t lowest) noexcept;
    /// Whether a value fits into 63 bits at all with such cells.
    [[nodiscard]] bool is_possible() const noexcept { return unit_bits_ + half_bits_ <= 61; }
    [[nodiscard]] std::size_t index_of(std::uint64_t value) const noexcept;
    /// Whether the cell's values fit into 63 bits.
    [[nodiscard]] bool holds(std::size_t index) const noexcept;
    [[nodiscard]] std::uint64_t middle_of(std::size_t index) const noexcept;
    [[nodiscard]] std::uint64_t highest_of(std::size_t index) const noexcept;

 private:
    struct Place {
        std::uint64_t lowest = 0;
        unsigned width_bits = 0;
    };
    [[nodiscard]] Place place_of(std::size_t index) const noexcept;
    unsigned half_bits_ = 0;
    unsigned unit_bits_ = 0;
};

/// One cell that is not empty: its middle value, in the unit it was recorded in, and the highest value of it.
struct HdrCell {
    std::uint64_t middle = 0;
    std::uint64_t highest = 0;
    std::uint64_t count = 0;
    friend bool operator==(const HdrCell&, const HdrCell&) = default;
};

/// Cells in rising order of a V2 histogram in base64, compressed or not. Foreign bytes: whatever they say, at most
/// limits::kHdrBytesMax are made of them. Errors: kDataLoss for bytes that are no whole histogram; kUnsupported for the
/// older encodings and for a histogram that was shifted.
[[nodiscard]] Result<std::vector<HdrCell>> decode_hdr(std::string_view base64);

/// Buckets as KPI windows carry them (microseconds, 3 digits) as a compressed V2 histogram in base64, byte for byte as
/// the Java library encodes Histogram(3600000000, 3). Errors: kInvalidArgument for a value above
/// limits::kHistogramValueMax or a count of more than 63 bits.
[[nodiscard]] Result<std::string> encode_hdr(std::span<const model::HistogramBucket> buckets);

}  // namespace penumbra::analysis
