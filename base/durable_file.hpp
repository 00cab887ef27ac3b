#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace penumbra {

/// Writes a whole file so that after a power cut there is either the old content or the new, never a mix: temporary
/// file in the same folder, fsync, rename, fsync of the folder. `mode` is the file's permissions. Thread-safe.
[[nodiscard]] Result<void> write_file_durably(const std::filesystem::path& path, std::string_view content,
                                              unsigned mode = 0600);

/// Reads a whole file of at most `bytes_max`; a bigger one is kResourceExhausted, a missing one kNotFound.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max);

/// Removes a file and makes the removal durable. A file that is not there is a success.
[[nodiscard]] Result<void> remove_file_durably(const std::filesystem::path& path);

/// fsyncs a folder, so that names made or removed in it survive a power cut.
[[nodiscard]] Result<void> sync_directory(const std::filesystem::path& path);

/// Writes all of `content` to an open file, through short writes and EINTR.
[[nodiscard]] Result<void> write_all(const UniqueFd& fd, std::string_view content, std::string_view what);

}  // namespace penumbra
