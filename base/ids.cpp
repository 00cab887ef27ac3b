#include "base/ids.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/limits/base.hpp"

namespace penumbra::detail {

Result<void> check_id(std::string_view noun, std::string_view text) {
    const auto alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    const auto allowed = [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == ':' || c == '-'; };
    if (text.empty() || text.size() > limits::kIdBytesMax || !alphanumeric(text.front()) ||
        !std::ranges::all_of(text, allowed)) {
        return fail(
            ErrorCode::kInvalidArgument,
            fmt::format("{} name '{}' is not valid: use 1 to {} letters, digits, '.', '_', ':' or '-', the first "
                        "a letter or digit",
                        noun, text.substr(0, limits::kIdBytesMax), limits::kIdBytesMax));
    }
    return {};
}

}  // namespace penumbra::detail
