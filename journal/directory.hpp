#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace penumbra::journal {

/// Port: one flat folder, in the steps a power cut can fall between. Nothing is durable before sync() of the file and
/// sync_names() of the folder. Names are plain file names. Thread-bound.
class Directory {
 public:
    Directory() = default;
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    Directory(Directory&&) = delete;
    Directory& operator=(Directory&&) = delete;
    virtual ~Directory() = default;

    /// Every name in the folder, sorted.
    [[nodiscard]] virtual Result<std::vector<std::string>> list() const = 0;
    /// The whole file; kNotFound without it, kResourceExhausted over `bytes_max`.
    [[nodiscard]] virtual Result<std::string> read(std::string_view name, std::size_t bytes_max) const = 0;
    /// Makes or empties the file, then writes it.
    [[nodiscard]] virtual Result<void> write(std::string_view name, std::string_view content) = 0;
    /// Makes the file's content durable.
    [[nodiscard]] virtual Result<void> sync(std::string_view name) = 0;
    /// Puts one file in another's place, at once.
    [[nodiscard]] virtual Result<void> rename(std::string_view from, std::string_view to) = 0;
    /// A file that is not there is a success.
    [[nodiscard]] virtual Result<void> remove(std::string_view name) = 0;
    /// Makes names made, moved and removed durable.
    [[nodiscard]] virtual Result<void> sync_names() = 0;
};

/// What a name ends in while its file is being written; whoever lists a folder removes such files.
inline constexpr std::string_view kNewSuffix = ".new";

/// The file as it was or as `text`, whole, after a power cut at any step. Durable when it returns; after an error it is
/// either.
[[nodiscard]] Result<void> replace_file(Directory& directory, const std::string& name, std::string_view text);

}  // namespace penumbra::journal
