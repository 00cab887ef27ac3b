#include "agent/folders.hpp"

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace penumbra::agent {

namespace {

constexpr const char* kQemuGroup = "kvm";
constexpr mode_t kOurs = 0700;
constexpr mode_t kPassedThrough = 0711;
constexpr mode_t kQemuReads = 02750;
constexpr mode_t kQemuWrites = 02770;
constexpr mode_t kQemuPutsIn = 02730;

std::optional<gid_t> qemu_group() {
    std::array<char, 4096> names{};
    group entry{};
    group* found = nullptr;
    if (::getgrnam_r(kQemuGroup, &entry, names.data(), names.size(), &found) != 0 || found == nullptr)
        return std::nullopt;
    return found->gr_gid;
}

/// The folder with exactly this mode; where QEMU comes in, its group.
Result<void> make(const std::filesystem::path& folder, mode_t mode) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail_errno(error.value(), fmt::format("making {}", folder.native()));
    const std::optional<gid_t> group = qemu_group();
    // Without that group QEMU runs as root, or root of the host has arranged its own.
    if ((mode & S_ISGID) != 0 && group.has_value() && ::chown(folder.c_str(), static_cast<uid_t>(-1), *group) != 0)
        return fail_errno(errno, fmt::format("giving {} to group {}", folder.native(), kQemuGroup));
    if (::chmod(folder.c_str(), mode) != 0)
        return fail_errno(errno, fmt::format("setting the mode of {}", folder.native()));
    return {};
}

/// Folders that tmpfiles.d makes as root of the host wants them; without it, here.
Result<void> make_missing(const std::filesystem::path& folder, mode_t mode) {
    std::error_code error;
    if (std::filesystem::is_directory(folder, error)) return {};
    return make(folder, mode);
}

}  // namespace

Result<Folders> make_folders(const std::filesystem::path& state, const std::filesystem::path& run,
                             const std::filesystem::path& backups) {
    const Folders folders{.state = state,
                          .journal = state / "journal",
                          .commands = state / "commands",
                          .shadows = state / "shadows",
                          .replicas = state / "replicas",
                          .arms = state / "arms",
                          .scratch = state / "scratch",
                          .backups = backups,
                          .run = run,
                          .spaces = run / "netns"};
    TRY(make(folders.state, kPassedThrough));
    TRY(make(folders.journal, kOurs));
    TRY(make(folders.commands, kOurs));
    TRY(make(folders.shadows, kOurs));
    TRY(make(folders.replicas, kQemuReads));
    TRY(make(folders.arms, kQemuWrites));
    TRY(make(folders.scratch, kQemuWrites));
    TRY(make_missing(folders.run, 0755));
    TRY(make_missing(folders.backups, kQemuPutsIn));
    return folders;
}

}  // namespace penumbra::agent
