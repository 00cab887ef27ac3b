#include "base/durable_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace penumbra {

Result<void> write_all(const UniqueFd& fd, std::string_view content, std::string_view what) {
    while (!content.empty()) {
        const ssize_t written = ::write(fd.get(), content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail_errno(errno, fmt::format("writing {}", what));
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<void> sync_directory(const std::filesystem::path& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) return fail_errno(errno, fmt::format("opening folder {}", path.native()));
    if (::fsync(fd.get()) != 0) return fail_errno(errno, fmt::format("syncing folder {}", path.native()));
    return {};
}

namespace {
Result<void> write_and_sync(const UniqueFd& fd, std::string_view content, unsigned mode, const std::string& name) {
    if (::fchmod(fd.get(), mode) != 0) return fail_errno(errno, fmt::format("setting the mode of {}", name));
    TRY(write_all(fd, content, name));
    if (::fsync(fd.get()) != 0) return fail_errno(errno, fmt::format("syncing {}", name));
    return {};
}
}  // namespace

Result<void> write_file_durably(const std::filesystem::path& path, std::string_view content, unsigned mode) {
    std::string temporary = path.native() + ".XXXXXX";
    const UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!fd.valid()) return fail_errno(errno, fmt::format("creating a file beside {}", path.native()));
    Result<void> done = write_and_sync(fd, content, mode, temporary);
    if (done.has_value() && ::rename(temporary.c_str(), path.c_str()) != 0) {
        done = fail_errno(errno, fmt::format("renaming {} to {}", temporary, path.native()));
    }
    if (!done.has_value()) {
        ::unlink(temporary.c_str());
        return done;
    }
    return sync_directory(path.has_parent_path() ? path.parent_path() : ".");
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return fail_errno(errno, fmt::format("opening {}", path.native()));
    std::string content;
    char buffer[16384];
    while (true) {
        const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail_errno(errno, fmt::format("reading {}", path.native()));
        if (count == 0) return content;
        if (content.size() + static_cast<std::size_t>(count) > bytes_max) {
            return fail(ErrorCode::kResourceExhausted,
                        fmt::format("{} is larger than the {} bytes allowed for it", path.native(), bytes_max));
        }
        content.append(buffer, static_cast<std::size_t>(count));
    }
}

Result<void> remove_file_durably(const std::filesystem::path& path) {
    if (::unlink(path.c_str()) != 0) {
        if (errno == ENOENT) return {};
        return fail_errno(errno, fmt::format("removing {}", path.native()));
    }
    return sync_directory(path.has_parent_path() ? path.parent_path() : ".");
}

}  // namespace penumbra
