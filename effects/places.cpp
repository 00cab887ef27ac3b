#include "effects/places.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

namespace penumbra::effects::places {

std::filesystem::path revert_program() {
    return PENUMBRA_LIBEXECDIR "/penumbra/penumbra-revert";
}

Result<void> check_reverter(const std::filesystem::path& program) {
    std::error_code error;
    const bool is_file = std::filesystem::is_regular_file(program, error);
    if (is_file && ::access(program.c_str(), X_OK) == 0) return {};
    const std::string why = is_file ? std::strerror(errno) : error ? error.message() : "it is no file";
    return fail(ErrorCode::kUnavailable, fmt::format("{} cannot be run: {}", program.native(), why));
}

}  // namespace penumbra::effects::places
