#include "journal/posix_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable_file.hpp"

namespace penumbra::journal {

Result<std::unique_ptr<PosixDirectory>> PosixDirectory::open(const std::filesystem::path& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return fail_errno(errno, fmt::format("making the journal's folder {}", path.native()));
    }
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) return fail_errno(errno, fmt::format("opening the journal's folder {}", path.native()));
    return std::unique_ptr<PosixDirectory>(new PosixDirectory(path, std::move(fd)));
}

std::string PosixDirectory::full_name(std::string_view name) const {
    return (path_ / name).native();
}

Result<std::vector<std::string>> PosixDirectory::list() const {
    std::vector<std::string> names;
    std::error_code error;
    std::filesystem::directory_iterator entries(path_, error);
    const std::filesystem::directory_iterator end;
    for (; !error && entries != end; entries.increment(error))
        names.push_back(entries->path().filename().native());
    if (error) return fail_errno(error.value(), fmt::format("listing {}", path_.native()));
    std::ranges::sort(names);
    return names;
}

Result<std::string> PosixDirectory::read(std::string_view name, std::size_t bytes_max) const {
    return read_file(path_ / name, bytes_max);
}

Result<void> PosixDirectory::write(std::string_view name, std::string_view content) {
    const std::string text(name);
    const UniqueFd file(::openat(fd_.get(), text.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) return fail_errno(errno, fmt::format("creating {}", full_name(name)));
    return write_all(file, content, full_name(name));
}

Result<void> PosixDirectory::sync(std::string_view name) {
    const std::string text(name);
    const UniqueFd file(::openat(fd_.get(), text.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file.valid()) return fail_errno(errno, fmt::format("opening {}", full_name(name)));
    if (::fsync(file.get()) != 0) return fail_errno(errno, fmt::format("syncing {}", full_name(name)));
    return {};
}

Result<void> PosixDirectory::rename(std::string_view from, std::string_view to) {
    if (::renameat(fd_.get(), std::string(from).c_str(), fd_.get(), std::string(to).c_str()) != 0) {
        return fail_errno(errno, fmt::format("renaming {} to {}", full_name(from), to));
    }
    return {};
}

Result<void> PosixDirectory::remove(std::string_view name) {
    if (::unlinkat(fd_.get(), std::string(name).c_str(), 0) != 0 && errno != ENOENT) {
        return fail_errno(errno, fmt::format("removing {}", full_name(name)));
    }
    return {};
}

Result<void> PosixDirectory::sync_names() {
    if (::fsync(fd_.get()) != 0) return fail_errno(errno, fmt::format("syncing folder {}", path_.native()));
    return {};
}

}  // namespace penumbra::journal
