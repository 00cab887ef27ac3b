#include "journal/fake/memory_directory.hpp"

#include <cerrno>
#include <utility>

#include <fmt/format.h>

namespace penumbra::journal::fake {

Result<void> MemoryDirectory::refuse(std::string_view what) const {
    if (refuse_with_ != 0) return fail_errno(refuse_with_, what);
    return {};
}

Result<std::vector<std::string>> MemoryDirectory::list() const {
    std::vector<std::string> names;
    names.reserve(names_.size());
    for (const auto& [name, file] : names_)
        names.push_back(name);
    return names;
}

Result<std::string> MemoryDirectory::read(std::string_view name, std::size_t bytes_max) const {
    const auto found = names_.find(name);
    if (found == names_.end()) return fail_errno(ENOENT, fmt::format("opening {}", name));
    if (found->second->content.size() > bytes_max) {
        return fail(ErrorCode::kResourceExhausted, fmt::format("{} is larger than {} bytes", name, bytes_max));
    }
    return found->second->content;
}

Result<void> MemoryDirectory::write(std::string_view name, std::string_view content) {
    points_.reach(fmt::format("before writing {}", name));
    TRY(refuse(fmt::format("writing {}", name)));
    auto& file = names_[std::string(name)];
    if (file == nullptr) file = std::make_shared<File>();
    file->content = content.substr(0, content.size() / 2);
    points_.reach(fmt::format("half through writing {}", name));
    file->content = content;
    points_.reach(fmt::format("after writing {}", name));
    return {};
}

Result<void> MemoryDirectory::sync(std::string_view name) {
    points_.reach(fmt::format("before syncing {}", name));
    TRY(refuse(fmt::format("syncing {}", name)));
    const auto found = names_.find(name);
    if (found == names_.end()) return fail_errno(ENOENT, fmt::format("opening {}", name));
    found->second->durable = found->second->content;
    points_.reach(fmt::format("after syncing {}", name));
    return {};
}

Result<void> MemoryDirectory::rename(std::string_view from, std::string_view to) {
    points_.reach(fmt::format("before renaming {}", from));
    TRY(refuse(fmt::format("renaming {}", from)));
    const auto found = names_.find(from);
    if (found == names_.end()) return fail_errno(ENOENT, fmt::format("renaming {} to {}", from, to));
    auto file = std::move(found->second);
    names_.erase(found);
    names_[std::string(to)] = std::move(file);
    points_.reach(fmt::format("after renaming {}", from));
    return {};
}

Result<void> MemoryDirectory::remove(std::string_view name) {
    points_.reach(fmt::format("before removing {}", name));
    TRY(refuse(fmt::format("removing {}", name)));
    if (const auto found = names_.find(name); found != names_.end()) names_.erase(found);
    points_.reach(fmt::format("after removing {}", name));
    return {};
}

Result<void> MemoryDirectory::sync_names() {
    points_.reach("before syncing the folder");
    TRY(refuse("syncing the folder"));
    durable_names_ = names_;
    points_.reach("after syncing the folder");
    return {};
}

void MemoryDirectory::cut_power(Unsynced unsynced) {
    if (unsynced == Unsynced::kLost) names_ = durable_names_;
    for (auto& [name, file] : names_) {
        if (file->content == file->durable) continue;
        if (unsynced == Unsynced::kLost) file->content = file->durable;
        if (unsynced == Unsynced::kTorn) file->content.resize(file->content.size() / 2);
        file->durable = file->content;
    }
    durable_names_ = names_;
}

void MemoryDirectory::corrupt(std::string_view name, const std::string& content) {
    auto& file = names_[std::string(name)];
    file = std::make_shared<File>(File{.content = content, .durable = content});
    durable_names_[std::string(name)] = file;
}

}  // namespace penumbra::journal::fake
