#include "agent/arm_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>

#include "hypervisor/qcow2_layer.hpp"

namespace penumbra::agent {

namespace {

Result<std::filesystem::path> copied(const std::filesystem::path& from, const std::filesystem::path& folder) {
    if (from.empty()) return std::filesystem::path();
    const std::filesystem::path to = folder / from.filename();
    std::error_code error;
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing, error);
    if (error) return fail_errno(error.value(), fmt::format("copying {} to {}", from.native(), to.native()));
    return to;
}

}  // namespace

Result<std::uint64_t> ArmFolder::newest(const VmId& vm) {
    const hypervisor::ReplicaState state = TRY(replicas_.state(vm));
    if (const hypervisor::ReplicaManifest* newest = state.newest(); newest != nullptr) return newest->generation;
    return fail(ErrorCode::kNotFound,
                fmt::format("there is no generation of VM {} here: replicate it first", vm.text()));
}

Result<ArmFiles> ArmFolder::fill(const std::filesystem::path& folder, const VmId& vm, std::uint64_t generation,
                                 const hypervisor::BootFiles& boot) {
    const hypervisor::ReplicaState state = TRY(replicas_.state(vm));
    const auto manifest = std::ranges::find(state.generations, generation, &hypervisor::ReplicaManifest::generation);
    if (manifest == state.generations.end())
        return fail(ErrorCode::kNotFound, fmt::format("generation {} of VM {} is gone", generation, vm.text()));
    ArmFiles files;
    for (const hypervisor::VolumeManifest& volume : manifest->volumes) {
        const std::filesystem::path overlay = folder / (volume.disk + ".qcow2");
        TRY(hypervisor::create_overlay(overlay, replicas_.layer(vm, generation, volume.disk), volume.virtual_size));
        files.disks.emplace(volume.disk, overlay);
    }
    files.copies.loader = TRY(copied(boot.loader, folder));
    files.copies.kernel = TRY(copied(boot.kernel, folder));
    files.copies.initrd = TRY(copied(boot.initrd, folder));
    files.copies.nvram = TRY(copied(boot.nvram, folder));
    return files;
}

Result<ArmFiles> ArmFolder::make(const VmId& vm, std::uint64_t generation, const std::string& owner,
                                 const hypervisor::BootFiles& boot) {
    TRY(remove(owner));
    const std::filesystem::path folder = root_ / owner;
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail_errno(error.value(), fmt::format("making {}", folder.native()));
    Result<ArmFiles> files = fill(folder, vm, generation, boot);
    if (!files.has_value()) follow_by(files, remove(owner));
    return files;
}

Result<void> ArmFolder::remove(const std::string& owner) {
    std::error_code error;
    const std::filesystem::path folder = root_ / owner;
    std::filesystem::remove_all(folder, error);
    if (error) return fail_errno(error.value(), fmt::format("removing {}", folder.native()));
    // The shadow's folder goes with its last arm; one that is not empty stays.
    std::error_code ignored;
    std::filesystem::remove(folder.parent_path(), ignored);
    return {};
}

Result<std::vector<std::string>> ArmFolder::owners() {
    std::vector<std::string> owners;
    std::error_code error;
    for (std::filesystem::directory_iterator shadow(root_, error), end; !error && shadow != end;
         shadow.increment(error)) {
        for (std::filesystem::directory_iterator arm(shadow->path(), error); !error && arm != end; arm.increment(error))
            owners.push_back(fmt::format("{}/{}", shadow->path().filename().native(), arm->path().filename().native()));
        if (error) break;
    }
    if (error && error != std::errc::no_such_file_or_directory)
        return fail_errno(error.value(), fmt::format("listing {}", root_.native()));
    return owners;
}

Result<Bytes> ArmFolder::taken(const std::string& owner) {
    constexpr std::uint64_t kStatBlockBytes = 512;  // whatever the file system's own are, see stat(2)
    Bytes taken;
    std::error_code error;
    const std::filesystem::path folder = root_ / owner;
    for (std::filesystem::directory_iterator file(folder, error), end; !error && file != end; file.increment(error)) {
        struct stat facts{};
        if (::lstat(file->path().c_str(), &facts) != 0)
            return fail_errno(errno, fmt::format("looking at {}", file->path().native()));
        taken += Bytes(static_cast<std::uint64_t>(facts.st_blocks) * kStatBlockBytes);
    }
    if (error && error != std::errc::no_such_file_or_directory)
        return fail_errno(error.value(), fmt::format("listing {}", folder.native()));
    return taken;
}

}  // namespace penumbra::agent
