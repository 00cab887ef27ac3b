#include "agent/store/sealed_record.hpp"

#include <fmt/format.h>

#include "base/digest.hpp"

namespace penumbra::agent {

namespace {
constexpr std::string_view kSeal = "sha256 ";
}

std::string sealed(const journal::LineRecord& record) {
    const std::string text = record.text();
    return fmt::format("{}{}{}\n", text, kSeal, sha256(text).hex());
}

Result<journal::LineRecord> unsealed(std::string_view text, std::string_view title) {
    const std::size_t at = text.rfind(kSeal);
    if (at == std::string_view::npos || (at > 0 && text[at - 1] != '\n') ||
        text.substr(at) != fmt::format("{}{}\n", kSeal, sha256(text.substr(0, at)).hex())) {
        return fail(ErrorCode::kDataLoss, "its checksum does not fit its content");
    }
    journal::LineRecord record = TRY(journal::LineRecord::parse(text.substr(0, at)));
    const std::string format = TRY(record.take(title));
    if (format != kRecordFormat) {
        return fail(ErrorCode::kUnsupported,
                    fmt::format("it is of format {}; this version reads format {}", format, kRecordFormat));
    }
    return record;
}

}  // namespace penumbra::agent
