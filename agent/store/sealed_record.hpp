#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "journal/line_record.hpp"

namespace penumbra::agent {

/// The record as a file of the agent: its lines, then one with the SHA-256 of all before it.
[[nodiscard]] std::string sealed(const journal::LineRecord& record);
/// The record again, after its first line, `title 1`, was checked and taken out. kDataLoss, or kUnsupported for a later
/// format.
[[nodiscard]] Result<journal::LineRecord> unsealed(std::string_view text, std::string_view title);

/// The format every record of the agent begins with: `title 1`.
inline constexpr std::string_view kRecordFormat = "1";

}  // namespace penumbra::agent
