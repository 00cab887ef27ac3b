#pragma once

#include <filesystem>
#include <memory>

#include "base/unique_fd.hpp"
#include "journal/directory.hpp"

namespace penumbra::journal {

/// A folder on disk, by openat(2) and fsync(2); files are readable by their owner only. Thread-bound.
class PosixDirectory final : public Directory {
 public:
    /// Opens the folder, making its last component (mode 0700) if it is not there.
    [[nodiscard]] static Result<std::unique_ptr<PosixDirectory>> open(const std::filesystem::path& path);

    [[nodiscard]] Result<std::vector<std::string>> list() const override;
    [[nodiscard]] Result<std::string> read(std::string_view name, std::size_t bytes_max) const override;
    [[nodiscard]] Result<void> write(std::string_view name, std::string_view content) override;
    [[nodiscard]] Result<void> sync(std::string_view name) override;
    [[nodiscard]] Result<void> rename(std::string_view from, std::string_view to) override;
    [[nodiscard]] Result<void> remove(std::string_view name) override;
    [[nodiscard]] Result<void> sync_names() override;

 private:
    PosixDirectory(std::filesystem::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    [[nodiscard]] std::string full_name(std::string_view name) const;

    std::filesystem::path path_;
    UniqueFd fd_;
};

}  // namespace penumbra::journal
