#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace penumbra::testing {

/// A folder of the test's own, removed with everything in it.
class TemporaryDirectory {
 public:
    TemporaryDirectory() {
        std::string pattern = std::filesystem::temp_directory_path() / "penumbra-test-XXXXXX";
        ASSERT(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    TemporaryDirectory(TemporaryDirectory&&) = delete;
    TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
    std::filesystem::path path_;
};

}  // namespace penumbra::testing
