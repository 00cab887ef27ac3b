#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/durable_file.hpp"

namespace penumbra::testing {

/// tests/golden/NAME of the source tree.
inline std::filesystem::path golden_path(std::string_view name) {
    return std::filesystem::path(PENUMBRA_SOURCE_ROOT) / "tests/golden" / name;
}

/// True when PENUMBRA_GOLDEN_ACCEPT=1 asks for the files to be written; such a test then says it was skipped.
inline bool accepting_golden() {
    const char* accept = std::getenv("PENUMBRA_GOLDEN_ACCEPT");
    return accept != nullptr && std::string_view(accept) == "1";
}

/// The golden file's text, or nothing and a failure that says how to make it.
inline std::string read_golden(std::string_view name) {
    const Result<std::string> text = read_file(golden_path(name), std::size_t{16} << 20U);
    if (text.has_value()) return *text;
    ADD_FAILURE() << text.error().message << ": run the test with PENUMBRA_GOLDEN_ACCEPT=1 and look at the diff";
    return {};
}

}  // namespace penumbra::testing
