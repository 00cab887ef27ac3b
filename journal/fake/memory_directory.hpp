#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "journal/directory.hpp"
#include "journal/fake/crash_points.hpp"

namespace penumbra::journal::fake {

/// What a power cut leaves of what was not synced: the disk had written none of it, half of it, or all of it.
enum class Unsynced : unsigned char { kLost, kTorn, kKept };

/// A folder in memory that knows what is only in the page cache. Can refuse writes as a full, failing or read-only disk
/// does, and dies at any of its CrashPoints. Thread-bound.
class MemoryDirectory final : public Directory {
 public:
    explicit MemoryDirectory(CrashPoints& points) : points_(points) {}

    [[nodiscard]] Result<std::vector<std::string>> list() const override;
    [[nodiscard]] Result<std::string> read(std::string_view name, std::size_t bytes_max) const override;
    [[nodiscard]] Result<void> write(std::string_view name, std::string_view content) override;
    [[nodiscard]] Result<void> sync(std::string_view name) override;
    [[nodiscard]] Result<void> rename(std::string_view from, std::string_view to) override;
    [[nodiscard]] Result<void> remove(std::string_view name) override;
    [[nodiscard]] Result<void> sync_names() override;

    /// The machine lost power: what was not synced is as `unsynced` says.
    void cut_power(Unsynced unsynced);
    /// Every write, sync, rename and removal fails with this errno from now on (ENOSPC, EIO, EROFS); 0: works again.
    void refuse_with(int errno_value) noexcept { refuse_with_ = errno_value; }
    /// Puts bytes there without any step in between, as a failing disk does.
    void corrupt(std::string_view name, const std::string& content);

 private:
    struct File {
        std::string content;
        std::string durable;
    };
    using Names = std::map<std::string, std::shared_ptr<File>, std::less<>>;
    [[nodiscard]] Result<void> refuse(std::string_view what) const;

    CrashPoints& points_;
    Names names_;
    Names durable_names_;
    int refuse_with_ = 0;
};

}  // namespace penumbra::journal::fake
